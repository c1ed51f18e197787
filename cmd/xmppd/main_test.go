//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/cli"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/control"
	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/internal/pgtest"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// asProgram in the environment makes the tests the program itself.
const asProgram = "XMPPD_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Unsetenv("XMPPD_CONFIG")
	leaktest.Main(built{pgtest.Tests(m)})
}

// built are tests that may have built the program.
type built struct{ tests interface{ Run() int } }

// Run runs them, and removes it.
func (b built) Run() int {
	code := b.tests.Run()
	if folder != "" {
		os.RemoveAll(folder)
	}
	return code
}

// folder is where the program is.
var folder string

// bin returns the folder with the program, as people have it. What runs for long is rather the tests themselves, whose
// races are then found.
var bin = sync.OnceValues(func() (string, error) {
	var err error
	if folder, err = os.MkdirTemp("", "xmppd"); err != nil {
		return "", err
	}
	if out, err := exec.Command("go", "build", "-o", filepath.Join(folder, "xmppd"), ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return folder, nil
})

// patience bounds whatever a test waits for.
const patience = 60 * time.Second

// A home is a folder with a file of a server.
type home struct {
	t    *testing.T
	dir  string
	file string // empty for none
}

// anywhere listens on ports that are free.
const anywhere = "[listen]\nc2s = ['127.0.0.1:0']\nc2s_tls = ['127.0.0.1:0']\nmetrics = ['127.0.0.1:0']\n"

// newHome makes a home; text is the file, behind the addresses.
func newHome(t *testing.T, text string) *home {
	t.Helper()
	h := &home{t: t, dir: t.TempDir()}
	h.file = filepath.Join(h.dir, "xmppd.toml")
	h.write(text)
	return h
}

// write replaces the file. What is above the first table of text comes before the addresses.
func (h *home) write(text string) {
	h.t.Helper()
	i := strings.Index("\n"+text, "\n[")
	require.GreaterOrEqual(h.t, i, 0)
	require.NoError(h.t, os.WriteFile(h.file, []byte(text[:i]+anywhere+text[i:]), 0o600))
}

// command is the program in the home.
func (h *home) command(program string, args ...string) *exec.Cmd {
	if h.file != "" {
		args = append(args, "-config", h.file)
	}
	c := exec.Command(program, args...)
	c.Dir, c.Env = h.dir, append(os.Environ(), asProgram+"=1")
	return c
}

// A result is what a command did.
type result struct {
	code     int
	out, err string
}

// run runs a command.
func (h *home) run(stdin string, args ...string) (r result) {
	h.t.Helper()
	dir, err := bin()
	require.NoError(h.t, err)
	c := h.command(filepath.Join(dir, "xmppd"), args...)
	var out, errs bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &errs
	require.NoError(h.t, c.Start())
	late := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	failure := c.Wait()
	require.True(h.t, late.Stop(), "xmppd %v does not end", args)
	if _, exited := errors.AsType[*exec.ExitError](failure); failure != nil && !exited {
		h.t.Fatal(failure)
	}
	return result{c.ProcessState.ExitCode(), out.String(), errs.String()}
}

// must runs a command that has to succeed, and returns what it prints.
func (h *home) must(stdin string, args ...string) string {
	h.t.Helper()
	r := h.run(stdin, args...)
	require.Zero(h.t, r.code, "xmppd %v: %s%s", args, r.out, r.err)
	return r.out
}

// A process is the program in the background. It ends with the test.
type process struct {
	*home
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended

	mu   sync.Mutex // guards the fields below
	text strings.Builder
	more chan struct{} // closed when there is more text
}

// start runs a command in the background.
func (h *home) start(args ...string) *process {
	h.t.Helper()
	p := &process{home: h, cmd: h.command(os.Args[0], args...), done: make(chan struct{}), more: make(chan struct{})}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StdoutPipe()
	require.NoError(h.t, err)
	p.cmd.Stderr = p.cmd.Stdout
	require.NoError(h.t, p.cmd.Start())
	go func() {
		defer close(p.done)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.add(s.Text() + "\n")
		}
		_ = p.cmd.Wait()
	}()
	h.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
		if h.t.Failed() {
			text := p.output()
			h.t.Logf("output of xmppd %v:\n%s", args, text[max(0, len(text)-5000):])
		}
	})
	return p
}

func (p *process) add(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text.WriteString(text)
	close(p.more)
	p.more = make(chan struct{})
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// says waits until the process has said something so often.
func (p *process) says(what string, times int) {
	p.t.Helper()
	timeout := time.After(patience)
	for {
		p.mu.Lock()
		n, more := strings.Count(p.text.String(), what), p.more
		p.mu.Unlock()
		if n >= times {
			return
		}
		select {
		case <-more:
		case <-p.done:
			if strings.Count(p.output(), what) < times {
				p.t.Fatalf("it has ended without saying %q:\n%s", what, p.output())
			}
		case <-timeout:
			p.t.Fatalf("it does not say %q:\n%s", what, p.output())
		}
	}
}

// signal sends the process a signal.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(s))
}

// ends waits for the end and returns the exit code.
func (p *process) ends() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatal("it does not end")
	}
	return p.cmd.ProcessState.ExitCode()
}

