package stanza

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"mellium.im/xmlstream"

	"github.com/parlance-xmpp/xmpp/jid"
)

// A PresenceType says what a presence is about (RFC 6121 §4.7.1).
type PresenceType string

// The types of presence.
const (
	PresenceAvailable    PresenceType = ""             // the sender is online
	PresenceUnavailable  PresenceType = "unavailable"  // no longer
	PresenceSubscribe    PresenceType = "subscribe"    // asks to see the recipient's presence
	PresenceSubscribed   PresenceType = "subscribed"   // allows it
	PresenceUnsubscribe  PresenceType = "unsubscribe"  // wants to see it no longer
	PresenceUnsubscribed PresenceType = "unsubscribed" // refuses or withdraws it
	PresenceProbe        PresenceType = "probe"        // a server asks for the current presence
	PresenceError        PresenceType = "error"        // an earlier presence came back
)

// A Show narrows down what available means (RFC 6121 §4.7.2.1).
type Show string

// The values of show. An absent or unknown one is [ShowOnline].
const (
	ShowOnline Show = ""
	ShowChat   Show = "chat" // eager to talk
	ShowAway   Show = "away" // for a short while
	ShowXA     Show = "xa"   // for longer
	ShowDND    Show = "dnd"  // do not disturb
)

// A Presence tells that and how an entity can be reached, or manages who may
// know it (RFC 6121 §3, §4).
type Presence struct {
	To, From jid.JID
	ID       string
	Type     PresenceType
	Lang     string

	Show     Show
	Status   Text
	Priority int8   // which resource gets messages to the bare JID; negative: none (RFC 6121 §4.7.2.3)
	Error    *Error // set exactly when Type is PresenceError

	Payloads Payloads
}

// Header implements [Stanza].
func (p Presence) Header() Header {
	t := string(p.Type)
	if p.Error != nil {
		t = string(PresenceError)
	}
	return Header{Kind: KindPresence, Type: t, ID: p.ID, To: p.To, From: p.From, Lang: p.Lang}
}

// AppendXML implements [Stanza].
func (p Presence) AppendXML(dst []byte) ([]byte, error) { return AppendWith(dst, p, p.Header()) }

func (p Presence) appendContent(w *Writer) {
	if p.Show != ShowOnline {
		w.Element(NS, "show", string(p.Show))
	}
	p.Status.append(w, "status")
	if p.Priority != 0 {
		w.Element(NS, "priority", strconv.Itoa(int(p.Priority)))
	}
	appendRest(w, p.Payloads, p.Error)
}

// TokenReader yields the presence as tokens (mellium.im/xmlstream.Marshaler).
func (p Presence) TokenReader() xml.TokenReader { return tokensOf(p) }

// WriteXML writes the presence's tokens to w (mellium.im/xmlstream.WriterTo).
func (p Presence) WriteXML(w xmlstream.TokenWriter) (int, error) {
	return xmlstream.Copy(w, p.TokenReader())
}

// Presence decodes a presence. It fails when r is of another kind, has a type that RFC 6121
// §4.7.1 does not define, or a priority that is no number from −128 to 127.
// The error is then a bad-request.
func (r *Raw) Presence() (Presence, error) {
	if err := r.want(KindPresence); err != nil {
		return Presence{}, err
	}
	h := &r.header
	p := Presence{To: h.To, From: h.From, ID: h.ID, Type: PresenceType(h.Type), Lang: h.Lang}
	if !p.Type.valid() {
		return p, badRequest("presence type %.20q", h.Type)
	}
	for c := range r.element.Children() {
		if err := p.child(c); err != nil {
			return p, err
		}
	}
	if p.Type == PresenceError && p.Error == nil {
		p.Error = &Error{Condition: UndefinedCondition}
	}
	return p, nil
}

// child takes in one child of a received presence.
func (p *Presence) child(c Element) error {
	name := c.Name()
	switch {
	case name.Space != NS:
		p.Payloads = append(p.Payloads, c)
	case name.Local == "show":
		p.Show = showOf(c.Text())
	case name.Local == "status":
		p.Status.add(c)
	case name.Local == "priority":
		n, err := strconv.ParseInt(strings.TrimSpace(c.Text()), 10, 8)
		if err != nil {
			return badRequest("priority %.20q", c.Text())
		}
		p.Priority = int8(n)
	case name.Local == "error" && p.Type == PresenceError && p.Error == nil:
		p.Error = parseError(c)
	default:
		p.Payloads = append(p.Payloads, c)
	}
	return nil
}

func (t PresenceType) valid() bool {
	switch t {
	case PresenceAvailable, PresenceUnavailable, PresenceSubscribe, PresenceSubscribed,
		PresenceUnsubscribe, PresenceUnsubscribed, PresenceProbe, PresenceError:
		return true
	}
	return false
}

func showOf(s string) Show {
	switch show := Show(strings.TrimSpace(s)); show {
	case ShowChat, ShowAway, ShowXA, ShowDND:
		return show
	}
	return ShowOnline
}

func badRequest(format string, args ...any) *Error {
	return &Error{Condition: BadRequest, Text: fmt.Sprintf(format, args...), Lang: "en"}
}
