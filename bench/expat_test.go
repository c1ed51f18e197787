//go:build expat && cgo

package bench

import (
	"testing"

	"github.com/parlance-xmpp/xmpp/bench/corpus"
	"github.com/parlance-xmpp/xmpp/bench/expat"
)

// frameExpat parses e with libexpat, with namespaces and handlers that count.
func frameExpat(tb testing.TB, e corpus.Entry) []contestant {
	s, err := expat.NewStream([]byte(corpus.Header), e.XML)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return []contestant{{libexpat, func(n int) {
		if err := s.Feed(n); err != nil {
			tb.Fatal(err)
		}
	}}}
}

// expatVersion is what the tables say of it.
func expatVersion() string { return expat.Version() }
