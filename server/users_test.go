package server_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

var silent = slog.New(slog.NewTextHandler(io.Discard, nil))

// table is a program's table of users.
type table struct {
	mu     sync.Mutex
	users  map[string]server.User // by name
	tokens map[string]server.User
	asked  []string // names
	down   error
}

func (t *table) User(_ context.Context, addr jid.JID) (server.User, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked = append(t.asked, addr.Localpart())
	u, ok := t.users[addr.Localpart()]
	switch {
	case t.down != nil:
		return server.User{}, t.down
	case !ok:
		return server.User{}, server.ErrNoUser
	}
	return u, nil
}

func (t *table) VerifyToken(_ context.Context, token string) (server.User, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if u, ok := t.tokens[token]; ok {
		return u, nil
	}
	if strings.HasPrefix(token, "old-") {
		return server.User{}, &sasl.TokenError{Status: "invalid_token", Scope: "chat"}
	}
	return server.User{}, server.ErrNoUser
}

func (t *table) change(name string, f func(*server.User)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	u := t.users[name]
	f(&u)
	t.users[name] = u
}

func (t *table) remove(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.users, name)
}

func bcryptOf(password string) string {
	b, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// newTable has juliet and romeo, with their names as passwords.
func newTable() *table {
	return &table{
		users: map[string]server.User{
			"juliet": {ID: "7", PasswordHash: bcryptOf("juliet")},
			"romeo":  {ID: "8", PasswordHash: bcryptOf("romeo")},
		},
		tokens: map[string]server.User{"token-of-juliet": {ID: "7", Name: "Juliet"}, "token-of-romeo": {ID: "8", Name: "romeo"}},
	}
}

// A party is a server whose accounts are the users of a table.
type party struct {
	*xmpptest.Server
	t      *testing.T
	table  *table
	logged *bytes.Buffer
	mu     sync.Mutex // guards logged
}

func (p *party) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.logged.Write(b)
}

func newParty(t *testing.T, change ...func(*server.Options)) *party {
	t.Helper()
	p := &party{t: t, table: newTable(), logged: new(bytes.Buffer)}
	o := &server.Options{Users: p.table, Iterations: sasl.MinIterations, Logger: slog.New(slog.NewTextHandler(p, nil))}
	for _, f := range change {
		f(o)
	}
	var err error
	p.Server, err = xmpptest.Start(o)
	require.NoError(t, err)
	t.Cleanup(p.Stop)
	return p
}

// A visit is a login and what was seen of it.
type visit struct {
	*client.Client
	offered   []string
	mechanism string
	wire      string // both ways, as a trace shows it
	err       error
}

var offeredMechanism = regexp.MustCompile(`<mechanism>([^<]*)</mechanism>`)

// login logs in, with what change says, and logs out when the test ends.
func (p *party) login(name string, change func(*client.Options)) *visit {
	p.t.Helper()
	addr := jid.MustParse(name + "@example.org")
	opts := p.Options(addr)
	opts.Reconnect, opts.AllowPlain = client.Never, true
	v := &visit{}
	var mu sync.Mutex
	see := func(b []byte) {
		mu.Lock()
		defer mu.Unlock()
		v.wire += string(b)
		if _, list, found := strings.Cut(string(b), "<mechanisms "); found {
			v.offered = nil
			for _, m := range offeredMechanism.FindAllStringSubmatch(list, -1) {
				v.offered = append(v.offered, m[1])
			}
		}
	}
	opts.Trace = &xmpp.Trace{Sent: see, Received: see, Event: func(name, detail string) {
		if name == "sasl" && !strings.HasPrefix(detail, "failure") {
			mu.Lock()
			defer mu.Unlock()
			v.mechanism = detail
		}
	}}
	change(opts)
	c, err := client.Dial(p.t.Context(), addr, opts)
	mu.Lock()
	defer mu.Unlock()
	v.err = err
	if err == nil {
		v.Client = c
		p.t.Cleanup(func() { p.leave(v) })
	}
	return v
}

