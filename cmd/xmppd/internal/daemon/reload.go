package daemon

import (
	"context"
	"errors"
	"strings"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
)

// reload reads the file again and puts it in force. If there is anything wrong with it, all stays as it is, and the log says what.
func (d *daemon) reload(ctx context.Context) (notes []string, err error) {
	d.reloading.Lock()
	defer d.reloading.Unlock()
	select {
	case <-d.stopping:
		return nil, errors.New("the server is stopping; the next one reads the file")
	default:
	}
	d.Notify("RELOADING=1", monotonic())
	defer d.Notify("READY=1")
	if notes, err = d.again(ctx); err != nil {
		d.refused(err)
		return nil, err
	}
	for _, n := range notes {
		d.Log.Warn(n)
	}
	return notes, nil
}

func (d *daemon) again(ctx context.Context) (notes []string, err error) {
	now := d.house.Config()
	if now.File == "" {
		return []string{"there is no file to read again; the certificates were"}, d.renew()
	}
	next, err := config.Load(now.File)
	if err != nil {
		return nil, err
	}
	if keys := now.Restart(next); len(keys) > 0 {
		notes = append(notes, "this needs a restart to change: "+strings.Join(keys, ", "))
	}
	next = next.Keeping(now)
	if err := d.house.Change(ctx, next); err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.drain = next.Drain
	d.mu.Unlock()
	next.Level(d.Level)
	d.doubts()
	d.Log.Info("the file is in force", "file", next.File, "hosts", len(next.Hosts))
	return notes, nil
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
