package server

import (
	"context"
	"errors"
	"io"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// config says what is negotiated with one client. The session that it binds is
// left in t.
func (s *Server) config(c *connection, proven *claims, t **session) *stream.Config {
	cfg := &stream.Config{
		Hosts:             s.hosts,
		DefaultHost:       s.domains[0],
		InsecurePlaintext: s.opts.InsecurePlaintext,
		LimitsBefore:      s.opts.Limits.BeforeAuth,
		Limits:            s.opts.Limits.AfterAuth,
		QueueBytes:        s.opts.Limits.QueueBytes,
		WriteTimeout:      s.opts.Limits.WriteTimeout,
		KeepUnsent:        true,
	}
	if s.opts.Trace != nil {
		cfg.Trace = s.opts.Trace(c.nc.RemoteAddr())
	}
	if s.opts.TLS != nil {
		cfg.Features = append(cfg.Features, stream.StartTLS{Config: s.opts.TLS})
	}
	cfg.Features = append(cfg.Features,
		stream.ServerSASL{Authenticator: func(domain jid.JID) *sasl.Authenticator { return s.auth[domain] }},
		stream.Bind{Assign: func(ctx context.Context, account jid.JID, wanted string) (jid.JID, error) {
			bound, err := s.bind(ctx, proven, account, wanted)
			if err != nil {
				return jid.JID{}, err
			}
			s.bound(c)
			*t = bound
			return bound.addr, nil
		}},
		stream.Session{},
		stream.Announce{Payload: preApproval{}, When: stream.Authenticated},
	)
	return cfg
}

// preApproval tells clients that approvals ahead of a request are kept (RFC 6121
// §3.4).
type preApproval struct{}

// AppendXML implements [stanza.Payload].
func (preApproval) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(roster.NSPreApproval, "sub")
	w.End()
	return w.Bytes()
}

// streamEnd says what remains to be said of how a stream ended: nothing, when the
// client closed it.
func streamEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