func (p *party) leave(v *visit) {
	_ = v.Close(context.Background())
	_ = v.Wait(context.Background())
}

func withPassword(password string) func(*client.Options) {
	return func(o *client.Options) { o.Password = password }
}

func withToken(token string) func(*client.Options) {
	return func(o *client.Options) { o.Token = token }
}

// The first login shows the password, and the next ones do without; until the program changes it.
func TestUsers_PlainThenSCRAM(t *testing.T) {
	p := newParty(t)
	first := p.login("juliet", withPassword("juliet"))
	require.NoError(t, first.err)
	require.Equal(t, sasl.Plain, first.mechanism)
	require.Equal(t, []string{sasl.OAuthBearer, sasl.Plain}, first.offered)
	second := p.login("juliet", withPassword("juliet"))
	require.NoError(t, second.err)
	require.Equal(t, sasl.SCRAMSHA512Plus, second.mechanism)
	require.Len(t, second.offered, 8)
	require.ErrorIs(t, p.login("juliet", withPassword("wrong")).err, client.ErrCredentials)

	p.table.change("juliet", func(u *server.User) { u.PasswordHash = bcryptOf("tybalt") })
	third := p.login("juliet", withPassword("tybalt"))
	require.NoError(t, third.err)
	require.Equal(t, sasl.Plain, third.mechanism)
	for _, mechanism := range []string{"", sasl.Plain} {
		v := p.login("juliet", func(o *client.Options) {
			o.Password = "juliet"
			if mechanism != "" {
				o.Policy = &sasl.Policy{AllowPlain: true, Mechanisms: []string{mechanism}}
			}
		})
		require.ErrorIs(t, v.err, client.ErrCredentials)
	}
	fourth := p.login("juliet", withPassword("tybalt"))
	require.NoError(t, fourth.err)
	require.Equal(t, sasl.SCRAMSHA512Plus, fourth.mechanism)
}

// SCRAM secrets of before do not serve once the hash is another one, even for a client that was offered them.
func TestUsers_StaleSecrets(t *testing.T) {
	p := newParty(t, func(o *server.Options) { o.Mechanisms = []string{sasl.SCRAMSHA256, sasl.Plain} })
	scram := func(password string) error {
		return p.login("juliet", func(o *client.Options) {
			o.Password, o.Policy = password, &sasl.Policy{Mechanisms: []string{sasl.SCRAMSHA256}}
		}).err
	}
	require.ErrorIs(t, scram("juliet"), client.ErrCredentials, "it was never seen")
	addr := jid.MustParse("juliet@example.org")
	require.ErrorIs(t, p.CheckPassword(t.Context(), addr, "wrong"), sasl.ErrNotAuthorized)
	require.ErrorIs(t, scram("wrong"), client.ErrCredentials)
	require.NoError(t, p.CheckPassword(t.Context(), addr, "juliet"), "the login page has")
	require.NoError(t, scram("juliet"))
	p.table.change("juliet", func(u *server.User) { u.PasswordHash = bcryptOf("juliet") }) // with another salt
	require.ErrorIs(t, scram("juliet"), client.ErrCredentials)
	for _, who := range []string{"tybalt@example.org", "juliet@elsewhere.example", "example.org"} {
		require.ErrorIs(t, p.CheckPassword(t.Context(), jid.MustParse(who), "juliet"), sasl.ErrNotAuthorized, who)
	}
}

// Secrets that the table has serve at once.
func TestUsers_OwnSecrets(t *testing.T) {
	p := newParty(t)
	s, err := sasl.NewSecrets(sasl.SHA256, "balcony", sasl.MinIterations)
	require.NoError(t, err)
	p.table.change("juliet", func(u *server.User) { u.PasswordHash, u.Secrets = "", []sasl.Secrets{s} })
	v := p.login("juliet", func(o *client.Options) {
		o.Password, o.Policy = "balcony", &sasl.Policy{Mechanisms: []string{sasl.SCRAMSHA256Plus}}
	})
	require.NoError(t, v.err)
}

