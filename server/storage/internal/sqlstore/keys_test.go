package sqlstore

import (
	"cmp"
	"strings"
	"testing"

	"github.com/parlance-xmpp/xmpp/jid"
)

func (k key) compare(o key) int {
	return cmp.Or(strings.Compare(k.head, o.head), strings.Compare(k.tail, o.tail))
}

// Keys have the order of what they are made of, are the same only for the same, and fit into an index.
func FuzzKeys(f *testing.F) {
	long := strings.Repeat("a", headRunes-1)
	for _, pair := range [][2]string{
		{"a@b.example", "b.example/a"}, {"a@b.example/c", "a-b@b.example"}, {"b.example", "a@b.example"}, {"", "a"},
		{"b.example/" + long + "a", "b.example/" + long + "\u00e9"}, {long + "\u00e9", long + "x"}, {long + "ab", long + "ac"},
		{long + "\U0001F389", long + "\uffee"}, {"b.example/\U0001F389", "b.example/\uffee"},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		a, b = strings.ToValidUTF8(a, ""), strings.ToValidUTF8(b, "")
		check(t, a, b, keyOf(a), keyOf(b), strings.Compare(a, b))
		j, err := jid.ParseLenient(a)
		k, err2 := jid.ParseLenient(b)
		if err == nil && err2 == nil {
			check(t, a, b, addressKey(j), addressKey(k), j.Compare(k))
			check(t, a, "", addressKey(j), addressKey(jid.JID{}), 1)
		}
	})
}

func check(t *testing.T, a, b string, ka, kb key, want int) {
	t.Helper()
	if got := ka.compare(kb); got != want {
		t.Errorf("the keys of %q and %q compare as %d, want %d", a, b, got, want)
	}
	if same := ka.head == kb.head && ka.sum == kb.sum; same != (want == 0) {
		t.Errorf("the keys of %q and %q are the same: %v", a, b, same)
	}
	if len(ka.head) > 4*headRunes {
		t.Errorf("the head of %q has %d bytes", a, len(ka.head))
	}
}
