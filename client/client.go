package client

import (
	"context"
	"crypto/tls"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/internal/session"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// A Client is an account's session with its server. It implements
// [xmpp.Session]; handlers get it from [xmpp.SessionFrom]. All methods may be
// called from any goroutine.
type Client struct {
	link    *link
	session *session.Session
	inside  bool // the server is in this program
}

var (
	_ xmpp.Session       = (*Client)(nil)
	_ xmpp.ElementSender = (*Client)(nil)
	_ xmpp.Confidential  = (*Client)(nil)
)

// LocalAddr is the full JID that the server has bound. Its resource is what the
// account given to [Dial] wished for, or another one; it can change when a session begins
// anew.
func (c *Client) LocalAddr() jid.JID { return c.session.LocalAddr() }

// RemoteAddr is the server: the domain of the account.
func (c *Client) RemoteAddr() jid.JID { return c.session.RemoteAddr() }

// TLS describes the security of the connection, or of the last one. It is nil for a stream in
// plain text.
func (c *Client) TLS() *tls.ConnectionState { return c.link.conn.Load().TLS() }

// Secure reports whether TLS protects the connection, or the last one, or there is none to protect, with [Options].Server; see
// [xmpp.Confidential].
func (c *Client) Secure() bool { return c.inside || c.TLS() != nil }

// Send queues a message, a presence, or an IQ whose answer does not matter, and
// returns; the receipt tells what becomes of it. See [xmpp.Session].
//
// Without a connection it queues too, within the same bound. When the session is resumed, everything
// leaves in order. When a new one begins, messages of which nothing had left follow on it; the presence that
// was broadcast last is sent again; what else had not left is dropped.
//
// A message or request without an id gets one. An address to send from need not
// be given: the server stamps it.
func (c *Client) Send(ctx context.Context, s stanza.Stanza) (xmpp.Receipt, error) {
	return c.session.Send(ctx, s)
}

// Features is what the server offered last; see [xmpp.ElementSender].
func (c *Client) Features() stanza.Element { return c.link.conn.Load().Features() }

// SendElement queues an element that is no stanza; see [xmpp.ElementSender].
func (c *Client) SendElement(ctx context.Context, p stanza.Payload) error {
	return c.link.conn.Load().SendElement(ctx, p)
}

// Query sends a request and waits for its answer; see [xmpp.Session]. An error
// answer is a [*stanza.Error]. An answer that does not come in time is
// [xmpp.ErrTimeout], the end of the session [xmpp.ErrClosed].
func (c *Client) Query(ctx context.Context, iq stanza.IQ) (stanza.IQ, error) {
	return c.session.Query(ctx, iq)
}

// Claim takes messages and presences out of the handler's stream; see
// [xmpp.Session].
func (c *Client) Claim(match func(stanza.Header) bool) *xmpp.Claim {
	return c.session.Claim(match)
}

// Close ends the client for good: it does not connect again. It sends what is queued, closes the stream
// and waits for the server to do the same, as long as ctx and
// [Options.CloseTimeout] allow. It never waits for handlers, one of which may
// be its caller; [Client.Wait] does. The error says that something may not have arrived.
// Further calls do nothing.
func (c *Client) Close(ctx context.Context) error { return c.session.Close(ctx) }

// Poke says that the network may have changed: a client that waits to connect tries at once, and one that
// is connected asks the server for a sign of life, for which that has [Options.ProbeTimeout].
func (c *Client) Poke() { c.link.poke() }

// Suspend ends the client, and leaves its session to be resumed: by another process too, if what is
// returned is kept as JSON until then and given to [Dial] as [Options.Resume]. The server keeps the session for
// some minutes ([stream.Saved.Max]). Suspend waits for the handlers of what has arrived, so a handler must
// not call it. An error says that the session cannot be resumed; the client has ended then as well.
func (c *Client) Suspend(ctx context.Context) (*stream.Saved, error) {
	if !c.link.end(errSuspended) {
		return nil, fmt.Errorf("%w: nothing is left to suspend", xmpp.ErrClosed)
	}
	conn := c.link.conn.Load()
	conn.Cut()
	ended := make(chan struct{})
	go func() {
		_ = c.session.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return conn.Save()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Done is closed when the client has ended. The last handlers may still run.
func (c *Client) Done() <-chan struct{} { return c.session.Done() }

// Err returns why the client has ended: nil while it has not, and nil when
// [Client.Close] ended it. Anything else matches [xmpp.ErrClosed]: it is a
// [*stream.Error] when the server said why, such as [stream.Conflict], matches [io.EOF]
// when the server closed the stream without a word, and is an error of the
// network otherwise.
func (c *Client) Err() error { return c.session.Err() }

// Wait returns when the session has ended and all handlers have returned, with
// the reason that [Client.Err] describes; what had arrived before the end is
// still handled. When ctx is done first, Wait closes the session, and the error
// is that of [Client.Close]. A handler must not call Wait.
func (c *Client) Wait(ctx context.Context) error {
	var unclean error
	select {
	case <-c.Done():
	case <-ctx.Done():
		unclean = c.Close(context.WithoutCancel(ctx))
	}
	if err := c.session.Wait(); err != nil {
		return err
	}
	return unclean
}