// What is offered for a name says nothing: of names that nobody has, some are offered more and some less, and
// each the same every time. Wrong passwords and unknown names get the same answer.
func TestSec_UserEnumerationByOffer(t *testing.T) {
	p := newParty(t)
	offers := map[string]int{}
	for i := range 12 {
		name := fmt.Sprint("nobody", i)
		a, b := p.login(name, withPassword("x")), p.login(strings.ToUpper(name), withPassword("x"))
		require.Equal(t, a.offered, b.offered, "it shows that there is no %s", name)
		offers[strings.Join(a.offered, " ")]++
		wrong := p.login("juliet", withPassword("x"))
		require.Equal(t, answerTo(wrong), answerTo(p.login(name, func(o *client.Options) {
			o.Password, o.Policy = "x", &sasl.Policy{AllowPlain: true, Mechanisms: []string{sasl.Plain}}
		})))
	}
	juliet := p.login("juliet", withPassword("juliet"))
	juliet2 := p.login("juliet", withPassword("juliet"))
	require.Len(t, offers, 2)
	require.Positive(t, offers[strings.Join(juliet.offered, " ")])
	require.Positive(t, offers[strings.Join(juliet2.offered, " ")])
}

// answerTo is the failure that a client was told.
func answerTo(v *visit) string {
	_, failure, _ := strings.Cut(v.wire, "<failure")
	return failure
}

// With a key that is kept, the answers survive a restart.
func TestUsers_FakeKey(t *testing.T) {
	key := bytes.Repeat([]byte("k"), 16)
	offers := func(key []byte) (all string) {
		p := newParty(t, func(o *server.Options) { o.FakeKey = key })
		for i := range 16 {
			all += fmt.Sprint(len(p.login(fmt.Sprint("nobody", i), withToken("x")).offered))
		}
		return all
	}
	first := offers(key)
	require.Equal(t, first, offers(key))
	require.NotEqual(t, first, offers(nil), "one in 65 536 times")
	_, err := server.New(&server.Options{Domains: []string{"example.org"}, InsecurePlaintext: true, FakeKey: key[1:]})
	require.ErrorContains(t, err, "FakeKey")
}

// checker counts what it is asked.
type checker struct {
	*table
	proceed chan struct{} // closed when checks may end; nil: at once
	running atomic.Int64
	nobody  atomic.Int64
}

func (c *checker) CheckPassword(_ context.Context, u server.User, password string) (bool, error) {
	c.running.Add(1)
	defer c.running.Add(-1)
	if c.proceed != nil {
		<-c.proceed
	}
	switch {
	case u.ID == "":
		c.nobody.Add(1)
		return true, nil // which does not matter
	case password == "disk on fire":
		return false, errors.New("disk on fire")
	}
	return password == "secret of "+u.Name, nil
}

// A table may check passwords itself, and is asked about nobody too.
func TestUsers_PasswordChecker(t *testing.T) {
	c := &checker{table: newTable()}
	p := newParty(t, func(o *server.Options) { o.Users = c })
	require.NoError(t, p.login("juliet", withPassword("secret of juliet")).err)
	require.ErrorIs(t, p.login("romeo", withPassword("secret of juliet")).err, client.ErrCredentials)
	require.ErrorIs(t, p.login("tybalt", func(o *client.Options) {
		o.Password, o.Policy = "x", &sasl.Policy{AllowPlain: true, Mechanisms: []string{sasl.Plain}}
	}).err, client.ErrCredentials)
	require.Equal(t, int64(1), c.nobody.Load())
	err := p.login("romeo", withPassword("disk on fire")).err
	require.ErrorIs(t, err, sasl.ErrTemporary)
	require.NotContains(t, err.Error(), "disk on fire")
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Contains(t, p.logged.String(), "disk on fire")
	require.NotContains(t, p.logged.String(), "secret of")
}

