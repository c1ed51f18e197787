package server_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/ping"
)

// A faulty table does something else for tybalt, and for his token and his password.
type faulty struct {
	*table
	user  func(ctx context.Context) (server.User, error)
	token func() (server.User, error)
	check func(u server.User) (bool, error)
}

func (f *faulty) User(ctx context.Context, addr jid.JID) (server.User, error) {
	if f.user != nil && addr.Localpart() == "tybalt" {
		return f.user(ctx)
	}
	return f.table.User(ctx, addr)
}

func (f *faulty) VerifyToken(ctx context.Context, token string) (server.User, error) {
	if f.token != nil && token == "token-of-tybalt" {
		return f.token()
	}
	return f.table.VerifyToken(ctx, token)
}

func (f *faulty) CheckPassword(_ context.Context, u server.User, password string) (bool, error) {
	if f.check != nil && password == "tybalt" {
		return f.check(u)
	}
	return password == u.Name, nil
}

// log returns what was logged.
func (p *party) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.logged.String()
}

func newFaulty(t *testing.T, f *faulty) *party {
	f.table = newTable()
	f.table.change("tybalt", func(u *server.User) { u.ID, u.PasswordHash = "9", "v1" })
	p := newParty(t, func(o *server.Options) { o.Users = f })
	p.table = f.table
	return p
}

// Whatever a method of the program does, it fails one login, tells the log why, and leaves the others in peace.
func TestUsers_Faults(t *testing.T) {
	panics := func() { panic("nil map in the shop") }
	user := func(u server.User, err error) func(context.Context) (server.User, error) {
		return func(context.Context) (server.User, error) { return u, err }
	}
	token := func(u server.User, err error) func() (server.User, error) {
		return func() (server.User, error) { return u, err }
	}
	for what, tt := range map[string]struct {
		faulty
		logged string // empty: nothing
		want   error
	}{
		"User panics":         {faulty{user: func(context.Context) (server.User, error) { panics(); return server.User{}, nil }}, "nil map in the shop", sasl.ErrTemporary},
		"User says condition": {faulty{user: user(server.User{}, fmt.Errorf("shop: %w", sasl.ErrAccountDisabled))}, "shop: ", sasl.ErrTemporary},
		"User without ID":     {faulty{user: user(server.User{PasswordHash: "x"}, nil)}, "without an ID", sasl.ErrTemporary},
		"User is of nobody":   {faulty{user: user(server.User{}, fmt.Errorf("shop: %w", server.ErrNoUser))}, "", sasl.ErrNotAuthorized},
		"token panics":        {faulty{token: func() (server.User, error) { panics(); return server.User{}, nil }}, "nil map in the shop", sasl.ErrTemporary},
		"token fails":         {faulty{token: token(server.User{}, errors.New("shop on fire"))}, "shop on fire", sasl.ErrTemporary},
		"token of nobody":     {faulty{token: token(server.User{}, server.ErrNoUser)}, "", sasl.ErrNotAuthorized},
		"token is refused":    {faulty{token: token(server.User{}, &sasl.TokenError{Status: "invalid_token"})}, "", sasl.ErrNotAuthorized},
		"token without ID":    {faulty{token: token(server.User{Name: "tybalt"}, nil)}, "without an ID", sasl.ErrTemporary},
		"token without name":  {faulty{token: token(server.User{ID: "9"}, nil)}, "no localpart", sasl.ErrTemporary},
		"token of an address": {faulty{token: token(server.User{ID: "9", Name: "tybalt@example.org"}, nil)}, "jid.EscapeLocalpart", sasl.ErrTemporary},
		"token with blanks":   {faulty{token: token(server.User{ID: "9", Name: "ty balt"}, nil)}, "jid.EscapeLocalpart", sasl.ErrTemporary},
		"token of another ID": {faulty{token: token(server.User{ID: "8", Name: "tybalt"}, nil)}, "", sasl.ErrNotAuthorized},
		"token in capitals":   {faulty{token: token(server.User{ID: "9", Name: "TYBALT"}, nil)}, "", nil},
		"token, full width":   {faulty{token: token(server.User{ID: "9", Name: "ｔｙｂａｌｔ"}, nil)}, "", nil},
		"check panics":        {faulty{check: func(server.User) (bool, error) { panics(); return true, nil }}, "nil map in the shop", sasl.ErrTemporary},
		"check expires":       {faulty{check: func(server.User) (bool, error) { return false, sasl.ErrCredentialsExpired }}, "", sasl.ErrCredentialsExpired},
	} {
		t.Run(what, func(t *testing.T) {
			p := newFaulty(t, &tt.faulty)
			change := withPassword("tybalt")
			if tt.token != nil {
				change = withToken("token-of-tybalt")
			}
			v := p.login("tybalt", func(o *client.Options) {
				change(o)
				o.Policy = &sasl.Policy{AllowPlain: true, Mechanisms: []string{sasl.OAuthBearer, sasl.Plain}}
			})
			require.ErrorIs(t, v.err, tt.want)
			require.Equal(t, tt.logged != "", p.log() != "", p.log())
			require.Contains(t, p.log(), tt.logged)
			require.NotContains(t, v.wire, "shop")
			require.NoError(t, p.login("juliet", withPassword("juliet")).err)
		})
	}
}

