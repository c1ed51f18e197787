package bench

import (
	"encoding/xml"
	"testing"

	"github.com/parlance-xmpp/xmpp/bench/corpus"
	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A loop is a source that gives a header, then the same bytes for ever.
type loop struct{ rest, unit []byte }

func newLoop(unit []byte) *loop { return &loop{[]byte(corpus.Header), unit} }

func (l *loop) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(l.rest) == 0 {
			l.rest = l.unit
		}
		c := copy(p[n:], l.rest)
		l.rest = l.rest[c:]
		n += c
	}
	return n, nil
}

// head is what is looked at in every stanza before anything is decided.
type head struct {
	name     xml.Name
	length   int // of the addresses, id, type and language
	children int
}

// readHeader reads in e what routing needs. The bytes are those of the reader.
func readHeader(e *xmlwire.Element) head {
	h := e.Head
	return head{
		name:     e.Name,
		length:   len(h.To) + len(h.From) + len(h.ID) + len(h.Type) + len(h.Lang),
		children: len(h.Children),
	}
}

// frameOurs frames and checks e with the library's reader and reads the headers.
func frameOurs(tb testing.TB, e corpus.Entry) contestant {
	r := xmlwire.NewReader(newLoop(e.XML), xmlwire.Limits{})
	if _, err := r.Header(); err != nil {
		tb.Fatal(err)
	}
	return contestant{ours, func(n int) {
		for range n * e.Elements {
			element, err := r.Next()
			if err != nil {
				tb.Fatal(err)
			}
			if h := readHeader(element); h.name.Local == "" {
				tb.Fatal("no name")
			}
		}
	}}
}

// frameStd reads all tokens of e with encoding/xml, up to its last end tag.
func frameStd(tb testing.TB, e corpus.Entry) contestant {
	d := xml.NewDecoder(newLoop(e.XML))
	for {
		t, err := d.Token()
		if err != nil {
			tb.Fatal(err)
		}
		if _, ok := t.(xml.StartElement); ok {
			break
		}
	}
	return contestant{encodingXML, func(n int) {
		for done, depth := 0, 0; done < n*e.Elements; {
			t, err := d.Token()
			if err != nil {
				tb.Fatal(err)
			}
			switch t.(type) {
			case xml.StartElement:
				depth++
			case xml.EndElement:
				if depth--; depth == 0 {
					done++
				}
			}
		}
	}}
}

// chatMessage is what decodeStdTyped decodes the message of the corpus into.
type chatMessage struct {
	XMLName xml.Name `xml:"message"`
	From    string   `xml:"from,attr,omitempty"`
	To      string   `xml:"to,attr,omitempty"`
	ID      string   `xml:"id,attr,omitempty"`
	Type    string   `xml:"type,attr,omitempty"`
	Lang    string   `xml:"http://www.w3.org/XML/1998/namespace lang,attr,omitempty"`
	Body    string   `xml:"body"`
	Active  *nothing `xml:"http://jabber.org/protocol/chatstates active"`
	Request *nothing `xml:"urn:xmpp:receipts request"`
	Origin  *origin  `xml:"urn:xmpp:sid:0 origin-id"`
}

type nothing struct{}

type origin struct {
	ID string `xml:"id,attr"`
}

// decodeOurs turns the bytes of a message into the struct that handlers see, the
// way that they take on a stream: framed, checked, addresses parsed, all of it
// copied out of the reader once.
func decodeOurs(tb testing.TB, raw []byte) contestant {
	r := xmlwire.NewReader(newLoop(raw), xmlwire.Limits{})
	if _, err := r.Header(); err != nil {
		tb.Fatal(err)
	}
	addresses := new(jid.Cache)
	parse, lent := addresses.ParseLenient, new(stanza.Raw)
	return contestant{ours, func(n int) {
		for range n {
			e, err := r.Next()
			if err != nil {
				tb.Fatal(err)
			}
			if err := lent.Reset(stanza.Lend(e), parse); err != nil {
				tb.Fatal(err)
			}
			m, err := lent.Message()
			if err != nil || len(m.Payloads) != 3 {
				tb.Fatal(m, err)
			}
		}
	}}
}

// routeOurs takes a message from a stream and writes it as a server does that
// passes it on: as it came, with the sender that the server knows.
func routeOurs(tb testing.TB, raw []byte) contestant {
	r := xmlwire.NewReader(newLoop(raw), xmlwire.Limits{})
	if _, err := r.Header(); err != nil {
		tb.Fatal(err)
	}
	addresses := new(jid.Cache)
	parse, lent := addresses.Parse, new(stanza.Raw)
	sender, out := jid.MustParse("juliet@capulet.example/chamber"), make([]byte, 0, 2*len(raw))
	return contestant{ours, func(n int) {
		for range n {
			e, err := r.Next()
			if err != nil {
				tb.Fatal(err)
			}
			if err := lent.Reset(stanza.Lend(e), parse); err != nil {
				tb.Fatal(err)
			}
			h := lent.Header()
			h.From = sender
			if out, err = stanza.AppendWith(out[:0], lent, h); err != nil {
				tb.Fatal(err)
			}
		}
	}}
}