// Passwords cost work, which is bounded.
func TestSec_PasswordsAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &checker{table: newTable(), proceed: make(chan struct{})}
		srv, err := server.New(&server.Options{Domains: []string{"example.org"}, InsecurePlaintext: true, Users: c, Logger: silent})
		require.NoError(t, err)
		juliet := jid.MustParse("juliet@example.org")
		for range 40 {
			go func() { _ = srv.CheckPassword(context.Background(), juliet, "guess") }()
		}
		synctest.Wait()
		require.Equal(t, int64(runtime.GOMAXPROCS(0)), c.running.Load())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, srv.CheckPassword(ctx, juliet, "guess"), context.Canceled)
		close(c.proceed)
		synctest.Wait()
		require.Zero(t, c.running.Load())
		require.NoError(t, srv.Shutdown(t.Context()))
	})
}

// A token of the program logs in, for the user that it names as long as that is still the one.
func TestRFC7628_ProgramsTokens(t *testing.T) {
	p := newParty(t)
	v := p.login("juliet", withToken("token-of-juliet"))
	require.NoError(t, v.err)
	require.Equal(t, sasl.OAuthBearer, v.mechanism)
	require.Equal(t, "juliet@example.org", v.LocalAddr().Bare().String())

	err := p.login("juliet", withToken("old-token")).err
	require.ErrorIs(t, err, client.ErrCredentials)
	refused, ok := errors.AsType[*sasl.TokenError](err)
	require.True(t, ok)
	require.Equal(t, sasl.TokenError{Status: "invalid_token", Scope: "chat"}, *refused)
	require.NotContains(t, err.Error(), "old-token")

	for name, token := range map[string]string{"romeo": "token-of-juliet", "juliet": "forged"} {
		require.Error(t, p.login(name, withToken(token)).err, "%s with %s", name, token)
	}
	p.table.change("juliet", func(u *server.User) { u.Disabled = true })
	require.ErrorIs(t, p.login("juliet", withToken("token-of-juliet")).err, sasl.ErrAccountDisabled)
	require.ErrorIs(t, p.login("juliet", withPassword("juliet")).err, sasl.ErrAccountDisabled)
	require.ErrorIs(t, p.login("juliet", withPassword("guess")).err, sasl.ErrNotAuthorized)
	p.table.change("juliet", func(u *server.User) { u.Disabled, u.ID = false, "9" }) // another juliet
	require.ErrorIs(t, p.login("juliet", withToken("token-of-juliet")).err, client.ErrCredentials)
	p.table.remove("juliet")
	require.ErrorIs(t, p.login("juliet", withToken("token-of-juliet")).err, client.ErrCredentials)
}

// A client that aborts a refused exchange, and one that sends the dummy response, are told so (§3.2.3).
func TestRFC7628_3_2_3_DummyResponse(t *testing.T) {
	p := newParty(t)
	for answer, want := range map[string]string{
		"<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AQ==</response>": "not-authorized",
		"<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>":                  "aborted",
	} {
		s := p.script("example.org")
		s.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='OAUTHBEARER'>" +
			base64.StdEncoding.EncodeToString([]byte("n,,\x01auth=Bearer forged\x01\x01")) + "</auth>")
		require.Contains(t, s.until("</challenge>"), base64.StdEncoding.EncodeToString([]byte(`{"status":"invalid_token"}`)))
		s.send(answer)
		require.Contains(t, s.until("</failure>"), want)
		s.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='OAUTHBEARER'>" + // a better one, on the same stream
			base64.StdEncoding.EncodeToString([]byte("n,a=juliet@example.org,\x01auth=Bearer token-of-juliet\x01\x01")) + "</auth>")
		s.until("<success")
	}
}

