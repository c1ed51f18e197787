package xmlwire

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// plainIndexText and plainIndexValue look at one byte at a time.
func plainIndexText(s []byte, from int) int {
	for ; from < len(s); from++ {
		c := s[from]
		if c >= utf8.RuneSelf || c < ' ' && c != '\t' && c != '\n' || strings.IndexByte("<>&", c) >= 0 {
			break
		}
	}
	return from
}

func plainIndexValue(s []byte, from int) int {
	for ; from < len(s); from++ {
		if c := s[from]; c >= utf8.RuneSelf || c < ' ' || strings.IndexByte("<>&'\"", c) >= 0 {
			break
		}
	}
	return from
}

func checkIndex(t *testing.T, s []byte, from int) {
	t.Helper()
	want := plainIndexText(s, from)
	if b, str := indexSpecialText(s, from), indexSpecialText(bytesOf(string(s)), from); b != want || str != want {
		t.Fatalf("indexSpecialText(%q, %d) = %d, of a string %d, want %d", s, from, b, str, want)
	}
	want = plainIndexValue(s, from)
	if b, str := indexSpecialValue(s, from), indexSpecialValue(bytesOf(string(s)), from); b != want || str != want {
		t.Fatalf("indexSpecialValue(%q, %d) = %d, of a string %d, want %d", s, from, b, str, want)
	}
	dst := make([]byte, len(s)+wordSize)
	if plain := copyPlainValue(dst, s); plain != (plainIndexValue(s, 0) == len(s)) || plain && !bytes.HasPrefix(dst, s) {
		t.Fatalf("copyPlainValue(%q) = %v and %q", s, plain, dst)
	}
}

// Every byte at every position of every length up to five words, from every
// start, between bytes that are plain and near to those that are not.
func TestIndexSpecial(t *testing.T) {
	for _, filler := range []byte{' ', 'a', '=', '?', '%', '(', '!', '#', 0x7f} {
		for n := range longest {
			if n > 3*wordSize && filler != ' ' {
				break // longer is not other
			}
			s := bytes.Repeat([]byte{filler}, n)
			checkIndex(t, s, 0)
			for pos := range s {
				for c := range 256 {
					s[pos] = byte(c)
					checkIndex(t, s, 0)
					checkIndex(t, s, pos/2)
					checkIndex(t, s, pos)
				}
				s[pos] = filler
			}
		}
	}
}

// Any two bytes beside one another: what is borrowed from the second never hides
// or moves the first.
func TestIndexSpecialPairs(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			for pos := range 10 {
				s := []byte("plain text!")
				s[pos], s[pos+1] = byte(a), byte(b)
				checkIndex(t, s, 0)
			}
		}
	}
}

// Bytes beyond the end are not looked at, not even to be ignored.
func TestIndexSpecialEnd(t *testing.T) {
	for n := range 20 {
		buf := bytes.Repeat([]byte{'<'}, 40)
		s := buf[:n:n]
		copy(s, "plain text, nothing else")
		if got := indexSpecialText(s, 0); got != n {
			t.Errorf("text of %d bytes: %d", n, got)
		}
		if got := indexSpecialValue(s, 0); got != n {
			t.Errorf("value of %d bytes: %d", n, got)
		}
	}
}

func FuzzIndexSpecial(f *testing.F) {
	f.Add([]byte("plain\n\t<text>"), uint8(0))
	f.Add([]byte("\n\n\n\n\n\n\n\n\n&"), uint8(3))
	f.Fuzz(func(t *testing.T, s []byte, from uint8) {
		checkIndex(t, s, min(int(from), len(s)))
	})
}

func BenchmarkIndexSpecial(b *testing.B) {
	for _, bm := range []struct{ name, s string }{
		{"4", "chat"},
		{"29", "romeo@montague.example/orchard"},
		{"70", "Art thou not Romeo, and a Montague? O gentle Romeo, if thou dost love."},
		{"3600", strings.Repeat("Art thou not Romeo, and a Montague? ", 100)},
	} {
		b.Run(bm.name, func(b *testing.B) {
			s := []byte(bm.s)
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				if i := indexSpecialText(s, 0); i != len(s) {
					b.Fatal(i)
				}
			}
		})
	}
}
