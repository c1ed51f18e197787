//go:build linux

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/pgtest"
)

// A block is what stands between two fences in docs/server.md. The words behind ``` say what it is:
//
//	sh                commands, run as they are
//	background        … until the next of these, or stopped
//	stopped           … after what runs in the background was stopped
//	postgres          … with a PostgreSQL; left out where there is none
//	needs=PROGRAM     … left out where there is no such program
//	toml FILE         a file, which is written
//	text profanity=X  what X types into profanity; left out where there is none
//	anything else     no command
type block struct {
	line  int
	kind  string
	words []string
	text  string
}

func (b block) has(word string) bool { return slices.Contains(b.words, word) }

// of returns the value of a word like needs=x.
func (b block) of(key string) string {
	for _, w := range b.words {
		if v, ok := strings.CutPrefix(w, key+"="); ok {
			return v
		}
	}
	return ""
}

// blocks reads the fences of a page.
func blocks(t *testing.T, page string) (all []block) {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	var open *block
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		fence, ok := strings.CutPrefix(line, "```")
		switch {
		case ok && open == nil:
			words := strings.Fields(fence)
			require.NotEmpty(t, words, "line %d: a fence says what is in it", n)
			open = &block{line: n, kind: words[0], words: words[1:]}
		case ok:
			all = append(all, *open)
			open = nil
		case open != nil:
			open.text += line
		}
	}
	require.Nil(t, open)
	return all
}

// A reader is somebody who does what the page says, in an empty folder.
type reader struct {
	*testing.T
	dir      string
	env      []string
	postgres string // the folder of its socket; empty before it was needed
	absent   bool   // there is no PostgreSQL
	running  *exec.Cmd
	ended    chan struct{}
	profs    map[string]*terminal
}

// password is that of everybody.
const password = "a plague o' both your houses"

