package register_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xep/form"
	"github.com/parlance-xmpp/xmpp/xep/invite"
	"github.com/parlance-xmpp/xmpp/xep/register"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// start starts a server with the module, over TLS unless that is insecure.
func start(t testing.TB, o *register.ServerOptions, more ...module.Module) *xmpptest.Server {
	t.Helper()
	return xmpptest.StartFor(t, &server.Options{
		Modules:           append([]module.Module{register.Server(o)}, more...),
		InsecurePlaintext: o != nil && o.InsecurePlaintext,
		Iterations:        sasl.MinIterations,
	})
}

var errEnough = errors.New("enough")

// stranger connects, does something before the login and leaves.
func stranger(t testing.TB, s *xmpptest.Server, do func(ask func(stanza.IQType, stanza.Payload) (register.Query, error))) {
	t.Helper()
	opts := s.Options(jid.JID{})
	opts.Password = "never used"
	opts.BeforeLogin = func(ctx context.Context, session xmpp.Session) error {
		do(func(typ stanza.IQType, p stanza.Payload) (q register.Query, err error) {
			answer, err := session.Query(ctx, stanza.IQ{Type: typ, Payload: p})
			if err == nil && answer.Payload != nil {
				err = answer.Decode(&q)
			}
			return q, err
		})
		return errEnough
	}
	_, err := client.Dial(t.Context(), nobody, opts)
	require.ErrorIs(t, err, errEnough)
}

var nobody = jid.MustParse("nobody@" + xmpptest.Domain)

// want is somebody's wish for an account.
func want(name, password string) register.Query {
	return register.Query{Fields: []register.Field{{"username", name}, {"password", password}}}
}

// has reports whether there is an account with that password.
func canLogin(t testing.TB, s *xmpptest.Server, name, password string) bool {
	t.Helper()
	opts := s.Options(jid.JID{})
	opts.Password = password
	c, err := client.Dial(t.Context(), jid.MustParse(name+"@"+xmpptest.Domain), opts)
	if err != nil {
		require.ErrorIs(t, err, client.ErrCredentials)
		return false
	}
	require.NoError(t, c.Close(t.Context()))
	_ = c.Wait(t.Context())
	return true
}

const password = "b4lc0ny0f"

// §3.1.1: somebody without an account makes one, and logs in on the same stream.
func TestXEP0077_3_1_1_Register(t *testing.T) {
	s := start(t, &register.ServerOptions{Mode: register.Open})
	juliet := jid.MustParse("juliet@" + xmpptest.Domain)
	opts := s.Options(jid.JID{})
	opts.Password, opts.BeforeLogin = password, register.NewAccount(juliet, password, nil)
	c, err := client.Dial(t.Context(), juliet, opts)
	require.NoError(t, err)
	defer c.Wait(context.Background())
	defer c.Close(context.Background())
	require.Equal(t, juliet, c.LocalAddr().Bare())

	q, err := register.Get(t.Context(), c, jid.JID{})
	require.NoError(t, err)
	require.True(t, q.Registered)
	require.Equal(t, []register.Field{{"username", "juliet"}, {Name: "password"}}, q.Fields)

	info, err := disco.GetInfo(t.Context(), c, c.RemoteAddr(), "")
	require.NoError(t, err)
	require.True(t, info.Has(register.NS), "§8")
}

// Nobody makes an account unless the program lets them, and nothing is offered.
func TestSec_RegistrationIsClosed(t *testing.T) {
	for _, o := range []*register.ServerOptions{nil, {}} {
		s := start(t, o)
		opts := s.Options(jid.JID{})
		opts.Password, opts.BeforeLogin = password, register.NewAccount(nobody, password, nil)
		_, err := client.Dial(t.Context(), nobody, opts)
		require.ErrorIs(t, err, register.ErrNotOffered)
		opts.BeforeLogin = func(ctx context.Context, s xmpp.Session) error {
			return register.Submit(ctx, s, jid.JID{}, want("nobody", password))
		}
		_, err = client.Dial(t.Context(), nobody, opts)
		require.ErrorIs(t, err, stream.NotAuthorized)
		require.False(t, canLogin(t, s, "nobody", password))
	}
}

