package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/control"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/watch"
	"github.com/parlance-xmpp/xmpp/jid"
)

func (p *program) session() *cobra.Command {
	var asJSON, content bool
	list := &cobra.Command{
		Use: "list [JID]", Short: "List sessions, of one account or of all", Args: cobra.MaximumNArgs(1), ValidArgsFunction: p.completeUsers,
		RunE: p.run(func(ctx context.Context, args []string) error { return p.listSessions(ctx, asJSON, args) }),
	}
	list.Flags().BoolVar(&asJSON, "json", false, "one object of JSON a line")
	watching := &cobra.Command{
		Use: "watch JID", Short: "Show what goes on in a session, or in those of an account",
		Long: `Show what goes on in a session, or in those of an account: the sorts of stanzas
and who they are from and for. What a client proves its password by is never
shown.`,
		Args: cobra.ExactArgs(1), ValidArgsFunction: p.completeSessions, Example: "xmppd session watch juliet@capulet.example",
		RunE: p.run(func(ctx context.Context, args []string) error { return p.watch(ctx, asJSON, content, args[0]) }),
	}
	watching.Flags().BoolVar(&content, "content", false, "show whole stanzas: what people write to each other")
	watching.Flags().BoolVar(&asJSON, "json", false, "one object of JSON a line")
	closing := &cobra.Command{
		Use: "close JID [TEXT]", Short: "End a session, or all of an account; the text is for people",
		Args: cobra.RangeArgs(1, 2), ValidArgsFunction: p.completeSessions, Example: "xmppd session close juliet@capulet.example/balcony",
		RunE: p.run(func(ctx context.Context, args []string) error {
			addr, err := address(args[0], true)
			if err != nil {
				return err
			}
			text := "closed by an administrator"
			if len(args) == 2 {
				text = args[1]
			}
			return p.live(ctx, func(l control.Live) error {
				n, err := l.CloseSessions(ctx, addr, text)
				if err == nil {
					_, err = fmt.Fprintf(p.stdout, "%d closed\n", n)
				}
				return err
			})
		}),
	}
	return group("session", "List, watch and close sessions of a server that runs", list, watching, closing)
}

func (p *program) listSessions(ctx context.Context, asJSON bool, args []string) error {
	var addr jid.JID
	if len(args) == 1 {
		var err error
		if addr, err = address(args[0], true); err != nil {
			return err
		}
	}
	return p.live(ctx, func(l control.Live) error {
		e, w := json.NewEncoder(p.stdout), tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		for s, err := range l.Sessions(ctx, addr) {
			if err != nil {
				return err
			}
			if asJSON {
				err = e.Encode(s)
			} else {
				_, err = fmt.Fprintf(w, "%s\t%s\t%s\tsince %s\tactive %s\n", s.Addr, s.Remote, condition(s), s.Since.Local().Format(time.DateTime), s.Active.Local().Format(time.TimeOnly))
			}
			if err != nil {
				return err
			}
		}
		return w.Flush()
	})
}

// condition is a word for how a session is.
func condition(s control.Session) string {
	switch {
	case s.Suspended:
		return "cut off"
	case s.Available:
		return "available"
	}
	return "connected"
}

func (p *program) watch(ctx context.Context, asJSON, content bool, who string) error {
	addr, err := address(who, true)
	if err != nil {
		return err
	}
	e := json.NewEncoder(p.stdout)
	return p.live(ctx, func(l control.Live) error {
		err := l.Watch(ctx, addr, content, func(line watch.Line) error {
			if asJSON {
				return e.Encode(line)
			}
			if line.Missed > 0 {
				fmt.Fprintf(p.stdout, "… %d lines were left out\n", line.Missed)
			}
			_, err := fmt.Fprintf(p.stdout, "%s %s %-5s %s\n", line.Time.Local().Format("15:04:05.000"), line.Addr, line.Way, line.Text)
			return err
		})
		if ctx.Err() != nil { // it was interrupted, which is how it ends
			return nil
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("the server has stopped")
		}
		return err
	})
}

func (p *program) status() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "status", Short: "Say how the server is that runs", Args: cobra.NoArgs,
		RunE: p.run(func(ctx context.Context, _ []string) error {
			return p.live(ctx, func(l control.Live) error {
				s, err := l.Status(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(p.stdout).Encode(s)
				}
				return p.describe(s)
			})
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "everything, as an object of JSON")
	return c
}

func (p *program) reload() *cobra.Command {
	return &cobra.Command{
		Use: "reload", Short: "Have the server that runs read its file again",
		Long: `Have the server that runs read its file and certificates again, as SIGHUP does,
and return when they are in force. If the file makes no sense, all stays as it
is, and what is wrong with it is said.`,
		Args: cobra.NoArgs,
		RunE: p.run(func(ctx context.Context, _ []string) error {
			return p.live(ctx, func(l control.Live) error {
				notes, err := l.Reload(ctx)
				for _, n := range notes {
					fmt.Fprintln(p.stderr, "xmppd:", n)
				}
				return err
			})
		}),
	}
}

func (p *program) describe(s control.Status) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	stopping := ""
	if s.Stopping {
		stopping = "; it is stopping"
	}
	fmt.Fprintf(w, "version\t%s, process %d since %s%s\n", s.Version, s.PID, s.Started.Local().Format(time.DateTime), stopping)
	fmt.Fprintf(w, "listens on\t%v, with TLS from the first byte on %v, for monitoring on %v\n", s.Listening.C2S, s.Listening.C2STLS, s.Listening.Metrics)
	fmt.Fprintf(w, "storage\t%s\n", s.Storage)
	fmt.Fprintf(w, "sessions\t%d, of these %d cut off for a while\n", s.Stats.Sessions, s.Stats.Suspended)
	for _, h := range s.Hosts {
		fmt.Fprintf(w, "host\t%s, registration %s, certificate until %s, administrators %v\n", h.Domain, h.Registration, h.Certificate.Ends.Format(time.DateOnly), h.Admins)
	}
	return w.Flush()
}