// Every command of docs/server.md does what it should: none fails.
func TestDocs(t *testing.T) {
	dir, err := bin()
	require.NoError(t, err)
	r := &reader{T: t, dir: t.TempDir(), profs: map[string]*terminal{}}
	r.env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	defer func() { r.stop() }()
	commands := 0
	for _, b := range blocks(t, "../../docs/server.md") {
		at := fmt.Sprintf("docs/server.md:%d", b.line)
		switch {
		case b.kind == "sh":
			commands++
			r.sh(at, b)
		case b.kind == "toml" && len(b.words) == 1:
			r.write(b.words[0], b.text)
		case b.of("profanity") != "":
			r.types(b.of("profanity"), strings.Split(strings.TrimSpace(b.text), "\n"))
		default:
			require.NotRegexp(t, `(?m)^\s*\$?\s*xmppd `, b.text, "%s: a command that is not run", at)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	require.Greater(t, commands, 20)
}

// write writes a file; the socket of PostgreSQL is elsewhere here.
func (r *reader) write(name, text string) {
	r.Helper()
	if strings.Contains(text, "postgres://") && !r.database() {
		return
	}
	text = strings.ReplaceAll(text, "/var/run/postgresql", r.postgres)
	require.NoError(r, os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600))
}

// database starts a PostgreSQL, and reports whether there is one.
func (r *reader) database() bool {
	if r.postgres != "" || r.absent {
		return !r.absent
	}
	_, err := exec.LookPath("createdb")
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/createdb")
	if err != nil && len(found) == 0 {
		if os.Getenv("XMPP_POSTGRES") != "" {
			r.Fatal("there is no PostgreSQL")
		}
		r.Log("there is no PostgreSQL: what needs it is left out")
		r.absent = true
		return false
	}
	for word := range strings.FieldsSeq(pgtest.Database(r)) {
		switch k, v, _ := strings.Cut(word, "="); k {
		case "host":
			r.postgres = v
			r.env = append(r.env, "PGHOST="+v)
		case "user":
			r.env = append(r.env, "PGUSER="+v)
		}
	}
	if len(found) > 0 {
		r.env = append(r.env, "PATH="+bin1()+":"+os.Getenv("PATH")+":"+filepath.Dir(found[len(found)-1]))
	}
	return true
}

// bin1 is bin, which has succeeded before.
func bin1() string {
	dir, _ := bin()
	return dir
}

// sh runs commands. Whoever asks for a password gets it.
func (r *reader) sh(at string, b block) {
	r.Helper()
	if b.has("postgres") && !r.database() {
		return
	}
	if program := b.of("needs"); program != "" {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("XMPP_INTEROP") != "" {
				r.Fatalf("%s: there is no %s", at, program)
			}
			r.Logf("%s: left out: there is no %s", at, program)
			return
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^export (\w+=\S+)$`).FindAllStringSubmatch(b.text, -1) {
		r.env = append(r.env, m[1]) // for all commands to come
	}
	if b.has("background") {
		r.background(at, b.text)
		return
	}
	if b.has("stopped") {
		r.stop()
	}
	c := exec.Command("bash", "-euo", "pipefail", "-c", b.text)
	c.Dir, c.Env, c.Stdin = r.dir, r.env, strings.NewReader(password+"\n")
	out, err := c.CombinedOutput()
	if err != nil {
		r.Fatalf("%s: %v\n%s\n%s", at, err, b.text, out)
	}
}

// background runs a command until the next one: a server, unless that is what goes on.
func (r *reader) background(at, text string) {
	r.Helper()
	server := strings.Contains(text, "serve")
	if server {
		r.stop()
		r.ports(at)
	}
	log, err := os.Create(filepath.Join(r.TempDir(), "log"))
	require.NoError(r, err)
	c := exec.Command("bash", "-euc", "exec "+strings.TrimSpace(text))
	c.Dir, c.Env, c.Stdout, c.Stderr = r.dir, r.env, log, log
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(r, c.Start())
	log.Close()
	ended := make(chan struct{})
	go func() { defer close(ended); _ = c.Wait() }()
	if server {
		r.running, r.ended = c, ended
	}
	r.await(at, func() string { return "it has begun" }, func() bool {
		said, err := os.ReadFile(log.Name())
		require.NoError(r, err)
		select {
		case <-ended:
			r.Fatalf("%s: it has ended:\n%s", at, said)
		default:
		}
		return strings.Contains(string(said), "msg=serving") || strings.Contains(string(said), "watching")
	})
	if !server { // the reader has seen enough
		require.NoError(r, c.Process.Signal(os.Interrupt))
		<-ended
		require.Zero(r, c.ProcessState.ExitCode(), at)
	}
}

// ports waits until the page's ports are free, as they are when the server of another run has ended. Where somebody has them for good, the test
// is left out, unless it has to run.
func (r *reader) ports(at string) {
	r.Helper()
	free := func() bool { return free("5222") && free("5223") && free("9090") }
	for end := time.Now().Add(patience); !free() && os.Getenv("XMPP_INTEROP") == ""; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			r.Skip("somebody else uses the ports of the guide: 5222, 5223 or 9090")
		}
	}
	r.await(at, func() string { return "the ports are free" }, free)
}

// free reports whether nobody listens on a port.
func free(port string) bool {
	ln, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return false
	}
	return ln.Close() == nil
}

// await waits for something that others do.
func (r *reader) await(at string, what func() string, there func() bool) {
	r.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for timeout := time.After(patience); !there(); {
		select {
		case <-tick.C:
		case <-timeout:
			r.Fatalf("%s: in vain: %s", at, what())
		}
	}
}

// stop stops what runs in the background, as an operator does.
func (r *reader) stop() {
	for _, p := range r.profs {
		p.close()
	}
	clear(r.profs)
	if r.running == nil {
		return
	}
	_ = r.running.Process.Signal(syscall.SIGTERM)
	<-r.ended
	if code := r.running.ProcessState.ExitCode(); code != 0 {
		r.Errorf("the server has ended with %d", code)
	}
	r.running = nil
}

// What the files for systemd and containers start are commands that there are.
func TestPackaging(t *testing.T) {
	dir, err := bin()
	require.NoError(t, err)
	unit, err := os.ReadFile("../../packaging/xmppd.service")
	require.NoError(t, err)
	started := regexp.MustCompile(`(?m)^Exec(Start|Reload)=/usr/local/bin/xmppd (.*)$`).FindAllStringSubmatch(string(unit), -1)
	require.Len(t, started, 2)
	image, err := os.ReadFile("../../packaging/Containerfile")
	require.NoError(t, err)
	m := regexp.MustCompile(`(?m)^CMD \["(.*)"\]$`).FindStringSubmatch(string(image))
	require.NotNil(t, m)
	for _, args := range []string{started[0][2], started[1][2], m[1]} {
		out, err := exec.Command(filepath.Join(dir, "xmppd"), append(strings.Fields(args), "-help")...).CombinedOutput()
		require.NoError(t, err, "%s: %s", args, out)
		require.Contains(t, string(out), "Usage: xmppd "+args)
	}
	require.Contains(t, string(unit), "Type=notify\n")
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("there is no systemd-analyze to look at the unit")
	}
	file := filepath.Join(t.TempDir(), "xmppd.service")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(unit), "/usr/local/bin", dir)), 0o644))
	out, err := exec.Command("systemd-analyze", "verify", file).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Empty(t, string(out), "it has nothing to complain about")
}