// Each domain has a mode of its own, which may change while streams are open.
func TestSec_RegistrationByDomain(t *testing.T) {
	var mode atomic.Int32
	invites := invite.New(nil)
	o := &register.ServerOptions{Invites: invites, ModeAt: func(domain jid.JID) register.Mode {
		if domain.String() == "capulet.example" {
			return register.Open
		}
		return register.Mode(mode.Load())
	}}
	s, err := xmpptest.Start(&server.Options{Domains: []string{xmpptest.Domain, "capulet.example"}, Modules: []module.Module{invites, register.Server(o)}})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	try := func(at, name string, offered bool) error {
		addr := jid.MustParse(name + "@" + at)
		opts := s.Options(jid.JID{})
		opts.Password, opts.Reconnect = password, client.Never
		opts.BeforeLogin = func(ctx context.Context, ses xmpp.Session) error {
			f := ses.(xmpp.ElementSender).Features()
			require.Equal(t, offered, !f.Child(register.NSFeature, "register").IsZero(), at)
			require.Equal(t, offered, !f.Child(invite.NSRegister, "register").IsZero(), at)
			return register.Submit(ctx, ses, jid.JID{}, want(name, password))
		}
		c, err := client.Dial(t.Context(), addr, opts)
		if err != nil {
			return err
		}
		require.NoError(t, c.Close(context.Background()))
		_ = c.Wait(context.Background())
		return nil
	}
	require.NoError(t, try("capulet.example", "juliet", true))
	require.ErrorIs(t, try(xmpptest.Domain, "romeo", false), stanza.ServiceUnavailable)
	mode.Store(int32(register.Invited))
	require.ErrorIs(t, try(xmpptest.Domain, "romeo", true), stanza.Forbidden)
	mode.Store(int32(register.Open))
	require.NoError(t, try(xmpptest.Domain, "romeo", true))
	mode.Store(int32(register.Closed))
	require.ErrorIs(t, try(xmpptest.Domain, "tybalt", false), stanza.ServiceUnavailable)
	require.NoError(t, try("capulet.example", "nurse", true))
}

