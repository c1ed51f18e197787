package stream

import (
	"errors"
	"io"
	"net"
	"strings"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// nsErrors is the namespace of the defined conditions (RFC 6120 §4.9.2).
const nsErrors = "urn:ietf:params:xml:ns:xmpp-streams"

// What a program decides on, beside an [*Error], an [*AuthError] and the errors
// of crypto/tls.
var (
	// ErrNoTLS: the stream is not secure and the server offers no way to make
	// it so. No credentials have been sent.
	ErrNoTLS = errors.New("stream: the server offers no TLS")
	// ErrTLSRefused: the server offered STARTTLS and then refused it (RFC 6120
	// §5.4.2.2).
	ErrTLSRefused = errors.New("stream: the server refused STARTTLS")
	// ErrInjected: there were bytes between the end of one stream and the start
	// of the next, where the server has nothing to say: before TLS, somebody
	// else has put them there.
	ErrInjected = errors.New("stream: data between a stream and its restart")
	// ErrQueueFull: a stanza did not fit into the outgoing queue.
	ErrQueueFull = errors.New("stream: the outgoing queue is full")
	// ErrWriteTimeout: the peer has stopped reading. The stream has ended.
	ErrWriteTimeout = errors.New("stream: the peer does not read")
	// ErrTooLarge: the stanza is larger than what the peer says it takes (XEP-0478).
	ErrTooLarge = errors.New("stream: larger than the peer accepts")
	// ErrSilent: nothing has come from the peer for too long, though it was asked.
	ErrSilent = errors.New("stream: the peer is silent")
	// ErrCloseTimeout: the peer did not close its stream in time after we had
	// closed ours.
	ErrCloseTimeout = errors.New("stream: the peer did not close the stream")
)

// errRefusedTLS ends a stream on which we have refused STARTTLS.
var errRefusedTLS = errors.New("stream: STARTTLS was asked for and is not possible")

// An Error is a stream error (RFC 6120 §4.9): the end of a stream, sent by one
// side to the other.
type Error struct {
	Condition Condition      // errors.Is(err, stream.Conflict) sees through any wrapping
	Text      string         // for people
	Lang      string         // language of Text
	Host      string         // where to go instead, for SeeOtherHost: see [Error.HostPort]
	App       stanza.Payload // an application-specific condition (§4.9.4); usually nil
	Received  bool           // the peer sent it; otherwise it was sent to the peer
}

// Error returns the condition and the text.
func (e *Error) Error() string {
	s := "stream: " + string(e.Condition)
	if e.Received {
		s = "stream: the peer reports " + string(e.Condition)
	}
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// Unwrap returns the condition.
func (e *Error) Unwrap() error { return e.Condition }

// HostPort splits Host, as a see-other-host carries it, into host and port. An
// IPv6 address loses its brackets. The port is empty when the sender named none;
// a host name is then looked up as the service's own was (RFC 6120 §4.9.3.19).
func (e *Error) HostPort() (host, port string) {
	if h, p, err := net.SplitHostPort(e.Host); err == nil {
		return h, p
	}
	return strings.TrimSuffix(strings.TrimPrefix(e.Host, "["), "]"), ""
}

// AppendXML appends the error element, with the prefix that streams of this
// package declare. It is no child of a stanza.
func (e *Error) AppendXML(dst []byte) ([]byte, error) {
	c := e.Condition
	if !c.defined() {
		c = UndefinedCondition
	}
	w := stanza.NewWriter(append(dst, "<stream:error>"...))
	w.Start(nsErrors, string(c))
	if c == SeeOtherHost {
		w.Text(e.Host)
	}
	w.End()
	if e.Text != "" {
		w.Start(nsErrors, "text")
		w.Lang(e.Lang)
		w.Text(e.Text)
		w.End()
	}
	w.Payload(e.App)
	out, err := w.Bytes()
	if err != nil {
		return dst, err
	}
	return append(out, "</stream:error>"...), nil
}

// parseError reads a stream error. A condition that is unknown, or missing, is
// undefined-condition (RFC 6120 §4.9.2); the name that RFC 3920 had for
// not-well-formed is known.
func parseError(el stanza.Element) *Error {
	e := &Error{Received: true}
	for c := range el.Children() {
		name := c.Name()
		switch {
		case name.Space != nsErrors:
			if e.App == nil {
				e.App = c
			}
		case name.Local == "text":
			if e.Text == "" {
				e.Text, e.Lang = strings.TrimSpace(c.Text()), c.Lang()
			}
		case e.Condition != "":
		case name.Local == "xml-not-well-formed":
			e.Condition = NotWellFormed
		case Condition(name.Local).defined():
			e.Condition = Condition(name.Local)
			if e.Condition == SeeOtherHost {
				e.Host = strings.TrimSpace(c.Text())
			}
		}
	}
	if e.Condition == "" {
		e.Condition = UndefinedCondition
	}
	return e
}

// readError makes an error of what [xmlwire.Reader] returned.
func readError(err error) error {
	if refused, ok := errors.AsType[*xmlwire.Error](err); ok {
		return &Error{Condition: Condition(refused.Condition), Text: refused.Detail, Lang: "en"}
	}
	if err == io.EOF {
		return err
	}
	return transportError{"read", err}
}

// A transportError is trouble below the stream: the transport is closed without
// another word (RFC 6120 §5.4.3.2, §13.3).
type transportError struct {
	op  string
	err error
}

func (e transportError) Error() string {
	return "stream: " + e.op + ": " + strings.TrimPrefix(e.err.Error(), "stream: ")
}
func (e transportError) Unwrap() error { return e.err }

// A closedError is what a program gets that uses a stream after its end.
type closedError struct{ why error }

func (e closedError) Error() string {
	if e.why == nil || e.why == io.EOF {
		return "stream: the stream is closed"
	}
	return e.why.Error()
}

// Unwrap makes it match [xmpp.ErrClosed] and the reason.
func (e closedError) Unwrap() []error {
	if e.why == nil {
		return []error{xmpp.ErrClosed}
	}
	return []error{xmpp.ErrClosed, e.why}
}

func unsent(err error) error { return &xmpp.UnsentError{Err: err} }