// parseOurs does it for bytes that come from elsewhere, with no stream around
// them.
func parseOurs(tb testing.TB, raw []byte) contestant {
	return contestant{"ours-alone", func(n int) {
		for range n {
			r, err := stanza.Parse(raw)
			if err != nil {
				tb.Fatal(err)
			}
			m, err := r.Message()
			if err != nil || len(m.Payloads) != 3 {
				tb.Fatal(m, err)
			}
		}
	}}
}

// wholeMessage holds what a stanza.Message does: texts in their languages, and
// whatever else there is as it came. Addresses stay unchecked.
type wholeMessage struct {
	XMLName  xml.Name      `xml:"message"`
	From     string        `xml:"from,attr"`
	To       string        `xml:"to,attr"`
	ID       string        `xml:"id,attr"`
	Type     string        `xml:"type,attr"`
	Lang     string        `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
	Subject  []translation `xml:"subject"`
	Body     []translation `xml:"body"`
	Thread   *thread       `xml:"thread"`
	Payloads []payload     `xml:",any"`
}

type translation struct {
	Lang  string `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
	Value string `xml:",chardata"`
}

type thread struct {
	ID     string `xml:",chardata"`
	Parent string `xml:"parent,attr"`
}

type payload struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Content string     `xml:",innerxml"`
}

// decodeStd does it with encoding/xml.
func decodeStd(tb testing.TB, raw []byte) contestant {
	return contestant{encodingXML, func(n int) {
		for range n {
			var m wholeMessage
			if err := xml.Unmarshal(raw, &m); err != nil || len(m.Payloads) != 3 {
				tb.Fatal(m, err)
			}
		}
	}}
}

// decodeStdTyped does it with encoding/xml for a message of which all is known
// beforehand; anything else in it would be lost.
func decodeStdTyped(tb testing.TB, raw []byte) contestant {
	return contestant{"encodingxml-typed", func(n int) {
		for range n {
			var m chatMessage
			if err := xml.Unmarshal(raw, &m); err != nil || m.Origin == nil {
				tb.Fatal(m, err)
			}
		}
	}}
}

// empty is a payload that says nothing but its name, as chat states and
// receipt requests do.
type empty xml.Name

func (e empty) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(e.Space, e.Local)
	w.End()
	return w.Bytes()
}

// originID is the payload of XEP-0359.
type originID string

func (o originID) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start("urn:xmpp:sid:0", "origin-id")
	w.Attr("id", string(o))
	w.End()
	return w.Bytes()
}

// message is the message of the corpus as a program makes it, with the first so
// many of its three payloads.
func message(payloads int) stanza.Message {
	return stanza.Message{
		From: jid.MustParse("juliet@capulet.example/balcony"),
		To:   jid.MustParse("romeo@montague.example/orchard"),
		ID:   "ktx72v49",
		Type: stanza.MessageChat,
		Lang: "en",
		Body: stanza.Plain("Art thou not Romeo, and a Montague? O gentle Romeo, if thou dost love."),
		Payloads: stanza.Payloads{
			empty{Space: "http://jabber.org/protocol/chatstates", Local: "active"},
			empty{Space: "urn:xmpp:receipts", Local: "request"},
			originID("de305d54-75b4-431b-adb2-eb6b9e54"),
		}[:payloads],
	}
}

// encodeOurs appends a message to a buffer that has room for it.
func encodeOurs(tb testing.TB, m stanza.Message) contestant {
	buf := make([]byte, 0, 1024)
	var s stanza.Stanza = m
	return contestant{ours, func(n int) {
		for range n {
			out, err := s.AppendXML(buf)
			if err != nil || len(out) == 0 {
				tb.Fatal(err)
			}
		}
	}}
}

// encodeStd does it with encoding/xml.
func encodeStd(tb testing.TB, payloads int) contestant {
	var m chatMessage
	if err := xml.Unmarshal(corpus.Chat(), &m); err != nil {
		tb.Fatal(err)
	}
	m.XMLName.Space = ""
	if payloads < 3 {
		m.Origin = nil
	}
	if payloads < 1 {
		m.Active, m.Request = nil, nil
	}
	return contestant{encodingXML, func(n int) {
		for range n {
			out, err := xml.Marshal(&m)
			if err != nil || len(out) == 0 {
				tb.Fatal(err)
			}
		}
	}}
}

// addresses are what jid.Parse is measured on.
var addresses = []struct{ name, address string }{
	{"full", "juliet@capulet.example/balcony"},
	{"bare", "juliet@capulet.example"},
	{"domain", "capulet.example"},
	{"upper", "Juliet@Capulet.example/Balcony"},
	{"unicode", "fußball@straße.example/König"},
}

func parseJID(tb testing.TB, address string) contestant {
	return contestant{ours, func(n int) {
		for range n {
			j, err := jid.Parse(address)
			if err != nil || j.IsZero() {
				tb.Fatal(err)
			}
		}
	}}
}
