// Package daemon runs a house with its doors open: it accepts clients, takes commands, answers monitoring, reads the file again when it
// is told to, and leaves nobody without a word when it stops.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/control"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/house"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/metrics"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// Options says how to run.
type Options struct {
	Version string
	Log     *slog.Logger
	Level   *slog.LevelVar // of Log; changes with the file
	// Reload has an item when the file is to be read again.
	Reload <-chan os.Signal
	// Started is called when clients can come. It may be nil.
	Started func(*config.Config, control.Listening)
	// Notify tells the system's service manager how things are; see [Notify]. It may be nil.
	Notify func(state ...string)
}

// look is how often certificates are looked at.
const look = 12 * time.Hour

// grace is how long at least it takes until the server stops by the wish of a client, who is to get an answer.
const grace = time.Second

// A daemon is running.
type daemon struct {
	Options
	house     *house.House
	started   time.Time
	stopping  chan struct{}
	listening control.Listening
	serving   sync.WaitGroup // of listeners

	reloading sync.Mutex // held while the file is read again

	mu       sync.Mutex // guards the fields below
	drain    time.Duration
	failures error
	failed   context.CancelFunc // a listener cannot go on
}

// Run serves until ctx is done, and then lets clients leave for as long as the file says. An error means that it could not
// begin, or that something broke while it served.
func Run(ctx context.Context, c *config.Config, o Options) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	shutdown := func(after time.Duration) { time.AfterFunc(max(after, grace), cancel) }
	h, err := house.Open(ctx, c, house.Options{Version: o.Version, Log: o.Log, Serving: true, Shutdown: shutdown})
	if err != nil {
		return err
	}
	if o.Notify == nil {
		o.Notify = func(...string) {}
	}
	d := &daemon{Options: o, house: h, started: time.Now(), stopping: make(chan struct{}), drain: c.Drain, failed: cancel}
	doors, err := d.open(c)
	if err != nil {
		return errors.Join(err, h.Close(context.Background()))
	}
	local := &control.Local{House: h, Process: d.process, Again: d.reload, Stopping: d.stopping}
	socket, err := control.Listen(c, local, o.Log)
	if err != nil {
		return errors.Join(err, doors.close(), h.Close(context.Background()))
	}
	web := d.serve(doors)
	if o.Started != nil {
		o.Started(c, d.listening)
	}
	o.Log.Info("serving", "version", o.Version, "c2s", d.listening.C2S, "c2s_tls", d.listening.C2STLS, "metrics", d.listening.Metrics)
	d.doubts()
	o.Notify("READY=1")
	d.wait(ctx)
	return errors.Join(d.stop(web, socket), d.failures)
}

// wait does what there is to do beside serving, until ctx is done.
func (d *daemon) wait(ctx context.Context) {
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.Reload:
			_, _ = d.reload(ctx) // the log has it
		case <-ticker.C:
			if err := d.renew(); err != nil {
				d.Log.Error("the certificates could not be read again; those from before are shown", "err", err)
			}
		}
	}
}

// doors are listeners.
type doors struct{ c2s, c2sTLS, metrics []net.Listener }

func (o *doors) close() (err error) {
	for _, list := range [][]net.Listener{o.c2s, o.c2sTLS, o.metrics} {
		for _, ln := range list {
			err = errors.Join(err, ln.Close())
		}
	}
	return err
}

// open opens every door, or none.
func (d *daemon) open(c *config.Config) (*doors, error) {
	o := new(doors)
	for _, kind := range []struct {
		key       string
		addresses []string
		to        *[]net.Listener
		names     *[]string
	}{
		{"listen.c2s", c.Listen.C2S, &o.c2s, &d.listening.C2S},
		{"listen.c2s_tls", c.Listen.C2STLS, &o.c2sTLS, &d.listening.C2STLS},
		{"listen.metrics", c.Listen.Metrics, &o.metrics, &d.listening.Metrics},
	} {
		for i, a := range kind.addresses {
			ln, err := net.Listen("tcp", a)
			if err != nil {
				remedy := config.ListenRemedy(err)
				if c.File == "" {
					remedy += " into a file (see xmppd serve --help)"
				}
				return nil, errors.Join(c.Outside(fmt.Sprintf("%s[%d]", kind.key, i), err, remedy), o.close())
			}
			*kind.to = append(*kind.to, ln)
			*kind.names = append(*kind.names, ln.Addr().String())
		}
	}
	return o, nil
}

// serve serves all who come.
func (d *daemon) serve(o *doors) (web *http.Server) {
	for _, ln := range o.c2s {
		d.run(func() error { return d.house.Server.Serve(context.Background(), ln) })
	}
	for _, ln := range o.c2sTLS {
		d.run(func() error { return d.house.Server.ServeTLS(context.Background(), ln) })
	}
	web = &http.Server{
		Handler: metrics.Handler(metrics.Source{
			Stats: d.house.Server.Stats, Version: d.Version, Started: d.started, Certificates: d.certificates, Ready: d.ready,
		}),
		ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 8 << 10,
		ErrorLog: slog.NewLogLogger(d.Log.Handler(), slog.LevelWarn),
	}
	for _, ln := range o.metrics {
		d.run(func() error {
			if err := web.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		})
	}
	return web
}

// run serves at one door. What fails there ends everything: a server that only looks as if it served is worse than one that is started again.
func (d *daemon) run(serve func() error) {
	d.serving.Go(func() {
		if err := serve(); err != nil {
			d.mu.Lock()
			d.failures = errors.Join(d.failures, err)
			d.mu.Unlock()
			d.failed()
		}
	})
}

// stop lets clients leave, and closes everything.
func (d *daemon) stop(web *http.Server, socket *control.Door) error {
	d.mu.Lock()
	drain := d.drain
	d.mu.Unlock()
	d.Notify("STOPPING=1")
	stats := d.house.Server.Stats()
	d.Log.Info("stopping", "drain", drain.String(), "sessions", stats.Sessions)
	close(d.stopping) // whoever watches leaves, and /readyz says so
	slow := errors.New("some clients did not leave in time")
	ctx, cancel := context.WithTimeoutCause(context.Background(), drain, slow)
	defer cancel()
	err := d.house.Server.Shutdown(ctx)
	if errors.Is(err, slow) {
		d.Log.Warn("the connections of clients were cut that did not leave in time", "drain", drain.String())
		err = nil
	}
	_ = web.Close()
	d.serving.Wait()
	err = errors.Join(err, socket.Close(), d.house.Close(context.Background()))
	d.Log.Info("stopped")
	return err
}

// ready reports why nobody is served.
func (d *daemon) ready(ctx context.Context) error {
	select {
	case <-d.stopping:
		return errors.New("the server is stopping")
	default:
	}
	_, err := d.house.Stores.Accounts.Get(ctx, probe)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("the storage does not answer: %w", err)
	}
	return nil
}

// probe is an account that there is not: what matters is that the store answers.
var probe = jid.MustParse("readyz@invalid")

// process is what the process adds to a status.
func (d *daemon) process() control.Status {
	return control.Status{Version: d.Version, PID: os.Getpid(), Started: d.started, Listening: d.listening}
}
