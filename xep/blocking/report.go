package blocking

import (
	"encoding/xml"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// NSReporting is the namespace of reports, and the feature of a server that takes them (XEP-0377).
const NSReporting = "urn:xmpp:reporting:1"

// nsStanzaID is the namespace of the ids by which messages are named (XEP-0359).
const nsStanzaID = "urn:xmpp:sid:0"

// The reasons of XEP-0377 §4; others may be registered.
const (
	ReasonSpam  = "urn:xmpp:reporting:spam"  // sends what nobody wants
	ReasonAbuse = "urn:xmpp:reporting:abuse" // abuse of another sort
)

// A Report says why somebody is blocked (XEP-0377).
type Report struct {
	Reason   string      // such as [ReasonSpam]; required
	Text     stanza.Text // for people; may be empty
	Messages []StanzaID  // those that it is about, as archives name them

	// What else the server may do with the report, beside looking at it itself (§5).
	Forward    bool // pass it on to the domain that the messages come from
	ThirdParty bool // pass it on to others who collect reports
}

// A StanzaID names a message in an archive (XEP-0359).
type StanzaID struct {
	ID string
	By jid.JID // whose archive; not to be believed in a report
}

var errNoReason = errors.New("a report needs a reason")

// AppendXML implements [stanza.Payload]. It fails without a reason, and when a message has no id or no archive.
func (r Report) AppendXML(dst []byte) ([]byte, error) {
	if r.Reason == "" {
		return dst, fmt.Errorf("blocking: %w", errNoReason)
	}
	w := stanza.NewWriter(dst)
	w.Start(NSReporting, "report")
	w.Attr("reason", r.Reason)
	for _, m := range r.Messages {
		if m.ID == "" || m.By.IsZero() {
			return dst, errors.New("blocking: a message in a report needs an id and an archive")
		}
		w.Start(nsStanzaID, "stanza-id")
		w.Attr("by", m.By.String())
		w.Attr("id", m.ID)
		w.End()
	}
	for _, t := range r.Text {
		w.Start(NSReporting, "text")
		w.Lang(t.Lang)
		w.Text(t.Value)
		w.End()
	}
	if r.Forward {
		w.Element(NSReporting, "report-origin", "")
	}
	if r.ThirdParty {
		w.Element(NSReporting, "third-party", "")
	}
	w.End()
	return w.Bytes()
}

// PayloadName implements [stanza.Decoder].
func (*Report) PayloadName() xml.Name { return xml.Name{Space: NSReporting, Local: "report"} }

// ParseXML implements [stanza.Decoder]. It fails without a reason. A message without an id or a valid archive is left out.
func (r *Report) ParseXML(e stanza.Element) error {
	*r = Report{Reason: e.Attr("reason")}
	if r.Reason == "" {
		return badRequest(errNoReason.Error())
	}
	for c := range e.Children() {
		switch {
		case c.Is(nsStanzaID, "stanza-id"):
			m := StanzaID{ID: c.Attr("id")}
			m.By, _ = jid.ParseLenient(c.Attr("by"))
			if m.ID != "" && !m.By.IsZero() {
				r.Messages = append(r.Messages, m)
			}
		case c.Is(NSReporting, "text"):
			r.Text = append(r.Text, stanza.Translation{Lang: c.Lang(), Value: c.Text()})
		case c.Is(NSReporting, "report-origin"):
			r.Forward = true
		case c.Is(NSReporting, "third-party"):
			r.ThirdParty = true
		}
	}
	return nil
}
