//go:build linux

package main

import (
	"errors"
	"io"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A seat is a process at a terminal, and who sits there.
type seat struct {
	*process
	keyboard *os.File
}

// sit runs a command at a terminal.
func (h *home) sit(args ...string) *seat {
	h.t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(h.t, err)
	h.t.Cleanup(func() { keyboard.Close() })
	conn, err := keyboard.SyscallConn()
	require.NoError(h.t, err)
	n := 0
	require.NoError(h.t, conn.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			n, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}))
	require.NoError(h.t, err)
	screen, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(h.t, err)
	defer screen.Close()
	c := h.command(os.Args[0], args...)
	c.Stdin, c.Stdout, c.Stderr = screen, screen, screen
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	p := &process{home: h, cmd: c, done: make(chan struct{}), more: make(chan struct{})}
	require.NoError(h.t, c.Start())
	t := &seat{p, keyboard}
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		b := make([]byte, 1000)
		for {
			n, err := keyboard.Read(b)
			if n > 0 {
				p.add(string(b[:n]))
			}
			if errors.Is(err, io.EOF) || errors.Is(err, unix.EIO) || errors.Is(err, os.ErrClosed) {
				return // nobody has the terminal any more
			}
		}
	}()
	go func() {
		defer close(p.done)
		_ = c.Wait()
		<-reading
	}()
	h.t.Cleanup(func() {
		_ = c.Process.Kill()
		<-p.done
	})
	return t
}

// types types something.
func (t *seat) types(text string) {
	t.t.Helper()
	_, err := t.keyboard.WriteString(text)
	require.NoError(t.t, err)
}

// echoes reports whether what is typed can be seen.
func (t *seat) echoes() (does bool) {
	t.t.Helper()
	conn, err := t.keyboard.SyscallConn()
	require.NoError(t.t, err)
	require.NoError(t.t, conn.Control(func(fd uintptr) {
		state, failure := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		if err = failure; err == nil {
			does = state.Lflag&unix.ECHO != 0
		}
	}))
	require.NoError(t.t, err)
	return does
}

// hides waits until what is typed cannot be seen.
func (t *seat) hides() {
	t.t.Helper()
	for begin := time.Now(); t.echoes(); {
		require.Less(t.t, time.Since(begin), patience)
	}
}

const interrupt = "\x03"

// A password is asked for twice and not shown. Who thinks better of it interrupts once, and sees again what he types; as long as somebody thinks,
// others can use the folder.
func TestPasswordAtATerminal(t *testing.T) {
	h := newHome(t, hosts("localhost"))
	term := h.sit("user", "add", "juliet@localhost")
	term.says("Password of juliet@localhost: ", 1)
	term.hides()
	require.Empty(t, h.must("", "user", "list"), "another command is not kept waiting")
	term.types(interrupt)
	require.Equal(t, 1, term.ends())
	require.Contains(t, term.output(), "interrupted; nothing was done")
	require.True(t, term.echoes())

	term = h.sit("user", "add", "juliet@localhost")
	for _, question := range []string{"Password of juliet@localhost: ", "Once more: "} {
		term.says(question, 1)
		term.hides()
		term.types("b4lc0ny0f\n")
	}
	require.Zero(t, term.ends(), term.output())
	require.NotContains(t, term.output(), "b4lc0ny0f")
	require.True(t, term.echoes())

	term = h.sit("user", "passwd", "juliet@localhost")
	term.says("Password of juliet@localhost: ", 1)
	term.hides()
	term.types("one\n")
	term.says("Once more: ", 1)
	term.hides()
	term.types("another\n")
	require.Equal(t, 2, term.ends())
	require.Contains(t, term.output(), "the two are not the same")
}

// What cannot be undone is asked about, if it makes sense, and not done unless somebody says yes.
func TestDeleteAtATerminal(t *testing.T) {
	h := newHome(t, hosts("localhost"))
	h.must("s3cret", "user", "add", "juliet@localhost")
	term := h.sit("user", "delete", "juliet")
	require.Equal(t, 2, term.ends())
	require.NotContains(t, term.output(), "Type yes")
	for answer, want := range map[string]string{"no\n": "nothing was done", interrupt: "interrupted; nothing was done"} {
		term = h.sit("user", "delete", "juliet@localhost")
		term.says("juliet@localhost and all its contacts and messages will be gone. Type yes: ", 1)
		term.types(answer)
		require.Equal(t, 1, term.ends(), term.output())
		require.Contains(t, term.output(), want)
		require.NotContains(t, term.output(), "--help")
	}
	term = h.sit("user", "delete", "juliet@localhost")
	term.says("Type yes: ", 1)
	term.types("yes\n")
	require.Zero(t, term.ends())
	require.Empty(t, h.must("", "user", "list"))
}

// Colours are for terminals that have them.
func TestColours(t *testing.T) {
	h := newHome(t, hosts("localhost"))
	for _, tt := range []struct {
		key, value string
		colours    bool
	}{{"NO_COLOR", "", true}, {"NO_COLOR", "1", false}, {"TERM", "dumb", false}} {
		t.Setenv("TERM", "xterm")
		t.Setenv("NO_COLOR", "")
		t.Setenv(tt.key, tt.value)
		term := h.sit("check")
		require.Zero(t, term.ends())
		if tt.colours {
			require.Contains(t, term.output(), "\x1b[32mok", tt)
		} else {
			require.NotContains(t, term.output(), "\x1b", tt)
		}
	}
}
