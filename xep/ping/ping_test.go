package ping_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xep/ping"
)

// session is a client's, whose queries all end in err.
type session struct {
	xmpp.Session
	asked *stanza.IQ
	err   error
}

func (session) LocalAddr() jid.JID  { return jid.MustParse("juliet@capulet.lit/balcony") }
func (session) RemoteAddr() jid.JID { return jid.MustParse("capulet.lit") }
func (s session) Query(_ context.Context, iq stanza.IQ) (stanza.IQ, error) {
	*s.asked = iq
	return stanza.IQ{Type: stanza.IQResult}, s.err
}

func TestSend(t *testing.T) {
	lost := errors.New("lost")
	refused := &stanza.Error{Condition: stanza.ServiceUnavailable}
	for _, tt := range []struct {
		name, to  string
		err, want error
	}{
		{name: "pong (example 4)", to: "capulet.lit"},
		{name: "the server knows no pings (example 5)", to: "capulet.lit", err: refused},
		{name: "no address: the own account", err: refused},
		{name: "the own bare JID", to: "juliet@capulet.lit", err: refused},
		{name: "no answer from the server", to: "capulet.lit", err: xmpp.ErrTimeout, want: xmpp.ErrTimeout},
		{name: "lost on the way to the server", err: lost, want: lost},
		{name: "pong of a contact", to: "romeo@montague.lit/home"},
		{name: "a contact that may not be there (§7)", to: "romeo@montague.lit/home", err: refused, want: stanza.ServiceUnavailable},
		{name: "another server", to: "montague.lit", err: &stanza.Error{Condition: stanza.RemoteServerNotFound}, want: stanza.RemoteServerNotFound},
		{name: "another device of the own account", to: "juliet@capulet.lit/chamber", err: refused, want: stanza.ServiceUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var to jid.JID
			if tt.to != "" {
				to = jid.MustParse(tt.to)
			}
			var asked stanza.IQ
			if err := ping.Send(t.Context(), session{asked: &asked, err: tt.err}, to); !errors.Is(err, tt.want) {
				t.Errorf("Send = %v; want %v", err, tt.want)
			}
			asked.ID = "c2s1"
			got, err := asked.AppendXML(nil)
			want := `<iq type='get' id='c2s1'><ping xmlns='urn:xmpp:ping'/></iq>`
			if tt.to != "" {
				want = `<iq type='get' id='c2s1' to='` + tt.to + `'><ping xmlns='urn:xmpp:ping'/></iq>`
			}
			if string(got) != want || err != nil {
				t.Errorf("sent %s, %v; want %s", got, err, want)
			}
		})
	}
}

func TestRegister(t *testing.T) {
	mux := muxer.New()
	ping.Register(mux)
	st, err := stanza.Parse([]byte(`<iq from='capulet.lit' to='juliet@capulet.lit/balcony' id='s2c1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>`))
	require.NoError(t, err)
	if p, err := mux.HandleStanza(t.Context(), st); p != nil || err != nil {
		t.Errorf("answer = %v, %v; want an empty result", p, err)
	}
	if !mux.Info().Has(ping.NS) || !mux.Info().Has(disco.NSInfo) {
		t.Errorf("features %q", mux.Info().Features)
	}
}

func TestPayload(t *testing.T) {
	b, err := ping.Ping{}.AppendXML(nil)
	require.NoError(t, err)
	e, err := stanza.ParseElement(b)
	require.NoError(t, err)
	var p ping.Ping
	require.NoError(t, e.Decode(&p))
}
