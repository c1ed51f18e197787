// Package last tells how long it is since an entity was last active (XEP-0012), which means three things: of an account,
// since its owner was last online; of one of its clients, since somebody touched that; of a server, since it was started.
//
//	a, err := last.Get(ctx, s, jid.MustParse("juliet@capulet.com"))
//	fmt.Println("was online", a.Ago, "ago:", a.Status)
//
// [Register] has a client answer; [Server] is the module that answers for domains and for accounts.
package last

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// NS is the namespace, and the feature of answering.
const NS = "jabber:iq:last"

// An Activity is an answer.
type Activity struct {
	Ago    time.Duration // written in whole seconds
	Status string        // of an account, what its owner said when leaving; usually empty
}

// AppendXML implements [stanza.Payload]. It fails when Ago is in the future.
func (a Activity) AppendXML(dst []byte) ([]byte, error) {
	if a.Ago < 0 {
		return dst, errors.New("last: an activity in the future")
	}
	w := stanza.NewWriter(dst)
	w.Start(NS, "query")
	w.Attr("seconds", strconv.FormatInt(int64(a.Ago/time.Second), 10))
	w.Text(a.Status)
	w.End()
	return w.Bytes()
}

// PayloadName implements [stanza.Decoder].
func (*Activity) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "query"} }

// ParseXML implements [stanza.Decoder]. It fails without a number of seconds that makes sense.
func (a *Activity) ParseXML(e stanza.Element) error {
	n, err := strconv.ParseUint(e.Attr("seconds"), 10, 64)
	if err != nil || n > math.MaxInt64/uint64(time.Second) {
		return errors.New("last: no valid number of seconds")
	}
	*a = Activity{Ago: time.Duration(n) * time.Second, Status: e.Text()}
	return nil
}

// A query is the payload of a request.
type query struct{}

// AppendXML implements [stanza.Payload].
func (query) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NS, "query")
	w.End()
	return w.Bytes()
}

// Get asks the entity at address to. What it means depends on the address: see the package comment.
//
// An error answer is a [*stanza.Error]: [stanza.ServiceUnavailable] or [stanza.Forbidden] when we may not know,
// [stanza.ItemNotFound] when the server does not know either.
func Get(ctx context.Context, s xmpp.Session, to jid.JID) (Activity, error) {
	var a Activity
	result, err := s.Query(ctx, stanza.IQ{Type: stanza.IQGet, To: to, Payload: query{}})
	if err == nil {
		err = result.Decode(&a)
	}
	if err != nil {
		return Activity{}, fmt.Errorf("last: activity of %s: %w", to, err)
	}
	return a, nil
}

// Register has a client answer, and advertises the feature. f returns how long its user has been idle, false for those
// who are not to know: they are answered [stanza.ServiceUnavailable]. A program must give its user a way to tell nobody (§8).
//
// Only who sees the user's presence by a subscription may know. Servers hold back the requests of most others; but
// the people of a room that the user has joined ask through the room, so f looks at who asks:
//
//	func(ctx context.Context, from jid.JID) (time.Duration, bool) {
//		item, _ := contacts.Lookup(from.Bare()) // a roster.List
//		return idle(), shared && item.Subscription.From()
//	}
func Register(mux *muxer.Mux, f func(ctx context.Context, from jid.JID) (time.Duration, bool)) {
	mux.IQ(stanza.IQGet, NS, "query", func(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
		idle, told := f(ctx, iq.From)
		if !told {
			return nil, stanza.ServiceUnavailable
		}
		return Activity{Ago: max(idle, 0)}, nil
	})
}