func TestXEP0077_3_1_Refusals(t *testing.T) {
	own := errors.New("the database is down")
	s := start(t, &register.ServerOptions{Mode: register.Open, Require: []string{"email"}, Check: func(_ context.Context, r register.Request) error {
		switch r.Query.Value("email") {
		case "spam":
			return stanza.Forbidden
		case "fault":
			return own
		case "":
			t.Error("it was required")
		}
		return nil
	}})
	_, err := s.Account("romeo")
	require.NoError(t, err)
	with := func(name, password, email string) register.Query {
		q := want(name, password)
		q.Fields = append(q.Fields, register.Field{Name: "email", Value: email})
		return q
	}
	filled := form.New(form.TypeSubmit, register.NS, form.Field{Var: "username", Values: []string{"Juliet"}}, form.Field{Var: "password", Values: []string{password}}, form.Field{Var: "email", Values: []string{"j@capulet.example"}})
	for _, tt := range []struct {
		name  string
		q     stanza.Payload
		again bool // after success
		want  stanza.Condition
	}{
		{name: "taken (example 7)", q: with("romeo", password, "e"), want: stanza.Conflict},
		{name: "taken, in other letters", q: with("ROMEO", password, "e"), want: stanza.Conflict},
		{name: "no email (example 8)", q: want("juliet", password), want: stanza.NotAcceptable},
		{name: "an empty email", q: with("juliet", password, " "), want: stanza.NotAcceptable},
		{name: "an empty password", q: with("juliet", "", "e"), want: stanza.NotAcceptable},
		{name: "a short password", q: with("juliet", "1234567", "e"), want: stanza.NotAcceptable},
		{name: "a password that cannot be typed", q: with("juliet", "1234567\ue000", "e"), want: stanza.NotAcceptable},
		{name: "no name", q: with("", password, "e"), want: stanza.NotAcceptable},
		{name: "a whole address", q: with("juliet@example.org", password, "e"), want: stanza.NotAcceptable},
		{name: "a name that cannot be", q: with("jul iet", password, "e"), want: stanza.NotAcceptable},
		{name: "a reserved name", q: with("Admin", password, "e"), want: stanza.NotAcceptable},
		{name: "the program does not want it", q: with("juliet", password, "spam"), want: stanza.Forbidden},
		{name: "the program fails", q: with("juliet", password, "fault"), want: stanza.InternalServerError},
		{name: "nothing", q: register.Query{}, want: stanza.NotAcceptable},
		{name: "remove (§3.2)", q: register.Query{Remove: true}, want: stanza.UnexpectedRequest},
		{name: "remove and more", q: stanza.NewElement([]byte(query("<remove/><username>romeo</username>"))), want: stanza.BadRequest},
		{name: "a form and fields (§4)", q: register.Query{Form: &filled, Fields: want("juliet", password).Fields}, want: stanza.BadRequest},
		{name: "a form that is not filled in", q: register.Query{Form: &form.Form{Type: form.TypeCancel}}, want: stanza.BadRequest},
		{name: "a form", q: register.Query{Form: &filled}},
		{name: "a second account (§3.1.1)", q: with("second", password, "e"), again: true, want: stanza.NotAcceptable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stranger(t, s, func(ask func(stanza.IQType, stanza.Payload) (register.Query, error)) {
				if tt.again {
					_, err := ask(stanza.IQSet, with("first", password, "e"))
					require.NoError(t, err)
				}
				_, err := ask(stanza.IQSet, tt.q)
				if tt.want == "" {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, tt.want)
				}
			})
		})
	}
	require.True(t, canLogin(t, s, "juliet", password))
	require.False(t, canLogin(t, s, "second", password))
}

// §3.1, §4: what is asked for, as fields and as a form.
func TestXEP0077_4_Asked(t *testing.T) {
	s := start(t, &register.ServerOptions{Mode: register.Open, Instructions: "Come in.", Require: []string{"email"}})
	stranger(t, s, func(ask func(stanza.IQType, stanza.Payload) (register.Query, error)) {
		q, err := ask(stanza.IQGet, register.Query{})
		require.NoError(t, err)
		require.Equal(t, "Come in.", q.Instructions)
		require.Equal(t, []register.Field{{Name: "username"}, {Name: "password"}, {Name: "email"}}, q.Fields)
		require.Equal(t, register.NS, q.Form.FormType())
		require.Len(t, q.Form.Fields, 4)
		for _, f := range q.Fields {
			field, ok := q.Form.Lookup(f.Name)
			require.True(t, ok)
			require.True(t, field.Required)
		}
	})
}

func TestServerOptions(t *testing.T) {
	for name, o := range map[string]*register.ServerOptions{
		"no mode":                         {Mode: 7},
		"invited, and nobody knows whom":  {Mode: register.Invited},
		"a field that there is not":       {Require: []string{"shoesize"}},
		"a field that is required anyway": {Require: []string{"password"}},
		"a name that cannot be":           {Reserved: []string{"a b"}},
	} {
		_, err := xmpptest.Start(&server.Options{Modules: []module.Module{register.Server(o)}})
		require.Error(t, err, name)
	}
}

