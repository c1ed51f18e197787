package xmpptest

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// ping is a payload for tests.
type ping struct{}

func (ping) AppendXML(dst []byte) ([]byte, error) {
	return append(dst, "<ping xmlns='urn:xmpp:ping'/>"...), nil
}

// ask pings the server.
func ask(ctx context.Context, s xmpp.Session) error {
	_, err := s.Query(ctx, stanza.IQ{Type: stanza.IQGet, To: s.RemoteAddr(), Payload: ping{}})
	return err
}

func TestPlay(t *testing.T) { Play(t, "testdata/*.xmpp", ask) }

// scripted writes a transcript and plays it.
func scripted(t *testing.T, text string, h xmpp.Handler, program func(context.Context, xmpp.Session) error) (string, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "test.xmpp")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	script, err := readTranscript(name)
	require.NoError(t, err)
	err = play(t.Context(), script, h, program)
	b, readErr := os.ReadFile(name)
	require.NoError(t, readErr)
	return string(b), err
}

// TestPlayNotices: a transcript that does not hold is an error that says where.
func TestPlayNotices(t *testing.T) {
	const good = "C: <iq type='get' id='$a' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>\nS: <iq type='result' id='$a' from='example.org'/>\n"
	_, err := scripted(t, good, nil, ask)
	require.NoError(t, err)
	for _, tt := range []struct{ name, from, to, want string }{
		{"another name", "<ping xmlns", "<pong xmlns", ":1: <iq>: element {urn:xmpp:ping}ping, want {urn:xmpp:ping}pong"},
		{"another namespace", "urn:xmpp:ping", "urn:xmpp:pong", "want {urn:xmpp:pong}ping"},
		{"another value", "to='example.org'", "to='example.net'", `attribute to is "example.org", want "example.net"`},
		{"one attribute less", "to='example.org'", "", `unexpected attribute to="example.org"`},
		{"one attribute more", "to='example.org'", "to='example.org' from='x'", `no attribute from`},
		{"text", "<ping xmlns='urn:xmpp:ping'/>", "<ping xmlns='urn:xmpp:ping'>now</ping>", `text "", want "now"`},
		{"one child more", "<ping xmlns='urn:xmpp:ping'/>", "<ping xmlns='urn:xmpp:ping'/><x/>", "1 children, want 2"},
		{"said too much", good, "# nothing\n", "at the end, unexpected <iq"},
		{"not XML", "<ping", "<<ping", ":1: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(good, tt.from, tt.to, 1)
			_, err := scripted(t, text, nil, func(ctx context.Context, s xmpp.Session) error {
				_ = ask(ctx, s)
				return nil
			})
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// TestPlayHandlerNoticesMore: what a handler says beyond the transcript counts.
func TestPlayHandlerNoticesMore(t *testing.T) {
	chatty := xmpp.HandlerFunc(func(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
		_, err := xmpp.SessionFrom(ctx).Send(ctx, stanza.Message{ID: "1"})
		return nil, err
	})
	_, err := scripted(t, "S: <message/>\n", chatty, nil)
	require.ErrorContains(t, err, "unexpected <message id='1'/>")
	_, err = scripted(t, "S: <message/>\nC: <message id='1'/>\n", chatty, nil)
	require.NoError(t, err)
}

func TestUpdate(t *testing.T) {
	t.Setenv("XMPPTEST_UPDATE", "1")
	got, err := scripted(t, "# note\nC: <iq type='get' id='$a' to='example.net'><ping xmlns='urn:xmpp:ping'/></iq>\n# answer\nS: <iq type='result' id='$a' from='example.org'/>\n", nil, func(ctx context.Context, s xmpp.Session) error {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		_ = ask(context.WithoutCancel(ctx), s)
		return nil
	})
	require.NoError(t, err)
	require.Contains(t, got, "to='example.org'")
	require.Contains(t, got, "# note\nC: <iq ")
	require.Contains(t, got, "# answer\nS: <iq ")
}

func TestVariables(t *testing.T) {
	v := make(variables)
	require.True(t, v.match("$a", "one"))
	require.True(t, v.match("<$a>", "<one>"))
	require.False(t, v.match("$a", "two"))
	require.True(t, v.match("$b/$c", "x/y"))
	require.Equal(t, "y-x-one", v.expand("$c-$b-$a"))
	require.NotEmpty(t, v.expand("$new"))
	require.True(t, v.match("$new", v["$new"]))
	require.True(t, v.match("100$", "100$"))
}

func TestPipe(t *testing.T) {
	got := make(chan *stanza.Raw, 1)
	a, b := Pipe(t,
		End{Addr: jid.MustParse("romeo@example.net/orchard")},
		End{Addr: jid.MustParse("juliet@example.com/balcony"), Handler: xmpp.HandlerFunc(func(_ context.Context, st *stanza.Raw) (stanza.Payload, error) {
			got <- st
			return nil, nil
		})})
	_, err := a.Send(t.Context(), stanza.Message{Body: stanza.Plain("hi")})
	require.NoError(t, err)
	h := (<-got).Header()
	require.Equal(t, a.LocalAddr(), h.From)
	require.Equal(t, b.LocalAddr(), h.To)

	require.NoError(t, ask(t.Context(), a)) // b's handler answers
	<-got
	require.ErrorIs(t, ask(t.Context(), b), stanza.ServiceUnavailable)
}
