package client

import (
	"context"
	"crypto/tls"

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
	conn    *stream.Conn
	session *session.Session
}

var _ xmpp.Session = (*Client)(nil)

// LocalAddr is the full JID that the server has bound. Its resource is what the
// account given to [Dial] wished for, or another one.
func (c *Client) LocalAddr() jid.JID { return c.session.LocalAddr() }

// RemoteAddr is the server: the domain of the account.
func (c *Client) RemoteAddr() jid.JID { return c.session.RemoteAddr() }

// TLS describes the security of the connection. It is nil for a stream in
// plain text.
func (c *Client) TLS() *tls.ConnectionState { return c.conn.TLS() }

// Send queues a message, a presence, or an IQ whose answer does not matter, and
// returns; the receipt tells what becomes of it. See [xmpp.Session].
//
// A message or request without an id gets one. An address to send from need not
// be given: the server stamps it.
func (c *Client) Send(ctx context.Context, s stanza.Stanza) (xmpp.Receipt, error) {
	return c.session.Send(ctx, s)
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

// Close ends the session for good. It sends what is queued, closes the stream
// and waits for the server to do the same, as long as ctx and
// [Options.CloseTimeout] allow. It never waits for handlers, one of which may
// be its caller; [Client.Wait] does. The error says that something may not have arrived.
// Further calls do nothing.
func (c *Client) Close(ctx context.Context) error { return c.session.Close(ctx) }

// Done is closed when the session has ended. The last handlers may still run.
func (c *Client) Done() <-chan struct{} { return c.session.Done() }

// Err returns why the session has ended: nil while it has not, and nil when
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
