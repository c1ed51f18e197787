package server

import (
	"context"
	"time"
)

// patience bounds what has to be brought to an end though whoever caused it has
// gone: it waits for the store only.
const patience = 30 * time.Second

// lasting returns a context for work that must not stop halfway when the client
// that asked for it leaves.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), patience)
}

// A lifetime is a context that ends when a channel is closed.
type lifetime struct{ over <-chan struct{} }

// Deadline implements [context.Context].
func (l lifetime) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements [context.Context].
func (l lifetime) Done() <-chan struct{} { return l.over }

// Err implements [context.Context].
func (l lifetime) Err() error {
	if isDone(l.over) {
		return context.Canceled
	}
	return nil
}

// Value implements [context.Context].
func (l lifetime) Value(any) any { return nil }

// isDone reports whether a channel that is only ever closed has been.
func isDone(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}
