package invite_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/invite"
	"github.com/parlance-xmpp/xmpp/xep/register"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// A session is juliet's, before or after the login, and answers by a script.
type session struct {
	xmpp.Session
	insecure bool
	features string
	script   []error
	lost     error // what sends end in
	sent     []string
}

func (*session) LocalAddr() jid.JID  { return jid.MustParse("juliet@example.org/balcony") }
func (*session) RemoteAddr() jid.JID { return here }
func (s *session) Secure() bool      { return !s.insecure }

func (s *session) Features() stanza.Element {
	return stanza.NewElement([]byte("<stream:features xmlns:stream='http://etherx.jabber.org/streams'>" + s.features + "</stream:features>"))
}

func (s *session) SendElement(context.Context, stanza.Payload) error { return errors.ErrUnsupported }

func (s *session) note(p stanza.Payload) {
	b, err := p.AppendXML(nil)
	if err != nil {
		panic(err)
	}
	s.sent = append(s.sent, string(b))
}

func (s *session) Query(_ context.Context, iq stanza.IQ) (stanza.IQ, error) {
	iq.ID = "1"
	s.note(iq)
	var err error
	if len(s.script) > 0 {
		err, s.script = s.script[0], s.script[1:]
	}
	fields := stanza.NewElement([]byte("<query xmlns='jabber:iq:register'><username/><password/></query>"))
	return stanza.IQ{Type: stanza.IQResult, Payload: &fields}, err
}

func (s *session) Send(_ context.Context, st stanza.Stanza) (xmpp.Receipt, error) {
	p := st.(stanza.Presence)
	p.ID = ""
	s.note(p)
	return xmpp.Receipt{}, s.lost
}

const (
	byToken  = "<register xmlns='urn:xmpp:ibr-token:0'/>"
	inBand   = "<register xmlns='http://jabber.org/features/iq-register'/>"
	approves = "<sub xmlns='urn:xmpp:features:pre-approval'/>"
)

var register1 = invite.URI{Addr: here, Action: invite.Register, Token: "TOKEN"}

// XEP-0445 §4: the token first, then the account; once.
func TestXEP0445_4_Client(t *testing.T) {
	s := &session{features: byToken + inBand}
	n := invite.NewAccount(register1, at("juliet"), "s3cret", nil)
	require.NoError(t, n(t.Context(), s))
	require.Equal(t, []string{
		"<iq type='set' id='1' to='example.org'><preauth xmlns='urn:xmpp:pars:0' token='TOKEN'/></iq>",
		"<iq type='get' id='1' to='example.org'><query xmlns='jabber:iq:register'/></iq>",
		"<iq type='set' id='1' to='example.org'><query xmlns='jabber:iq:register'><username>juliet</username><password>s3cret</password></query></iq>",
	}, s.sent)
	require.NoError(t, n(t.Context(), s))
	require.Len(t, s.sent, 3)

	lost := errors.New("lost")
	notFound, conflict := &stanza.Error{Condition: stanza.ItemNotFound}, &stanza.Error{Condition: stanza.Conflict}
	for _, tt := range []struct {
		name     string
		features string
		uri      invite.URI
		script   []error
		want     []error // of one try after another
	}{
		{"not offered", inBand, register1, nil, []error{invite.ErrNotOffered}},
		{"the token is no good", byToken + inBand, register1, []error{notFound}, []error{stanza.ItemNotFound}},
		{"the name is taken", byToken + inBand, register1, []error{nil, nil, conflict}, []error{stanza.Conflict}},
		{"no answer came, and the token is used: the login shows", byToken + inBand, register1, []error{nil, nil, lost, notFound}, []error{lost, nil, nil}},
		{"no answer came, and it was not used", byToken + inBand, register1, []error{nil, nil, lost, nil, nil, nil}, []error{lost, nil}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &session{features: tt.features, script: tt.script}
			n := invite.NewAccount(tt.uri, at("juliet"), "s3cret", nil)
			for _, want := range tt.want {
				require.ErrorIs(t, n(t.Context(), s), want)
			}
		})
	}
	for name, u := range map[string]invite.URI{
		"a contact":      {Addr: at("romeo"), Action: invite.Roster, Token: "T"},
		"another name":   {Addr: at("romeo"), Action: invite.Register, Token: "T"},
		"another domain": {Addr: jid.MustParse("romeo@example.net"), Action: invite.Roster, Token: "T", Accounts: true},
	} {
		s := &session{features: byToken + inBand}
		require.Error(t, invite.NewAccount(u, at("juliet"), "s3cret", nil)(t.Context(), s), name)
		require.Empty(t, s.sent, name)
	}
	require.Error(t, invite.NewAccount(register1, here, "s3cret", nil)(t.Context(), s))
}

