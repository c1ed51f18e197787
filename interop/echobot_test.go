//go:build unix

package interop

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// texts must come back as they were.
var texts = []string{"hello", "🎈 <&>\"'", strings.Repeat("ten kilobytes, ", 683)}

// testEchobot runs the example's bot on another server over both kinds of TLS
// and talks to it.
func testEchobot(t *testing.T, p *peer) {
	program := echobot(t)
	passwordFile := filepath.Join(t.TempDir(), "password")
	write(t, passwordFile, []byte(botPassword+"\n"))
	for name, args := range map[string][]string{
		"STARTTLS":   {"-server", p.startTLS},
		"direct TLS": {"-server", p.directTLS, "-direct-tls"},
	} {
		t.Run(name, func(t *testing.T) {
			bot := start(t, program, append(args, "-jid", botAccount, "-ca", p.caFile, "-password-file", passwordFile, "-trace")...)
			bot.await(t, "<presence")
			talk(t, &client.Options{
				Address:   args[1],
				DirectTLS: len(args) > 2,
				TLS:       p.ca.ClientConfig(),
				Password:  userPassword,
			})
			trace := bot.text()
			require.Contains(t, trace, "SCRAM-SHA-256", "the mechanism")
			require.NotContains(t, trace, botPassword, "the password in the trace")
		})
	}
}

// talk logs in as the user, says each text to the bot and wants it back.
func talk(t *testing.T, opts *client.Options) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	heard := make(chan string, len(texts))
	mux := muxer.New()
	mux.Message(stanza.MessageChat, func(_ context.Context, m *stanza.Message) error {
		heard <- m.Body.String()
		return nil
	})
	opts.Handler = mux
	user, err := client.Dial(ctx, jid.MustParse(userAccount), opts)
	require.NoError(t, err)
	defer func() { require.NoError(t, user.Close(ctx)) }()
	_, err = user.Send(ctx, stanza.Presence{})
	require.NoError(t, err)
	for _, text := range texts {
		_, err := user.Send(ctx, stanza.Message{
			To: jid.MustParse(botAccount), Type: stanza.MessageChat, Body: stanza.Plain(text),
		})
		require.NoError(t, err)
		select {
		case got := <-heard:
			require.Equal(t, text, got)
		case <-ctx.Done():
			t.Fatalf("no echo of %.20q: %v", text, ctx.Err())
		}
	}
}
