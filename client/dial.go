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
// it has one, is a wish. The context bounds dialing, not what comes after; the
// client lives until [Client.Close] or until the stream ends.
//
// The servers of the domain are tried in turn. A server that can be reached but refuses
// the account ends the search.
func Dial(ctx context.Context, account jid.JID, opts *Options) (*Client, error) {
	o := opts.withDefaults()
	d, err := newDialing(account, &o)
	if err != nil {
		return nil, &dialError{account, []error{err}}
	}
	conn, err := d.dial(ctx)
	if err != nil {
		return nil, err
	}
	c := &Client{conn: conn}
	c.session = session.New(conn, session.Options{
		Handler:      o.Handler,
		QueryTimeout: o.QueryTimeout,
		Logger:       o.Logger,
	})
	c.session.Start(c)
	return c, nil
}

// A dialing is one call of [Dial].
type dialing struct {
	account jid.JID
	opts    *Options
	domain  string // for the DNS: in A-labels, or an IP address without brackets
	config  stream.Config
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
	return &dialing{
		account: account,
		opts:    o,
		domain:  domain,
		config: stream.Config{
			Domain:            account.Domain(),
			Account:           own,
			Lang:              o.Lang,
			InsecurePlaintext: o.InsecurePlaintext,
			Limits:            o.Limits,
			WriteTimeout:      o.WriteTimeout,
			CloseTimeout:      o.CloseTimeout,
			Trace:             o.Trace,
			Features: []stream.Feature{
				stream.StartTLS{Config: o.TLS},
				stream.ClientSASL{Credentials: o.credentials(account), Policy: o.policy()},
				stream.Bind{Resource: account.Resourcepart()},
				stream.Session{},
			},
		},
	}, nil
}

// dial tries one server after another.
func (d *dialing) dial(ctx context.Context) (*stream.Conn, error) {
	failed := &dialError{account: d.account}
	targets, err := d.targets(ctx)
	if err != nil {
		failed.errs = append(failed.errs, err)
		return nil, failed
	}
	for redirects := 0; len(targets) > 0; {
		t := targets[0]
		targets = targets[1:]
		conn, err := d.attempt(ctx, t)
		if err == nil {
			if len(failed.errs) > 0 {
				d.opts.Logger.Info("connected, but not at the first attempt", "peer", d.account.Domain(), "err", failed)
			}
			return conn, nil
		}
		failed.errs = append(failed.errs, &attemptError{t, err})
		if ctx.Err() != nil || final(err) {
			break
		}
		if redirects < maxRedirects {
			if others := d.redirect(ctx, t, err); len(others) > 0 {
				redirects++
				targets = slices.Concat(others, targets)
			}
		}
	}
	return nil, failed
}

// attempt connects to one server, secures the stream, logs in and binds.
func (d *dialing) attempt(ctx context.Context, t target) (*stream.Conn, error) {
	bounded := ctx
	if d.opts.ConnectTimeout > 0 {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, d.opts.ConnectTimeout)
		defer cancel()
	}
	d.event("connect", t.String())
	nc, err := d.opts.Dialer.DialContext(bounded, "tcp", t.address())
	if err != nil {
		return nil, classify(bounded, err)
	}
	if t.direct {
		nc = stream.TLSClient(nc, d.opts.TLS, d.account.Domain())
	}
	config := d.config
	conn, err := stream.Initiate(bounded, nc, &config)
	if err != nil {
		return nil, classify(bounded, err)
	}
	return conn, nil
}

// event tells the trace what has no bytes of its own.
func (d *dialing) event(name, detail string) {
	if t := d.opts.Trace; t != nil && t.Event != nil {
		t.Event(name, detail)
	}
}

// redirect returns where a server sends its clients: nowhere, unless it says
// see-other-host. The certificate there still has to be that of the account's
// domain (RFC 6120 §4.9.3.19).
func (d *dialing) redirect(ctx context.Context, from target, err error) []target {
	e, ok := errors.AsType[*stream.Error](err)
	if !ok || e.Condition != stream.SeeOtherHost {
		return nil
	}
	var targets []target
	if _, port := e.HostPort(); port != "" {
		var t target
		t, err = parseTarget(e.Host, from.direct)
		targets = []target{t}
	} else {
		var name string
		if name, err = dnsName(e.Host); err == nil {
			targets, err = d.find(ctx, name)
		}
	}
	if err != nil {
		d.opts.Logger.Debug("sent to a host that cannot be found", "peer", d.account.Domain(), "err", err)
		return nil
	}
	return targets
}
