package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
)

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
