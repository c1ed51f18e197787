package client

import (
	"context"
	"errors"
	"slices"

	"github.com/parlance-xmpp/xmpp/internal/session"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stream"
)

// maxRedirects bounds how often a server may send a client elsewhere.
const maxRedirects = 3

// Dial connects the account to its server and logs in. The resource of account, if
// it has one, is a wish. The context bounds dialing, not what comes after. The
// client connects again by itself when its stream is lost, and lives until [Client.Close] or until
// [Options.Reconnect] gives up.
//
// The servers of the domain are tried in turn, those of one priority at nearly the same time
// until one accepts the connection. A server that can be reached but refuses the account
// ends the search.
func Dial(ctx context.Context, account jid.JID, opts *Options) (*Client, error) {
	o := opts.withDefaults()
	d, err := newDialing(account, &o)
	if err != nil {
		return nil, &dialError{account, []error{err}}
	}
	var previous *stream.Conn
	if o.Resume != nil {
		if previous, err = stream.Restore(o.Resume); err != nil {
			return nil, &dialError{account, []error{err}}
		}
	}
	conn, err := d.redial(ctx, previous, nil)
	if err != nil {
		return nil, err
	}
	c := &Client{link: newLink(d, conn, o.Reconnect), inside: o.Server != nil}
	c.session = session.New(c.link, session.Options{
		Handler:      o.Handler,
		QueryTimeout: o.QueryTimeout,
		Logger:       o.Logger,
	})
	c.link.begin(c.session, previous)
	c.session.Start(c)
	return c, nil
}

// A dialing is one call of [Dial], and what its client does to connect again. One goroutine at a
// time uses it.
type dialing struct {
	account jid.JID
	opts    *Options
	domain  string // for the DNS: in A-labels, or an IP address without brackets
	config  stream.Config
	known   Known

	loggedIn bool // once, on one stream

	dialer    dialer
	addresses addressResolver // nil: the dialer resolves names
}

func newDialing(account jid.JID, o *Options) (*dialing, error) {
	if err := o.check(account); err != nil {
		return nil, err
	}
	domain, err := dnsName(account.Domainpart())
	if err != nil {
		return nil, err
	}
	own := account.Bare()
	if own.Localpart() == "" {
		own = jid.JID{} // the server decides whose stream it is
	}
	dialer := dialer(o.Dialer)
	addresses, _ := o.Resolver.(addressResolver)
	if o.Proxy != "" {
		addresses = nil
		if dialer, err = through(o.Proxy, o.Dialer); err != nil {
			return nil, err
		}
	}
	known := o.Known
	if known.Agent == "" {
		known.Agent = newAgent()
	}
	return &dialing{
		account:   account,
		opts:      o,
		domain:    domain,
		dialer:    dialer,
		addresses: addresses,
		known:     known,
		config: stream.Config{
			Domain:            account.Domain(),
			Account:           own,
			Lang:              o.Lang,
			InsecurePlaintext: o.InsecurePlaintext,
			Limits:            o.Limits,
			WriteTimeout:      o.WriteTimeout,
			CloseTimeout:      o.CloseTimeout,
			IdleTimeout:       max(o.IdleTimeout, 0),
			ProbeTimeout:      o.ProbeTimeout,
			Survive:           true,
			AckHandled:        true,
			Trace:             o.Trace,
		},
	}, nil
}

// dial tries one server after another, those given before the ones of the DNS. The stream goes on
// where a previous one was lost, if there is one.
func (d *dialing) dial(ctx context.Context, previous *stream.Conn, preferred ...target) (*stream.Conn, error) {
	failed := &dialError{account: d.account}
	if d.opts.Server != nil {
		conn, err := d.enter(ctx, previous)
		if err != nil {
			failed.errs = []error{err}
			return nil, failed
		}
		return conn, nil
	}
	var groups [][]target
	for _, t := range preferred {
		groups = append(groups, []target{t})
	}
	for asked, redirects := false, 0; ; {
		if len(groups) == 0 {
			if asked {
				return nil, failed
			}
			var err error
			if groups, err = d.targets(ctx); err != nil {
				failed.errs = append(failed.errs, err)
				return nil, failed
			}
			asked = true
		}
		winner, rest, errs := d.race(ctx, groups[0])
		failed.errs = append(failed.errs, errs...)
		if groups = groups[1:]; len(rest) > 0 {
			groups = slices.Insert(groups, 0, rest)
		}
		if winner == nil {
			if ctx.Err() != nil {
				return nil, failed
			}
			continue
		}
		conn, err := d.negotiate(ctx, winner, previous)
		if err == nil {
			if len(failed.errs) > 0 {
				d.opts.Logger.Info("connected, but not at the first attempt", "peer", d.account.Domain(), "err", failed)
			}
			return conn, nil
		}
		t := winner.runner.target
		failed.errs = append(failed.errs, &attemptError{t, err})
		if ctx.Err() != nil || final(err) {
			return nil, failed
		}
		if redirects < maxRedirects {
			if others := d.redirect(ctx, t, err); len(others) > 0 {
				redirects++
				groups = slices.Concat(others, groups)
			}
		}
	}
}

// negotiate secures a stream over the connection, logs in and binds.
func (d *dialing) negotiate(ctx context.Context, to *arrival, previous *stream.Conn) (*stream.Conn, error) {
	if !to.end.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, to.end)
		defer cancel()
	}
	nc := to.nc
	if to.runner.direct {
		nc = stream.TLSClient(nc, d.opts.TLS, d.account.Domain())
	}
	config := d.config
	config.Previous, config.Features = previous, d.features()
	config.InsecurePlaintext = config.InsecurePlaintext && !to.runner.strict
	conn, err := stream.Initiate(ctx, nc, &config)
	if err != nil {
		return nil, classify(ctx, err)
	}
	d.loggedIn = true
	d.pin(conn)
	return conn, nil
}

// bound is for one attempt, or one look-up.
func (d *dialing) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if d.opts.ConnectTimeout > 0 {
		return context.WithTimeout(ctx, d.opts.ConnectTimeout)
	}
	return context.WithCancel(ctx)
}

// event tells the trace what has no bytes of its own.
func (d *dialing) event(name, detail string) {
	if t := d.opts.Trace; t != nil && t.Event != nil {
		t.Event(name, detail)
	}
}

// redirect returns where a server sends its clients: nowhere, unless it says
// see-other-host. The certificate there still has to be that of the account's
// domain (RFC 6120 §4.9.3.19), and there is no way from TLS to plain text.
func (d *dialing) redirect(ctx context.Context, from target, err error) [][]target {
	e, ok := errors.AsType[*stream.Error](err)
	if !ok || e.Condition != stream.SeeOtherHost {
		return nil
	}
	var groups [][]target
	if _, port := e.HostPort(); port != "" {
		var t target
		t, err = parseTarget(e.Host, from.direct)
		groups = [][]target{{t}}
	} else {
		var name string
		if name, err = dnsName(e.Host); err == nil {
			groups, err = d.find(ctx, name)
		}
	}
	if err != nil {
		d.opts.Logger.Debug("sent to a host that cannot be found", "peer", d.account.Domain(), "err", err)
		return nil
	}
	for _, g := range groups {
		for i := range g {
			g[i].strict = true
		}
	}
	return groups
}