// Who has a token acts as its user and nobody else.
func TestRFC7628_Authzid(t *testing.T) {
	p := newParty(t)
	for authzid, want := range map[string]string{
		"romeo@example.org": "invalid-authzid", "juliet@elsewhere.example": "invalid-authzid", "juliet@example.org/balcony": "invalid-authzid",
		"Juliet@Example.org": "success",
	} {
		s := p.script("example.org")
		s.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='OAUTHBEARER'>" +
			base64.StdEncoding.EncodeToString([]byte("n,a="+authzid+",\x01host=example.org\x01port=5222\x01auth=Bearer token-of-juliet\x01\x01")) + "</auth>")
		require.Contains(t, s.until("/>"), want, authzid)
	}
}

// Neither a token nor a password is in any trace or log.
func TestSec_TokensInTraces(t *testing.T) {
	var mu sync.Mutex
	var seen strings.Builder
	see := func(b []byte) {
		mu.Lock()
		defer mu.Unlock()
		seen.Write(b)
	}
	p := newParty(t, func(o *server.Options) {
		o.Trace = func(net.Addr) *xmpp.Trace { return &xmpp.Trace{Sent: see, Received: see} }
	})
	v := p.login("juliet", func(o *client.Options) { withToken("token-of-juliet")(o); o.Keep = func(client.Known) {} })
	require.NoError(t, v.err)
	w := p.login("romeo", withPassword("romeo-is-wrong"))
	require.Error(t, w.err)
	p.Stop()
	mu.Lock()
	defer mu.Unlock()
	all := v.wire + w.wire + seen.String() + p.logged.String() + fmt.Sprintf("%v %+v %#v", p.table.users["juliet"], v, p.table.users)
	require.Contains(t, all, "OAUTHBEARER")
	for _, secret := range []string{"token-of-juliet", "romeo-is-wrong", p.table.users["juliet"].PasswordHash} {
		require.NotContains(t, all, secret)
		for shift := range 3 { // base64 of something that holds it
			encoded := base64.StdEncoding.EncodeToString([]byte("xyz"[:shift] + secret))
			require.NotContains(t, all, encoded[4:len(encoded)-4], "shifted by %d", shift)
		}
	}
}

// A ticket that was given out after a login by token binds to the channel like any other, and ends with the password, the user,
// or when the account is logged out.
func TestXEP0484_AfterOAuthBearer(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*party)
		good bool
	}{
		{"nothing happens", func(*party) {}, true},
		{"logged out", func(p *party) { require.NoError(p.t, p.LogOut(p.t.Context(), jid.MustParse("juliet@example.org"))) }, false},
		{"another password", func(p *party) {
			p.table.change("juliet", func(u *server.User) { u.PasswordHash = bcryptOf("new") })
		}, false},
		{"disabled", func(p *party) { p.table.change("juliet", func(u *server.User) { u.Disabled = true }) }, false},
		{"another user of that name", func(p *party) { p.table.change("juliet", func(u *server.User) { u.ID = "9" }) }, false},
		{"gone", func(p *party) { p.table.remove("juliet") }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newParty(t)
			var known client.Known
			first := p.login("juliet", func(o *client.Options) {
				o.Token, o.Keep = "token-of-juliet", func(k client.Known) { known = k }
			})
			require.NoError(t, first.err)
			require.NotNil(t, known.Ticket)
			tt.end(p)
			second := p.login("juliet", func(o *client.Options) { o.Known = known })
			if !tt.good {
				require.Error(t, second.err)
				return
			}
			require.NoError(t, second.err)
			require.Equal(t, sasl.HTSHA256Expr, second.mechanism)
		})
	}
}

// What the table cannot say is no wrong password, and is logged.
func TestUsers_TableDown(t *testing.T) {
	p := newParty(t)
	p.table.down = errors.New("no route to database")
	err := p.login("juliet", withPassword("juliet")).err
	require.ErrorIs(t, err, sasl.ErrTemporary)
	require.NotContains(t, err.Error(), "no route")
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Contains(t, p.logged.String(), "no route to database")
}

