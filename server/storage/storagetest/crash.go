package storagetest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// Crashes shows that a driver keeps its word when the process is killed. It has a process of its own, which is the test
// binary once more, write from several goroutines and say what has been acknowledged; kills it at some moment; and looks.
type Crashes struct {
	// Place makes the place of the stores, such as the path of a file.
	Place func(t *testing.T) string
	// Open opens the stores at a place. It is called in both processes.
	Open func(ctx context.Context, place string) (s storage.Stores, closed func() error, err error)
	// Before is called before a process is killed, if it is not nil, as to crash a server.
	Before func(t *testing.T)
}

// In the environment of the process that is killed.
const crashPlace, crashRound = "XMPP_CRASH_PLACE", "XMPP_CRASH_ROUND"

// Run runs it for twenty rounds, or as many as the environment variable XMPP_CRASHES says. The test that calls it must have no
// parent.
func (c Crashes) Run(t *testing.T) {
	if place := os.Getenv(crashPlace); place != "" {
		c.write(t, place, os.Getenv(crashRound))
		return
	}
	rounds := 20
	if n, err := strconv.Atoi(os.Getenv("XMPP_CRASHES")); err == nil {
		rounds = n
	}
	place, total := c.Place(t), 0
	all := make([]acknowledged, rounds)
	for n := range rounds {
		all[n] = c.kill(t, place, n)
		total += all[n].count()
		c.look(t, place, n, all[n])
	}
	for n := range rounds { // later rounds have changed nothing
		c.look(t, place, n, all[n])
	}
	t.Logf("%d rounds, %d writes were acknowledged", rounds, total)
	require.True(t, total > 0 || rounds == 0)
}

const (
	crashSenders = 4 // goroutines that add messages for an account of their own
	crashReaders = 2 // those that add a message and delete it
	crashEditors = 2 // those that change a contact
)

// crashBatch is what a sender adds at once the nth time: up to three messages.
func crashBatch(n int) []string { return slices.Repeat([]string{fmt.Sprint(n)}, 1+n%3) }

// crashOwner is the account of one goroutine.
func crashOwner(round, kind string, i int) storage.AccountID {
	return storage.AccountID(fmt.Sprintf("%s %s %d", round, kind, i))
}

// write writes until the process is killed, and says of each write that it was acknowledged. What follows an
// error says nothing.
func (c Crashes) write(t *testing.T, place, round string) {
	var wg sync.WaitGroup
	await := func() { wg.Wait(); _, _ = io.Copy(io.Discard, os.Stdin) } // the end
	s, _, err := c.Open(t.Context(), place)
	if err != nil && c.Before != nil {
		await() // what it opens was killed first
		return
	}
	require.NoError(t, err)
	begin := func(kind string, count int, write func(owner storage.AccountID, n int) error) {
		for i := range count {
			wg.Go(func() {
				for n := 0; write(crashOwner(round, kind, i), n) == nil; n++ {
					fmt.Fprintf(os.Stdout, "%s %d %d\n", kind, i, n) // in one piece
				}
			})
		}
	}
	begin("sent", crashSenders, func(owner storage.AccountID, n int) error {
		_, err := s.Offline.Add(t.Context(), owner, storage.OfflineLimits{}, offlineMessages(crashBatch(n)...)...)
		return err
	})
	begin("deleted", crashReaders, func(owner storage.AccountID, n int) error {
		if _, err := s.Offline.Add(t.Context(), owner, storage.OfflineLimits{}, offlineMessages(fmt.Sprint(n))...); err != nil {
			return err
		}
		all, err := s.Offline.List(t.Context(), owner, 0, 10)
		if err != nil {
			return err
		}
		return s.Offline.Delete(t.Context(), owner, all[0].ID)
	})
	begin("changed", crashEditors, func(owner storage.AccountID, n int) error {
		_, err := s.Rosters.Update(t.Context(), owner, contact(1), storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
			c.Listed, c.Name = true, fmt.Sprint(n)
			return c, nil
		})
		return err
	})
	await()
}

// acknowledged is how many writes of each goroutine were.
type acknowledged map[string]map[int]int

func (a acknowledged) count() (total int) {
	for _, byGoroutine := range a {
		for _, n := range byGoroutine {
			total += n
		}
	}
	return total
}