// A token is as good as the account: it does not leave where others can read it.
func TestSec_TokenInTheClear(t *testing.T) {
	for _, s := range []xmpp.Session{&session{features: byToken, insecure: true}, struct{ xmpp.Session }{&session{}}} {
		require.ErrorIs(t, invite.Show(t.Context(), s, "TOKEN"), register.ErrInsecure)
	}
	s := &session{features: byToken}
	require.NoError(t, invite.Show(t.Context(), s, "TOKEN"))
	require.Len(t, s.sent, 1)
}

// receive has a request for a subscription handled.
func receive(t *testing.T, mux *muxer.Mux, s *session, from, payload string) []string {
	t.Helper()
	st, err := stanza.Parse([]byte("<presence type='subscribe' to='juliet@example.org' from='" + from + "'>" + payload + "</presence>"))
	require.NoError(t, err)
	s.sent = nil
	_, _ = mux.HandleStanza(xmpp.WithSession(t.Context(), s), st)
	return s.sent
}

func preauth(token string) string { return "<preauth xmlns='urn:xmpp:pars:0' token='" + token + "'/>" }

// XEP-0379 §3.5, §5.2: a token that this client has given out is good for one person, once and for a week; all else is left to people.
func TestXEP0379_3_5_Client(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		changed := 0
		c := invite.NewContacts(&invite.ContactsOptions{Changed: func() { changed++ }})
		mux, s := muxer.New(), &session{}
		c.Register(mux)
		u, err := c.Invite(s, "Juliet")
		require.NoError(t, err)
		require.Equal(t, invite.URI{Addr: at("juliet"), Action: invite.Roster, Token: u.Token, Name: "Juliet"}, u)
		require.NotContains(t, c.State().Given, u.Token, "only what it takes to know it again is kept")
		for name, tt := range map[string]struct{ from, payload string }{
			"no token":        {"romeo@montague.net", ""},
			"an unknown one":  {"romeo@montague.net", preauth("x")},
			"an empty one":    {"romeo@montague.net", "<preauth xmlns='urn:xmpp:pars:0'/>"},
			"the own account": {"juliet@example.org", preauth(u.Token)},
			"an own device":   {"juliet@example.org/chamber", preauth(u.Token)},
		} {
			require.Empty(t, receive(t, mux, s, tt.from, tt.payload), name)
		}
		require.Equal(t, 1, changed)
		granted := []string{"<presence type='subscribed' to='romeo@montague.net'/>", "<presence type='subscribe' to='romeo@montague.net'/>"}

		b, err := json.Marshal(c.State()) // for the next time
		require.NoError(t, err)
		var state invite.State
		require.NoError(t, json.Unmarshal(b, &state))
		c = invite.NewContacts(&invite.ContactsOptions{Known: state})
		mux = muxer.New()
		c.Register(mux)
		require.Equal(t, granted, receive(t, mux, s, "romeo@montague.net", preauth(u.Token)))
		require.Empty(t, receive(t, mux, s, "paris@montague.net", preauth(u.Token)), "once")

		u, err = c.Invite(s, "")
		require.NoError(t, err)
		time.Sleep(invite.Week)
		require.Empty(t, receive(t, mux, s, "romeo@montague.net", preauth(u.Token)), "expired")
		for range 100 {
			_, err = c.Invite(s, "")
			require.NoError(t, err)
		}
		_, err = c.Invite(s, "")
		require.Error(t, err, "too many")

		u, err = invite.NewContacts(nil).Invite(s, "")
		require.NoError(t, err)
		_, err = mux.HandleStanza(t.Context(), mustParse(t, "<presence type='subscribe' from='romeo@montague.net'>"+preauth(u.Token)+"</presence>"))
		require.NoError(t, err, "outside of a session")
	})
}

