package xmltags_test

import (
	"encoding/xml"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

var typical = move{Game: "b7f3", From: "e2", To: "e4", Clock: 297, Comment: "the king's pawn"}

// BenchmarkAppend writes a payload of five fields, beside encoding/xml.
func BenchmarkAppend(b *testing.B) {
	b.Run("xmltags", func(b *testing.B) {
		b.ReportAllocs()
		buf := make([]byte, 0, 512)
		for b.Loop() {
			if _, err := plain.Append(buf, &typical, client); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-xml", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := xml.Marshal(&typical); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkDecode reads it.
func BenchmarkDecode(b *testing.B) {
	raw, err := plain.Append(nil, &typical, client)
	if err != nil {
		b.Fatal(err)
	}
	n := xmlwire.NewNode(raw, client)
	b.Run("xmltags", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var m move
			if err := plain.Decode(n, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-xml-tokens", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var m move
			if err := xml.NewTokenDecoder(n.Tokens()).Decode(&m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-xml", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var m move
			if err := xml.Unmarshal(raw, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestAllocs: writing to a buffer with room allocates nothing, reading little
// more than the strings it fills in.
func TestAllocs(t *testing.T) {
	buf := make([]byte, 0, 512)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, err := plain.Append(buf, &typical, client); err != nil {
			t.Error(err)
		}
	}))
	raw, err := plain.Append(nil, &typical, client)
	require.NoError(t, err)
	n, m := xmlwire.NewNode(raw, client), new(move)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if err := plain.Decode(n, m); err != nil {
			t.Error(err)
		}
	}), 12.0)
}
