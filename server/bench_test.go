package server

import (
	"io"
	"log/slog"
	"runtime"
	"testing"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// chatMessage is what chat programs send: about 300 bytes.
const chatMessage = "<message xml:lang='en' id='5f2c1d9e-8f6b-4d0e-9f43-1c0a5f0f3a77' type='chat' to='juliet@capulet.example/balcony'><body>Art thou not Romeo, and a Montague? Neither, fair saint, if either thee dislike.</body><active xmlns='http://jabber.org/protocol/chatstates'/><origin-id xmlns='urn:xmpp:sid:0' id='5f2c1d9e'/></message>"

// One message from one session to another, from the parsed element to the
// transport of the recipient.
func BenchmarkRoute(b *testing.B) {
	for name, to := range map[string]string{"full": "juliet@capulet.example/balcony", "bare": "juliet@capulet.example"} {
		b.Run(name, func(b *testing.B) {
			romeo, juliet := benchSessions(b)
			e, err := stanza.ParseElement([]byte(chatMessage))
			if err != nil {
				b.Fatal(err)
			}
			raw, err := stanza.NewRaw(e, jid.Parse)
			if err != nil {
				b.Fatal(err)
			}
			h := raw.Header()
			h.From, h.To = romeo.addr, jid.MustParse(to)
			b.ReportAllocs()
			b.SetBytes(int64(raw.Len()))
			sent := 0
			for b.Loop() {
				romeo.srv.routeMessage(b.Context(), romeo, raw, h)
				if sent++; sent%1000 == 0 {
					if err := juliet.conn.Load().Flush(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// Local delivery allocates little: the lookup nothing, the copy for the recipient what it takes to write it.
func TestRoute_Allocations(t *testing.T) {
	romeo, juliet := benchSessions(t)
	raw, err := stanza.Parse([]byte(chatMessage))
	if err != nil {
		t.Fatal(err)
	}
	h := raw.Header()
	h.From = romeo.addr
	for name, to := range map[string]jid.JID{"full": juliet.addr, "bare": juliet.addr.Bare()} {
		h.To = to
		got := testing.AllocsPerRun(200, func() {
			romeo.srv.routeMessage(t.Context(), romeo, raw, h)
			if err := juliet.conn.Load().Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
		if got > 12 { // what remains is the writer's and that of Flush
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

// benchSessions returns two available sessions whose clients read without looking.
func benchSessions(tb testing.TB) (romeo, juliet *session) {
	tb.Helper()
	h := newHouse(tb, []string{"romeo", "juliet"}, func(o *Options) { o.Logger = slog.New(slog.DiscardHandler) })
	var both []*session
	for _, who := range []string{"romeo", "juliet"} {
		c := h.deaf(who, "balcony")
		go io.Copy(io.Discard, c.nc)
		c.send("<presence/>", "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>")
		for t := (*session)(nil); t == nil || t.announced() == nil; {
			t = h.srv.directory.online(c.addr.Bare()).find(c.addr)
			runtime.Gosched()
		}
		both = append(both, h.srv.directory.online(c.addr.Bare()).find(c.addr))
	}
	return both[0], both[1]
}
