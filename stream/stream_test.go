package stream

import (
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// TestStream runs a whole stream between two sides of ours.
func TestStream(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ends  func() (client, server net.Conn)
		plain bool
		state State
	}{
		{name: "STARTTLS", ends: net.Pipe, state: Secure | Authenticated | Bound},
		{name: "direct TLS", ends: func() (net.Conn, net.Conn) {
			a, b := net.Pipe()
			return TLSClient(a, clientTLS(), example), TLSServer(b, ServerTLS(serverTLS()))
		}, state: Secure | Authenticated | Bound},
		{name: "plaintext", ends: net.Pipe, plain: true, state: Authenticated | Bound},
		{name: "STARTTLS over TCP", ends: func() (net.Conn, net.Conn) { return tcpPipe(t) }, state: Secure | Authenticated | Bound},
		{name: "plaintext over TCP", ends: func() (net.Conn, net.Conn) { return tcpPipe(t) }, plain: true, state: Authenticated | Bound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clientCfg, serverCfg := initiating(), receiving(t)
			if tt.plain {
				clientCfg, serverCfg = plainInitiating(), plainReceiving(t)
			}
			a, b := tt.ends()
			client, server := connect(t, a, b, clientCfg, serverCfg)
			require.Equal(t, tt.state, client.State())
			require.Equal(t, tt.state, server.State())
			require.Equal(t, client.LocalAddr(), server.RemoteAddr())
			require.Equal(t, juliet, client.LocalAddr().Bare())
			require.Equal(t, example, client.RemoteAddr())
			require.Equal(t, example, server.LocalAddr())
			require.Equal(t, client.ID(), server.ID())
			require.Equal(t, tt.plain, client.TLS() == nil)

			got, clientEnd := reading(client)
			received, serverEnd := reading(server)
			m := stanza.Message{To: juliet, Body: stanza.Plain("hello")}
			receipt, err := client.Send(t.Context(), m, m.Header())
			require.NoError(t, err)
			require.Equal(t, "<message to='juliet@im.example.com'><body>hello</body></message>", (<-received).String())
			stage, err := receipt.Await(t.Context(), xmpp.Sent)
			require.NoError(t, err)
			require.Equal(t, xmpp.Sent, stage)
			require.NoError(t, server.TrySend(m, stanza.Header{ID: "1", From: juliet}))
			require.Equal(t, "<message id='1' from='juliet@im.example.com'><body>hello</body></message>", (<-got).String())

			require.NoError(t, client.Close(t.Context()))
			require.NoError(t, client.Close(t.Context()))
			require.Equal(t, io.EOF, <-clientEnd)
			require.Equal(t, io.EOF, <-serverEnd)
			<-client.Done()
			<-server.Done()
			require.Equal(t, io.EOF, client.Err())
			_, err = client.Send(t.Context(), m, m.Header())
			require.ErrorIs(t, err, xmpp.ErrClosed)
			require.True(t, xmpp.SafeToRetry(err))
		})
	}
}
