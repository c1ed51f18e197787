package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/check"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
)

// colours are for terminals.
var colours = map[check.Level]string{check.OK: "\x1b[32m", check.Warn: "\x1b[33m", check.Bad: "\x1b[31m"}

func (p *program) check() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "Look whether all is well: file, certificates, DNS, ports, storage",
		Long: `Look whether all is well: the file, certificates with their names and dates, the
DNS, ports, the storage and who may read it. Nothing is changed. The exit code
is 0 if nothing is bad, 1 if something is, 3 if the file makes no sense.`,
		Args: cobra.NoArgs,
		RunE: p.run(func(ctx context.Context, _ []string) error {
			c, err := p.config()
			if all, ok := errors.AsType[config.Errors](err); ok {
				for _, e := range all {
					p.finding(check.Finding{Level: check.Bad, Subject: e.Where(), Text: e.Problem, Remedy: e.Remedy})
				}
				return errors.Join(errSaid, err)
			}
			if err != nil {
				return err
			}
			bad := 0
			for _, f := range check.Run(ctx, c, net.DefaultResolver, time.Now()) {
				p.finding(f)
				if f.Level == check.Bad {
					bad++
				}
			}
			if bad > 0 {
				return errSaid
			}
			return nil
		}),
	}
}

// finding shows one.
func (p *program) finding(f check.Finding) {
	word := fmt.Sprintf("%-4s", f.Level)
	if isTerminal(p.stdout) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" {
		word = colours[f.Level] + word + "\x1b[0m"
	}
	fmt.Fprintf(p.stdout, "%s  %s: %s\n", word, f.Subject, f.Text)
	if f.Remedy != "" {
		fmt.Fprintf(p.stdout, "      → %s\n", f.Remedy)
	}
}

func (p *program) completion() *cobra.Command {
	return &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: "Print a script that lets a shell complete commands and accounts",
		Args: cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs), ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Example: "source <(xmppd completion bash)",
		RunE: func(c *cobra.Command, args []string) error {
			p.understood = true
			switch root := c.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(p.stdout, true)
			case "zsh":
				return root.GenZshCompletion(p.stdout)
			case "fish":
				return root.GenFishCompletion(p.stdout, true)
			default:
				return root.GenPowerShellCompletionWithDesc(p.stdout)
			}
		},
	}
}
