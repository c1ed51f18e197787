package server

import (
	"context"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"io"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// config says what is negotiated with one client. The session that it binds is
// left in t.
func (s *Server) config(ctx context.Context, c *connection, proven *claims, t **session) *stream.Config {
	cfg := &stream.Config{
		Hosts:             s.hosts,
		DefaultHost:       s.hosting.Load().domains[0],
		InsecurePlaintext: s.opts.InsecurePlaintext,
		LimitsBefore:      s.limits().BeforeAuth,
		Limits:            s.limits().AfterAuth,
		QueueBytes:        s.limits().QueueBytes,
		WriteTimeout:      s.limits().WriteTimeout,
		KeepUnsent:        true,
		IdleTimeout:       max(s.limits().IdleTimeout, 0),
		ProbeTimeout:      s.limits().ProbeTimeout,
	}
	if c.known != nil { // only for a pipe of our own: see [Server.DialAccount]
		cfg.Proven, cfg.InsecurePlaintext = c.known.addr, true
	}
	if s.opts.Trace != nil {
		cfg.Trace = s.opts.Trace(c.nc.RemoteAddr())
	}
	if s.opts.TLS != nil {
		cfg.Features = append(cfg.Features, stream.StartTLS{Config: s.opts.TLS})
	}
	authenticator := s.authenticatorFor(ctx)
	resume := stream.Resume{Find: func(ctx context.Context, account jid.JID, id string) (*stream.Conn, error) {
		conn, err := s.find(ctx, proven, account, id, t)
		if conn != nil {
			s.bound(c)
		}
		return conn, err
	}}
	agent := ""
	bind := func(ctx context.Context, account jid.JID, wanted string) (jid.JID, error) {
		bound, err := s.bind(ctx, proven, account, wanted, agent)
		if err != nil {
			return jid.JID{}, err
		}
		s.bound(c)
		*t = bound
		return bound.addr, nil
	}
	extra, inline := s.features(c, t)
	inactive := func(context.Context, stanza.Element) {
		if *t != nil {
			(*t).looked.set(true, nil)
		}
	}
	management := stream.Management{ResumeFor: max(s.limits().ResumeFor, 0)}
	cfg.Features = append(cfg.Features,
		stream.ServerSASL2{
			For:    authenticator,
			Agent:  func(a stream.UserAgent) { agent = a.ID },
			Resume: &resume,
			Bind: func(ctx context.Context, account jid.JID, tag string) (jid.JID, error) {
				return bind(ctx, account, tagged(tag))
			},
			Management: &management,
			Inline:     append(inline, stream.BindFeature{Name: xml.Name{Space: nsCSI, Local: "inactive"}, Asked: inactive}),
			Upgrader:   &upgrades{srv: s},
			Tokens:     tokens{s},
		},
		stream.ServerSASL{For: authenticator},
		resume,
		stream.Bind{Assign: bind},
		stream.Session{},
		management,
		stream.AnnounceLimits{},
		stateIndication{t},
		stream.Announce{Payload: rosterFeature{roster.NSPreApproval, "sub"}, When: stream.Authenticated},
		stream.Announce{Payload: rosterFeature{roster.NSVersioning, "ver"}, When: stream.Authenticated},
	)
	cfg.Features = append(cfg.Features, extra...)
	return cfg
}

// tagged returns a resourcepart that begins with a tag and cannot be guessed (XEP-0386).
func tagged(tag string) string {
	if tag == "" || len(tag) > 512 {
		return ""
	}
	return tag + "/" + rand.Text()
}

// A rosterFeature tells clients something that the server's rosters can: approvals ahead of a
// request (RFC 6121 §3.4), versions (§2.6.1).
type rosterFeature struct{ ns, local string }

// AppendXML implements [stanza.Payload].
func (f rosterFeature) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(f.ns, f.local)
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
