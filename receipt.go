package xmpp

import (
	"context"
	"fmt"
)

// A Stage is how far a sent stanza has come.
type Stage uint8

// The stages. Failed and Dropped are final, and so is Acked; Sent is final on a
// stream without acknowledgements.
const (
	Queued  Stage = iota + 1 // waiting to leave
	Sent                     // handed to the transport, whole
	Acked                    // the other side has taken responsibility
	Failed                   // the stream ended first; it may or may not have arrived
	Dropped                  // it never left
)

// String returns the stage's name.
func (s Stage) String() string {
	switch s {
	case Queued:
		return "queued"
	case Sent:
		return "sent"
	case Acked:
		return "acked"
	case Failed:
		return "failed"
	case Dropped:
		return "dropped"
	}
	return fmt.Sprintf("stage %d", uint8(s))
}

// A Receipt tells what became of one sent stanza. It is a small value, may be
// copied, used from any goroutine and thrown away. The zero Receipt is of
// nothing: its stage is Dropped.
type Receipt struct {
	progress Progress
	position uint64
}

// Progress is kept by a session for the stanzas it sends, which are numbered in
// the order in which they were queued.
type Progress interface {
	// Stage returns how far the stanza has come.
	Stage(position uint64) Stage
	// Await returns once the stanza has reached want or a final stage.
	Await(ctx context.Context, position uint64, want Stage) (Stage, error)
}

// A Withdrawer is a [Progress] that can take back a stanza of which nothing has left.
type Withdrawer interface {
	// Withdraw takes it back and reports whether it could.
	Withdraw(position uint64) bool
}

// NewReceipt returns the receipt for the stanza at a position of p. It is for
// those who implement [Session].
func NewReceipt(p Progress, position uint64) Receipt { return Receipt{p, position} }

// Stage returns how far the stanza has come by now.
func (r Receipt) Stage() Stage {
	if r.progress == nil {
		return Dropped
	}
	return r.progress.Stage(r.position)
}

// Await waits until the stanza has reached stage want, can no longer reach it, or ctx
// is done, and returns how far it came. The error is nil exactly when want was
// reached.
func (r Receipt) Await(ctx context.Context, want Stage) (Stage, error) {
	if r.progress == nil {
		return Dropped, &UnsentError{ErrClosed}
	}
	return r.progress.Await(ctx, r.position, want)
}

// Withdraw takes the stanza back if nothing of it has left, as while a client is
// offline. It reports whether it could: then the stage is Dropped.
func (r Receipt) Withdraw() bool {
	w, ok := r.progress.(Withdrawer)
	return ok && w.Withdraw(r.position)
}
