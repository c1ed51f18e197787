package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
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
