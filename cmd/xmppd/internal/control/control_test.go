package control_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/control"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/house"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/portable"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/watch"
	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

var (
	juliet = jid.MustParse("juliet@localhost")
	quiet  = slog.New(slog.DiscardHandler)
)

// serve opens a house in memory with its socket. With spoil, stores can be replaced by what fails.
func serve(t *testing.T) (*config.Config, *house.House, chan struct{}) {
	t.Helper()
	c := config.Default()
	c.Data, c.Storage = filepath.Join(t.TempDir(), "data"), config.Storage{Kind: config.Memory}
	h, err := house.Open(t.Context(), c, house.Options{Log: quiet, Serving: true})
	require.NoError(t, err)
	stopping := make(chan struct{})
	door, err := control.Listen(c, &control.Local{House: h, Process: func() control.Status { return control.Status{PID: 7} }, Stopping: stopping}, quiet)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, door.Close())
		require.NoError(t, h.Close(context.Background()))
		_, err := control.Dial(context.Background(), c)
		require.ErrorIs(t, err, control.ErrNotRunning)
	})
	return c, h, stopping
}

func dial(t *testing.T, c *config.Config) *control.Client {
	t.Helper()
	client, err := control.Dial(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return client
}

// Errors are of the same kind on both sides of the socket, in the same words.
func TestErrors(t *testing.T) {
	c, h, _ := serve(t)
	client, local := dial(t, c), &control.Local{House: h}
	require.NoError(t, client.AddUser(t.Context(), juliet, "s3cret"))
	for _, tt := range []struct {
		kind error
		do   func(control.Live) error
	}{
		{storage.ErrExists, func(o control.Live) error { return o.AddUser(t.Context(), juliet, "s3cret") }},
		{storage.ErrNotFound, func(o control.Live) error { return o.SetPassword(t.Context(), jid.MustParse("nurse@localhost"), "x") }},
		{control.ErrInvalid, func(o control.Live) error { return o.DeleteUser(t.Context(), jid.MustParse("romeo@montague.example")) }},
		{control.ErrInvalid, func(o control.Live) error {
			_, err := o.Invite(t.Context(), control.InviteRequest{})
			return err
		}},
		{control.ErrInvalid, func(o control.Live) error {
			for _, err := range o.Users(t.Context(), jid.MustParse("montague.example")) {
				return err
			}
			return nil
		}},
		{control.ErrInvalid, func(o control.Live) error {
			return o.Export(t.Context(), io.Discard, jid.MustParse("montague.example"))
		}},
		{control.ErrInvalid, func(o control.Live) error {
			return o.Watch(t.Context(), jid.MustParse("localhost"), false, func(watch.Line) error { return nil })
		}},
		{storage.ErrNotFound, func(o control.Live) error {
			_, err := o.CloseSessions(t.Context(), juliet, "")
			return err
		}},
	} {
		there, here := tt.do(client), tt.do(local)
		require.ErrorIs(t, there, tt.kind)
		require.ErrorIs(t, here, tt.kind)
		require.Equal(t, here.Error(), there.Error())
	}
}

// A list is complete, or says that it is not.
func TestBrokenOff(t *testing.T) {
	c, h, _ := serve(t)
	client := dial(t, c)
	for n := range 250 {
		require.NoError(t, h.Stores.Accounts.Create(t.Context(), storage.Account{ID: storage.AccountID(rune('a' + n)), Addr: jid.MustParse("user" + strings.Repeat("x", n+1) + "@localhost")}))
	}
	n := 0
	for u, err := range client.Users(t.Context(), jid.JID{}) {
		require.NoError(t, err)
		require.False(t, u.Password)
		n++
	}
	require.Equal(t, 250, n)

	broken := errors.New("the disk is gone")
	h.Stores.Documents = failing{h.Stores.Documents, broken}
	long := storage.OfflineMessage{Stanza: []byte("<message>" + strings.Repeat("x", 100_000) + "</message>")}
	_, err := h.Stores.Offline.Add(t.Context(), "a", storage.OfflineLimits{}, long)
	require.NoError(t, err)
	var b strings.Builder
	err = client.Export(t.Context(), &b, jid.JID{})
	require.ErrorContains(t, err, "the disk is gone")
	require.NotContains(t, b.String(), "</server-data>")
	_, err = client.Import(t.Context(), []portable.Piece{{Kind: portable.VCard, Addr: juliet, XML: "<vCard xmlns='vcard-temp'/>"}})
	require.ErrorContains(t, err, "the disk is gone")
}

type failing struct {
	storage.Documents
	err error
}

func (f failing) Get(context.Context, storage.AccountID, string, string) ([]byte, error) {
	return nil, f.err
}

// Who watches is let go when the server stops, and lets go when nobody wants more.
func TestWatchEnds(t *testing.T) {
	c, h, stopping := serve(t)
	client := dial(t, c)
	began, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- client.Watch(t.Context(), juliet, false, func(watch.Line) error { close(began); return nil })
	}()
	<-began
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, client.Watch(ctx, juliet, false, func(watch.Line) error { cancel(); return nil }))
	enough := errors.New("enough")
	require.ErrorIs(t, (&control.Local{House: h}).Watch(t.Context(), juliet, false, func(watch.Line) error { return enough }), enough)
	close(stopping)
	require.NoError(t, <-done)
}