// stop stops a server as systemd does.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	require.Zero(p.t, p.ends(), p.output())
}

// serve starts a server, and returns when clients can come.
func (h *home) serve() *process {
	h.t.Helper()
	p := h.start("serve")
	p.says("msg=serving", 1)
	return p
}

// reload has the file read again; says is what the server then says.
func (p *process) reload(says string) {
	p.t.Helper()
	before := strings.Count(p.output(), says)
	p.signal(syscall.SIGHUP)
	p.says(says, before+1)
}

const inForce = `msg="the file is in force"`

// status asks the server.
func (h *home) status() control.Status {
	h.t.Helper()
	c := config.Default()
	c.Data = filepath.Join(h.dir, "data")
	live, err := control.Dial(h.t.Context(), c)
	require.NoError(h.t, err)
	defer live.Close()
	s, err := live.Status(h.t.Context())
	require.NoError(h.t, err)
	return s
}

// trust trusts the authority of the home, and what is in more files.
func (h *home) trust(files ...string) *tls.Config {
	h.t.Helper()
	pool := x509.NewCertPool()
	for _, f := range append(files, filepath.Join(h.dir, "data", "certs", "authority.pem")) {
		if pem, err := os.ReadFile(f); err == nil {
			pool.AppendCertsFromPEM(pem)
		}
	}
	return &tls.Config{RootCAs: pool}
}

// options are how to reach the server, where it is now.
func (h *home) options(password string) *client.Options {
	h.t.Helper()
	return &client.Options{Address: h.status().Listening.C2S[0], TLS: h.trust(), Password: password, Reconnect: client.Never}
}

// A friend is a client that is available, and remembers what it is told.
type friend struct {
	*client.Client
	t *testing.T

	mu    sync.Mutex // guards the fields below
	heard map[string]int
	met   []xmpp.Event
	more  chan struct{} // closed when there is more of these
}

// HandleStanza implements [xmpp.Handler].
func (f *friend) HandleStanza(_ context.Context, st *stanza.Raw) (stanza.Payload, error) {
	if m, err := st.Message(); st.Header().Kind == stanza.KindMessage && err == nil {
		f.note(func() { f.heard[m.Body.String()]++ })
	}
	return nil, nil
}

// HandleEvent implements [xmpp.Observer].
func (f *friend) HandleEvent(_ context.Context, e xmpp.Event) {
	f.note(func() { f.met = append(f.met, e) })
}

func (f *friend) note(what func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what()
	close(f.more)
	f.more = make(chan struct{})
}

// until waits until it has noted something.
func (f *friend) until(what string, there func() bool) {
	f.t.Helper()
	timeout := time.After(patience)
	for {
		f.mu.Lock()
		done, more := there(), f.more
		f.mu.Unlock()
		if done {
			return
		}
		select {
		case <-more:
		case <-timeout:
			f.t.Fatalf("in vain: %s", what)
		}
	}
}

// join logs in.
func join(t *testing.T, account string, opts client.Options) *friend {
	t.Helper()
	f := &friend{t: t, heard: map[string]int{}, more: make(chan struct{})}
	opts.Handler = f
	var err error
	f.Client, err = client.Dial(t.Context(), jid.MustParse(account), &opts)
	require.NoError(t, err)
	t.Cleanup(func() { f.leave() })
	_, err = f.Send(t.Context(), stanza.Presence{})
	require.NoError(t, err)
	f.sync()
	return f
}

// sync returns when the server has handled what was sent.
func (f *friend) sync() {
	f.t.Helper()
	_, err := roster.Get(f.t.Context(), f)
	require.NoError(f.t, err)
}

func (f *friend) leave() {
	_ = f.Close(context.Background())
	_ = f.Wait(context.Background())
}

// hears waits until it was told something.
func (f *friend) hears(what string) {
	f.t.Helper()
	f.until(fmt.Sprintf("somebody says %q", what), func() bool { return f.heard[what] > 0 })
}

// meets waits until something has become of its session, and for that reason.
func (f *friend) meets(status xmpp.Status, why error) {
	f.t.Helper()
	f.until(fmt.Sprintf("%s, %v", status, why), func() bool {
		return slices.ContainsFunc(f.met, func(e xmpp.Event) bool { return e.Status == status && errors.Is(e.Err, why) })
	})
}

// says writes to somebody, and returns when the server has taken it.
func (f *friend) says(to, body string) {
	f.t.Helper()
	r, err := f.Send(f.t.Context(), stanza.Message{To: jid.MustParse(to), Type: stanza.MessageChat, Body: stanza.Plain(body)})
	require.NoError(f.t, err)
	stage, err := r.Await(f.t.Context(), xmpp.Acked)
	require.NoError(f.t, err)
	require.Equal(f.t, xmpp.Acked, stage)
}

// hosts is a file that serves some domains, in the way that makes logins cheap for those who test.
func hosts(domains ...string) string {
	var b strings.Builder
	for _, d := range domains {
		fmt.Fprintf(&b, "[[host]]\ndomain = '%s'\n", d)
	}
	return b.String()
}
