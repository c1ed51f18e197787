package presence_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

var (
	juliet = jid.MustParse("juliet@example.com")
	romeo  = jid.MustParse("romeo@example.net")
)

// session is juliet's, or that of whoever local says. It keeps what is sent.
type session struct {
	xmpp.Session // nil: nothing else is asked of it
	local        jid.JID
	sent         []stanza.Presence
	err          error
}

func newSession() *session { return &session{local: jid.MustParse("juliet@example.com/balcony")} }

func (s *session) LocalAddr() jid.JID { return s.local }

func (s *session) Send(_ context.Context, st stanza.Stanza) (xmpp.Receipt, error) {
	if s.err != nil {
		return xmpp.Receipt{}, s.err
	}
	s.sent = append(s.sent, st.(stanza.Presence))
	return xmpp.Receipt{}, nil
}

// takeSent returns what was sent as XML without the ids, which are random.
func (s *session) takeSent(t testing.TB) []string {
	t.Helper()
	var out []string
	ids := make(map[string]bool)
	for _, p := range s.sent {
		if p.ID == "" || ids[p.ID] {
			t.Errorf("%+v: the id is missing or not its own", p)
		}
		ids[p.ID] = true
		p.ID = ""
		b, err := p.AppendXML(nil)
		require.NoError(t, err)
		out = append(out, string(b))
	}
	s.sent = nil
	return out
}

// arrive hands the mux a stanza that arrived on s.
func arrive(t testing.TB, mux *muxer.Mux, s *session, stanzaXML string) error {
	t.Helper()
	st, err := stanza.Parse([]byte(stanzaXML))
	require.NoError(t, err, stanzaXML)
	p, err := mux.HandleStanza(xmpp.WithSession(t.Context(), s), st)
	if p != nil {
		t.Errorf("presence was answered with %v", p)
	}
	return err
}

var errLost = errors.New("lost")