// kill has a process write and kills it, and returns what it has said.
func (c Crashes) kill(t *testing.T, place string, round int) acknowledged {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), crashPlace+"="+place, fmt.Sprintf("%s=%d", crashRound, round))
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = cmd.Stdout
	require.NoError(t, cmd.Start())
	begun, ended := make(chan struct{}), make(chan struct{})
	var said bytes.Buffer
	go func() {
		defer close(ended)
		once, r := sync.Once{}, bufio.NewReader(stdout)
		for {
			line, err := r.ReadString('\n')
			once.Do(func() { close(begun) })
			if err != nil {
				return // a line without an end was not said
			}
			said.WriteString(line)
		}
	}()
	wait := 100 * time.Millisecond
	if round%4 != 3 { // the others are killed while they begin, or soon after
		<-begun
		wait = 200 * time.Millisecond
	}
	<-time.After(chance(t, wait))
	if c.Before != nil {
		c.Before(t)
	}
	_ = cmd.Process.Kill() // if it has ended by itself, it has said why
	<-ended
	_ = cmd.Wait()
	return parseAcknowledged(t, said.String())
}

// parseAcknowledged reads what a process has said.
func parseAcknowledged(t *testing.T, said string) acknowledged {
	t.Helper()
	out := acknowledged{}
	for line := range strings.Lines(said) {
		var kind string
		var i, n int
		_, err := fmt.Sscanf(line, "%s %d %d\n", &kind, &i, &n)
		require.NoError(t, err, "the process failed:\n%s", said)
		if out[kind] == nil {
			out[kind] = map[int]int{}
		}
		require.Equal(t, out[kind][i], n, "%s %d", kind, i)
		out[kind][i]++
	}
	return out
}

// chance returns a time up to a bound.
func chance(t *testing.T, bound time.Duration) time.Duration {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(bound)))
	require.NoError(t, err)
	return time.Duration(n.Int64())
}

// look opens the stores again. What was acknowledged is there once; of the rest, there is at most what each goroutine was
// writing, all of it.
func (c Crashes) look(t *testing.T, place string, round int, was acknowledged) {
	t.Helper()
	s, closed, err := c.Open(t.Context(), place)
	require.NoError(t, err)
	defer func() { require.NoError(t, closed()) }()
	list := func(kind string, i int) []storage.OfflineMessage {
		return pages(t, 100, func(m storage.OfflineMessage) uint64 { return m.ID }, func(ctx context.Context, after uint64, limit int) ([]storage.OfflineMessage, error) {
			return s.Offline.List(ctx, crashOwner(fmt.Sprint(round), kind, i), after, limit)
		})
	}
	for i := range crashSenders {
		all, n := texts(list("sent", i)), was["sent"][i]
		var want []string
		for at := range n {
			want = append(want, crashBatch(at)...)
		}
		if len(all) > len(want) {
			want = append(want, crashBatch(n)...)
		}
		require.Equal(t, want, all, "round %d, sender %d: %d batches were acknowledged", round, i, n)
	}
	for i := range crashReaders {
		for _, text := range texts(list("deleted", i)) {
			require.Equal(t, fmt.Sprint(was["deleted"][i]), text, "round %d: it was deleted", round)
		}
	}
	for i := range crashEditors {
		owner := crashOwner(fmt.Sprint(round), "changed", i)
		// A server may still be busy with what a process wanted that is no more. This comes after it.
		require.NoError(t, s.Offline.DeleteAll(t.Context(), owner))
		lookAtContact(t, s.Rosters, owner, was["changed"][i])
	}
}

// lookAtContact looks at a contact whose nth change was the last that was acknowledged.
func lookAtContact(t *testing.T, s storage.Rosters, owner storage.AccountID, n int) {
	t.Helper()
	version, err := s.Version(t.Context(), owner)
	require.NoError(t, err)
	require.True(t, version == uint64(n) || version == uint64(n)+1, "%d changes were acknowledged, the roster has version %d", n, version)
	all, err := s.List(t.Context(), owner, jid.JID{}, 10)
	require.NoError(t, err)
	if version == 0 {
		require.Empty(t, all)
		return
	}
	require.Len(t, all, 1)
	require.Equal(t, fmt.Sprint(version-1), all[0].Name)
	require.Equal(t, version, all[0].Version)
}
