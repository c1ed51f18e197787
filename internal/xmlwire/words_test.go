package xmlwire

import (
	"bytes"
	"testing"
)

// longest bounds the lengths that are tried; with -race, which makes each take longer
// and finds nothing here, to two words and more.
var longest = map[bool]int{false: 41, true: 18}[poison]

// bytewiseQuoted is plainValue, one byte at a time.
func bytewiseQuoted(b []byte, pos int, quote byte) int {
	for pos < len(b) && b[pos] != quote && b[pos] != '<' && b[pos] != '&' && b[pos] >= ' ' && b[pos] < 0x80 {
		pos++
	}
	return pos
}

// bytewiseName is nameRun, one byte at a time.
func bytewiseName(b []byte, pos int) (end int, key uint64) {
	for i := 0; i < 8 && pos+8 <= len(b) && b[pos+i] >= 'a' && b[pos+i] <= 'z'; i++ {
		key |= uint64(b[pos+i]) << (8 * i)
	}
	for pos < len(b) && is(b[pos], charName) {
		pos++
	}
	return pos, key
}

func checkWords(t *testing.T, b []byte, pos int) {
	t.Helper()
	for _, quote := range []byte{'\'', '"'} {
		if got, want := plainValue(b, pos, quote), bytewiseQuoted(b, pos, quote); got != want {
			t.Fatalf("plainValue(%q, %d, %c) = %d, want %d", b, pos, quote, got, want)
		}
	}
	end, key := nameRun(b, pos)
	wantEnd, wantKey := bytewiseName(b, pos)
	if end != wantEnd || key != wantKey {
		t.Fatalf("nameRun(%q, %d) = %d, %x, want %d, %x", b, pos, end, key, wantEnd, wantKey)
	}
	for _, stop := range []byte{' ', '='} {
		end, key := shortName(b, pos, stop)
		short := wantKey != 0 && wantKey>>56 == 0 && wantEnd < len(b) && b[wantEnd] == stop && wantEnd-pos == firstMarked(notLetter(wantKey))
		if short && (end != wantEnd || key != wantKey) || !short && (end != pos || key != 0) {
			t.Fatalf("shortName(%q, %d, %q) = %d, %x; the name is %d, %x", b, pos, stop, end, key, wantEnd, wantKey)
		}
	}
	if n := len(b) - pos; n > 0 && n < wordSize {
		want := append(bytes.Clone(b[pos:]), "        "[n:]...)
		if got := tail(b, pos); got != word(want) {
			t.Fatalf("tail(%q, %d) = %x, want %x", b, pos, got, word(want))
		}
	}
}

// Every byte at every position of every length up to five words, from every start,
// between bytes that are plain and near to those that are not.
func TestWords(t *testing.T) {
	for _, filler := range []byte{' ', 'a', 'z', '=', '%', '!', 0x7f} {
		for n := range longest {
			if n > 3*wordSize && filler != 'a' {
				break // longer is not other
			}
			b := bytes.Repeat([]byte{filler}, n)
			checkWords(t, b, 0)
			for pos := range b {
				for c := range 256 {
					b[pos] = byte(c)
					checkWords(t, b, 0)
					checkWords(t, b, pos/2)
					checkWords(t, b, pos)
				}
				b[pos] = filler
			}
		}
	}
}

// Any two bytes beside one another, within a name and its value: what is borrowed
// from the second never hides or moves the first.
func TestWordsPairs(t *testing.T) {
	for x := range 256 {
		for y := range 256 {
			for pos := range 12 {
				b := []byte("abcde='fghijklmn'")
				b[pos], b[pos+1] = byte(x), byte(y)
				checkWords(t, b, 0)
				checkWords(t, b, max(0, pos-6))
			}
		}
	}
}

// Bytes beyond the end are not looked at.
func TestWordsEnd(t *testing.T) {
	for n := range 20 {
		for pos := range n {
			b := append([]byte("letters and nothing else"[:n]), "''\"\"<<&&"...)[:n]
			checkWords(t, b, pos)
		}
	}
}

func FuzzWords(f *testing.F) {
	f.Add([]byte("xml:lang='en' id=\"it's\""), uint8(0))
	f.Add([]byte("\xe1\xff\x80abcdefgh "), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, pos uint8) {
		checkWords(t, b, min(int(pos), len(b)))
	})
}
