package server

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
)

// newWorker returns a worker that holds up to 10 bytes, and what waits for its
// goroutine.
func newWorker() (*worker, *sync.WaitGroup) {
	var wg sync.WaitGroup
	return &worker{limit: 10, begin: func() bool { wg.Add(1); return true }, end: wg.Done}, &wg
}

func TestWorker_Order(t *testing.T) {
	w, wg := newWorker()
	var got, want []int
	for n := range 1000 {
		want = append(want, n)
		require.NoError(t, w.put(t.Context(), job{func() { got = append(got, n) }, 3}))
	}
	wg.Wait()
	require.True(t, slices.Equal(got, want))
}

// What waits is bounded in bytes; a job alone may be larger.
func TestWorker_Bound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, wg := newWorker()
		release := make(chan struct{})
		require.True(t, w.offer(job{func() { <-release }, 100}))
		require.False(t, w.offer(job{func() {}, 1}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, w.put(ctx, job{func() {}, 1}), context.DeadlineExceeded)

		done := make(chan error, 1)
		go func() { done <- w.put(t.Context(), job{func() {}, 10}) }()
		synctest.Wait()
		require.Empty(t, done)
		close(release)
		require.NoError(t, <-done)
		wg.Wait()
	})
}

func TestWorker_TooLate(t *testing.T) {
	w := &worker{limit: 10, begin: func() bool { return false }}
	require.ErrorIs(t, w.put(t.Context(), job{func() {}, 1}), errShutDown)
	require.False(t, w.offer(job{func() {}, 1}))
}

// An account that is deleted while somebody looks it up is not brought back.
func TestDirectory_RemovedWhileRead(t *testing.T) {
	juliet := jid.MustParse("juliet@capulet.example")
	accounts := &slowAccounts{Accounts: memory.New().Accounts, reading: make(chan struct{}), goOn: make(chan struct{})}
	require.NoError(t, accounts.Create(t.Context(), storage.Account{ID: "first", Addr: juliet}))
	d := newDirectory(accounts)
	first, err := d.hold(t.Context(), juliet)
	require.NoError(t, err)
	d.release(first)

	accounts.slow = true
	type held struct {
		a   *account
		err error
	}
	got := make(chan held, 1)
	go func() {
		a, err := d.hold(context.Background(), juliet)
		got <- held{a, err}
	}()
	<-accounts.reading
	require.NoError(t, accounts.Delete(t.Context(), "first"))
	require.NoError(t, accounts.Create(t.Context(), storage.Account{ID: "second", Addr: juliet}))
	d.remove(first)
	close(accounts.goOn)
	second := <-got
	require.NoError(t, second.err)
	require.Equal(t, storage.AccountID("second"), second.a.id)
	d.release(second.a)
	require.Empty(t, d.accounts)
}

// slowAccounts returns what it has read only when it is told to, the first time.
type slowAccounts struct {
	storage.Accounts
	slow          bool // used by one goroutine at a time
	reading, goOn chan struct{}
}

func (s *slowAccounts) Get(ctx context.Context, addr jid.JID) (storage.Account, error) {
	a, err := s.Accounts.Get(ctx, addr)
	if s.slow {
		s.slow = false
		close(s.reading)
		<-s.goOn
	}
	return a, err
}

// Whoever holds an account keeps everybody else at the same one.
func TestDirectory_Holds(t *testing.T) {
	juliet := jid.MustParse("juliet@capulet.example")
	accounts := memory.New().Accounts
	require.NoError(t, accounts.Create(t.Context(), storage.Account{ID: "1", Addr: juliet}))
	d := newDirectory(accounts)
	a, err := d.hold(t.Context(), juliet)
	require.NoError(t, err)
	b, err := d.hold(t.Context(), juliet)
	require.NoError(t, err)
	require.Same(t, a, b)
	d.release(a)
	require.Same(t, a, d.online(juliet))
	d.release(b)
	require.Nil(t, d.online(juliet))
	_, err = d.hold(t.Context(), jid.MustParse("romeo@capulet.example"))
	require.ErrorIs(t, err, storage.ErrNotFound)
}
