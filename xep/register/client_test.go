package register_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/form"
	"github.com/parlance-xmpp/xmpp/xep/register"
)

// A session is juliet's, before or after the login, and answers by a script.
type session struct {
	xmpp.Session
	insecure bool
	features string
	script   []any // payloads and errors
	sent     []string
}

func (*session) LocalAddr() jid.JID  { return jid.MustParse("juliet@capulet.example/balcony") }
func (*session) RemoteAddr() jid.JID { return jid.MustParse("capulet.example") }
func (s *session) Secure() bool      { return !s.insecure }

func (s *session) Features() stanza.Element {
	return stanza.NewElement([]byte("<stream:features xmlns:stream='http://etherx.jabber.org/streams'>" + s.features + "</stream:features>"))
}

func (s *session) SendElement(context.Context, stanza.Payload) error { return errors.ErrUnsupported }

func (s *session) Query(_ context.Context, iq stanza.IQ) (stanza.IQ, error) {
	iq.ID = "1"
	b, err := iq.AppendXML(nil)
	if err != nil {
		return stanza.IQ{}, err
	}
	s.sent = append(s.sent, string(b))
	if len(s.script) == 0 {
		return stanza.IQ{Type: stanza.IQResult}, nil
	}
	next := s.script[0]
	s.script = s.script[1:]
	if err, ok := next.(error); ok {
		return stanza.IQ{}, err
	}
	e, err := stanza.ParseElement([]byte(next.(string)))
	return stanza.IQ{Type: stanza.IQResult, Payload: &e}, err
}

const toServer = " to='capulet.example'>"

func TestXEP0077_3_Calls(t *testing.T) {
	gateway := jid.MustParse("icq.capulet.example")
	s := &session{script: []any{query("<username/><password/>")}}
	q, err := register.Get(t.Context(), s, gateway)
	require.NoError(t, err)
	require.Len(t, q.Fields, 2)
	q.Fields[0].Value = "bill"
	require.NoError(t, register.Submit(t.Context(), s, gateway, q))
	require.NoError(t, register.RemoveFrom(t.Context(), s, gateway))
	require.NoError(t, register.ChangePassword(t.Context(), s, "newpass"))
	require.NoError(t, register.Remove(t.Context(), s))
	const toGateway = " to='icq.capulet.example'>"
	require.Equal(t, []string{
		"<iq type='get' id='1'" + toGateway + query("") + "</iq>",
		"<iq type='set' id='1'" + toGateway + query("<username>bill</username><password/>") + "</iq>",
		"<iq type='set' id='1'" + toGateway + query("<remove/>") + "</iq>",
		"<iq type='set' id='1'" + toServer + query("<username>juliet</username><password>newpass</password>") + "</iq>",
		"<iq type='set' id='1'>" + query("<remove/>") + "</iq>",
	}, s.sent)

	refused := &stanza.Error{Condition: stanza.NotAllowed}
	s = &session{script: []any{refused, refused, refused, refused, refused, query("<username/><username/>")}}
	_, err = register.Get(t.Context(), s, jid.JID{})
	require.ErrorIs(t, err, stanza.NotAllowed)
	require.ErrorIs(t, register.Submit(t.Context(), s, gateway, q), stanza.NotAllowed)
	require.ErrorIs(t, register.ChangePassword(t.Context(), s, "newpass"), stanza.NotAllowed)
	require.ErrorIs(t, register.Remove(t.Context(), s), stanza.NotAllowed)
	require.ErrorIs(t, register.RemoveFrom(t.Context(), s, gateway), stanza.NotAllowed)
	_, err = register.Get(t.Context(), s, jid.JID{})
	require.Error(t, err)
	require.Error(t, register.ChangePassword(t.Context(), s, ""))
}

// §3.3: no password leaves where others can read it.
func TestSec_PasswordInTheClear(t *testing.T) {
	secret := register.Query{Fields: []register.Field{{"username", "juliet"}, {"password", "s3cret"}}}
	for _, s := range []xmpp.Session{&session{insecure: true}, struct{ xmpp.Session }{&session{}}} {
		require.ErrorIs(t, register.ChangePassword(t.Context(), s, "s3cret"), register.ErrInsecure)
		require.ErrorIs(t, register.Submit(t.Context(), s, jid.JID{}, secret), register.ErrInsecure)
		require.ErrorIs(t, register.NewAccount(s.LocalAddr(), "s3cret", nil)(t.Context(), s), register.ErrInsecure)
	}
}

