// Package motd is an extension to learn from: a server has a message of the day, tells it to whoever logs in, and when asked.
// docs/extending.md walks through it.
package motd

import (
	"context"
	"encoding/xml"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// NS is the namespace, and the feature.
const NS = "urn:example:motd"

// A Note is the payload of requests, answers and messages: a wire type that both halves use.
type Note struct {
	XMLName xml.Name `xml:"urn:example:motd note"`
	Text    string   `xml:",chardata"`
}

// Get asks a client's own server for its message.
func Get(ctx context.Context, s xmpp.Session) (string, error) {
	answer, err := s.Query(ctx, stanza.IQ{Type: stanza.IQGet, To: s.RemoteAddr(), Payload: stanza.Marshal(Note{})})
	if err != nil {
		return "", err
	}
	var n Note
	return n.Text, answer.Decode(&n)
}

// Register has f told what the client's own server announces, and nobody else.
func Register(mux *muxer.Mux, f func(context.Context, string)) {
	mux.MessagePayload(stanza.MessageHeadline, NS, "note", func(ctx context.Context, m *stanza.Message) error {
		if s := xmpp.SessionFrom(ctx); xmpp.OriginOf(s.LocalAddr(), m.From) == xmpp.FromServer {
			f(ctx, m.Body.String())
		}
		return nil
	})
}

// Server is the server's half.
func Server(text string) module.Module {
	return module.Func(func(h module.Host) error {
		h.Domain().IQ(stanza.IQGet, NS, "note", func(context.Context, *stanza.IQ) (stanza.Payload, error) {
			return stanza.Marshal(Note{Text: text}), nil
		})
		h.Hook(module.Hooks{Opened: func(_ context.Context, s module.Session) {
			s.Send(stanza.Message{From: s.Addr().Domain(), To: s.Addr(), Type: stanza.MessageHeadline, Body: stanza.Plain(text),
				Payloads: stanza.Payloads{stanza.Marshal(Note{})}})
		}})
		return nil
	})
}
