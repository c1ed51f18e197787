package stream

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

const (
	nsSASL    = "urn:ietf:params:xml:ns:xmpp-sasl"
	nsBinding = "urn:xmpp:sasl-cb:0" // XEP-0440
)

var mechanismsName = xml.Name{Space: nsSASL, Local: "mechanisms"}

// readData decodes what a SASL element carries: nil if it has no content, empty
// for a single equals sign (RFC 6120 §6.4.2).
func readData(e stanza.Element) ([]byte, error) {
	if !e.First().IsZero() {
		return nil, fmt.Errorf("stream: %w: element with children", sasl.ErrMalformed)
	}
	switch text := e.Text(); {
	case text == "":
		return nil, nil
	case text == "=":
		return []byte{}, nil
	case strings.ContainsAny(text, "\r\n"): // which package base64 would ignore, against §13.9.1
		return nil, errEncoding
	default:
		data, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil {
			return nil, errEncoding
		}
		return data, nil
	}
}

var errEncoding = fmt.Errorf("stream: %w", sasl.ErrIncorrectEncoding)

// readMessage is readData for an element whose lack of content means empty data.
func readMessage(e stanza.Element) ([]byte, error) {
	data, err := readData(e)
	if data == nil && err == nil {
		data = []byte{}
	}
	return data, err
}

// writeData encodes optional data: empty data, other than none, is an equals sign.
func writeData(w *stanza.Writer, data []byte) {
	if data != nil && len(data) == 0 {
		w.Text("=")
		return
	}
	w.Text(base64.StdEncoding.EncodeToString(data))
}

// writeMessage writes a challenge or response.
func writeMessage(w *stanza.Writer, local string, data []byte) {
	w.Element(nsSASL, local, base64.StdEncoding.EncodeToString(data))
}

// writeOffer writes the mechanisms, and the channel bindings for them (XEP-0440).
func writeOffer(w *stanza.Writer, o sasl.Offer) {
	if len(o.Mechanisms) == 0 {
		return
	}
	w.Start(nsSASL, "mechanisms")
	for _, m := range o.Mechanisms {
		w.Element("", "mechanism", m)
	}
	w.End()
	writeBindings(w, o)
}

// writeBindings writes the channel bindings, if there are any.
func writeBindings(w *stanza.Writer, o sasl.Offer) {
	if len(o.Bindings) == 0 {
		return
	}
	w.Start(nsBinding, "sasl-channel-binding")
	for _, b := range o.Bindings {
		w.Start("", "channel-binding")
		w.Attr("type", b)
		w.End()
	}
	w.End()
}

// readOffer reads them from the features.
func readOffer(features stanza.Element) (o sasl.Offer) {
	for m := range features.Child(nsSASL, "mechanisms").Children() {
		if m.Is(nsSASL, "mechanism") {
			o.Mechanisms = append(o.Mechanisms, strings.TrimSpace(m.Text()))
		}
	}
	for b := range features.Child(nsBinding, "sasl-channel-binding").Children() {
		if b.Is(nsBinding, "channel-binding") {
			o.Bindings = append(o.Bindings, b.Attr("type"))
		}
	}
	return o
}

// encoded is base64 for a message, whose empty data is no content.
func encoded(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
