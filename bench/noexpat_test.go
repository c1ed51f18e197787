//go:build !expat || !cgo

package bench

import (
	"testing"

	"github.com/parlance-xmpp/xmpp/bench/corpus"
)

// Without the build tag nobody stands for libexpat.
func frameExpat(testing.TB, corpus.Entry) []contestant { return nil }

func expatVersion() string { return "" }
