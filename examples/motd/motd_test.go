package motd_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/examples/motd"
	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// Whoever logs in hears the message, and gets it when asking.
func Example() {
	s, err := xmpptest.Start(&server.Options{Modules: []module.Module{motd.Server("O that I were a glove upon that hand!")}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Stop()
	ctx := context.Background()
	juliet, err := s.Account("juliet")
	if err != nil {
		fmt.Println(err)
		return
	}

	heard := make(chan string, 1)
	mux := muxer.New()
	motd.Register(mux, func(_ context.Context, text string) { heard <- text })
	opts := s.Options(juliet)
	opts.Handler = mux
	c, err := client.Dial(ctx, juliet, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close(ctx)
	fmt.Println("heard:", <-heard)
	fmt.Println(motd.Get(ctx, c))
	// Output:
	// heard: O that I were a glove upon that hand!
	// O that I were a glove upon that hand! <nil>
}

// What is registered is told to those who ask what the server can do.
func TestAdvertised(t *testing.T) {
	s, err := xmpptest.Start(&server.Options{InsecurePlaintext: true, Modules: []module.Module{motd.Server("x")}})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	c := s.Dial(t, "juliet", nil)
	info, err := disco.GetInfo(t.Context(), c, c.RemoteAddr(), "")
	require.NoError(t, err)
	require.Contains(t, info.Features, motd.NS)
}

// Nobody but the own server is believed.
func TestForged(t *testing.T) {
	for from, believed := range map[string]bool{"example.org": true, "juliet@example.org": false, "evil.example": false, "example.org/x": false} {
		got := ""
		mux := muxer.New()
		motd.Register(mux, func(_ context.Context, text string) { got = text })
		raw, err := stanza.Parse([]byte("<message xmlns='jabber:client' type='headline' from='" + from + "'><body>x</body><note xmlns='urn:example:motd'/></message>"))
		require.NoError(t, err)
		_, err = mux.HandleStanza(xmpp.WithSession(t.Context(), session{}), raw)
		require.NoError(t, err)
		require.Equal(t, believed, got == "x", from)
	}
}

// session is one of juliet's.
type session struct{ xmpp.Session }

func (session) LocalAddr() jid.JID { return jid.MustParse("juliet@example.org/balcony") }

// The guide shows the code that runs here, piece by piece.
func TestGuide(t *testing.T) {
	code, err := os.ReadFile("motd.go")
	require.NoError(t, err)
	guide, err := os.ReadFile("../../docs/extending.md")
	require.NoError(t, err)
	pieces := 0
	for i, part := range strings.Split(string(guide), "```") {
		if i%2 == 0 || !strings.HasPrefix(part, "go\n") {
			continue
		}
		piece := strings.TrimPrefix(part, "go\n")
		if strings.HasPrefix(piece, "srv, err") { // what a program does with it: Example
			continue
		}
		pieces++
		require.Contains(t, string(code), piece)
	}
	require.GreaterOrEqual(t, pieces, 4)
}
