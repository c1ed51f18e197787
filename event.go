package xmpp

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Status is what has become of a session that outlives its streams.
type Status uint8

// The statuses. After Online come any number of Suspended and Resumed, then Offline, and
// then Online again unless the Offline was final.
const (
	// Online: a session has begun, with nothing in it that was agreed before: presence,
	// the rooms that were joined. The full JID may be another one.
	Online Status = iota + 1
	// Suspended: the stream is lost, and its session may be resumed. What is sent
	// waits.
	Suspended
	// Resumed: the session goes on as if nothing had happened; what was lost on the
	// way has been sent again.
	Resumed
	// Offline: the session has ended.
	Offline
)

// String returns the status's name.
func (s Status) String() string {
	switch s {
	case Online:
		return "online"
	case Suspended:
		return "suspended"
	case Resumed:
		return "resumed"
	case Offline:
		return "offline"
	}
	return fmt.Sprintf("status %d", uint8(s))
}

// An Event says that the status of a session has changed.
type Event struct {
	Status Status
	// Err is why, of Suspended and Offline.
	Err error
	// Final says, of Offline, that nothing follows: the session's owner will not try
	// again.
	Final bool
	// Lost are the stanzas that had begun to leave when an Offline session was lost, and that the other
	// side did not acknowledge: they may or may not have arrived. Their receipts say Failed.
	// Without acknowledgements nobody knows them all.
	Lost []*stanza.Raw
}

// An Observer is a [Handler] that is told what becomes of the session. A session
// looks for it once, when it is made.
type Observer interface {
	// HandleEvent is called from the goroutine that handles stanzas, in order
	// with them. It may send and query.
	HandleEvent(ctx context.Context, e Event)
}
