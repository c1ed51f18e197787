package bench

import (
	"fmt"
	"testing"

	"github.com/parlance-xmpp/xmpp/bench/corpus"
)

// BenchmarkFrame takes the elements of a stream one by one, checks each and
// looks at its header.
func BenchmarkFrame(b *testing.B) {
	for _, e := range corpus.Entries() {
		b.Run(e.Name, func(b *testing.B) {
			for _, c := range append([]contestant{frameOurs(b, e), frameStd(b, e)}, frameExpat(b, e)...) {
				c.run(b, "Frame", e.Name, len(e.XML))
			}
		})
	}
}

// BenchmarkDecode turns the chat message into a struct.
func BenchmarkDecode(b *testing.B) {
	chat := corpus.Chat()
	for _, c := range []contestant{decodeOurs(b, chat), parseOurs(b, chat), decodeStd(b, chat), decodeStdTyped(b, chat)} {
		c.run(b, "Decode", "chat", len(chat))
	}
}

// BenchmarkRoute passes the chat message on.
func BenchmarkRoute(b *testing.B) {
	chat := corpus.Chat()
	routeOurs(b, chat).run(b, "Route", "chat", len(chat))
}

// BenchmarkEncode turns a message into bytes.
func BenchmarkEncode(b *testing.B) {
	for _, payloads := range []int{0, 2, 3} {
		name := fmt.Sprintf("chat+%d", payloads)
		b.Run(name, func(b *testing.B) {
			m := message(payloads)
			out, err := m.AppendXML(nil)
			if err != nil {
				b.Fatal(err)
			}
			for _, c := range []contestant{encodeOurs(b, m), encodeStd(b, payloads)} {
				c.run(b, "Encode", name, len(out))
			}
		})
	}
}

// BenchmarkJID parses addresses, for which encoding/xml has nothing to show.
func BenchmarkJID(b *testing.B) {
	for _, a := range addresses {
		b.Run(a.name, func(b *testing.B) {
			parseJID(b, a.address).run(b, "JID", a.name, len(a.address))
		})
	}
}
