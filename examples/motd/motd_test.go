package motd_test

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"regexp"
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

// The guide shows the code that runs here, piece by piece, and names what there is.
func TestGuide(t *testing.T) {
	var code strings.Builder
	for _, file := range []string{"motd.go", "motd_test.go"} {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		code.Write(b)
	}
	b, err := os.ReadFile("../../docs/extending.md")
	require.NoError(t, err)
	guide := string(b)
	pieces := 0
	for i, part := range strings.Split(guide, "```") {
		if i%2 == 0 {
			continue
		}
		kind, piece, _ := strings.Cut(part, "\n")
		require.Equal(t, "go", kind)
		require.Contains(t, code.String(), piece)
		pieces++
	}
	require.Equal(t, 5, pieces)

	named := 0
	for _, m := range regexp.MustCompile("`(Host|Hooks)\\.([A-Za-z`, ]+)`").FindAllStringSubmatch(guide, -1) {
		for _, name := range strings.FieldsFunc(m[2], func(r rune) bool { return strings.ContainsRune("`, ", r) }) {
			name = name[strings.LastIndex(name, ".")+1:]
			ok := false
			if m[1] == "Host" {
				_, ok = reflect.TypeFor[module.Host]().MethodByName(name)
			} else {
				_, ok = reflect.TypeFor[module.Hooks]().FieldByName(name)
			}
			require.True(t, ok, "there is no %s.%s", m[1], name)
			named++
		}
	}
	require.Greater(t, named, 12)
	for _, m := range regexp.MustCompile(`\]\(([^)]*)\)`).FindAllStringSubmatch(guide, -1) {
		_, err := os.Stat("../../docs/" + m[1])
		require.NoError(t, err)
	}
}
