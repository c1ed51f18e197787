package muxer

import (
	"context"
	"log/slog"
	"slices"

	"github.com/parlance-xmpp/xmpp"
)

// Event has f called for whatever becomes of the session, in the order of
// registration: that it is online, anew or again, suspended, offline. f may send and
// query. Its error is logged.
//
//	mux.Event(func(ctx context.Context, e xmpp.Event) error {
//		if e.Status != xmpp.Online {
//			return nil
//		}
//		_, err := xmpp.SessionFrom(ctx).Send(ctx, presence) // a new session: nobody knows yet
//		return err
//	})
func (m *Mux) Event(f func(ctx context.Context, e xmpp.Event) error) {
	m.change(func(t *table) { t.events = append(slices.Clip(t.events), f) })
}

// HandleEvent implements [xmpp.Observer].
func (m *Mux) HandleEvent(ctx context.Context, e xmpp.Event) {
	for _, f := range m.table.Load().events {
		if err := f(ctx, e); err != nil {
			slog.Default().WarnContext(ctx, "a handler of an event failed", "event", e.Status.String(), "err", err)
		}
	}
}

var _ xmpp.Observer = (*Mux)(nil)
