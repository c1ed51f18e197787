package stream

import (
	"context"
	"errors"

	"github.com/parlance-xmpp/xmpp"
)

// errNoAcks is the error of a receipt that waits for what will not come.
var errNoAcks = errors.New("stream: stanzas are not acknowledged on this stream")

// errLost is why a stanza has failed though the outbox goes on.
var errLost = closedError{errors.New("stream: the session was lost")}

// errWithdrawn is why a stanza was dropped though the outbox goes on.
var errWithdrawn = errors.New("stream: withdrawn before it left")

// Stage implements [xmpp.Progress].
func (o *outbox) Stage(position uint64) xmpp.Stage {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.stage(position)
}

// Withdraw implements [xmpp.Progress].
func (o *outbox) Withdraw(position uint64) bool { return o.withdraw(position) }

// Await implements [xmpp.Progress]. Sent is final where stanzas are not
// acknowledged.
func (o *outbox) Await(ctx context.Context, position uint64, want xmpp.Stage) (xmpp.Stage, error) {
	for over := false; ; {
		o.mu.Lock()
		stage, err, changed := o.stage(position), o.err, o.news()
		final := !o.managed || position <= o.base
		o.mu.Unlock()
		switch {
		case stage == want,
			want == xmpp.Queued && stage != xmpp.Dropped,
			want == xmpp.Sent && stage == xmpp.Acked:
			return stage, nil
		case stage == xmpp.Sent && final:
			return stage, errNoAcks
		case stage == xmpp.Acked:
			return stage, errSettled
		case stage == xmpp.Failed && err == nil:
			return stage, errLost
		case stage == xmpp.Failed:
			return stage, err
		case stage == xmpp.Dropped && err == nil:
			return stage, unsent(errWithdrawn)
		case stage == xmpp.Dropped:
			return stage, unsent(err)
		case over:
			return stage, context.Cause(ctx)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			over = true // both may be the case: look once more
		}
	}
}

// errSettled is the error of a receipt that waits for a failure.
var errSettled = errors.New("stream: the stanza was acknowledged")

// stage is called with mu held.
func (o *outbox) stage(position uint64) xmpp.Stage {
	if fate := o.judged(position); fate != 0 {
		return fate
	}
	switch {
	case position <= o.acked:
		return xmpp.Acked
	case position <= o.sent && (o.err == nil || !o.managed):
		return xmpp.Sent
	case o.err == nil:
		return xmpp.Queued
	case position <= o.begun:
		return xmpp.Failed
	}
	return xmpp.Dropped
}

var (
	_ xmpp.Progress   = (*outbox)(nil)
	_ xmpp.Withdrawer = (*outbox)(nil)
)
