package roster_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// session is juliet's. Her server is a function, from the wire form of a
// question to that of the answer.
type session struct {
	xmpp.Session // nil: nothing else is asked of it
	server       func(question string) string
}

func (session) LocalAddr() jid.JID  { return jid.MustParse("juliet@example.com/balcony") }
func (session) RemoteAddr() jid.JID { return jid.MustParse("example.com") }

func (s session) Query(_ context.Context, iq stanza.IQ) (stanza.IQ, error) {
	iq.ID = "q1"
	b, err := iq.AppendXML(nil)
	if err != nil {
		return stanza.IQ{}, err
	}
	raw, err := stanza.Parse([]byte(s.server(string(b))))
	if err != nil {
		return stanza.IQ{}, err
	}
	result, err := raw.IQ()
	if err == nil && result.Error != nil {
		err = result.Error
	}
	return result, err
}

// result wraps what a server answers.
func result(content string) string { return `<iq type='result' id='q1'>` + content + `</iq>` }

func failure(condition string) string {
	return `<iq type='error' id='q1'><error type='cancel'><` + condition + ` xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
}

// push hands the mux a roster push, from juliet's account unless from says otherwise.
func push(t testing.TB, mux *muxer.Mux, from, query string) error {
	t.Helper()
	if from != "" {
		from = ` from='` + from + `'`
	}
	st, err := stanza.Parse([]byte(`<iq type='set' id='p1' to='juliet@example.com/balcony'` + from + `>` + query + `</iq>`))
	require.NoError(t, err)
	p, err := mux.HandleStanza(xmpp.WithSession(t.Context(), session{}), st)
	if p != nil {
		t.Errorf("a push was answered with %v", p)
	}
	return err
}

func query(items string) string { return `<query xmlns='jabber:iq:roster'>` + items + `</query>` }