func mustParse(t *testing.T, s string) *stanza.Raw {
	t.Helper()
	st, err := stanza.Parse([]byte(s))
	require.NoError(t, err)
	return st
}

// XEP-0379 §3.4, §3.6: who accepts an invite shows the token, and lets the inviter subscribe, once: ahead where the server can do that.
func TestXEP0379_3_4_Add(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := invite.URI{Addr: jid.MustParse("romeo@montague.net"), Action: invite.Roster, Token: "TOKEN", Name: "Nurse"}
		added := []string{
			"<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='romeo@montague.net' name='Romeo'/></query></iq>",
			"<presence type='subscribe' to='romeo@montague.net'>" + preauth("TOKEN") + "</presence>",
		}
		approved := "<presence type='subscribed' to='romeo@montague.net'/>"
		c := invite.NewContacts(nil)
		mux, s := muxer.New(), &session{features: approves}
		c.Register(mux)
		require.NoError(t, c.Add(t.Context(), s, u, "Romeo"))
		require.Equal(t, append(added, approved), s.sent)
		require.Empty(t, receive(t, mux, s, "romeo@montague.net", ""))

		s = &session{}
		require.NoError(t, c.Add(t.Context(), s, u, "Romeo"))
		require.Equal(t, added, s.sent)
		require.Empty(t, receive(t, mux, s, "paris@montague.net", ""))
		require.Equal(t, []string{approved}, receive(t, mux, s, "romeo@montague.net", ""))
		require.Empty(t, receive(t, mux, s, "romeo@montague.net", ""), "once")

		require.NoError(t, c.Add(t.Context(), s, u, "Romeo"))
		time.Sleep(invite.Week)
		require.Empty(t, receive(t, mux, s, "romeo@montague.net", ""), "expired")

		lost := errors.New("lost")
		require.ErrorIs(t, c.Add(t.Context(), &session{lost: lost}, u, ""), lost)
		require.ErrorIs(t, c.Add(t.Context(), &session{script: []error{lost}}, u, ""), lost)
		s = &session{}
		for _, bad := range []invite.URI{register1, {Addr: at("juliet"), Action: invite.Roster, Token: "T"}, {Addr: u.Addr, Action: invite.Roster}} {
			require.Error(t, c.Add(t.Context(), s, bad, ""))
		}
		require.Empty(t, s.sent)

		s.lost = lost
		u, err := c.Invite(s, "")
		require.NoError(t, err)
		require.Len(t, receive(t, mux, s, "romeo@montague.net", preauth(u.Token)), 1, "the error is for the log")
	})
}

// Two clients become contacts of each other on a server that knows nothing of invites.
func TestXEP0379_3_BetweenClients(t *testing.T) {
	s := xmpptest.NewServer(t)
	online := make(chan jid.JID, 10)
	mux := muxer.New()
	mux.Presence(stanza.PresenceAvailable, func(_ context.Context, p *stanza.Presence) error {
		online <- p.From.Bare()
		return nil
	})
	romeos, juliets := invite.NewContacts(nil), invite.NewContacts(nil)
	romeos.Register(mux)
	romeo := s.Dial(t, "romeo", mux)
	_, err := romeo.Send(t.Context(), stanza.Presence{})
	require.NoError(t, err)
	require.Equal(t, at("romeo"), <-online)
	u, err := romeos.Invite(romeo, "")
	require.NoError(t, err)

	theirs := muxer.New()
	juliets.Register(theirs)
	juliet := s.Dial(t, "juliet", theirs)
	_, err = juliet.Send(t.Context(), stanza.Presence{})
	require.NoError(t, err)
	u, err = invite.ParseURI(u.String())
	require.NoError(t, err)
	require.NoError(t, juliets.Add(t.Context(), juliet, u, "Romeo"))
	require.Equal(t, at("juliet"), <-online)
	require.Equal(t, "both", contact(t, romeo, at("juliet")))
	require.Equal(t, "both", contact(t, juliet, at("romeo")))
}
