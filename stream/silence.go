package stream

import (
	"errors"
	"io"
	"net"
	"os"
	"time"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// A source is what a stream is read from. Once negotiation is over it notices when
// nothing arrives for too long, which the transport may never tell: a peer that has
// vanished sends no end.
//
// Whatever arrives shows that the peer is there; that something could be sent
// shows nothing.
type source struct {
	c  *Conn
	nc net.Conn
}

// Read implements [io.Reader].
func (s *source) Read(b []byte) (int, error) {
	if s.c.idle <= 0 || s.c.probe <= 0 {
		return s.nc.Read(b)
	}
	now := time.Now() // what was read before has been handled
	s.c.heard.Store(now.UnixNano())
	n, err := s.until(b, now.Add(s.c.idle))
	if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, err
	}
	s.c.ask()
	for end := time.Now().Add(s.c.probe); ; {
		n, err = s.until(b, end)
		switch {
		case n > 0 || !errors.Is(err, os.ErrDeadlineExceeded):
			return n, err
		case !time.Now().Before(end):
			return 0, ErrSilent
		}
	}
}

func (s *source) until(b []byte, end time.Time) (int, error) {
	if err := s.nc.SetReadDeadline(end); err != nil {
		return 0, err
	}
	return s.nc.Read(b)
}

var _ io.Reader = (*source)(nil)

// Heard returns when something came from the peer last, or a moment before; zero without Config.IdleTimeout.
func (c *Conn) Heard() time.Time {
	if at := c.heard.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// ask asks the peer for a sign of life. If there is no room to ask, the peer has
// not read what it was sent.
func (c *Conn) ask() {
	c.event("probe", "nothing has arrived for a while")
	if c.Managed() {
		_ = c.out.tryAppend([]byte(ackRequest), false, true)
		return
	}
	h := stanza.Header{Kind: stanza.KindIQ, ID: stanza.NewID(), Type: string(stanza.IQGet)}
	if !c.initiating {
		h.From, h.To = c.domain, c.full
	}
	_ = c.trySend(stanza.IQ{Type: stanza.IQGet, Payload: pingPayload{}}, h, true)
}

// pingPayload is the request of XEP-0199, which every entity answers, if only
// with an error.
type pingPayload struct{}

// AppendXML implements [stanza.Payload].
func (pingPayload) AppendXML(dst []byte) ([]byte, error) {
	return append(dst, "<ping xmlns='urn:xmpp:ping'/>"...), nil
}

// Probe asks the peer for a sign of life now, as if Config.IdleTimeout were over,
// and ends the stream with [ErrSilent] if none comes within Config.ProbeTimeout. It is for
// when the network has changed. It does not wait.
func (c *Conn) Probe() {
	if c.idle > 0 && c.probe > 0 {
		_ = c.nc.SetReadDeadline(past)
	}
}
