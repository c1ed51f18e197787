package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/control"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/house"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/store"
)

// How long a command waits for another one that uses the folder, and how often it looks.
const (
	lockPatience = 10 * time.Second
	lockLook     = 50 * time.Millisecond
)

// live calls do with the server that runs.
func (p *program) live(ctx context.Context, do func(control.Live) error) error {
	c, err := p.config()
	if err != nil {
		return err
	}
	client, err := control.Dial(ctx, c)
	if errors.Is(err, control.ErrNotRunning) {
		return fmt.Errorf("%w on the folder %s; start it by xmppd serve, or say which file it uses by -config", err, c.Data)
	}
	if err != nil {
		return err
	}
	defer client.Close()
	return do(client)
}

// reach calls do with the server that runs on the folder, or with the folder itself if none does.
func (p *program) reach(ctx context.Context, do func(control.Operations) error) error {
	c, err := p.config()
	if err != nil {
		return err
	}
	for begin := time.Now(); ; {
		err := p.try(ctx, c, do)
		if !errors.Is(err, store.ErrLocked) || time.Since(begin) > lockPatience {
			return err
		}
		select { // another command is at work, or a server is just starting or stopping
		case <-time.After(lockLook):
		case <-ctx.Done():
			return err
		}
	}
}

// try is one attempt to reach.
func (p *program) try(ctx context.Context, c *config.Config, do func(control.Operations) error) (err error) {
	client, err := control.Dial(ctx, c)
	if err == nil {
		defer client.Close()
		return do(client)
	}
	if !errors.Is(err, control.ErrNotRunning) {
		return err
	}
	if c.Storage.Kind == config.Memory {
		return fmt.Errorf("%w, and nothing is kept but in its memory; start it by xmppd serve", err)
	}
	if _, err := os.Stat(c.Data); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(p.stderr, "xmppd: there was no folder %s; it is made\n", c.Data)
	}
	log := slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	h, err := house.Open(ctx, c, house.Options{Version: version(), Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(context.WithoutCancel(ctx))) }()
	return do(&control.Local{House: h})
}

// completeUsers offers the accounts of the server that runs.
func (p *program) completeUsers(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var all []string
	if len(args) == 0 {
		_ = p.live(c.Context(), func(l control.Live) error {
			for u, err := range l.Users(c.Context(), noDomain) {
				if err != nil || len(all) == maxCompletions {
					return err
				}
				all = append(all, u.Addr.String())
			}
			return nil
		})
	}
	return all, cobra.ShellCompDirectiveNoFileComp
}

// completeSessions offers those who are online.
func (p *program) completeSessions(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var all []string
	if len(args) == 0 {
		_ = p.live(c.Context(), func(l control.Live) error {
			for s, err := range l.Sessions(c.Context(), noDomain) {
				if err != nil || len(all) == maxCompletions {
					return err
				}
				all = append(all, s.Addr.String())
			}
			return nil
		})
	}
	return all, cobra.ShellCompDirectiveNoFileComp
}

// maxCompletions is how many words are offered: nobody reads more.
const maxCompletions = 200
