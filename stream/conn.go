package stream

import (
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Conn is one stream in both directions. [Initiate] and [Accept] return it
// when negotiation is over.
//
// One goroutine calls [Conn.Next], until it returns an error: without it the
// peer's closing tag is not noticed. All other methods may be called from any
// goroutine.
type Conn struct {
	raw         net.Conn  // the transport
	nc          net.Conn  // what carries the stream: the transport, or TLS over it
	tls         *tls.Conn // nc, if it is TLS
	r           *xmlwire.Reader
	initiating  bool
	trace       *xmpp.Trace
	standing    []Feature // receiving: that may be begun when negotiation is over
	out         *outbox
	in          *inbox
	survive     bool             // the queue goes on on another stream
	gone        chan struct{}    // closed when the transport is done with
	early       []stanza.Element // arrived before the count of stanzas began
	lost        [][]byte
	resumed     bool
	over        atomic.Bool // the stream was ended, not lost
	abandoned   atomic.Bool
	moved       atomic.Bool   // the session goes on elsewhere
	idle, probe time.Duration // see source; zero during negotiation
	heard       atomic.Int64  // when the source began to wait, in ns since 1970

	// Agreed during negotiation, fixed after it.
	state     State
	domain    jid.JID // of the service
	account   jid.JID
	full      jid.JID // zero unless Bound
	id        string
	lang      string // of the peer
	mechanism string // of SASL
	content   string // the namespace that the peer's elements inherit
	offered   stanza.Element

	closeTimeout time.Duration
	after        xmlwire.Limits // for what is read once authenticated

	mu     sync.Mutex  // guards the fields below; taken before that of out
	reason error       // why the stream has ended or is about to
	failed bool        // we have ended it with an error: what still arrives does not count
	timer  *time.Timer // ends what takes too long
	end    time.Time   // when timer fires
	sm     management  // what was agreed on by XEP-0198
	ended  bool        // the transport is closed
}

func newConn(nc net.Conn, cfg *Config, initiating bool) *Conn {
	c := &Conn{
		raw:          nc,
		nc:           nc,
		initiating:   initiating,
		trace:        cfg.Trace,
		domain:       cfg.Domain,
		account:      cfg.Account,
		closeTimeout: cfg.CloseTimeout,
		after:        cfg.Limits.after(),
	}
	if tc, ok := nc.(*tls.Conn); ok {
		c.raw = tc.NetConn()
	}
	c.r = xmlwire.NewReader(&source{c, nc}, cfg.LimitsBefore.before())
	c.gone = make(chan struct{})
	c.in = &inbox{later: cfg.AckHandled}
	c.survive = cfg.Survive
	c.out = &outbox{
		limit:   cfg.QueueBytes,
		keep:    cfg.KeepUnsent || cfg.Survive,
		timeout: cfg.WriteTimeout,
		failed:  c.terminate,
		gone:    c.gone,
		nc:      nc,
	}
	if cfg.Trace.Sent != nil {
		c.out.trace = func(part []byte) {
			if traced(cfg.Trace) {
				cfg.Trace.Sent(redacted(part))
			}
		}
	}
	return c
}

// LocalAddr is the address of this side: of the initiating entity the full JID
// that was bound, of the receiving entity the domain that was asked for.
func (c *Conn) LocalAddr() jid.JID {
	if c.initiating {
		return c.initiator()
	}
	return c.domain
}

// RemoteAddr is the address of the other side.
func (c *Conn) RemoteAddr() jid.JID {
	if c.initiating {
		return c.domain
	}
	return c.initiator()
}

// initiator is the address of the initiating entity, as far as it is known.
func (c *Conn) initiator() jid.JID {
	if c.state.Has(Bound) {
		return c.full
	}
	return c.account
}

// ID is the stream's id, which the receiving entity made up (RFC 6120 §4.7.3).
func (c *Conn) ID() string { return c.id }

// Lang is the xml:lang of the peer's header, empty if it had none: the language
// of the peer's stanzas that do not say otherwise (RFC 6120 §4.7.4).
func (c *Conn) Lang() string { return c.lang }

// Mechanism is, for the initiating entity, the SASL mechanism by which it has logged in.
func (c *Conn) Mechanism() string { return c.mechanism }

// State is what was agreed.
func (c *Conn) State() State { return c.state }

// Features is, for the initiating entity, what the receiving entity offered
// last: a features element with everything in it, negotiated or not. It is zero
// for the receiving entity.
func (c *Conn) Features() stanza.Element { return c.offered }

// TLS describes the TLS connection; nil without one.
func (c *Conn) TLS() *tls.ConnectionState {
	if c.tls == nil {
		return nil
	}
	state := c.tls.ConnectionState()
	return &state
}

// NetRemoteAddr is the network address of the other side. It must not be shown to
// other users (RFC 6120 §13.10.1).
func (c *Conn) NetRemoteAddr() net.Addr { return c.raw.RemoteAddr() }

// Done is closed when the stream has ended, the transport is closed and nothing
// of the stream is running any more, except for [Conn.Next] and the calls that wait.
func (c *Conn) Done() <-chan struct{} { return c.gone }

// Err is why the stream has ended, nil as long as it is open: io.EOF when it was
// closed properly by both sides, an [*Error] when one of them reported one, an
// error that matches [xmpp.ErrClosed] after Abort, or what the transport said.
func (c *Conn) Err() error {
	select {
	case <-c.Done():
	default:
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reason
}

// channel describes what SASL runs over.
func (c *Conn) channel() *sasl.Channel {
	switch {
	case c.tls == nil:
		return nil
	case c.initiating:
		channel := sasl.ClientChannel(c.tls.ConnectionState())
		channel.Confidential = verified(c.tls)
		return channel
	}
	return sasl.ServerChannel(c.tls.ConnectionState(), presented(c.tls))
}

// traced reports whether somebody looks on at the moment.
func traced(t *xmpp.Trace) bool { return t.Active == nil || t.Active() }

func (c *Conn) event(name, detail string) {
	if c.trace.Event != nil {
		c.trace.Event(name, detail)
	}
}
