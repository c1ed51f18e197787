// Package cli is the commands of xmppd.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/control"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// The codes that the program exits with.
const (
	exitOK         = 0
	exitFailed     = 1
	exitUsage      = 2 // the command makes no sense
	exitConfig     = 3 // the file makes no sense, or cannot be read
	exitNotFound   = 4 // there is no such account or session
	exitExists     = 5 // there is one already
	exitNotRunning = 6 // it takes a server that runs
)

// A program is one run of a command.
type program struct {
	stdin          *os.File
	stdout, stderr io.Writer
	file           string // of -config
	understood     bool   // the command made sense so far
}

// Main runs a command, and returns what to exit with.
func Main(args []string, stdin *os.File, stdout, stderr io.Writer) int {
	p := &program{stdin: stdin, stdout: stdout, stderr: stderr}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second one ends the process at once
	root := p.root()
	root.SetArgs(long(args))
	err := root.ExecuteContext(ctx)
	code := p.code(err)
	if err != nil && !errors.Is(err, errSaid) {
		for line := range strings.Lines(err.Error()) {
			if line = strings.TrimSpace(line); line != "" {
				fmt.Fprintln(stderr, "xmppd:", line)
			}
		}
		if code == exitUsage && !p.understood {
			fmt.Fprintln(stderr, "xmppd: --help says how it is used")
		}
	}
	return code
}

// errSaid is the error of a command that has said itself what is wrong.
var errSaid = errors.New("it was said already")

// code is what to exit with after an error.
func (p *program) code(err error) int {
	of, file := errors.AsType[*config.Error](err)
	switch {
	case err == nil:
		return exitOK
	case !p.understood, errors.Is(err, control.ErrInvalid):
		return exitUsage
	case file && !of.Outside, errors.Is(err, control.ErrFile):
		return exitConfig
	case errors.Is(err, storage.ErrNotFound):
		return exitNotFound
	case errors.Is(err, storage.ErrExists):
		return exitExists
	case errors.Is(err, control.ErrNotRunning):
		return exitNotRunning
	}
	return exitFailed
}

// long lets options begin with one dash, as in -config, which is how help has them, or with two.
func long(args []string) []string {
	out := make([]string, len(args))
	rest := false
	for i, a := range args {
		rest = rest || a == "--"
		if !rest && len(a) > 2 && a[0] == '-' && a[1] != '-' {
			a = "-" + a
		}
		out[i] = a
	}
	return out
}

// root is the command without a command.
func (p *program) root() *cobra.Command {
	c := &cobra.Command{
		Use:   "xmppd",
		Short: "An XMPP server",
		Long: `xmppd is an XMPP server. Without a file it serves localhost from ./data.

Commands use the server that runs on the same folder, or the folder itself.`,
		SilenceUsage: true, SilenceErrors: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Version:           version(),
	}
	c.SetOut(p.stdout)
	c.SetErr(p.stderr)
	c.SetVersionTemplate("xmppd {{.Version}}\n")
	c.PersistentFlags().StringVar(&p.file, "config", os.Getenv("XMPPD_CONFIG"), "`file` that says what to serve; else that of $XMPPD_CONFIG")
	c.SetHelpCommand(&cobra.Command{Hidden: true})
	c.SetHelpFunc(help)
	c.AddCommand(p.serve(), p.check(), p.reload(), p.status(), p.user(), p.invite(), p.session(), p.export(), p.imports(), p.completion())
	return c
}

// version is that of the program, as the build noted it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return strings.Trim(info.Main.Version, "()")
}

// config reads the file.
func (p *program) config() (*config.Config, error) {
	if p.file == "" {
		return config.Default(), nil
	}
	return config.Load(p.file)
}

// run is the work of a command that makes sense.
func (p *program) run(f func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		p.understood = true
		return f(c.Context(), args)
	}
}

// group is a command that is nothing without another one.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("there is no command %q", c.CommandPath()+" "+args[0])
		}
		return fmt.Errorf("%s needs one more word", c.CommandPath())
	}, RunE: func(*cobra.Command, []string) error { return nil }}
	c.AddCommand(commands...)
	return c
}

// address reads the address of an account; with full maybe of a session.
func address(s string, full bool) (jid.JID, error) {
	addr, err := jid.Parse(s)
	if err != nil || addr.Localpart() == "" || !full && !addr.IsBare() {
		return jid.JID{}, control.Invalid("%q is not the address of an account, such as juliet@capulet.example", s)
	}
	return addr, nil
}

// domain reads a domain; empty is none.
func domain(s string) (jid.JID, error) {
	if s == "" {
		return jid.JID{}, nil
	}
	d, err := jid.Parse(s)
	if err != nil || d != d.Domain() {
		return jid.JID{}, control.Invalid("%q is no domain", s)
	}
	return d, nil
}

// isTerminal reports whether somebody looks at it.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
