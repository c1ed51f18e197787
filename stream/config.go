package stream

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
)

// Config says what a stream is to become. One value may serve any number of
// streams, at the same time too; it is not modified.
type Config struct {
	// Domain is the service that the initiating entity wants: the to of its
	// header, and what the certificate is verified against.
	Domain jid.JID
	// Account is whose stream the initiating entity opens, zero if it does not
	// know. It is told to the server only over TLS (RFC 6120 §4.7.1).
	Account jid.JID

	// Proven is whose stream it is where the transport itself says so, such as a pipe within one
	// program: the stream begins authenticated, and no mechanism is offered or used. Both sides have to know.
	// Zero, as on every network: the initiating entity has to prove it.
	Proven jid.JID

	// Hosts reports, for the receiving entity, whether a domain is served here;
	// others are host-unknown. Nil serves DefaultHost alone.
	Hosts func(domain jid.JID) bool
	// DefaultHost is the domain that a header without a to means, and what our
	// header is from when there is no better (RFC 6120 §4.9.1.3). Zero: a header
	// needs a to.
	DefaultHost jid.JID

	// Lang is the language of our header: of the texts this side sends. Empty
	// means "en".
	Lang string
	// Features are what may be negotiated. The initiating entity uses those that
	// are offered in this order, each once on each stream.
	Features []Feature
	// Until is what negotiation must achieve. Zero means Authenticated|Bound.
	Until State
	// InsecurePlaintext lets features other than STARTTLS run on a stream without
	// TLS. It is for tests on one machine.
	InsecurePlaintext bool

	// LimitsBefore bounds what is read before authentication, Limits after it.
	// Their defaults differ.
	LimitsBefore, Limits Limits
	// QueueBytes bounds what waits to be sent. Zero means 1 MiB.
	QueueBytes int
	// WriteTimeout is how long the transport may take to accept 32 KiB; when it is
	// over, the stream ends with [ErrWriteTimeout]. Zero means 30 s.
	WriteTimeout time.Duration
	// CloseTimeout is how long [Conn.Close] waits for the peer. Zero means 5 s.
	CloseTimeout time.Duration
	// KeepUnsent keeps what is queued when the stream ends; see [Conn.Unsent].
	KeepUnsent bool
	// Survive keeps, for the initiating entity, what is queued when the stream
	// ends, for the next one: see Previous. Until then [Conn.Send] goes on to queue.
	Survive bool
	// Previous is a stream whose end came before, and whose queue goes on on this one:
	// the session is resumed if [Resume] is among the Features and the server agrees, and what
	// was not acknowledged is sent again; otherwise messages that never left follow
	// on the new session, and [Conn.Lost] has what may not have arrived.
	Previous *Conn
	// AckHandled acknowledges stanzas when [Conn.Handled] says so. Otherwise a
	// stanza counts as handled when Next is called again, unless [Conn.Postpone] says that it is not.
	AckHandled bool
	// IdleTimeout is how long nothing may arrive before the peer is asked whether it is
	// there, by a request for an acknowledgement or a ping (XEP-0199); ProbeTimeout how
	// long it has to show it. Then the stream ends with [ErrSilent]. Zero, of either: never.
	// A receiving entity that announces a shorter time (XEP-0478) is asked earlier.
	IdleTimeout, ProbeTimeout time.Duration
	// Trace looks on. May be nil.
	Trace *xmpp.Trace
}

// Limits bounds one first-level element or header, so that no peer can make us
// use much memory or time. A zero field means its default: before and after
// authentication. What exceeds a limit is a policy-violation (RFC 6120
// §4.9.3.14).
type Limits struct {
	Bytes      int // 10 000 and 256 KiB; never less than 10 000 after authentication (§13.12)
	Depth      int // of nested elements; 16 and 100
	Elements   int // 256 and 10 000
	Attrs      int // of one element; 32 and 64
	Namespaces int // declarations in one element; 64 and 4096
	AttrBytes  int // of one attribute; 8 KiB and 64 KiB
}

// minBytes is what every entity must accept (RFC 6120 §13.12).
const minBytes = 10_000

func (l Limits) before() xmlwire.Limits {
	return xmlwire.Limits{
		Bytes:      cmp.Or(max(l.Bytes, 0), minBytes),
		Depth:      cmp.Or(max(l.Depth, 0), 16),
		Elements:   cmp.Or(max(l.Elements, 0), 256),
		Attrs:      cmp.Or(max(l.Attrs, 0), 32),
		Namespaces: cmp.Or(max(l.Namespaces, 0), 64),
		AttrBytes:  cmp.Or(max(l.AttrBytes, 0), 8<<10),
	}
}

// after leaves the other defaults to the reader.
func (l Limits) after() xmlwire.Limits {
	x := xmlwire.Limits(l)
	x.Bytes = max(cmp.Or(max(x.Bytes, 0), 256<<10), minBytes)
	return x
}

func (cfg *Config) withDefaults(initiating bool) (Config, error) {
	if cfg == nil {
		return Config{}, errors.New("stream: no config")
	}
	out := *cfg
	out.Lang = cmp.Or(out.Lang, "en")
	out.Until = cmp.Or(out.Until, Authenticated|Bound)
	out.QueueBytes = cmp.Or(max(out.QueueBytes, 0), 1<<20)
	out.WriteTimeout = cmp.Or(max(out.WriteTimeout, 0), 30*time.Second)
	out.CloseTimeout = cmp.Or(max(out.CloseTimeout, 0), 5*time.Second)
	if out.Trace == nil {
		out.Trace = &xmpp.Trace{}
	}
	if _, err := xmlwire.AppendAttr(nil, "xml:lang", out.Lang); err != nil {
		return out, errors.New("stream: config: Lang is not a language tag")
	}
	switch {
	case initiating && (out.Domain.IsZero() || out.Domain != out.Domain.Domain()):
		return out, errors.New("stream: config: Domain is not a domain")
	case !initiating && out.Hosts == nil && out.DefaultHost.IsZero():
		return out, errors.New("stream: config: neither Hosts nor DefaultHost")
	case !out.Proven.IsZero() && (!out.Proven.IsBare() || out.Proven.Localpart() == ""):
		return out, errors.New("stream: config: Proven is not the bare JID of an account")
	case initiating && !out.Proven.IsZero() && out.Proven.Domain() != out.Domain:
		return out, errors.New("stream: config: Proven is not an account of Domain")
	}
	return out, nil
}

// serves reports whether a domain is served here.
func (cfg *Config) serves(domain jid.JID) bool {
	if cfg.Hosts == nil {
		return domain == cfg.DefaultHost
	}
	return cfg.Hosts(domain)
}

// checkPlaintext checks what a stream needs that begins without TLS.
func (cfg *Config) checkPlaintext() error {
	isStartTLS := func(f Feature) bool { return f.Name() == startTLSName }
	if cfg.InsecurePlaintext || slices.ContainsFunc(cfg.Features, isStartTLS) {
		return nil
	}
	return errors.New("stream: config: TLS is required, and StartTLS is not among the features")
}
