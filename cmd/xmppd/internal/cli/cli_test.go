package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// call runs a command with nothing to read.
func call(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	null, failure := os.Open(os.DevNull)
	require.NoError(t, failure)
	defer null.Close()
	var o, e strings.Builder
	code = Main(args, null, &o, &e)
	return code, o.String(), e.String()
}

// walk calls f with every command.
func walk(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			walk(sub, f)
		}
	}
}

// Whatever somebody asks about fits a screen of 24 lines and 80 columns, and has an end.
func TestHelpFitsAScreen(t *testing.T) {
	n := 0
	walk(new(program).root(), func(c *cobra.Command) {
		n++
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		code, out, err := call(t, args...)
		require.Zero(t, code)
		require.Empty(t, err)
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		require.LessOrEqual(t, len(lines), 24, out)
		for _, l := range lines {
			require.LessOrEqual(t, utf8.RuneCountInString(l), 80, l)
		}
		require.Contains(t, out, "Usage: "+c.CommandPath())
		require.Contains(t, out, "-config file", "options have one dash")
	})
	require.Greater(t, n, 15)
}

// The file that serve explains is one.
func TestExplainedFile(t *testing.T) {
	_, help, _ := call(t, "serve", "-help")
	_, text, ok := strings.Cut(help, "hosts:\n")
	require.True(t, ok)
	text, _, ok = strings.Cut(text, "\nUsage:")
	require.True(t, ok)
	name := filepath.Join(t.TempDir(), "xmppd.toml")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	c, err := config.Load(name)
	require.NoError(t, err)
	d := config.Default()
	require.Equal(t, d.Listen.C2S, c.Listen.C2S)
	require.Equal(t, d.Listen.C2STLS, c.Listen.C2STLS)
	require.Equal(t, d.Drain, c.Drain)
	require.Equal(t, d.Storage, c.Storage)
	require.Equal(t, d.Limits, c.Limits)
	require.Equal(t, d.Hosts[0].Registration, c.Hosts[0].Registration)
}

// One dash or two, and -- ends options.
func TestLong(t *testing.T) {
	require.Equal(t, []string{"--config", "f", "--config=f", "-h", "-", "--x", "--", "-config"}, long([]string{"-config", "f", "-config=f", "-h", "-", "--x", "--", "-config"}))
	for _, args := range [][]string{{"-version"}, {"--version"}} {
		code, out, _ := call(t, args...)
		require.Zero(t, code)
		require.True(t, strings.HasPrefix(out, "xmppd "), out)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range []string{"bogus", "user", "user bogus", "user add", "user add a b", "serve now", "check -bogus", "completion tcsh", "session close", "invite new x -uses many", "import"} {
		code, out, err := call(t, strings.Fields(args)...)
		require.Equal(t, exitUsage, code, args)
		require.Empty(t, out, args)
		require.Contains(t, err, "--help says how it is used", args)
	}
}

// Shells complete commands without being told about them one by one.
func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		code, out, err := call(t, "completion", shell)
		require.Zero(t, code, err)
		require.Contains(t, out, "xmppd")
		require.Contains(t, out, "__complete")
	}
	t.Chdir(t.TempDir()) // where no server is
	code, out, _ := call(t, "__complete", "session", "")
	require.Zero(t, code)
	for _, name := range []string{"list", "watch", "close"} {
		require.Contains(t, out, name+"\t")
	}
	_, out, _ = call(t, "__complete", "user", "passwd", "")
	require.Equal(t, ":4\n", out, "no files, and nobody to ask for accounts")
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	require.Empty(t, entries, "completing makes nothing")
}

// No colours but on a terminal; an error in the file is a finding like others.
func TestCheck(t *testing.T) {
	name := filepath.Join(t.TempDir(), "xmppd.toml")
	require.NoError(t, os.WriteFile(name, []byte("[listen]\nc2s = ['127.0.0.1:0']\nc2s_tls = []\n[[host]]\ndomain = 'localhost'\n"), 0o600))
	code, out, err := call(t, "check", "-config", name)
	require.Zero(t, code, out)
	require.Empty(t, err)
	require.NotContains(t, out, "\x1b")
	require.Contains(t, out, "ok    "+name+": it makes sense")
	require.NoError(t, os.WriteFile(name, []byte("[listen]\nc2s = []\nc2s_tls=[]\n[[host]]\ndomain = 'localhost'\n"), 0o600))
	code, out, _ = call(t, "check", "-config", name)
	require.Equal(t, exitFailed, code)
	require.Contains(t, out, "bad   listen: clients cannot come at all\n      → write c2s")
	require.NoError(t, os.WriteFile(name, []byte("lisen = 1\n"), 0o600))
	code, out, err = call(t, "check", "-config", name)
	require.Equal(t, exitConfig, code)
	require.Equal(t, "bad   "+name+":1: lisen: there is no such key\n      → did you mean listen?\n", out)
	require.Empty(t, err)
}