// What is no command is refused, whoever asks.
func TestProtocol(t *testing.T) {
	c, _, _ := serve(t)
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", control.Socket(c))
		},
	}}
	for _, tt := range []struct {
		path, body string
		code       int
		want       string
	}{
		{"/v1/user/add", `{"jid":"juliet@localhost","password":"s3cret"}`, 200, "{}\n"},
		{"/v1/user/add", `{"jid":"juliet@localhost","password":"s3cret"}`, 409, `{"error":{"kind":"exists","text":"there is an account juliet@localhost already"}}` + "\n"},
		{"/v1/user/list", ``, 200, `{"end":true}` + "\n"},
		{"/v1/user/add", `{"jid":"a@b@c"}`, 400, `"kind":"invalid"`},
		{"/v1/user/add", `{"user":"x"}`, 400, `unknown field`},
		{"/v1/user/add", `[`, 400, `"kind":"invalid"`},
		{"/v1/nothing", `{}`, 404, "404"},
		{"/v1/status", `{}`, 200, `"pid":7`},
	} {
		resp, err := client.Post("http://xmppd"+tt.path, "application/json", strings.NewReader(tt.body))
		require.NoError(t, err)
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, tt.code, resp.StatusCode, "%s: %s", tt.path, b)
		require.Contains(t, string(b), tt.want)
		require.NotContains(t, string(b), "s3cret")
	}
}

// A name that is too long for a socket is said to be that.
func TestLongName(t *testing.T) {
	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	require.NoError(t, os.MkdirAll(c.Data, 0o700))
	_, err := control.Listen(c, nil, quiet)
	require.ErrorContains(t, err, "choose a shorter folder for data")
	_, err = control.Dial(t.Context(), c)
	require.ErrorContains(t, err, "choose a shorter folder for data")
	left, err := os.ReadDir(c.Data)
	require.NoError(t, err)
	require.Empty(t, left)
}

// A server that goes in the middle of a command says nothing; who asked is told what that means.
func TestGoneBeforeTheAnswer(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	ln, err := net.Listen("unix", control.Socket(c))
	require.NoError(t, err)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for range 2 { // one to see whether somebody is there
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(nc))
			nc.Close()
		}
	}()
	err = dial(t, c).AddUser(t.Context(), juliet, "s3cret")
	require.ErrorContains(t, err, "the server stopped before it has answered; see whether it is done, or try again")
	require.NoError(t, ln.Close())
	<-gone
}

// Who removes the folder of a server that runs does not keep it from stopping.
func TestFolderGone(t *testing.T) {
	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.Mkdir(c.Data, 0o700))
	door, err := control.Listen(c, new(control.Local), quiet)
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(c.Data))
	require.NoError(t, door.Close())
}

// A deed is a server that does something when an account is added.
type deed struct {
	*control.Local
	do func(context.Context) error
}

func (d deed) AddUser(ctx context.Context, _ jid.JID, _ string) error { return d.do(ctx) }

// What is being done when the server stops is finished; what takes too long is broken off, and whoever asked for it is told why.
func TestStopInTheMiddle(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	closed := func() bool {
		client, err := control.Dial(context.Background(), c)
		if err == nil {
			client.Close()
		}
		return errors.Is(err, control.ErrNotRunning)
	}
	for want, do := range map[string]func(context.Context) error{
		"": func(ctx context.Context) error {
			for !closed() && ctx.Err() == nil { // the socket is closed before the command is done
			}
			return ctx.Err()
		},
		"the server has stopped in the middle of it": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		began, answer := make(chan struct{}), make(chan error, 1)
		door, err := control.Listen(c, deed{do: func(ctx context.Context) error { close(began); return do(ctx) }}, quiet)
		require.NoError(t, err)
		client := dial(t, c)
		go func() { answer <- client.AddUser(context.Background(), juliet, "s3cret") }()
		<-began
		require.NoError(t, door.Close())
		if err := <-answer; want == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, want)
		}
	}
}

// A flood is a server where more goes on than anybody can read.
type flood struct{ *control.Local }

func (flood) Watch(_ context.Context, _ jid.JID, _ bool, show func(watch.Line) error) error {
	for {
		if err := show(watch.Line{Text: strings.Repeat("x", 10_000)}); err != nil {
			return err
		}
	}
}

// Somebody who watches and does not read, as behind a pager, does not keep a server from stopping; nor does a command that never gets to its end.
func TestStopWithoutReaders(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	door, err := control.Listen(c, flood{}, quiet)
	require.NoError(t, err)
	for _, request := range []string{
		"POST /v1/session/watch HTTP/1.1\r\nHost: xmppd\r\nContent-Length: 26\r\n\r\n{\"jid\":\"juliet@localhost\"}",
		"POST /v1/import HTTP/1.1\r\nHost: xmppd\r\nContent-Length: 1000\r\n\r\n{",
	} {
		nc, err := net.Dial("unix", control.Socket(c))
		require.NoError(t, err)
		defer nc.Close()
		_, err = io.WriteString(nc, request)
		require.NoError(t, err)
		if strings.Contains(request, "watch") {
			_, err = io.ReadFull(nc, make([]byte, 10_000)) // it has begun
			require.NoError(t, err)
		}
	}
	done := make(chan error, 1)
	go func() { done <- door.Close() }()
	select {
	case err := <-done:
		require.NoError(t, err)
	case <-time.After(time.Minute):
		t.Fatal("it does not stop")
	}
}