// Users without an ID, and hashes of an unknown kind, are a mistake that is logged.
func TestUsers_Mistakes(t *testing.T) {
	p := newParty(t)
	p.table.change("juliet", func(u *server.User) { u.ID = "" })
	require.ErrorIs(t, p.login("juliet", withPassword("juliet")).err, sasl.ErrTemporary)
	p.table.change("romeo", func(u *server.User) { u.PasswordHash = "$sha1$romeo" })
	require.ErrorIs(t, p.login("romeo", withPassword("romeo")).err, sasl.ErrTemporary)
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Contains(t, p.logged.String(), "without an ID")
	require.Contains(t, p.logged.String(), "PasswordChecker")
	require.NotContains(t, p.logged.String(), "$sha1$")

	for _, o := range []server.Options{
		{Users: newTable(), Storage: storage.Stores{Accounts: memory.New().Accounts}},
		{Users: struct{ server.Users }{newTable()}, Mechanisms: []string{sasl.OAuthBearer, sasl.Plain}},
		{Mechanisms: []string{sasl.OAuthBearer, sasl.Plain}},
	} {
		o.Domains, o.InsecurePlaintext = []string{"example.org"}, true
		_, err := server.New(&o)
		require.ErrorContains(t, err, "Users")
	}
	_, err := server.New(&server.Options{Domains: []string{"example.org"}, InsecurePlaintext: true, Users: struct{ server.Users }{newTable()}})
	require.NoError(t, err, "tokens are optional")
}

// Names come in one form, whatever a client writes, and those that are no localparts are escaped.
func TestUsers_Names(t *testing.T) {
	p := newParty(t)
	require.NoError(t, p.login("JULIET", withPassword("juliet")).err)
	escaped := jid.EscapeLocalpart("friar laurence")
	p.table.change(escaped, func(u *server.User) { u.ID, u.PasswordHash = "10", bcryptOf("herbs") })
	v := p.login(escaped, withPassword("herbs"))
	require.NoError(t, v.err)
	require.Equal(t, "friar laurence", jid.UnescapeLocalpart(v.LocalAddr().Localpart()))
	p.table.mu.Lock()
	defer p.table.mu.Unlock()
	require.NotContains(t, p.table.asked, "JULIET")
}

// What is the program's to do the server does not.
func TestUsers_AccountsAreThePrograms(t *testing.T) {
	p := newParty(t)
	addr := jid.MustParse("juliet@example.org")
	for what, err := range map[string]error{
		"create":   p.CreateAccount(t.Context(), jid.MustParse("tybalt@example.org"), "x"),
		"password": p.SetPassword(t.Context(), addr, "x"),
		"delete":   p.DeleteAccount(t.Context(), addr),
		"disable":  p.SetDisabled(t.Context(), addr, true),
	} {
		require.ErrorIs(t, err, stanza.NotAllowed, what)
	}
	require.NoError(t, p.login("juliet", withPassword("juliet")).err)
	err := p.LogOut(t.Context(), jid.MustParse("tybalt@example.org"))
	require.ErrorIs(t, err, storage.ErrNotFound)
}

// LogOut ends the sessions of an account, and a user who is disabled does not come back.
func TestUsers_LogOut(t *testing.T) {
	p := newParty(t)
	v, other := p.login("juliet", withPassword("juliet")), p.login("romeo", withPassword("romeo"))
	p.table.change("juliet", func(u *server.User) { u.Disabled = true })
	require.NoError(t, p.LogOut(t.Context(), v.LocalAddr().Bare()))
	require.ErrorContains(t, v.Wait(t.Context()), "logged out")
	require.ErrorIs(t, p.login("juliet", withPassword("juliet")).err, sasl.ErrAccountDisabled)
	require.NoError(t, other.Err())
	p.table.change("juliet", func(u *server.User) { u.Disabled = false })
	require.NoError(t, p.login("juliet", withPassword("juliet")).err)
}

