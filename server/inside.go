package server

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/parlance-xmpp/xmpp/internal/bufpipe"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// insideBytes is how much a connection within the program keeps that was not read yet.
const insideBytes = 64 << 10

// DialAccount connects to the server as an account, from within the program, which needs no password: who has
// the Server may do everything anyway. It is what client.Options.Server calls, so that a bot is
//
//	bot, err := client.Dial(ctx, addr, &client.Options{Server: srv, Handler: mux})
//
// The connection goes through memory and has no other end than this one; nothing that a client on a network
// says leads here. A stream on it is negotiated with [stream.Config].Proven, and is otherwise like any other. The context bounds the
// call. The error is a [sasl.Condition] if there is no such account, or it is disabled; [net.ErrClosed] when the server has shut down; else [ErrRefused] or what the store says.
func (s *Server) DialAccount(ctx context.Context, account jid.JID) (net.Conn, error) {
	c, nc, err := s.inside(ctx, account)
	if err != nil {
		return nil, fmt.Errorf("server: dial as %s: %w", account, err)
	}
	go func() {
		if err := s.serveAdmitted(context.Background(), c); err != nil {
			s.log.Debug("a stream ended", "peer", account, "err", err)
		}
	}()
	return nc, nil
}

// inside returns a connection to be served, and its other end.
func (s *Server) inside(ctx context.Context, account jid.JID) (*connection, net.Conn, error) {
	if err := s.checkAccount(account); err != nil {
		return nil, nil, err
	}
	known, err := s.opts.Storage.Accounts.Get(ctx, account)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, nil, fmt.Errorf("%w: %w", sasl.ErrNotAuthorized, err)
	case err != nil:
		return nil, nil, err
	case known.Disabled:
		return nil, nil, sasl.ErrAccountDisabled
	}
	near, far := bufpipe.Bounded(insideBytes)
	c := &connection{srv: s, nc: far, from: placeOf(far), known: &claims{addr: account, id: known.ID}}
	switch {
	case s.admit(c):
		return c, near, nil
	case s.isClosing():
		return nil, nil, net.ErrClosed
	}
	return nil, nil, ErrRefused
}
