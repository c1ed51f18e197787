package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// before is what has to be done before the first login, if anything.
func (d *dialing) before() []stream.Feature {
	if !d.prepares() {
		return nil
	}
	return []stream.Feature{stream.BeforeLogin{Do: func(ctx context.Context, n *stream.Negotiation) error {
		s := &stranger{n: n}
		err := d.opts.BeforeLogin(ctx, s)
		s.n = nil
		switch {
		case s.lost != nil:
			return s.lost
		case err != nil:
			return &beforeError{err}
		}
		return nil
	}}}
}

// prepares reports whether the client has not logged in yet and wants to ask something before.
func (d *dialing) prepares() bool { return d.opts.BeforeLogin != nil && !d.loggedIn }

// A beforeError is what [Options.BeforeLogin] has returned: it is of no use to try another server.
type beforeError struct{ err error }

func (e *beforeError) Error() string { return "before the login: " + e.err.Error() }
func (e *beforeError) Unwrap() error { return e.err }

// A stranger is the session of a client that has not logged in: it can query the server.
type stranger struct {
	n    *stream.Negotiation // nil when it is over
	lost error               // why the stream cannot go on
}

var (
	_ xmpp.ElementSender = (*stranger)(nil)
	_ xmpp.Confidential  = (*stranger)(nil)

	errStranger = errors.New("client: not before the login")
	errBefore   = fmt.Errorf("%w: the login goes on", xmpp.ErrClosed)
)

func (s *stranger) LocalAddr() jid.JID { return jid.JID{} }

func (s *stranger) RemoteAddr() jid.JID {
	if s.n == nil {
		return jid.JID{}
	}
	return s.n.Domain()
}

func (s *stranger) Secure() bool { return s.n != nil && s.n.State().Has(stream.Secure) }

func (s *stranger) Features() stanza.Element {
	if s.n == nil {
		return stanza.Element{}
	}
	return s.n.Features()
}

func (s *stranger) Query(ctx context.Context, iq stanza.IQ) (stanza.IQ, error) {
	switch {
	case s.n == nil:
		return stanza.IQ{}, errBefore
	case s.lost != nil:
		return stanza.IQ{}, fmt.Errorf("%w: %w", xmpp.ErrClosed, s.lost)
	}
	answer, err := s.n.Query(ctx, iq)
	if _, answered := errors.AsType[*stanza.Error](err); err != nil && !answered {
		s.lost = err
	}
	return answer, err
}

func (s *stranger) Send(context.Context, stanza.Stanza) (xmpp.Receipt, error) {
	return xmpp.Receipt{}, &xmpp.UnsentError{Err: errStranger}
}

func (s *stranger) SendElement(context.Context, stanza.Payload) error { return errStranger }

// Claim returns a claim to which nothing comes.
func (s *stranger) Claim(match func(stanza.Header) bool) *xmpp.Claim {
	return xmpp.NewClaim(match, func(*xmpp.Claim) {})
}
