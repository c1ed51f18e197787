//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/control"
	"github.com/parlance-xmpp/xmpp/internal/pgtest"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stream"
	"github.com/parlance-xmpp/xmpp/xep/invite"
)

// Commands do the same whether or not a server runs, over files and over PostgreSQL.
func TestCommands(t *testing.T) {
	for _, running := range []bool{false, true} {
		for _, kind := range []string{"sqlite", "postgres", "memory"} {
			if kind == "memory" && !running {
				continue // TestMemoryWithoutAServer
			}
			t.Run(fmt.Sprintf("%s running %v", kind, running), func(t *testing.T) {
				storage := kind
				if kind == "postgres" {
					storage = databaseURL(t)
				}
				h := newHome(t, fmt.Sprintf("storage = '%s'\n", storage)+hosts("capulet.example", "montague.example")+"registration = 'invite'\n")
				if running {
					h.serve()
				}
				commands(t, h)
			})
		}
	}
}

// databaseURL is the address of an empty database of PostgreSQL, as a file has it.
func databaseURL(t *testing.T) string {
	words := map[string]string{}
	for word := range strings.FieldsSeq(pgtest.Database(t)) {
		k, v, _ := strings.Cut(word, "=")
		words[k] = v
	}
	return fmt.Sprintf("postgres://%s@/%s?host=%s&sslmode=disable", words["user"], words["dbname"], words["host"])
}

func commands(t *testing.T, h *home) {
	h.must("s3cret\nnot this\n", "user", "add", "Juliet@capulet.example")
	h.must("s3cret", "user", "add", "romeo@montague.example")
	for _, tt := range []struct {
		stdin string
		args  string
		code  int
		want  string // of the standard error
	}{
		{"x", "user add juliet@capulet.example", 5, "there is an account juliet@capulet.example already"},
		{"x", "user add juliet@verona.example", 2, "verona.example is not served here; add a [[host]] for it"},
		{"", "user add nurse@capulet.example", 2, "the first line of the standard input, and that is empty"},
		{"x", "user add capulet.example", 2, `"capulet.example" is not the address of an account`},
		{"x", "user add juliet@capulet.example/balcony", 2, "is not the address of an account"},
		{"a\x00b", "user add nurse@capulet.example", 1, "password"},
		{"", "user add", 2, "accepts 1 arg(s)"},
		{"x", "user passwd nurse@capulet.example", 4, "there is no account nurse@capulet.example"},
		{"", "user disable nurse@capulet.example", 4, "there is no account"},
		{"", "user enable nurse@capulet.example", 4, "there is no account"},
		{"", "user delete nurse@capulet.example", 4, "there is no account"},
		{"", "user list verona.example", 2, "verona.example is not served here"},
		{"", "user list a@b", 2, "is no domain"},
		{"", "user", 2, "xmppd user needs one more word"},
		{"", "user ad", 2, `there is no command "xmppd user ad"`},
		{"", "usr", 2, "unknown command"},
		{"", "user list -jsn", 2, "unknown flag: --jsn"},
		{"", "invite new capulet.example", 2, `write registration = "invite" for that host`},
		{"", "invite new verona.example", 2, "not served here"},
		{"", "invite new tybalt@montague.example -uses 2", 2, "an account can be made once"},
		{"", "invite new romeo@montague.example", 5, "there is an account romeo@montague.example already"},
		{"", "export -domain verona.example", 2, "not served here"},
		{"", "import none.xml", 1, "none.xml"},
		{"<html/>", "import -", 1, "this is no file of XEP-0227"},
	} {
		r := h.run(tt.stdin, strings.Fields(tt.args)...)
		require.Equal(t, tt.code, r.code, "%s: %s", tt.args, r.err)
		require.Contains(t, r.err, tt.want, tt.args)
		require.NotContains(t, r.err, "goroutine", tt.args)
	}
	h.must("", "user", "disable", "romeo@montague.example")
	require.Regexp(t, `^juliet@capulet.example  \d{4}-\d\d-\d\d  enabled\nromeo@montague.example  \d{4}-\d\d-\d\d  disabled\n$`, h.must("", "user", "list"))
	require.Regexp(t, `^juliet@capulet.example  \S+  enabled\n$`, h.must("", "user", "list", "capulet.example"))
	var u control.User
	require.NoError(t, json.Unmarshal([]byte(h.must("", "user", "list", "-json", "montague.example")), &u))
	require.Equal(t, jid.MustParse("romeo@montague.example"), u.Addr)
	require.True(t, u.Disabled)
	require.WithinDuration(t, time.Now(), u.Created, time.Minute)
	h.must("", "user", "enable", "romeo@montague.example")
	h.must("0ther", "user", "passwd", "romeo@montague.example")

	link, err := invite.ParseURI(h.must("", "invite", "new", "montague.example", "-uses", "3", "-valid", "48h"))
	require.NoError(t, err)
	require.Equal(t, invite.Register, link.Action)
	require.Equal(t, jid.MustParse("montague.example"), link.Addr)

	file := filepath.Join(h.dir, "all.xml")
	h.must("", "export", file)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it is as secret as the passwords")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(text), h.must("", "export"))
	pipe := filepath.Join(h.dir, "pipe")
	require.NoError(t, os.Symlink("/dev/stdout", pipe))
	require.Equal(t, string(text), h.must("", "export", pipe), "what is no file is not replaced by one")
	require.NotContains(t, h.must("", "export", "-domain", "capulet.example"), "romeo")

	h.must("", "user", "delete", "romeo@montague.example")
	require.NotContains(t, h.must("", "user", "list"), "romeo")
	require.Equal(t, "account: 1 new, 1 there already\ncredentials: 1 new, 1 there already\n0 skipped\n", h.must("", "import", file))
	require.Equal(t, string(text), h.must("", "export"))
}

