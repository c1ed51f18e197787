package stanza_test

import (
	"context"
	"encoding/xml"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// table is a session with the opponent at the other side of it: what is sent
// arrives at the mux, on the spot.
type table struct{ mux *muxer.Mux }

func (t table) LocalAddr() jid.JID                         { return jid.MustParse("juliet@example.com/board") }
func (t table) RemoteAddr() jid.JID                        { return jid.MustParse("example.com") }
func (t table) Claim(func(stanza.Header) bool) *xmpp.Claim { return nil }

func (t table) Send(ctx context.Context, s stanza.Stanza) (xmpp.Receipt, error) {
	_, err := t.deliver(ctx, s)
	return xmpp.Receipt{}, err
}

func (t table) Query(ctx context.Context, iq stanza.IQ) (stanza.IQ, error) {
	iq.ID = "1"
	answer, err := t.deliver(ctx, iq)
	if condition, ok := errors.AsType[stanza.Condition](err); ok {
		return stanza.IQ{}, &stanza.Error{Condition: condition}
	}
	return iq.Result(answer), err
}

func (t table) deliver(ctx context.Context, s stanza.Stanza) (stanza.Payload, error) {
	switch st := s.(type) {
	case stanza.Message:
		st.From = t.LocalAddr()
		s = st
	case stanza.IQ:
		st.From = t.LocalAddr()
		s = st
	}
	b, err := s.AppendXML(nil)
	if err != nil {
		return nil, err
	}
	raw, err := stanza.Parse(b)
	if err != nil {
		return nil, err
	}
	return t.mux.HandleStanza(ctx, raw)
}

// TestGuide: the code in docs/payloads.md is that of the examples, which are
// compiled and run.
func TestGuide(t *testing.T) {
	guide, err := os.ReadFile("../docs/payloads.md")
	require.NoError(t, err)
	examples, err := os.ReadFile("example_payload_test.go")
	require.NoError(t, err)
	code := string(examples) + strings.ReplaceAll(string(examples), "\n\t", "\n") // with and without the indent of a function
	blocks := strings.Split(string(guide), "```go\n")[1:]
	require.Greater(t, len(blocks), 5)
	for _, block := range blocks {
		block, _, ok := strings.Cut(block, "```")
		require.True(t, ok, "a block without its end")
		require.Contains(t, code, block)
	}
}

// TestTaggedMove_RoundTrip: a type with both tags and methods is the same as one of either.
func TestTaggedMove_RoundTrip(t *testing.T) {
	want := TaggedMove{Game: "7", From: "e2", To: "e4", Clock: 297, Comment: "1 < 2"}
	byTags, err := stanza.ElementOf(stanza.Marshal(want))
	require.NoError(t, err)
	byMethod, err := stanza.ElementOf(&want)
	require.NoError(t, err)
	require.Equal(t, byTags.String(), byMethod.String())
	var got TaggedMove
	require.NoError(t, byMethod.Decode(&got))
	want.XMLName = got.PayloadName()
	require.Equal(t, want, got)
}

// BenchmarkPayload is what the three ways of docs/payloads.md cost, beside
// encoding/xml: to write a payload of five fields to a buffer, and to read it.
func BenchmarkPayload(b *testing.B) {
	type fields TaggedMove // the tags alone
	var (
		move   = Move{Game: "7", From: "e2", To: "e4", Clock: 297, Comment: "the king's pawn"}
		tagged = fields{Game: "7", From: "e2", To: "e4", Clock: 297, Comment: "the king's pawn"}
		stream = StreamMove(move)
	)
	e, err := stanza.ElementOf(move)
	require.NoError(b, err)
	raw := []byte(e.String())
	for _, bb := range []struct {
		name string
		do   func(buf []byte) error
	}{
		{"write/by-hand", func(buf []byte) error { _, err := move.AppendXML(buf); return err }},
		{"write/tags", func(buf []byte) error { _, err := stanza.Marshal(&tagged).AppendXML(buf); return err }},
		{"write/xmlstream", func(buf []byte) error { _, err := stanza.FromMarshaler(stream).AppendXML(buf); return err }},
		{"write/encoding-xml", func([]byte) error { _, err := xml.Marshal(&tagged); return err }},
		{"read/by-hand", func([]byte) error { var m Move; return e.Decode(&m) }},
		{"read/tags", func([]byte) error { var m fields; return e.Decode(&m) }},
		{"read/xmlstream", func([]byte) error { var m StreamMove; return xml.NewTokenDecoder(e.TokenReader()).Decode(&m) }},
		{"read/encoding-xml", func([]byte) error { var m fields; return xml.Unmarshal(raw, &m) }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			buf := make([]byte, 0, 1024)
			b.ReportAllocs()
			for b.Loop() {
				if err := bb.do(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