// A user who is gone leaves nothing: not to the contacts, and not to the next one of the name.
func TestUsers_RemoveUser(t *testing.T) {
	for _, online := range []bool{true, false} {
		t.Run(fmt.Sprint("online ", online), func(t *testing.T) {
			p := newParty(t)
			juliet, romeo := jid.MustParse("juliet@example.org"), jid.MustParse("romeo@example.org")
			require.NoError(t, p.AddContact(t.Context(), juliet, romeo))
			v := p.login("juliet", withPassword("juliet"))
			require.NoError(t, v.err)
			if !online {
				p.leave(v)
			}
			require.ErrorContains(t, p.RemoveUser(t.Context(), juliet, "7"), "still has")
			p.table.remove("juliet")
			require.Error(t, p.RemoveUser(t.Context(), juliet, ""))
			require.Error(t, p.RemoveUser(t.Context(), jid.MustParse("juliet@elsewhere.example"), "7"))
			require.NoError(t, p.RemoveUser(t.Context(), juliet, "7"))
			if online {
				require.ErrorContains(t, v.Wait(t.Context()), "deleted")
			}
			w := p.login("romeo", withPassword("romeo"))
			require.NoError(t, w.err)
			contacts, err := roster.Get(t.Context(), w)
			require.NoError(t, err)
			require.Len(t, contacts.Items, 1)
			require.Equal(t, roster.None, contacts.Items[0].Subscription)

			p.table.change("juliet", func(u *server.User) { u.ID, u.PasswordHash = "9", bcryptOf("juliet") })
			next := p.login("juliet", func(o *client.Options) {
				o.Password, o.Policy = "juliet", &sasl.Policy{AllowPlain: true, Mechanisms: []string{sasl.Plain}}
			})
			require.NoError(t, next.err)
			contacts, err = roster.Get(t.Context(), next)
			require.NoError(t, err)
			require.Empty(t, contacts.Items)
		})
	}
}

// The next user of a name is left alone when the one before is removed late.
func TestUsers_RemovedLate(t *testing.T) {
	p := newParty(t)
	p.table.change("juliet", func(u *server.User) { u.ID = "9" })
	v := p.login("juliet", withPassword("juliet"))
	require.NoError(t, v.err)
	require.NoError(t, p.AddContact(t.Context(), v.LocalAddr().Bare(), jid.MustParse("romeo@example.org")))
	require.NoError(t, p.RemoveUser(t.Context(), v.LocalAddr().Bare(), "7"))
	require.NoError(t, v.Err())
	contacts, err := roster.Get(t.Context(), v)
	require.NoError(t, err)
	require.Len(t, contacts.Items, 1)
}

// A script is a client that does what a test says, over TLS from the first byte.
type script struct {
	t   *testing.T
	nc  net.Conn
	buf string
}

// script opens a stream.
func (p *party) script(domain string) *script {
	p.t.Helper()
	opts := p.Options(jid.MustParse(domain))
	nc, err := opts.Dialer.DialContext(p.t.Context(), "tcp", "")
	require.NoError(p.t, err)
	s := &script{t: p.t, nc: nc}
	p.t.Cleanup(func() { _ = s.nc.Close() })
	header := "<stream:stream to='" + domain + "' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	s.send(header + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	s.until("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
	s.nc = stream.TLSClient(nc, opts.TLS, jid.MustParse(domain))
	s.send(header)
	s.until("</stream:features>")
	return s
}

func (s *script) send(xml string) {
	s.t.Helper()
	_, err := io.WriteString(s.nc, xml)
	require.NoError(s.t, err)
}

// until reads to the end of a text, and returns what came.
func (s *script) until(end string) string {
	s.t.Helper()
	chunk := make([]byte, 4096)
	for {
		if before, after, ok := strings.Cut(s.buf, end); ok {
			s.buf = after
			return before + end
		}
		n, err := s.nc.Read(chunk)
		s.buf += string(chunk[:n])
		require.NoError(s.t, err, "got %s", s.buf)
	}
}