// What is only in the memory of a server needs one.
func TestMemoryWithoutAServer(t *testing.T) {
	h := newHome(t, "storage = 'memory'\n"+hosts("localhost"))
	for _, args := range []string{"user add juliet@localhost", "session list", "session watch juliet@localhost", "session close juliet@localhost", "status"} {
		r := h.run("x", strings.Fields(args)...)
		require.Equal(t, 6, r.code, r.err)
		require.Contains(t, r.err, "no server runs", args)
		require.Contains(t, r.err, "xmppd serve", args)
	}
	require.NoDirExists(t, filepath.Join(h.dir, "data"))
}

// Passwords that were set by commands, with and without a server, let people log in; one that is disabled does not.
func TestLogins(t *testing.T) {
	h := newHome(t, hosts("capulet.example"))
	h.must("before", "user", "add", "juliet@capulet.example")
	h.must("before", "user", "add", "nurse@capulet.example")
	h.must("", "user", "disable", "nurse@capulet.example")
	s := h.serve()
	juliet := join(t, "juliet@capulet.example", *h.options("before"))
	_, err := client.Dial(t.Context(), jid.MustParse("nurse@capulet.example"), h.options("before"))
	require.ErrorIs(t, err, client.ErrCredentials)
	require.ErrorContains(t, err, "account-disabled")
	h.must("", "user", "enable", "nurse@capulet.example")
	nurse := join(t, "nurse@capulet.example", *h.options("before"))
	nurse.says("juliet@capulet.example", "anon")
	juliet.hears("anon")

	h.must("after", "user", "passwd", "juliet@capulet.example")
	juliet.sync()
	_, err = client.Dial(t.Context(), jid.MustParse("juliet@capulet.example"), h.options("before"))
	require.ErrorIs(t, err, client.ErrCredentials)

	require.Equal(t, "1 closed\n", h.must("", "session", "close", nurse.LocalAddr().String(), "good night"))
	<-nurse.Done()
	require.ErrorIs(t, nurse.Err(), stream.PolicyViolation)
	require.ErrorContains(t, nurse.Err(), "good night")
	for begin := time.Now(); ; { // the server notices a moment later
		if code := h.run("", "session", "close", "nurse@capulet.example").code; code == 4 {
			break
		}
		require.Less(t, time.Since(begin), patience)
	}

	list := h.must("", "session", "list")
	require.Regexp(t, `^juliet@capulet\.example/\S+ +127\.0\.0\.1 +available +since .* active `, list)
	var one control.Session
	require.NoError(t, json.Unmarshal([]byte(h.must("", "session", "list", "-json", "juliet@capulet.example")), &one))
	require.Equal(t, juliet.LocalAddr(), one.Addr)
	require.True(t, one.TLS)
	require.Empty(t, h.must("", "session", "list", "nurse@capulet.example"))

	h.must("", "user", "delete", "juliet@capulet.example")
	<-juliet.Done()
	require.ErrorIs(t, juliet.Err(), stream.NotAuthorized)
	s.stop()
}