// So many accounts are made in an hour, and so often somebody may try.
func TestSec_RegistrationLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, &register.ServerOptions{Mode: register.Open, InsecurePlaintext: true, Limits: register.Limits{PerAddress: 2, Attempts: 7}})
		try := func(name string) (err error) {
			stranger(t, s, func(ask func(stanza.IQType, stanza.Payload) (register.Query, error)) {
				_, err = ask(stanza.IQSet, want(name, password))
			})
			return err
		}
		require.NoError(t, try("a"))
		require.ErrorIs(t, try("a"), stanza.Conflict)
		time.Sleep(30 * time.Minute)
		require.NoError(t, try("b"), "what was not made does not count")
		err := try("c")
		require.ErrorIs(t, err, stanza.ResourceConstraint)
		e, _ := stanza.AsError(err)
		require.Equal(t, stanza.Wait, e.Type)
		time.Sleep(30 * time.Minute)
		require.NoError(t, try("c"), "the first was an hour ago")
		for range 4 {
			require.ErrorIs(t, try("c"), stanza.ResourceConstraint)
		}
		time.Sleep(30 * time.Minute)
		require.ErrorIs(t, try("a"), stanza.Conflict)
		require.ErrorIs(t, try("a"), stanza.Conflict)
		require.ErrorIs(t, try("a"), stanza.ResourceConstraint, "too many attempts")
		s.Stop()
	})
}

// §3.3: the owner of an account changes its password.
func TestXEP0077_3_3_ChangePassword(t *testing.T) {
	s := start(t, nil)
	romeo := s.Dial(t, "romeo", nil)
	require.NoError(t, register.ChangePassword(t.Context(), romeo, "another1"))
	require.True(t, canLogin(t, s, "romeo", "another1"))
	require.False(t, canLogin(t, s, "romeo", password))

	_, err := s.Account("juliet")
	require.NoError(t, err)
	submit := func(to jid.JID, q register.Query) error {
		_, err := romeo.Query(t.Context(), stanza.IQ{Type: stanza.IQSet, To: to, Payload: q})
		return err
	}
	server := romeo.RemoteAddr()
	for name, tt := range map[string]struct {
		to   jid.JID
		q    register.Query
		want stanza.Condition
	}{
		"no name (example 19)":     {server, register.Query{Fields: []register.Field{{"password", "another2"}}}, stanza.BadRequest},
		"no password":              {server, register.Query{Fields: []register.Field{{"username", "romeo"}}}, stanza.BadRequest},
		"an empty password":        {server, want("romeo", ""), stanza.BadRequest},
		"a short password":         {server, want("romeo", "short"), stanza.NotAcceptable},
		"the password of somebody": {server, want("juliet", "another2"), stanza.NotAllowed},
		"of nobody":                {server, want("nobody", "another2"), stanza.NotAllowed},
		"of a name that cannot be": {server, want("@", "another2"), stanza.NotAllowed},
		"asked of somebody":        {jid.MustParse("juliet@" + xmpptest.Domain), want("juliet", "another2"), stanza.ServiceUnavailable},
	} {
		require.ErrorIs(t, submit(tt.to, tt.q), tt.want, name)
	}
	require.True(t, canLogin(t, s, "romeo", "another1"))
	require.NoError(t, submit(jid.JID{}, want("Romeo", "another2")), "of nobody in particular")
	f := form.New(form.TypeSubmit, "jabber:iq:register:changepassword", form.Field{Var: "username", Values: []string{"romeo@" + xmpptest.Domain}}, form.Field{Var: "password", Values: []string{"another3"}})
	require.NoError(t, submit(server, register.Query{Form: &f}), "example 24")
	require.True(t, canLogin(t, s, "romeo", "another3"))
}

// A session that was stolen for a while cannot keep the server busy.
func TestSec_PasswordChangeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, &register.ServerOptions{InsecurePlaintext: true, Limits: register.Limits{Changes: 1}})
		romeo := s.Dial(t, "romeo", nil)
		change := func() error {
			_, err := romeo.Query(t.Context(), stanza.IQ{Type: stanza.IQSet, Payload: want("romeo", "another1")})
			return err
		}
		require.NoError(t, change())
		require.ErrorIs(t, change(), stanza.ResourceConstraint)
		time.Sleep(time.Hour)
		require.NoError(t, change())
		_ = romeo.Close(t.Context())
		_ = romeo.Wait(t.Context())
		s.Stop()
	})
}

