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
	return Header{Kind: KindPresence, Type: p.wireType(), ID: p.ID, To: p.To, From: p.From, Lang: p.Lang}
}

// AppendXML implements [Stanza].
func (p Presence) AppendXML(dst []byte) ([]byte, error) {
	w := NewWriter(dst)
	w.opens(KindPresence, p.wireType(), p.ID, &p.To, &p.From)
	w.Lang(p.Lang)
	p.children(w)
	return w.ends(KindPresence)
}

// wireType is the value of the type attribute.
func (p *Presence) wireType() string {
	if p.Error != nil {
		return string(PresenceError)
	}
	return string(p.Type)
}

func (p Presence) appendContent(w *Writer) { p.children(w) }

func (p *Presence) children(w *Writer) {
	if p.Show != ShowOnline {
		w.element("show", string(p.Show))
	}
	p.Status.append(w, "<status", "</status>")
	if p.Priority != 0 {
		w.begin(NS, "priority")
		w.closeTag()
		w.dst = strconv.AppendInt(w.dst, int64(p.Priority), 10)
		w.End()
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
	p := Presence{To: h.To, From: h.From, ID: h.ID, Type: PresenceType(lastingType(h.Type)), Lang: h.Lang}
	in := r.content(&p.ID, &p.Lang)
	if !p.Type.valid() {
		return p, badRequest("presence type %.20q", h.Type)
	}
	rest := r.collecting()
	for i, name := range h.Children {
		if known, err := p.child(in.child(i), name); err != nil {
			return p, err
		} else if !known {
			rest.add(&in, i)
		}
	}
	p.Payloads = rest.payloads
	if p.Type == PresenceError && p.Error == nil {
		p.Error = &Error{Condition: UndefinedCondition}
	}
	return p, nil
}

// child takes in one child of a received presence, if there is a field for it.
func (p *Presence) child(c Element, name xml.Name) (known bool, err error) {
	switch {
	case name.Space != NS:
		return false, nil
	case name.Local == "show":
		p.Show = showOf(c.Text())
	case name.Local == "status":
		p.Status.add(c)
	case name.Local == "priority":
		n, err := strconv.ParseInt(strings.TrimSpace(c.Text()), 10, 8)
		if err != nil {
			return true, badRequest("priority %.20q", c.Text())
		}
		p.Priority = int8(n)
	case name.Local == "error" && p.Type == PresenceError && p.Error == nil:
		p.Error = parseError(c)
	default:
		return false, nil
	}
	return true, nil
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
