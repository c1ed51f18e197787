package storagetest

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/server/storage"
)

// list is a change that makes a contact one that its owner sees.
func list(c storage.Contact) (storage.Contact, error) {
	c.Listed = true
	return c, nil
}

// A change that panics, or ends its goroutine, does no harm to anybody else.
func rosterPanics(t *testing.T, s storage.Rosters) {
	update := func(change func()) {
		_, _ = s.Update(t.Context(), owner, contact(1), storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
			change()
			return list(c)
		})
	}
	for _, change := range []func(){func() { panic("on purpose") }, runtime.Goexit} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { _ = recover() }()
			update(change)
		}()
		<-done
		_, err := s.Get(t.Context(), owner, contact(1))
		require.ErrorIs(t, err, storage.ErrNotFound)
	}
	require.NoError(t, set(t, s, storage.Contact{JID: contact(1), Listed: true}))
}

// A change that takes its time keeps nobody waiting.
func rosterSlow(t *testing.T, s storage.Rosters) {
	begun, resume, done := make(chan struct{}), make(chan struct{}), make(chan error)
	var calls atomic.Int32
	go func() {
		_, err := s.Update(t.Context(), owner, contact(1), storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
			if calls.Add(1) == 1 {
				close(begun)
				<-resume
			}
			c.Groups = append(c.Groups, "slow")
			return list(c)
		})
		done <- err
	}()
	<-begun
	for _, id := range []storage.AccountID{owner, "other"} {
		_, err := s.Update(t.Context(), id, contact(1), storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
			c.Groups = append(c.Groups, "fast")
			return list(c)
		})
		require.NoError(t, err)
	}
	close(resume)
	require.NoError(t, <-done)
	c, err := s.Get(t.Context(), owner, contact(1))
	require.NoError(t, err)
	require.Equal(t, []string{"fast", "slow"}, c.Groups, "it is called again when somebody was faster")
}

// When Update returns, nobody calls change any longer: callers keep what it finds in their variables.
func rosterAbandoned(t *testing.T, s storage.Rosters) {
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		calls := 0 // the race detector looks on
		_, err := s.Update(ctx, owner, contact(1), storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
			calls++
			return list(c)
		})
		calls++
		require.True(t, err == nil || errors.Is(err, context.Canceled), "%v", err)
		cancel()
	}
}