// Without TLS no password is taken, whatever the server allows otherwise.
func TestSec_PasswordWithoutTLS(t *testing.T) {
	s, err := xmpptest.Start(&server.Options{Modules: []module.Module{register.Server(&register.ServerOptions{Mode: register.Open})}, InsecurePlaintext: true})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	romeo := s.Dial(t, "romeo", nil)
	require.ErrorIs(t, register.ChangePassword(t.Context(), romeo, "another1"), register.ErrInsecure)
	_, err = romeo.Query(t.Context(), stanza.IQ{Type: stanza.IQSet, Payload: want("romeo", "another1")})
	require.ErrorIs(t, err, stanza.NotAuthorized)
	stranger(t, s, func(ask func(stanza.IQType, stanza.Payload) (register.Query, error)) {
		_, err := ask(stanza.IQSet, want("juliet", password))
		require.ErrorIs(t, err, stanza.NotAuthorized)
	})
}

// §3.2: the owner of an account deletes it, and knows that it is gone before the sessions end.
func TestXEP0077_3_2_Remove(t *testing.T) {
	s := start(t, nil)
	for name, to := range map[string]jid.JID{"romeo": {}, "juliet": jid.MustParse(xmpptest.Domain)} {
		addr, err := s.Account(name)
		require.NoError(t, err)
		opts := s.Options(addr)
		var sessions []*client.Client
		for range 2 {
			c, err := client.Dial(t.Context(), addr, opts)
			require.NoError(t, err)
			sessions = append(sessions, c)
		}
		if to.IsZero() {
			err = register.Remove(t.Context(), sessions[0])
		} else {
			err = register.RemoveFrom(t.Context(), sessions[0], to)
		}
		require.NoError(t, err)
		for _, c := range sessions {
			<-c.Done() // it tries to come back, and cannot
			require.ErrorIs(t, c.Wait(t.Context()), xmpp.ErrClosed)
		}
		require.False(t, canLogin(t, s, name, opts.Password))
		require.ErrorIs(t, s.DeleteAccount(t.Context(), addr), storage.ErrNotFound)
	}
}

// What the program keeps for itself is not allowed.
func TestXEP0077_3_NotAllowed(t *testing.T) {
	s := start(t, &register.ServerOptions{KeepPasswords: true, KeepAccounts: true})
	romeo := s.Dial(t, "romeo", nil)
	require.ErrorIs(t, register.ChangePassword(t.Context(), romeo, "another1"), stanza.NotAllowed)
	require.ErrorIs(t, register.Remove(t.Context(), romeo), stanza.NotAllowed)
	_, err := romeo.Query(t.Context(), stanza.IQ{Type: stanza.IQSet, Payload: stanza.NewElement([]byte(query("<remove/><username>romeo</username>")))})
	require.ErrorIs(t, err, stanza.BadRequest)
}

// An account is registered with the domain that it belongs to, and with no other.
func TestXEP0077_3_2_OtherDomain(t *testing.T) {
	s, err := xmpptest.Start(&server.Options{Domains: []string{"example.org", "example.net"}, Modules: []module.Module{register.Server(nil)}})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	romeo := s.Dial(t, "romeo", nil)
	other := jid.MustParse("example.net")
	_, err = register.Get(t.Context(), romeo, other)
	require.ErrorIs(t, err, stanza.ServiceUnavailable)
	require.ErrorIs(t, register.RemoveFrom(t.Context(), romeo, other), stanza.RegistrationRequired)
	require.ErrorIs(t, register.Submit(t.Context(), romeo, other, want("romeo", "another1")), stanza.RegistrationRequired)
}

// An account that cannot be deleted stays, and its owner is told.
func TestRemoveFails(t *testing.T) {
	broken := &brokenAccounts{}
	s, err := xmpptest.Start(&server.Options{Modules: []module.Module{register.Server(&register.ServerOptions{Logger: slog.New(slog.DiscardHandler)})}, Storage: storage.Stores{Accounts: broken.around()}})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	romeo := s.Dial(t, "romeo", nil)
	for range 2 {
		require.ErrorIs(t, register.Remove(t.Context(), romeo), stanza.InternalServerError)
	}
}

