package servertest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"crypto/rand"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// crashPlace is set in the environment of the process that is to be killed: where its data are.
const crashPlace = "XMPP_CRASH_SERVER"

// crashPassword is that of all accounts of it.
const crashPassword = "pencil"

// pairs is how many people write, each to one who is offline.
const pairs = 4

// inFlight is how many messages somebody has sent that are not acknowledged.
const inFlight = 16

// serve runs the server until the process is killed, or whoever started it has gone.
func serve(open func(ctx context.Context, place string) (storage.Stores, error), place string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	stores, err := open(ctx, place)
	if err != nil {
		return err
	}
	srv, err := server.New(&server.Options{
		Domains: []string{domain}, InsecurePlaintext: true, Iterations: sasl.MinIterations, Storage: stores,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Limits: server.Limits{OfflineMessages: 1 << 30, OfflineBytes: 1 << 40, RosterItems: 1 << 30},
	})
	if err != nil {
		return err
	}
	for n := range 2 * pairs {
		if err := srv.CreateAccount(ctx, crashAddr(n), crashPassword); err != nil && !errors.Is(err, storage.ErrExists) {
			return err
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("listening", ln.Addr())
	return srv.Serve(ctx, ln)
}

// crashAddr is the address of the nth account: the first half writes to the second.
func crashAddr(n int) jid.JID { return jid.MustParse(fmt.Sprintf("p%d@%s", n, domain)) }

// Crash shows that a process that embeds a server may be killed at any moment: what it has acknowledged is not missing, nothing is
// there twice, and the stores open again. People write messages to others who are offline and change their rosters; again
// and again the process is killed while they do. rounds is how often; XMPP_CRASHES overrides it.
func Crash(t *testing.T, place string, rounds int, open func(ctx context.Context, place string) (storage.Stores, error)) {
	if place := os.Getenv(crashPlace); place != "" {
		require.NoError(t, serve(open, place))
		return
	}
	if s := os.Getenv("XMPP_CRASHES"); s != "" {
		n, err := strconv.Atoi(s)
		require.NoError(t, err)
		rounds = n
	}
	a := &acknowledged{messages: map[string]bool{}, items: map[string]bool{}}
	for n := range rounds {
		c := startChild(t, place)
		var writing sync.WaitGroup
		begun := make(chan struct{}, pairs)
		for w := range pairs {
			writing.Go(func() { a.write(c.addr, n, w, begun) })
		}
		if n%8 != 0 { // else amid the logins
			for range pairs {
				<-begun
			}
		}
		time.Sleep(random(60 * time.Millisecond)) // the moment is to be any
		c.kill()
		writing.Wait()
	}
	stores, err := open(t.Context(), place)
	require.NoError(t, err)
	stored := a.check(t, stores)
	t.Logf("killed %d times; %d messages and %d roster items were acknowledged, %d messages are stored", rounds, len(a.messages), len(a.items), stored)
	require.NotEmpty(t, a.messages)

	c := startChild(t, place)
	defer c.kill()
	got := map[string]int{}
	for n := range pairs {
		for _, id := range receive(t, c.addr, n+pairs, countOf(t, stores, n+pairs)) {
			got[id]++
		}
	}
	for id := range a.messages {
		if got[id] != 1 {
			t.Errorf("message %s came %d times", id, got[id])
		}
	}
}

// random returns a duration that is less than most.
func random(most time.Duration) time.Duration {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(most)))
	if err != nil {
		panic(err) // does not happen
	}
	return time.Duration(n.Int64())
}

// A child is the process that is killed.
type child struct {
	cmd  *exec.Cmd
	addr string
}

// startChild starts one and waits until it listens.
func startChild(t *testing.T, place string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), crashPlace+"="+place)
	cmd.Stderr = t.Output()
	_, err := cmd.StdinPipe() // closed with this process
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	addr, listens := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if err != nil || !listens {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Fatalf("the process did not start: %q, %v", line, err)
	}
	return &child{cmd, addr}
}

// kill ends the process without a warning.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// acknowledged is what must not be missing.
type acknowledged struct {
	mu       sync.Mutex // guards the fields below
	messages map[string]bool
	items    map[string]bool
}

func (a *acknowledged) note(all map[string]bool, what string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all[what] = true
}

