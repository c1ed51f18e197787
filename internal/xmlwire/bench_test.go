package xmlwire

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"
)

// chatMessage is a message of 380 bytes as clients send them.
const chatMessage = `<message from='juliet@capulet.example/balcony' to='romeo@montague.example/orchard' id='ktx72v49' type='chat' xml:lang='en'>` +
	`<body>Art thou not Romeo, and a Montague? O gentle Romeo, if thou dost love.</body>` +
	`<active xmlns='http://jabber.org/protocol/chatstates'/>` +
	`<request xmlns='urn:xmpp:receipts'/>` +
	`<origin-id xmlns='urn:xmpp:sid:0' id='de305d54-75b4-431b-adb2-eb6b9e54'/></message>`

// loop gives a header, then the same element for ever.
type loop struct {
	s    string
	unit string
}

func (l *loop) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if l.s == "" {
			l.s = l.unit
		}
		c := copy(p[n:], l.s)
		l.s = l.s[c:]
		n += c
	}
	return n, nil
}

func BenchmarkNext(b *testing.B) {
	for _, bm := range []struct{ name, unit string }{
		{"chat", chatMessage},
		{"ping", `<iq to='example.com' id='a1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>`},
		{"rewritten", `<x:message xmlns:x='jabber:client' to='romeo@montague.example'><x:body><![CDATA[Art thou <not> Romeo?]]></x:body></x:message>`},
		{"text", `<message><body>` + strings.Repeat("Art thou not Romeo, and a Montague? ", 1000) + `</body></message>`},
		{"unicode", `<message><body>` + strings.Repeat("Неужто ты Ромео? ", 200) + `</body></message>`},
	} {
		b.Run(bm.name, func(b *testing.B) {
			r := NewReader(&loop{opening, bm.unit}, Limits{})
			if _, err := r.Header(); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(bm.unit)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNextStd is what encoding/xml takes to look at the same message.
func BenchmarkNextStd(b *testing.B) {
	d := xml.NewDecoder(&loop{opening, chatMessage})
	for range 2 {
		if _, err := d.Token(); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(chatMessage)))
	b.ReportAllocs()
	for b.Loop() {
		for depth := 0; ; {
			t, err := d.Token()
			if err != nil {
				b.Fatal(err)
			}
			if _, ok := t.(xml.StartElement); ok {
				depth++
			} else if _, ok := t.(xml.EndElement); ok {
				if depth--; depth == 0 {
					break
				}
			}
		}
	}
}

// BenchmarkWorst reads elements made to be slow: the rate must not fall with
// their size, nor far below that of others.
func BenchmarkWorst(b *testing.B) {
	decl := func(n int) (s string) {
		for i := range n {
			s += fmt.Sprintf(" xmlns:p%02d='u%d'", i, i)
		}
		return s
	}
	attrs := func(n int, format string) (s string) {
		for i := range n {
			s += fmt.Sprintf(format, i)
		}
		return s
	}
	for _, bm := range []struct{ name, in string }{
		{"elements", "<a>" + strings.Repeat("<b/>", 9000) + "</a>"},
		{"prefixes", "<a" + decl(60) + ">" + strings.Repeat("<p00:b/>", 9000) + "</a>"},
		{"prefixed attributes", "<a" + decl(60) + ">" + strings.Repeat("<b"+attrs(60, " p%02d:c=''")+"/>", 250) + "</a>"},
		{"attributes", "<a>" + strings.Repeat("<b"+attrs(64, " c%02d=''")+"/>", 400) + "</a>"},
		{"declarations", "<a>" + strings.Repeat("<p:b xmlns:p='urn:example:long-long-long'/>", 4000) + "</a>"},
		{"references", "<a>" + strings.Repeat("&#65;", 50000) + "</a>"},
		{"cdata", "<a>" + strings.Repeat("<![CDATA[]]>", 20000) + "</a>"},
		{"brackets", "<a>" + strings.Repeat("]", 250000) + "</a>"},
		{"nested", strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.SetBytes(int64(len(bm.in)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse([]byte(bm.in), "", Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("byte by byte", func(b *testing.B) {
		in := opening + "<a>" + strings.Repeat("x", defaultBytes-7) + "</a>"
		b.SetBytes(int64(len(in)))
		for b.Loop() {
			if got := readAll(&chopped{in, 1}, Limits{}); len(got.elements) != 1 || got.err != io.ErrUnexpectedEOF {
				b.Fatal(got.err)
			}
		}
	})
}

func BenchmarkAppendTokens(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := AppendTokens(nil, NewNode([]byte(chatMessage), "jabber:client").Tokens(), "jabber:client"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNode(b *testing.B) {
	n := NewNode([]byte(chatMessage), "jabber:client")
	b.ReportAllocs()
	for b.Loop() {
		if to, ok := n.Attr("", "to"); !ok || to == "" {
			b.Fatal(to)
		}
		for child := range n.Children() {
			if child.Is("jabber:client", "body") && child.Text() == "" {
				b.Fatal("no body")
			}
		}
	}
}

func BenchmarkAppendAttr(b *testing.B) {
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = AppendAttr(dst[:0], "to", "romeo@montague.example/orchard"); err != nil {
			b.Fatal(err)
		}
	}
}

// A message that is only read costs nothing.
func TestAllocs(t *testing.T) {
	if poison {
		t.Skip("with -race, pools forget on purpose; without it this is measured")
	}
	r := NewReader(&loop{opening, chatMessage}, Limits{})
	if _, err := r.Header(); err != nil {
		t.Fatal(err)
	}
	next := func() {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	next()
	if got := testing.AllocsPerRun(1000, next); got > 0 {
		t.Errorf("Next: %v allocations, want 0", got)
	}
	n := NewNode([]byte(chatMessage), "jabber:client")
	if got := testing.AllocsPerRun(1000, func() {
		for child := range n.Children() {
			if child.Is("jabber:client", "body") {
				child.Content()
			}
		}
	}); got > 0 {
		t.Errorf("Children and Is: %v allocations, want 0", got)
	}
	var dst []byte
	if got := testing.AllocsPerRun(1000, func() {
		dst, _ = AppendAttr(dst[:0], "to", "romeo@montague.example/<'orchard'>")
		dst, _ = AppendText(dst, "Art thou not Romeo & a Montague?")
	}); got > 0 {
		t.Errorf("AppendAttr and AppendText: %v allocations, want 0", got)
	}
}

func BenchmarkAppendText(b *testing.B) {
	for _, bm := range []struct{ name, text string }{
		{"empty", ""},
		{"short", "chat"},
		{"ascii", "Art thou not Romeo, and a Montague? O gentle Romeo, if thou dost love."},
		{"long", strings.Repeat("Art thou not Romeo, and a Montague? ", 100)},
		{"lines", strings.Repeat("Art thou not Romeo, and a Montague?\n", 100)},
		{"markup", strings.Repeat("if a < b && b > c then 'd' ", 10)},
		{"cyrillic", strings.Repeat("Неужто ты Ромео? ", 10)},
		{"chinese", strings.Repeat("你不是羅密歐，不是蒙太古家的人嗎？", 10)},
		{"emoji", strings.Repeat("🎈🎉 see you at the ball 🎭 ", 10)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			dst := make([]byte, 0, 2*len(bm.text))
			b.SetBytes(int64(len(bm.text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := AppendText(dst, bm.text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
