// Package entitytime asks entities for their time, and answers when asked (XEP-0202).
//
//	entitytime.Register(mux, time.Now)
//	…
//	t, err := entitytime.Get(ctx, s, jid.MustParse("juliet@capulet.com/balcony"))
//	fmt.Println("it is", t.Format(time.Kitchen), "there")
//
// A zone tells something of where one is (§6). Who does not want to say that registers no clock: the answer is then in
// UTC.
//
// In a server, [Server] is the module that answers for its domains.
package entitytime

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// NS is the namespace, and the feature of answering.
const NS = "urn:xmpp:time"

// A Time is an entity's time, in its zone. The zero Time is the request.
type Time struct{ time.Time }

// The formats of XEP-0082. Fractions end at the millisecond.
const (
	utcFormat  = "2006-01-02T15:04:05.999Z"
	zoneFormat = "Z07:00"
)

// AppendXML implements [stanza.Payload]. It fails when the year has not four digits.
func (t Time) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NS, "time")
	if !t.IsZero() {
		utc := t.UTC()
		if utc.Year() < 0 || utc.Year() > 9999 {
			return dst, errYear
		}
		w.Element("", "tzo", t.Format(zoneFormat))
		w.Element("", "utc", utc.Format(utcFormat))
	}
	w.End()
	return w.Bytes()
}

// PayloadName implements [stanza.Decoder].
func (*Time) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "time"} }

// ParseXML implements [stanza.Decoder]. It fails when only one of the two parts of an answer is there, or
// one makes no sense.
func (t *Time) ParseXML(e stanza.Element) error {
	*t = Time{}
	tzo, utc := e.Child(NS, "tzo").Text(), e.Child(NS, "utc").Text()
	if tzo == "" && utc == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, utc)
	if err != nil {
		return errors.New("entitytime: no valid time")
	}
	zone, err := parseZone(tzo)
	if err != nil {
		return err
	}
	t.Time = at.In(zone)
	return nil
}

// parseZone reads a numeric offset from UTC (XEP-0082 §2.1).
func parseZone(s string) (*time.Location, error) {
	at, err := time.Parse(zoneFormat, s)
	if err != nil {
		return nil, errZone
	}
	_, offset := at.Zone()
	if offset < -maxOffset || offset > maxOffset {
		return nil, errZone
	}
	if offset == 0 {
		return time.UTC, nil
	}
	return time.FixedZone("", offset), nil
}

// maxOffset is the largest offset that XML Schema knows, in seconds.
const maxOffset = 14 * 60 * 60

var (
	errYear  = errors.New("entitytime: a year has four digits")
	errZone  = errors.New("entitytime: no valid zone")
	errEmpty = errors.New("the answer says nothing")
)

// Register answers requests with what now returns, such as [time.Now], to the second, and advertises the feature. Nil
// is the time in UTC.
func Register(mux *muxer.Mux, now func() time.Time) {
	if now == nil {
		now = func() time.Time { return time.Now().UTC() }
	}
	mux.IQ(stanza.IQGet, NS, "time", func(context.Context, *stanza.IQ) (stanza.Payload, error) {
		return Time{now().Truncate(time.Second)}, nil
	})
}

// Get asks the entity at address to for its time, in its zone. It is what that says, and as old as the answer
// took to arrive.
//
// An error answer is a [*stanza.Error]: [stanza.ServiceUnavailable] when it does not say.
func Get(ctx context.Context, s xmpp.Session, to jid.JID) (time.Time, error) {
	var t Time
	result, err := s.Query(ctx, stanza.IQ{Type: stanza.IQGet, To: to, Payload: Time{}})
	if err == nil {
		err = result.Decode(&t)
	}
	if err == nil && t.IsZero() {
		err = errEmpty
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("entitytime: of %s: %w", to, err)
	}
	return t.Time, nil
}

// Server is the server's half: it answers for the domains, as [Register] does.
func Server(now func() time.Time) module.Module {
	return module.Func(func(h module.Host) error {
		Register(h.Domain(), now)
		return nil
	})
}