// brokenAccounts does not delete.
type brokenAccounts struct{ storage.Accounts }

func (b *brokenAccounts) around() storage.Accounts {
	b.Accounts = memory.New().Accounts
	return b
}

func (b *brokenAccounts) Delete(context.Context, storage.AccountID) error { return errEnough }

// inviter lets those in who have asked for it.
type inviter struct {
	host     module.Host
	account  jid.JID
	redeemed []jid.JID
	fails    error
}

type invitedKey struct{}

func (i *inviter) Announce(h module.Host) error {
	i.host = h
	h.Stranger().IQ(stanza.IQSet, "urn:example:invite", "invite", func(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
		module.StrangerFrom(ctx).SetValue(invitedKey{}, true)
		return nil, nil
	})
	return i.fails
}

func (i *inviter) Invited(s *module.Stranger) jid.JID {
	if s.Value(invitedKey{}) == nil {
		return jid.JID{}
	}
	return i.account
}

func (i *inviter) Redeem(ctx context.Context, s *module.Stranger, addr jid.JID, create func(context.Context) error) error {
	i.redeemed = append(i.redeemed, addr)
	return create(ctx)
}

// Who needs an invite and has none learns nothing, not even whether a name is taken. Who has one for a name gets that one.
func TestSec_InvitedOnly(t *testing.T) {
	in := &inviter{account: jid.MustParse("admin@" + xmpptest.Domain)}
	s := start(t, &register.ServerOptions{Mode: register.Invited, Invites: in, Limits: register.Limits{PerAddress: 1}})
	_, err := s.Account("romeo")
	require.NoError(t, err)
	stranger(t, s, func(ask func(stanza.IQType, stanza.Payload) (register.Query, error)) {
		q, err := ask(stanza.IQGet, register.Query{})
		require.NoError(t, err)
		require.Empty(t, q.Fields)
		require.Nil(t, q.Form)
		require.NotEmpty(t, q.Instructions)
		_, taken := ask(stanza.IQSet, want("romeo", password))
		_, free := ask(stanza.IQSet, want("juliet", password))
		require.ErrorIs(t, free, stanza.Forbidden)
		require.Equal(t, taken, free)

		_, err = ask(stanza.IQSet, stanza.NewElement([]byte("<invite xmlns='urn:example:invite'/>")))
		require.NoError(t, err)
		q, err = ask(stanza.IQGet, register.Query{})
		require.NoError(t, err)
		require.Equal(t, "admin", q.Form.Value("username"))
		_, err = ask(stanza.IQSet, want("juliet", password))
		require.ErrorIs(t, err, stanza.NotAcceptable)
		_, err = ask(stanza.IQSet, want("Admin", password))
		require.NoError(t, err, "reserved, but for whoever is invited to have it")
	})
	require.Equal(t, []jid.JID{in.account}, in.redeemed)
	require.True(t, canLogin(t, s, "admin", password))

	in.account = jid.MustParse(xmpptest.Domain)
	for _, name := range []string{"juliet", "nurse"} { // more than may be made by those who are not invited
		stranger(t, s, func(ask func(stanza.IQType, stanza.Payload) (register.Query, error)) {
			_, err = ask(stanza.IQSet, stanza.NewElement([]byte("<invite xmlns='urn:example:invite'/>")))
			require.NoError(t, err)
			q, err := ask(stanza.IQGet, register.Query{})
			require.NoError(t, err)
			require.Empty(t, q.Form.Value("username"))
			_, err = ask(stanza.IQSet, want("root", password))
			require.ErrorIs(t, err, stanza.NotAcceptable)
			_, err = ask(stanza.IQSet, want(name, password))
			require.NoError(t, err)
		})
	}
	_, err = xmpptest.Start(&server.Options{Modules: []module.Module{register.Server(&register.ServerOptions{Mode: register.Open, Invites: &inviter{fails: errEnough}})}})
	require.ErrorIs(t, err, errEnough)
}