const offered = "<register xmlns='http://jabber.org/features/iq-register'/>"

func TestXEP0077_3_1_NewAccount(t *testing.T) {
	fields := query("<username/><password/>")
	asForm := query("<username/><password/><x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE' type='hidden'><value>jabber:iq:register</value></field>" +
		"<field type='fixed'><value>Who are you?</value></field><field var='username' type='text-single'><required/></field><field var='password' type='text-private'><required/></field><field var='nick'/></x>")
	inForm := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>jabber:iq:register</value></field>" +
		"<field var='username' type='text-single'><value>juliet</value></field><field var='password' type='text-private'><value>s3cret</value></field><field var='nick' type='text-single'/></x>"
	captcha := query("<x xmlns='jabber:x:data' type='form'><field var='username'/><field var='password'/><field var='ocr'><required/></field></x>")
	fill := func(_ context.Context, asked register.Query, answer *register.Query) error {
		if asked.Form != nil {
			answer.Form.Fields = append(answer.Form.Fields[:2:2], form.Field{Var: "ocr", Values: []string{"7nHL3"}})
			return nil
		}
		if len(asked.Fields) < 3 {
			return errors.ErrUnsupported
		}
		answer.Fields[2].Value = "juliet@capulet.example"
		return nil
	}
	for _, tt := range []struct {
		name, features string
		script         []any
		fill           func(context.Context, register.Query, *register.Query) error
		sent           string
		err            error
	}{
		{name: "not offered", err: register.ErrNotOffered},
		{name: "fields (example 5)", features: offered, script: []any{fields}, sent: query("<username>juliet</username><password>s3cret</password>")},
		{name: "a form before fields (§6)", features: offered, script: []any{asForm}, sent: query(inForm)},
		{name: "an answer to a form is no form", features: offered, script: []any{query("<username/><password/><x xmlns='jabber:x:data' type='result'/>")}, sent: query("<username>juliet</username><password>s3cret</password>")},
		{name: "more is wanted", features: offered, script: []any{query("<username/><password/><email/>")}, err: register.ErrMore},
		{name: "a form wants more", features: offered, script: []any{captcha}, err: register.ErrMore},
		{name: "more is told", features: offered, script: []any{query("<username/><password/><email/>")}, fill: fill,
			sent: query("<username>juliet</username><password>s3cret</password><email>juliet@capulet.example</email>")},
		{name: "more is told in a form", features: offered, script: []any{captcha}, fill: fill,
			sent: query("<x xmlns='jabber:x:data' type='submit'><field var='username' type='text-single'><value>juliet</value></field><field var='password' type='text-single'><value>s3cret</value></field><field var='ocr'><value>7nHL3</value></field></x>")},
		{name: "nobody knows more", features: offered, script: []any{fields}, fill: fill, err: errors.ErrUnsupported},
		{name: "elsewhere (§5)", features: offered, script: []any{query("<instructions>Visit http://a</instructions>")}, err: register.ErrNotOffered},
		{name: "taken (example 7)", features: offered, script: []any{fields, &stanza.Error{Condition: stanza.Conflict}}, sent: query("<username>juliet</username><password>s3cret</password>"), err: stanza.Conflict},
		{name: "no answer", features: offered, script: []any{xmpp.ErrTimeout}, err: xmpp.ErrTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &session{features: tt.features, script: tt.script}
			n := register.NewAccount(s.LocalAddr(), "s3cret", &register.NewAccountOptions{Fill: tt.fill})
			require.ErrorIs(t, n(t.Context(), s), tt.err)
			if tt.sent != "" {
				require.Equal(t, "<iq type='set' id='1'"+toServer+tt.sent+"</iq>", s.sent[1])
			}
			if tt.err == nil {
				require.NoError(t, n(t.Context(), &session{insecure: true}), "once is enough")
			}
		})
	}
	other := register.NewAccount(jid.MustParse("juliet@montague.example"), "s3cret", nil)
	require.Error(t, other(t.Context(), &session{features: offered}))
}

// Where the stream was lost before the answer, a conflict may be with the own account: the login shows.
func TestNewAccountUnsure(t *testing.T) {
	s := &session{features: offered, script: []any{query("<username/><password/>"), xmpp.ErrClosed, query("<username/><password/>"), stanza.Conflict}}
	n := register.NewAccount(s.LocalAddr(), "s3cret", nil)
	require.ErrorIs(t, n(t.Context(), s), xmpp.ErrClosed)
	require.NoError(t, n(t.Context(), s))
}
