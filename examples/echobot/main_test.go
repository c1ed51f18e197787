package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/jid"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// tempFiles points the system's folder for temporary files at a new one and
// returns a function that lists it.
func tempFiles(t *testing.T) func() []string {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	return func() (names []string) {
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		require.NoError(t, err)
		return files
	}
}

func TestOnce(t *testing.T) {
	left := tempFiles(t)
	var out, trace bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-once", "-trace"}, nil, &out, &trace))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Equal(t, "echoed 3/3", lines[len(lines)-1])
	timed := regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{3}  `)
	for _, line := range lines[:len(lines)-1] {
		require.Regexp(t, timed, line)
	}
	require.Contains(t, out.String(), "demo → bot   hello\n")
	require.Contains(t, out.String(), "bot → demo   🎈 <&>\"'\n")
	require.Contains(t, out.String(), "(10240 bytes)")
	require.Contains(t, trace.String(), "SCRAM-SHA-")
	require.Contains(t, trace.String(), "urn:ietf:params:xml:ns:xmpp-tls")
	require.Empty(t, left())
}

// A screen is output that can be read while it is written.
type screen struct {
	mu  sync.Mutex // guards the field below
	buf bytes.Buffer
	has chan struct{}
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.has <- struct{}{}:
	default:
	}
	return s.buf.Write(p)
}

// await returns what is written once it contains want.
func (s *screen) await(t *testing.T, want string) string {
	t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		s.mu.Lock()
		text := s.buf.String()
		s.mu.Unlock()
		if strings.Contains(text, want) {
			return text
		}
		select {
		case <-s.has:
		case <-timeout:
			t.Fatalf("no %q in\n%s", want, text)
		}
	}
}

// TestStaysUp: without -once the demo says how to reach it, the bot answers who
// does so with those facts alone, and an interrupt leaves nothing behind.
func TestStaysUp(t *testing.T) {
	left := tempFiles(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out := &screen{has: make(chan struct{}, 1)}
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, nil, nil, out, out) }()
	text := out.await(t, "Interrupt to stop")

	fact := func(name string) string {
		m := regexp.MustCompile(`(?m)^ +` + name + ` +(\S+)`).FindStringSubmatch(text)
		require.NotNil(t, m, name)
		return m[1]
	}
	require.Equal(t, []string{fact("trust")}, left())
	passwordFile := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(passwordFile, []byte(fact("password")+"\n"), 0o600))
	secondCtx, stopSecond := context.WithCancel(t.Context())
	second := &screen{has: make(chan struct{}, 1)}
	secondEnded := make(chan error, 1)
	go func() {
		secondEnded <- run(secondCtx, []string{"-jid", fact("account"), "-server", fact("server"), "-ca", fact("trust"),
			"-password-file", passwordFile, "-trace"}, nil, second, second)
	}()
	trace := second.await(t, "<presence")
	require.NotContains(t, trace, fact("password"))
	stopSecond()
	require.NoError(t, <-secondEnded)

	interrupt()
	require.NoError(t, <-ended)
	require.Empty(t, left())
}

// TestInterruptedDemo: an interrupt at any moment of the demo ends it cleanly.
func TestInterruptedDemo(t *testing.T) {
	left := tempFiles(t)
	for _, moment := range []string{"server for", "bot is online", "demo → bot", "bot → demo"} {
		t.Run(moment, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			out := &screen{has: make(chan struct{}, 1)}
			ended := make(chan error, 1)
			go func() { ended <- run(ctx, []string{"-once"}, nil, out, out) }()
			out.await(t, moment)
			interrupt()
			<-ended // with an error or, just done, without
			require.Empty(t, left())
		})
	}
}

func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-jid", "bot@"}, "jid:"},
		{[]string{"-server", "localhost:5222"}, "need -jid"},
		{[]string{"extra"}, `unexpected argument "extra"`},
		{[]string{"-jid", "bot@localhost", "-ca", "no-such-file"}, "no-such-file"},
		{[]string{"-jid", "bot@localhost", "-ca", "main_test.go"}, "no certificate"},
		{[]string{"-jid", "bot@localhost", "-password-file", "no-such-file"}, "no-such-file"},
	} {
		var out bytes.Buffer
		err := run(t.Context(), tt.args, os.Stdin, &out, &out)
		require.ErrorContains(t, err, tt.want, "%q", tt.args)
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestPassword(t *testing.T) {
	account := jid.MustParse("bot@example.org")
	file := filepath.Join(t.TempDir(), "password")
	for content, want := range map[string]string{"secret": "secret", "secret\r\nmore\n": "secret", " with blanks \n": " with blanks "} {
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		got, err := password(account, file, nil, nil)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}

	t.Setenv("XMPP_PASSWORD", "from the environment")
	got, err := password(account, "", nil, nil)
	require.NoError(t, err)
	require.Equal(t, "from the environment", got)

	require.NoError(t, os.Unsetenv("XMPP_PASSWORD"))
	require.NoError(t, os.WriteFile(file, []byte("typed\n"), 0o600))
	stdin, err := os.Open(file)
	require.NoError(t, err)
	defer stdin.Close()
	var prompt bytes.Buffer
	got, err = password(account, "", stdin, &prompt)
	require.NoError(t, err)
	require.Equal(t, "typed", got)
	require.Equal(t, "Password for bot@example.org: \n", prompt.String())
}

// TestReadme: README shows the bot whole, and it is short.
func TestReadme(t *testing.T) {
	src, err := os.ReadFile("bot.go")
	require.NoError(t, err)
	bot := string(src[bytes.Index(src, []byte("func echo")):])
	require.LessOrEqual(t, strings.Count(bot, "\n"), 20)
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	require.Contains(t, string(readme), bot)
}
