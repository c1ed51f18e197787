package client

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// An outage is what there is between two streams of a link.
type outage struct {
	*link
	previous  *stream.Conn
	suspended bool        // the session may be resumed
	expiry    *time.Timer // when it may no longer be
}

// recover gets another stream after one that ended. The error is final.
func (l *link) recover(err error) error {
	o := &outage{link: l, previous: l.conn.Load()}
	id, patience, _ := o.previous.Resumable()
	o.suspended = id != ""
	if patience == 0 {
		patience = resumeFor
	}
	o.expiry = time.NewTimer(patience)
	defer o.expiry.Stop()
	if time.Since(l.began) >= shortLived {
		l.failures = 0
	}
	for told := false; ; told = true {
		if ending := l.ended(); ending != nil {
			return o.finish(ending, err)
		}
		l.failures++
		wait, again := l.policy.Retry(Failure{Class: classOf(err), Err: err, Attempt: l.failures})
		if !again || errors.Is(err, errNoServer) {
			l.end(err)
			return o.finish(err, err)
		}
		if !told {
			o.tell(err)
		}
		l.log.Debug("stream lost, or not there yet", "peer", l.RemoteAddr(), "attempt", l.failures, "wait", wait, "err", err)
		o.wait(wait)
		conn, failure := l.dialing.redial(l.life, o.previous, err)
		if failure == nil {
			o.regain(conn)
			return nil
		}
		err = failure
	}
}

// tell tells of the loss of the stream.
func (o *outage) tell(err error) {
	if o.suspended {
		o.session.Notify(xmpp.Event{Status: xmpp.Suspended, Err: reason(err)})
		return
	}
	o.abandon(err)
}

// reason is what ended a stream as a program gets to know it.
func reason(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return err
}

// abandon ends the session that was lost with its stream.
func (o *outage) abandon(err error) {
	lost := o.previous.Abandon()
	o.mu.Lock()
	o.suspended, o.offline = false, true
	o.mu.Unlock()
	o.lose(err, lost, false)
}

// lose tells that a session is over.
func (o *outage) lose(err error, lost [][]byte, final bool) {
	o.session.Interrupt(&interrupted{reason(err)})
	o.session.Notify(xmpp.Event{Status: xmpp.Offline, Err: reason(err), Final: final, Lost: parseAll(lost)})
}

// An interrupted error ends what waits for a session that is over. The client goes on.
type interrupted struct{ err error }

func (e *interrupted) Error() string { return "client: the session was lost: " + e.err.Error() }
func (e *interrupted) Unwrap() []error {
	return []error{xmpp.ErrClosed, e.err}
}

// parseAll reads stanzas as they were sent.
func parseAll(all [][]byte) (out []*stanza.Raw) {
	for _, b := range all {
		if raw, err := stanza.Parse(b); err == nil {
			out = append(out, raw)
		}
	}
	return out
}

// wait waits for the next attempt. Meanwhile the time of the session may be over.
func (o *outage) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-o.poked:
			return
		case <-o.life.Done():
			return
		case <-o.expiry.C:
			if o.suspended {
				o.abandon(errExpired)
			}
		}
	}
}

var errExpired = errors.New("client: the session could not be resumed in time")

// regain goes on with another stream.
func (o *outage) regain(conn *stream.Conn) {
	o.mu.Lock()
	resumed := conn.Resumed()
	o.conn.Store(conn)
	presence := o.presence
	if o.renewed {
		presence = nil
	}
	o.offline, o.renewed = false, false
	ending := o.ending
	o.mu.Unlock()
	o.began = time.Now()
	switch {
	case ending != nil:
		conn.Abort() // it came too late
	case resumed:
		o.session.Notify(xmpp.Event{Status: xmpp.Resumed})
	default:
		if o.suspended {
			o.lose(errNotResumed, conn.Lost(), false)
		}
		if presence != nil {
			_ = conn.SendNow(presence, presence.Header()) // if there is no room, the next stream will be soon
		}
		o.session.Notify(xmpp.Event{Status: xmpp.Online})
	}
}

var errNotResumed = errors.New("client: the server could not resume the session")

// finish ends the link, because of ending, after the last stream ended with err, and returns
// what the session ends with.
func (o *outage) finish(ending, err error) error {
	if ending == errSuspended {
		return ending
	}
	lost := o.previous.Abandon()
	o.previous.Discard()
	if ending == errEnded {
		o.session.Notify(xmpp.Event{Status: xmpp.Offline, Final: true, Lost: parseAll(lost)})
		return err
	}
	o.lose(ending, lost, true)
	return err
}

// redial dials again after a stream, or the attempt to get one, has failed. Where the session can be resumed,
// the server may have said where; a server that sent the client elsewhere has too.
func (d *dialing) redial(ctx context.Context, previous *stream.Conn, err error) (*stream.Conn, error) {
	if previous == nil {
		return d.dial(ctx, nil)
	}
	var preferred []target
	if id, _, location := previous.Resumable(); id != "" && location != "" {
		if t, err := parseTarget(location, false); err == nil {
			preferred = append(preferred, t)
		}
	}
	if errors.Is(err, stream.SeeOtherHost) && !is[*dialError](err) { // those it has followed itself
		preferred = append(preferred, slices.Concat(d.redirect(ctx, target{}, err)...)...)
	}
	return d.dial(ctx, previous, preferred...)
}