// A table that panics is met by stanzas, too, and by the program's own questions.
func TestUsers_PanicLater(t *testing.T) {
	p := newFaulty(t, &faulty{user: func(context.Context) (server.User, error) { panic("nil map in the shop") }})
	v := p.login("juliet", withPassword("juliet"))
	require.NoError(t, v.err)
	tybalt := jid.MustParse("tybalt@example.org")
	_, err := v.Send(t.Context(), stanza.Message{To: tybalt, Type: stanza.MessageChat, Body: stanza.Plain("hi")})
	require.NoError(t, err)
	require.NoError(t, ping.Send(t.Context(), v, v.RemoteAddr()), "the stream goes on")
	require.Contains(t, p.log(), "nil map in the shop")
	require.Contains(t, p.log(), "users_faults_test.go", "where it was")
	for what, err := range map[string]error{
		"check": p.CheckPassword(t.Context(), tybalt, "x"), "remove": p.RemoveUser(t.Context(), tybalt, "9"), "log out": p.LogOut(t.Context(), tybalt),
	} {
		require.ErrorContains(t, err, "nil map in the shop", what)
		require.NotContains(t, err.Error(), "goroutine", what)
	}
}

// A stuck table answers for tybalt when it is not waited for any more.
type stuck struct{ asked atomic.Int64 }

func (s *stuck) User(ctx context.Context, addr jid.JID) (server.User, error) {
	if addr.Localpart() != "tybalt" {
		return server.User{ID: addr.Localpart()}, nil
	}
	s.asked.Add(1)
	<-ctx.Done()
	return server.User{}, context.Cause(ctx)
}

// A stuck table is waited for for a time, which is not for ever: neither who sends nor who logs in nor the end of the server.
func TestUsers_Stuck(t *testing.T) {
	tybalt := jid.MustParse("tybalt@example.org")
	synctest.Test(t, func(t *testing.T) {
		table := &stuck{}
		srv, err := server.New(&server.Options{Domains: []string{"example.org"}, InsecurePlaintext: true, Users: table, Logger: silent})
		require.NoError(t, err)
		c, err := client.Dial(t.Context(), jid.MustParse("romeo@example.org"), &client.Options{Server: srv, Logger: silent, Reconnect: client.Never, QueryTimeout: -1})
		require.NoError(t, err)
		to := stanza.Message{To: tybalt, Type: stanza.MessageChat, Body: stanza.Plain("hi")}
		for range 2 {
			began := time.Now()
			_, err = c.Send(t.Context(), to)
			require.NoError(t, err)
			require.NoError(t, ping.Send(t.Context(), c, c.RemoteAddr()))
			require.Equal(t, 30*time.Second, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, srv.CheckPassword(ctx, tybalt, "x"), context.DeadlineExceeded)
		require.Equal(t, int64(3), table.asked.Load())

		_, err = c.Send(t.Context(), to)
		require.NoError(t, err)
		synctest.Wait()
		began := time.Now()
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, srv.Shutdown(ctx), context.DeadlineExceeded)
		require.Equal(t, 30*time.Second, time.Since(began))
		require.Error(t, c.Wait(t.Context()))
	})
}

// Whether the name is known or not, a password that could not be checked in time was not checked.
func TestSec_UserEnumerationWhenBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &checker{table: newTable(), proceed: make(chan struct{})}
		srv, err := server.New(&server.Options{Domains: []string{"example.org"}, InsecurePlaintext: true, Users: c, Logger: silent})
		require.NoError(t, err)
		for range 40 {
			go func() { _ = srv.CheckPassword(context.Background(), jid.MustParse("romeo@example.org"), "guess") }()
		}
		synctest.Wait()
		for _, who := range []string{"juliet@example.org", "tybalt@example.org"} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := srv.CheckPassword(ctx, jid.MustParse(who), "guess")
			require.ErrorIs(t, err, context.DeadlineExceeded, who)
			require.NotErrorIs(t, err, sasl.ErrNotAuthorized, who)
		}
		close(c.proceed)
		synctest.Wait()
		require.NoError(t, srv.Shutdown(t.Context()))
	})
}

