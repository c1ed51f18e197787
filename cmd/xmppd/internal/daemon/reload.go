package daemon

import (
	"context"
	"errors"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
)

// reload reads the file again and puts it in force. If there is anything wrong with it, all stays as it is, and the log says what.
func (d *daemon) reload(ctx context.Context) {
	d.Notify("RELOADING=1", monotonic())
	defer d.Notify("READY=1")
	now := d.house.Config()
	if now.File == "" {
		d.Log.Warn("there is no file to read again; the certificates were")
		if err := d.house.Renew(); err != nil {
			d.refused(err)
		}
		return
	}
	next, err := config.Load(now.File)
	var keys []string
	if err == nil {
		keys = now.Restart(next)
		next = next.Keeping(now)
		err = d.house.Change(ctx, next)
	}
	if err != nil {
		d.refused(err)
		return
	}
	d.mu.Lock()
	d.drain = next.Drain
	d.mu.Unlock()
	next.Level(d.Level)
	if len(keys) > 0 {
		d.Log.Warn("some of what has changed in the file needs a restart", "keys", keys)
	}
	d.Log.Info("the file is in force", "file", next.File, "hosts", len(next.Hosts))
}

// refused logs why a file is not in force: each error with its line and key.
func (d *daemon) refused(err error) {
	all, ok := errors.AsType[config.Errors](err)
	if one, single := errors.AsType[*config.Error](err); !ok && single {
		all = config.Errors{one}
	}
	if len(all) == 0 {
		d.Log.Error("the file is not in force, the one from before still is", "err", err)
	}
	for _, e := range all {
		d.Log.Error("the file is not in force, the one from before still is", "file", e.File, "line", e.Line, "key", e.Key, "err", e.Problem, "remedy", e.Remedy)
	}
}
