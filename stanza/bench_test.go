package stanza_test

import (
	"encoding/xml"
	"testing"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// named is a payload that says nothing but its name.
type named xml.Name

func (n named) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(n.Space, n.Local)
	w.End()
	return w.Bytes()
}

var (
	active  stanza.Payload = named{Space: "http://jabber.org/protocol/chatstates", Local: "active"}
	receipt stanza.Payload = named{Space: "urn:xmpp:receipts", Local: "request"}
)

const (
	english  = "Art thou not Romeo, and a Montague? O gentle Romeo, if thou dost love."
	russian  = "Ты не Ромео ли, не Монтекки ли ты? О милый Ромео, если ты любишь меня."
	chinese  = "你不是羅密歐，不是蒙太古家的人嗎？溫柔的羅密歐啊，你要是真的愛我，就忠誠地說出來。"
	emoji    = "🎈🎉 see you at the ball tonight 🎭💃🕺 bring your own mask 😷"
	markup   = `if a < b && b > "c" then say 'hello' & <wave/> else <p>nothing</p> fi`
	aLetters = "Art thou not Romeo, and a Montague?\nO gentle Romeo, if thou dost love,\n"
)

func chatMessage(body string, payloads ...stanza.Payload) stanza.Message {
	return stanza.Message{
		To: jid.MustParse("romeo@montague.example/orchard"), From: jid.MustParse("juliet@capulet.example/balcony"),
		ID: "ktx72v49-3", Type: stanza.MessageChat, Lang: "en", Body: stanza.Plain(body), Payloads: payloads,
	}
}

// The same in the manner of encoding/xml.
type (
	stdMessage struct {
		XMLName xml.Name `xml:"message"`
		Type    string   `xml:"type,attr,omitempty"`
		ID      string   `xml:"id,attr,omitempty"`
		To      string   `xml:"to,attr,omitempty"`
		From    string   `xml:"from,attr,omitempty"`
		Lang    string   `xml:"http://www.w3.org/XML/1998/namespace lang,attr,omitempty"`
		Body    string   `xml:"body,omitempty"`
		Active  *stdNone `xml:"http://jabber.org/protocol/chatstates active"`
		Request *stdNone `xml:"urn:xmpp:receipts request"`
	}
	stdPresence struct {
		XMLName  xml.Name `xml:"presence"`
		From     string   `xml:"from,attr,omitempty"`
		Show     string   `xml:"show,omitempty"`
		Status   string   `xml:"status,omitempty"`
		Priority int      `xml:"priority,omitempty"`
		Caps     stdNone  `xml:"http://jabber.org/protocol/caps c"`
	}
	stdIQ struct {
		XMLName xml.Name `xml:"iq"`
		Type    string   `xml:"type,attr"`
		ID      string   `xml:"id,attr"`
		To      string   `xml:"to,attr,omitempty"`
		Ping    stdNone  `xml:"urn:xmpp:ping ping"`
	}
	stdError struct {
		XMLName   xml.Name `xml:"error"`
		Type      string   `xml:"type,attr"`
		By        string   `xml:"by,attr,omitempty"`
		Condition stdNone  `xml:"urn:ietf:params:xml:ns:xmpp-stanzas item-not-found"`
		Text      string   `xml:"urn:ietf:params:xml:ns:xmpp-stanzas text,omitempty"`
	}
	stdNone struct{}
)

func stdChat(body string) *stdMessage {
	return &stdMessage{Type: "chat", ID: "ktx72v49-3", To: "romeo@montague.example/orchard", From: "juliet@capulet.example/balcony",
		Lang: "en", Body: body, Active: &stdNone{}, Request: &stdNone{}}
}

// encodings are what the benchmarks and the test of allocations write, and the same for
// encoding/xml.
var encodings = []struct {
	name string
	p    stanza.Payload
	std  any
}{
	{"chat", chatMessage(english, active, receipt), stdChat(english)},
	{"chat without payloads", chatMessage(english), &stdMessage{Type: "chat", ID: "ktx72v49-3", To: "romeo@montague.example/orchard",
		From: "juliet@capulet.example/balcony", Lang: "en", Body: english}},
	{"lines", chatMessage(aLetters, active, receipt), stdChat(aLetters)},
	{"russian", chatMessage(russian, active, receipt), stdChat(russian)},
	{"chinese", chatMessage(chinese, active, receipt), stdChat(chinese)},
	{"emoji", chatMessage(emoji, active, receipt), stdChat(emoji)},
	{"markup", chatMessage(markup, active, receipt), stdChat(markup)},
	{"presence", stanza.Presence{From: jid.MustParse("juliet@capulet.example/balcony"), Show: stanza.ShowAway, Status: stanza.Plain("at the ball"),
		Priority: 5, Payloads: stanza.Payloads{named{Space: "http://jabber.org/protocol/caps", Local: "c"}}},
		&stdPresence{From: "juliet@capulet.example/balcony", Show: "away", Status: "at the ball", Priority: 5}},
	{"iq", stanza.IQ{Type: stanza.IQGet, ID: "ktx72v49-4", To: jid.MustParse("capulet.example"), Payload: named{Space: "urn:xmpp:ping", Local: "ping"}},
		&stdIQ{Type: "get", ID: "ktx72v49-4", To: "capulet.example"}},
	{"error", &stanza.Error{Condition: stanza.ItemNotFound, Text: "there is no such room", By: jid.MustParse("chat.example")},
		&stdError{Type: "cancel", By: "chat.example", Text: "there is no such room"}},
}

func BenchmarkAppend(b *testing.B) {
	for _, bm := range encodings {
		b.Run(bm.name, func(b *testing.B) {
			buf := make([]byte, 0, 4096)
			out, err := bm.p.AppendXML(buf)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(out)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := bm.p.AppendXML(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("forwarded", func(b *testing.B) {
		raw, h := forwarded(b)
		buf := make([]byte, 0, 4096)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := stanza.AppendWith(buf, raw, h); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// forwarded is a message that a server sends on, with the sender it knows.
func forwarded(tb testing.TB) (*stanza.Raw, stanza.Header) {
	tb.Helper()
	in, err := chatMessage(english, active, receipt).AppendXML(nil)
	if err != nil {
		tb.Fatal(err)
	}
	raw, err := stanza.Parse(in)
	if err != nil {
		tb.Fatal(err)
	}
	h := raw.Header()
	h.From = romeo
	return raw, h
}

// BenchmarkAppendStd is what encoding/xml takes for the same.
func BenchmarkAppendStd(b *testing.B) {
	for _, bm := range encodings {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := xml.Marshal(bm.std); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