// write logs in and writes until the server is gone. It tells begun when a first message is acknowledged, or none will be.
func (a *acknowledged) write(addr string, round, n int, begun chan<- struct{}) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, crashAddr(n), &client.Options{Address: addr, InsecurePlaintext: true, Password: crashPassword, Reconnect: client.Never})
	tell := sync.OnceFunc(func() { begun <- struct{}{} })
	defer tell()
	if err != nil {
		return // it was killed first
	}
	var waiting sync.WaitGroup
	defer waiting.Wait()
	defer func() {
		_ = c.Close(ctx)
		_ = c.Wait(ctx)
	}()
	gone := make(chan struct{})
	waiting.Go(func() {
		defer close(gone)
		for i := 0; ; i++ {
			item := jid.MustParse(fmt.Sprintf("r%d-%d-%d@elsewhere.example", round, n, i))
			brief, done := context.WithTimeout(ctx, time.Second)
			err := roster.Set(brief, c, roster.Item{JID: item, Name: "x"})
			done()
			if err != nil {
				return
			}
			a.note(a.items, item.String())
		}
	})
	room := make(chan struct{}, inFlight)
	for i := 0; ; i++ {
		select {
		case <-gone:
			return
		case room <- struct{}{}:
		}
		id := fmt.Sprintf("%d-%d-%d", round, n, i)
		r, err := c.Send(ctx, stanza.Message{To: crashAddr(n + pairs), ID: id, Type: stanza.MessageChat, Body: stanza.Plain("hi")})
		if err != nil {
			return
		}
		waiting.Go(func() {
			if stage, err := r.Await(ctx, xmpp.Acked); err == nil && stage == xmpp.Acked {
				a.note(a.messages, id)
				tell()
			}
			<-room
		})
	}
}

// check compares with what is stored, and returns how many messages that is.
func (a *acknowledged) check(t *testing.T, stores storage.Stores) (count int) {
	t.Helper()
	found := map[string]int{}
	for n := range pairs {
		var order []string
		for _, m := range list(t, stores, n+pairs) {
			raw, err := stanza.Parse(m.Stanza)
			require.NoError(t, err)
			found[raw.Header().ID]++
			order = append(order, raw.Header().ID)
			count++
		}
		if !slices.IsSortedFunc(order, later) {
			t.Errorf("messages to %s are out of order", crashAddr(n+pairs))
		}
		a.checkRoster(t, stores, n)
	}
	for id, times := range found {
		if times > 1 {
			t.Errorf("message %s is stored %d times", id, times)
		}
	}
	for id := range a.messages {
		if found[id] == 0 {
			t.Errorf("message %s was acknowledged, and is missing", id)
		}
	}
	return count
}

// later compares ids of one sender by round and number.
func later(a, b string) int {
	number := func(id string) (n int) {
		f := strings.Split(id, "-")
		for _, s := range []string{f[0], f[2]} {
			v, _ := strconv.Atoi(s)
			n = n*1_000_000 + v
		}
		return n
	}
	return number(a) - number(b)
}

// checkRoster checks that all items of an account that were acknowledged are there.
func (a *acknowledged) checkRoster(t *testing.T, stores storage.Stores, n int) {
	t.Helper()
	id := idOf(t, stores, crashAddr(n))
	have := map[string]bool{}
	for after := (jid.JID{}); ; {
		page, err := stores.Rosters.List(t.Context(), id, after, 500)
		require.NoError(t, err)
		for _, c := range page {
			have[c.JID.String()], after = true, c.JID
		}
		if len(page) < 500 {
			break
		}
	}
	for item := range maps.Keys(a.items) {
		if strings.Contains(item, fmt.Sprintf("-%d-", n)) && strings.Split(item, "-")[1] == strconv.Itoa(n) && !have[item] {
			t.Errorf("roster item %s was acknowledged, and is missing", item)
		}
	}
}

// list returns everything that waits for an account.
func list(t *testing.T, stores storage.Stores, n int) (all []storage.OfflineMessage) {
	t.Helper()
	id := idOf(t, stores, crashAddr(n))
	for after := uint64(0); ; after = all[len(all)-1].ID {
		page, err := stores.Offline.List(t.Context(), id, after, 500)
		require.NoError(t, err)
		all = append(all, page...)
		if len(page) < 500 {
			return all
		}
	}
}

func countOf(t *testing.T, stores storage.Stores, n int) int { return len(list(t, stores, n)) }

// receive logs in as one who was offline, and returns the ids of so many messages.
func receive(t *testing.T, addr string, n, count int) (ids []string) {
	t.Helper()
	got := make(chan string, 64)
	c, err := client.Dial(t.Context(), crashAddr(n), &client.Options{Address: addr, InsecurePlaintext: true, Password: crashPassword,
		Handler: xmpp.HandlerFunc(func(_ context.Context, st *stanza.Raw) (stanza.Payload, error) {
			if h := st.Header(); h.Kind == stanza.KindMessage {
				got <- h.ID
			}
			return nil, nil
		})})
	require.NoError(t, err)
	_, err = c.Send(t.Context(), stanza.Presence{})
	require.NoError(t, err)
	for range count {
		select {
		case id := <-got:
			ids = append(ids, id)
		case <-time.After(30 * time.Second):
			t.Fatalf("%s got %d of %d messages", crashAddr(n), len(ids), count)
		}
	}
	go func() { // none should come, and none may hold up the end
		for range got {
		}
	}()
	_ = c.Close(t.Context())
	_ = c.Wait(t.Context())
	close(got)
	return ids
}
