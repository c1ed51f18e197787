package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/certs"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/control"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/daemon"
)

func (p *program) serve() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Serve clients until it is told to stop",
		Long: `Serve clients. SIGHUP reads the file again; SIGTERM lets clients go, and stops.

A file that says all there is, with the defaults but for the hosts:

  data = "./data"             # beside the file
  storage = "sqlite"          # or "memory", "postgres://user@host/database"
  drain = "20s"               # to leave in, at a stop
  log = "text"                # or "json";  log_level = "info";  mechanisms: all
  [listen]
  c2s = ["127.0.0.1:5222"]    # ":5222" is for everybody
  c2s_tls = ["127.0.0.1:5223"]
  metrics = []                # ["127.0.0.1:9090"]
  [contact]                   # abuse, admin, security, support …: lists of URIs
  [limits]  # stanza_bytes, sessions_per_account, rate_bytes_per_second
  [[host]]
  domain = "capulet.example"  # cert, key: PEM files; else they are made
  registration = "closed"     # or "invite", "open";  admins = []`,
		Args: cobra.NoArgs,
		RunE: p.run(func(ctx context.Context, _ []string) error {
			c, err := p.config()
			if err != nil {
				return err
			}
			level := new(slog.LevelVar)
			c.Level(level)
			reload := make(chan os.Signal, 1)
			signal.Notify(reload, syscall.SIGHUP)
			defer signal.Stop(reload)
			o := daemon.Options{Version: version(), Log: p.logger(c, level), Level: level, Reload: reload, Notify: daemon.Notify}
			if c.File == "" {
				o.Started = p.welcome
			}
			return daemon.Run(ctx, c, o)
		}),
	}
}

// logger is the log that the file asks for.
func (p *program) logger(c *config.Config, level *slog.LevelVar) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if c.Log == "json" {
		return slog.New(slog.NewJSONHandler(p.stderr, o))
	}
	return slog.New(slog.NewTextHandler(p.stderr, o))
}

// welcome says how to go on from here, in the words by which this was started.
func (p *program) welcome(c *config.Config, l control.Listening) {
	authority := certs.AuthorityFile(c)
	if abs, err := filepath.Abs(authority); err == nil {
		authority = abs
	}
	fmt.Fprintf(p.stdout, `xmppd serves localhost, for this machine only.

  add a user    %s user add juliet@localhost    (from this folder, beside the server)
  then connect  as juliet@localhost
  to            %s with STARTTLS, or %s with TLS
  and trust     %s

Interrupt to stop.
`, os.Args[0], strings.Join(l.C2S, ", "), strings.Join(l.C2STLS, ", "), authority)
}