// An invite makes an account where the file says so.
func TestInviteNew(t *testing.T) {
	h := newHome(t, hosts("capulet.example")+"registration = 'invite'\n")
	h.serve()
	link, err := invite.ParseURI(h.must("", "invite", "new"))
	require.NoError(t, err)
	opts := h.options("b4lc0ny0f")
	opts.BeforeLogin = invite.NewAccount(link, jid.MustParse("juliet@capulet.example"), "b4lc0ny0f", nil)
	join(t, "juliet@capulet.example", *opts)
	require.Contains(t, h.must("", "user", "list"), "juliet@capulet.example")
}

// One session is watched, as it goes: what was said only if asked for, what proves passwords never.
func TestSessionWatch(t *testing.T) {
	h := newHome(t, hosts("capulet.example"))
	h.must("s3cret", "user", "add", "juliet@capulet.example")
	h.must("s3cret", "user", "add", "nurse@capulet.example")
	s := h.serve()
	sorts, contents := h.start("session", "watch", "juliet@capulet.example"), h.start("session", "watch", "juliet@capulet.example", "-content", "-json")
	sorts.says("watching; 0 sessions are there", 1)
	contents.says("watching; 0 sessions are there", 1)
	juliet, nurse := join(t, "juliet@capulet.example", *h.options("s3cret")), join(t, "nurse@capulet.example", *h.options("s3cret"))
	nurse.says("juliet@capulet.example", "your lady mother is coming to your chamber")
	juliet.hears("your lady mother is coming to your chamber")
	nurse.says("nurse@capulet.example", "to myself")
	sorts.says("out   message type=chat", 1)
	contents.says("your lady mother", 1)
	sorts.signal(syscall.SIGINT)
	require.Zero(t, sorts.ends())
	s.stop()
	require.Equal(t, 0, contents.ends(), "the server said that it stops")
	require.NotContains(t, sorts.output(), "your lady mother")
	for _, text := range []string{sorts.output(), contents.output()} {
		require.NotContains(t, text, "s3cret")
		require.NotContains(t, text, "to myself")
		require.Contains(t, text, "authenticated")
	}
	for line := range strings.Lines(contents.output()) {
		require.True(t, json.Valid([]byte(line)), line)
	}
}

// Only the owner of the server can use its socket.
func TestSec_Socket(t *testing.T) {
	h := newHome(t, hosts("localhost"))
	s := h.serve()
	socket := filepath.Join(h.dir, "data", "xmppd.sock")
	info, err := os.Stat(socket)
	require.NoError(t, err)
	require.Equal(t, os.ModeSocket|0o600, info.Mode())
	info, err = os.Stat(filepath.Dir(socket))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	left, err := filepath.Glob(filepath.Join(h.dir, "data", ".s*"))
	require.NoError(t, err)
	require.Empty(t, left)
	if os.Geteuid() == 0 { // only then is there somebody else to be
		for dir := filepath.Dir(socket); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
			require.NoError(t, os.Chmod(dir, 0o755), "so that the socket itself is tried")
		}
		runtime.LockOSThread()
		_, err = unix.SetfsuidRetUid(65534)
		require.NoError(t, err)
		c := config.Default()
		c.Data = filepath.Dir(socket)
		_, err = control.Dial(t.Context(), c)
		_, back := unix.SetfsuidRetUid(0)
		runtime.UnlockOSThread()
		require.NoError(t, back)
		require.ErrorIs(t, err, os.ErrPermission)
		require.ErrorContains(t, err, "is somebody else's: run the command as the user of the server")
	}
	s.stop()
	require.NoFileExists(t, socket)
}

// Two servers do not share a folder, and commands without a server wait for each other.
func TestTwoProcesses(t *testing.T) {
	for _, storage := range []string{"sqlite", "memory"} {
		h := newHome(t, "storage = '"+storage+"'\n"+hosts("localhost"))
		if storage == "sqlite" {
			var all sync.WaitGroup
			for n := range 8 {
				all.Go(func() {
					r := h.run("s3cret", "user", "add", fmt.Sprintf("user%d@localhost", n))
					if r.code != 0 {
						t.Errorf("%d: %s", r.code, r.err)
					}
				})
			}
			all.Wait()
			require.Equal(t, 8, strings.Count(h.must("", "user", "list"), "\n"))
		}
		s := h.serve()
		r := h.run("", "serve")
		require.Equal(t, 1, r.code)
		require.Contains(t, r.err, "data: another xmppd uses it")
		h.must("s3cret", "user", "add", "juliet@localhost")
		require.NoError(t, s.cmd.Process.Kill())
		<-s.done
		s = h.serve() // what a killed one left is in nobody's way
		s.stop()
	}
}