// A directory that only says yes or no gives no tickets, because no change of the password would end them.
func TestUsers_Directory(t *testing.T) {
	for hash, ticket := range map[string]bool{"": false, "v1": true} {
		p := newFaulty(t, &faulty{})
		p.table.change("juliet", func(u *server.User) { u.PasswordHash = hash })
		for range 2 {
			var known client.Known
			v := p.login("juliet", func(o *client.Options) { o.Password, o.Keep = "juliet", func(k client.Known) { known = k } })
			require.NoError(t, v.err)
			require.Equal(t, ticket, known.Ticket != nil, "hash %q", hash)
		}
		require.Empty(t, p.log())
	}
}

// Secrets alone serve a login page and PLAIN as well, and when they change all that came of the old ones is void.
func TestUsers_SecretsAlone(t *testing.T) {
	p := newParty(t)
	set := func(password string) {
		s, err := sasl.NewSecrets(sasl.SHA512, password, sasl.MinIterations)
		require.NoError(t, err)
		p.table.change("juliet", func(u *server.User) { u.PasswordHash, u.Secrets = "", []sasl.Secrets{s} })
	}
	set("balcony")
	addr := jid.MustParse("juliet@example.org")
	require.NoError(t, p.CheckPassword(t.Context(), addr, "balcony"))
	require.ErrorIs(t, p.CheckPassword(t.Context(), addr, "orchard"), sasl.ErrNotAuthorized)
	require.NoError(t, p.login("juliet", func(o *client.Options) {
		o.Password, o.Policy = "balcony", &sasl.Policy{AllowPlain: true, Mechanisms: []string{sasl.Plain}}
	}).err)
	var known client.Known
	require.NoError(t, p.login("juliet", func(o *client.Options) { o.Password, o.Keep = "balcony", func(k client.Known) { known = k } }).err)
	require.NotNil(t, known.Ticket)
	require.NoError(t, p.login("juliet", func(o *client.Options) { o.Known = known }).err)
	set("orchard")
	require.ErrorIs(t, p.login("juliet", func(o *client.Options) { o.Known = known }).err, client.ErrMechanism, "the ticket is void, and there is no password")
}

// A token of a length that no token has is refused, and nobody is asked about it.
func TestSec_HugeToken(t *testing.T) {
	for _, length := range []int{60 << 10, 1 << 20} {
		f := &faulty{token: func() (server.User, error) { return server.User{}, server.ErrNoUser }}
		p := newFaulty(t, f)
		v := p.login("juliet", withToken(strings.Repeat("a", length)))
		require.Error(t, v.err)
		require.NotContains(t, v.err.Error(), "aaaa")
		require.NotContains(t, p.log(), "aaaa")
		require.NoError(t, p.login("juliet", withPassword("juliet")).err)
	}
}

// RFC 7628 §3.1: what is no message of the mechanism is refused before the program is asked about it.
func TestRFC7628_3_1_Malformed(t *testing.T) {
	f := &faulty{token: func() (server.User, error) { panic("asked") }}
	p := newFaulty(t, f)
	for what, message := range map[string]string{
		"auth twice":          "n,,\x01auth=Bearer token-of-tybalt\x01auth=Bearer token-of-tybalt\x01\x01",
		"no last kvsep":       "n,,\x01auth=Bearer token-of-tybalt\x01",
		"no first kvsep":      "n,,auth=Bearer token-of-tybalt\x01\x01",
		"no GS2 header":       "\x01auth=Bearer token-of-tybalt\x01\x01",
		"half a GS2 header":   "n,\x01auth=Bearer token-of-tybalt\x01\x01",
		"channel binding":     "p=tls-exporter,,\x01auth=Bearer token-of-tybalt\x01\x01",
		"wrong escape":        "n,a=tybalt=40example.org,\x01auth=Bearer token-of-tybalt\x01\x01",
		"NUL":                 "n,,\x01auth=Bearer token-of-tybalt\x00\x01\x01",
		"only a dummy":        "\x01",
		"nothing":             "",
		"auth of another key": "n,,\x01authorization=Bearer token-of-tybalt\x01\x01",
	} {
		s := p.script("example.org")
		data := base64.StdEncoding.EncodeToString([]byte(message))
		if data == "" {
			data = "="
		}
		s.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='OAUTHBEARER'>" + data + "</auth>")
		require.Contains(t, s.until("</failure>"), "malformed-request", what)
	}
	require.Empty(t, p.log())
}
