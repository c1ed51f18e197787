package stream

import (
	"context"
	"encoding/xml"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// A client asks over TLS and before it logs in; it is answered, an error does not end the stream, and the login follows.
func TestBeforeLogin(t *testing.T) {
	form := stanza.NewElement([]byte("<form xmlns='urn:example:form'/>"))
	serverCfg := receiving(t)
	serverCfg.Features = append(serverCfg.Features, Requests{
		Offers: []stanza.Payload{form},
		Takes:  func(_ stanza.IQType, name xml.Name) bool { return name.Space == "urn:example:form" },
		Answer: func(_ context.Context, n *Negotiation, iq *stanza.IQ) (stanza.Payload, error) {
			if iq.Type == stanza.IQSet {
				return nil, stanza.Conflict
			}
			return form, nil
		},
	})
	asked := 0
	clientCfg := initiating()
	before := BeforeLogin{Do: func(ctx context.Context, n *Negotiation) error {
		asked++
		require.True(t, n.State().Has(Secure))
		require.False(t, n.Features().Child("urn:example:form", "form").IsZero())
		answer, err := n.Query(ctx, stanza.IQ{Type: stanza.IQGet, To: n.Domain(), Payload: form})
		require.NoError(t, err)
		require.NotNil(t, answer.Payload)
		_, err = n.Query(ctx, stanza.IQ{Type: stanza.IQSet, Payload: form})
		require.ErrorIs(t, err, stanza.Conflict)
		_, err = n.Query(ctx, stanza.IQ{Type: stanza.IQResult})
		require.Error(t, err)
		return nil
	}}
	clientCfg.Features = append([]Feature{clientCfg.Features[0], before}, clientCfg.Features[1:]...)
	a, b := net.Pipe()
	client, server := connect(t, a, b, clientCfg, serverCfg)
	defer client.Abort()
	defer server.Abort()
	require.Equal(t, 1, asked)

	// It is of no use to a server, and does no harm.
	require.False(t, before.Wants(form))
	require.NoError(t, before.Serve(t.Context(), nil, form))
	require.False(t, before.Possible(Secure|Authenticated))
}

// What is not the answer ends the stream: nobody else may speak before the login.
func TestSec_ForgedAnswerBeforeLogin(t *testing.T) {
	for name, answer := range map[string]string{
		"another id":     "<iq type='result' id='x'/>",
		"another sender": "<iq type='result' id='%' from='evil.example'/>",
		"a request":      "<iq type='get' id='%'><x xmlns='urn:x'/></iq>",
		"a message":      "<message id='%'/>",
		"no stanza":      "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
		"malformed":      "<iq type='nothing' id='%'/>",
	} {
		t.Run(name, func(t *testing.T) {
			cfg := plainInitiating()
			cfg.Features = append([]Feature{BeforeLogin{Do: func(ctx context.Context, n *Negotiation) error {
				_, err := n.Query(ctx, stanza.IQ{Type: stanza.IQGet, Payload: stanza.NewElement([]byte("<x xmlns='urn:x'/>"))})
				return err
			}}}, cfg.Features...)
			p, done := negotiating(t, true, cfg)
			p.expect(xmlDecl + "<stream:stream to='im.example.com' version='1.0' xml:lang='en'" + namespaces)
			p.send(strings.ReplaceAll(serverOpens, "$id", "1") + "<stream:features/>")
			p.expect("<iq type='get' id='$q'><x xmlns='urn:x'/></iq>")
			p.send(strings.ReplaceAll(answer, "%", "$q"))
			p.expect("<stream:error>")
			_ = p.nc.Close()
			e, ok := errors.AsType[*Error]((<-done).err)
			require.True(t, ok)
			require.False(t, e.Received)
		})
	}
}