// Monitoring finds out how the server is.
func TestMonitoring(t *testing.T) {
	h := newHome(t, hosts("localhost"))
	h.must("s3cret", "user", "add", "juliet@localhost")
	s := h.serve()
	juliet := join(t, "juliet@localhost", *h.options("s3cret"))
	juliet.says("juliet@localhost/nobody", "hello")
	base := "http://" + h.status().Listening.Metrics[0]
	get := func(path string) (int, string) {
		resp, err := http.Get(base + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(b)
	}
	defer http.DefaultClient.CloseIdleConnections()
	_, text := get("/metrics")
	require.Contains(t, text, "\nxmppd_sessions 1\n")
	require.Contains(t, text, "\nxmppd_messages_received_total 1\n")
	require.Contains(t, text, `xmppd_certificate_expiry_timestamp_seconds{domain="localhost"} `)
	require.Contains(t, text, "\nprocess_cpu_seconds_total ")
	code, body := get("/readyz")
	require.Equal(t, 200, code, body)
	code, _ = get("/healthz")
	require.Equal(t, 200, code)
	s.stop()
}

// systemd is told when the service is ready, when it reads its file again and when it stops.
func TestNotify(t *testing.T) {
	h := newHome(t, hosts("localhost"))
	path := filepath.Join(h.dir, "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	require.NoError(t, err)
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	told := func() string {
		require.NoError(t, manager.SetReadDeadline(time.Now().Add(patience)))
		b := make([]byte, 1000)
		n, err := manager.Read(b)
		require.NoError(t, err)
		return string(b[:n])
	}
	s := h.serve()
	require.Equal(t, "READY=1", told())
	s.reload(inForce)
	require.Regexp(t, `^RELOADING=1\nMONOTONIC_USEC=\d+$`, told())
	require.Equal(t, "READY=1", told())
	s.stop()
	require.Equal(t, "STOPPING=1", told())
}

// What keeps a server from starting is said, with the line where there is one.
func TestNoStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	h := newHome(t, hosts("localhost"))
	for _, tt := range []struct {
		text string
		code int
		want string
	}{
		{"[[host]]\ndomian = 'localhost'\n", 3, "xmppd.toml:2: host.domian: there is no such key; did you mean host.domain?"},
		{"[[host]]\ndomain = 'localhost'\ncert = 'none.pem'\nkey = 'none.pem'\n", 3, "none.pem: no such file or directory; write the file"},
		{"[listen]\nc2s = ['" + taken.Addr().String() + "']\n[[host]]\ndomain = 'localhost'\n", 1, "xmppd.toml:2: listen.c2s[0]: listen tcp " + taken.Addr().String()},
		{"[listen]\nmetrics = ['192.0.2.1:9090']\n[[host]]\ndomain = 'localhost'\n", 1, "xmppd.toml:2: listen.metrics[0]: listen tcp 192.0.2.1:9090: bind: cannot assign requested address; write an address that this machine has"},
		{"storage = 'postgres://nobody@/nothing?host=/nowhere'\n[[host]]\ndomain = 'localhost'\n", 1, "xmppd.toml:1: storage: postgres: open: "},
		{"data = '/dev/null/x'\n[[host]]\ndomain = 'localhost'\n", 1, "xmppd.toml:1: data: mkdir /dev/null: not a directory; let the user that runs xmppd make the folder"},
	} {
		require.NoError(t, os.WriteFile(h.file, []byte(tt.text), 0o600))
		r := h.run("", "serve")
		require.Equal(t, tt.code, r.code, r.err)
		require.Contains(t, r.err, tt.want)
	}
	h.file = filepath.Join(h.dir, "nowhere.toml")
	r := h.run("", "serve")
	require.Equal(t, 3, r.code)
	require.Contains(t, r.err, "nowhere.toml: no such file or directory; say which file is meant by -config")
}
