package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/server/storage"
)

// statement writes one.
func statement(ctx context.Context, s *Store, owner, text string) error {
	return s.write(ctx, "test", owner, func(t *tx) error {
		_, err := t.exec(text)
		return err
	})
}

// held is a store whose first transaction, of the statement "first", waits in committing until release is called.
func held(t *testing.T, f *fake) (s *Store, first chan error, release func()) {
	t.Helper()
	gate := make(chan struct{})
	once, commit := sync.Once{}, f.commit
	f.commit = func() (err error) {
		once.Do(func() { <-gate })
		if len(f.transactions()) > 0 && commit != nil {
			return commit()
		}
		return nil
	}
	s = f.open(t, 1)
	first = make(chan error, 1)
	go func() { first <- statement(context.Background(), s, "o", "first") }()
	synctest.Wait()
	return s, first, func() { close(gate) }
}

// later begins writes that come after the held one, in order, and returns their results when it is called.
func later(ctx context.Context, all ...func(context.Context) error) (results func() []error) {
	errs := make([]chan error, len(all))
	for i, write := range all {
		errs[i] = make(chan error, 1)
		go func() { errs[i] <- write(ctx) }()
		synctest.Wait()
	}
	return func() (out []error) {
		for _, err := range errs {
			out = append(out, <-err)
		}
		return out
	}
}

func text(s *Store, texts ...string) (all []func(context.Context) error) {
	for _, each := range texts {
		all = append(all, func(ctx context.Context) error { return statement(ctx, s, "o", each) })
	}
	return all
}

// What waits while a transaction commits goes into the next one together, in order, and nobody is answered before the
// commit.
func TestWritesShareACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(fake)
		s, first, release := held(t, f)
		var want []string
		for n := range 2 * batch {
			want = append(want, fmt.Sprint(n))
		}
		results := later(t.Context(), text(s, want...)...)
		select {
		case <-first:
			t.Error("answered before it was committed")
		default:
		}
		release()
		require.NoError(t, <-first)
		for _, err := range results() {
			require.NoError(t, err)
		}
		require.Equal(t, [][]string{{"first"}, want[:batch], want[batch:]}, f.transactions())
		require.NoError(t, s.Close())
	})
}

// One that is refused has no part in it, and does no harm to the others.
func TestRefusedOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(fake)
		s, first, release := held(t, f)
		all := text(s, "a", "b")
		all = slices.Insert(all, 1, func(ctx context.Context) error {
			return s.write(ctx, "test", "o", func(*tx) error { return refuse(storage.ErrFull) })
		})
		results := later(t.Context(), all...)
		release()
		require.NoError(t, <-first)
		errs := results()
		require.NoError(t, errs[0])
		require.ErrorIs(t, errs[1], storage.ErrFull)
		require.EqualError(t, errs[1], "fake: test: storage: limit reached")
		require.NoError(t, errs[2])
		require.Equal(t, [][]string{{"first"}, {"a", "b"}}, f.transactions())
		require.NoError(t, s.Close())
	})
}

// When a statement fails, or an operation panics, all is undone, and the others are done alone.
func TestGuiltyOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{exec: func(statement string) error {
			switch statement {
			case "bad":
				return errBroken
			case "panic":
				panic("on purpose")
			}
			return nil
		}}
		s, first, release := held(t, f)
		results := later(t.Context(), text(s, "a", "bad", "b", "panic", "c")...)
		release()
		require.NoError(t, <-first)
		errs := results()
		require.ErrorIs(t, errs[1], errBroken)
		require.ErrorContains(t, errs[3], "panic: on purpose")
		require.NoError(t, errors.Join(errs[0], errs[2], errs[4]))
		require.Equal(t, [][]string{{"first"}, {"a"}, {"b"}, {"c"}}, f.transactions())
		require.NoError(t, s.Close())
	})
}

// When nobody knows whether a commit was done, nothing is done again; when it surely was not, it is.
func TestFailedCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails := []error{errBroken, errBusy, errBusy}
		f := &fake{commit: func() (err error) {
			if len(fails) > 0 {
				err, fails = fails[0], fails[1:]
			}
			return err
		}}
		s, first, release := held(t, f)
		results := later(t.Context(), text(s, "a", "b")...)
		release()
		require.NoError(t, <-first)
		for _, err := range results() {
			require.ErrorIs(t, err, errBroken)
		}
		require.NoError(t, statement(t.Context(), s, "o", "c"))
		require.Equal(t, [][]string{{"first"}, {"c"}}, f.transactions())
		require.Equal(t, 5, f.beginnings())
		require.NoError(t, s.Close())
	})
}

// A database that cannot be reached is not tried for each operation; one that is busy, for a while.
func TestFailedBegin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fail error
		f := &fake{begin: func() error { return fail }}
		s, first, release := held(t, f)
		results := later(t.Context(), text(s, "a", "b", "c")...)
		fail = errBroken
		release()
		require.NoError(t, <-first)
		for _, err := range results() {
			require.ErrorIs(t, err, errBroken)
		}
		require.Equal(t, 2, f.beginnings())
		fail = errBusy
		require.ErrorIs(t, statement(t.Context(), s, "o", "d"), errBusy)
		require.Equal(t, 2+attempts, f.beginnings())
		require.NoError(t, s.Close())
	})
}

// A caller whose context ends leaves at once. What had not begun is left out.
func TestEndedContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(fake)
		s, first, release := held(t, f)
		ctx, cancel := context.WithCancelCause(t.Context())
		results := later(ctx, text(s, "a", "b")...)
		cancel(errors.New("a cause"))
		for _, err := range results() {
			require.ErrorIs(t, err, context.Canceled)
		}
		results = later(t.Context(), text(s, "c")...)
		release()
		require.NoError(t, errors.Join(append(results(), <-first)...))
		require.Equal(t, [][]string{{"first"}, {"c"}}, f.transactions())
		require.NoError(t, s.Close())
	})
}

// Close waits for what waits, and refuses the rest.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(fake)
		s, first, release := held(t, f)
		results := later(t.Context(), text(s, "a", "b")...)
		closed := make(chan error, 2)
		for range 2 {
			go func() { closed <- s.Close() }()
		}
		synctest.Wait()
		select {
		case <-closed:
			t.Error("closed while something waits")
		default:
		}
		require.ErrorIs(t, statement(t.Context(), s, "o", "late"), ErrClosed)
		_, err := s.Stores().Documents.Get(t.Context(), "o", "kind", "name")
		require.ErrorIs(t, err, ErrClosed)
		release()
		require.NoError(t, errors.Join(append(results(), <-first, <-closed, <-closed)...))
		require.Equal(t, [][]string{{"first"}, {"a", "b"}}, f.transactions())
	})
}

// With several writers, each owner has one.
func TestWritersKeepTheOrderOfAnOwner(t *testing.T) {
	f := new(fake)
	s := f.open(t, 4)
	var wg sync.WaitGroup
	for o := range 16 {
		wg.Go(func() {
			for n := range 50 {
				if err := statement(t.Context(), s, fmt.Sprint(o), fmt.Sprintf("%02d %02d", o, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	all := slices.Concat(f.transactions()...)
	require.Len(t, all, 16*50)
	byOwner := map[string][]string{}
	for _, text := range all {
		byOwner[text[:2]] = append(byOwner[text[:2]], text)
	}
	for owner, texts := range byOwner {
		require.True(t, slices.IsSorted(texts), "%s: %v", owner, texts)
	}
	require.NoError(t, s.Close())
}
