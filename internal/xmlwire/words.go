package xmlwire

import (
	"encoding/binary"
	"math/bits"
)

// Text is looked at eight bytes at a time: as a word, in which the first byte is
// the lowest.
//
// A mask has the highest bit set of bytes for which something is true. It comes
// from subtractions that have to borrow:
//
//   - x - c*ones marks the bytes of x that are less than c;
//   - zero(x ^ c*ones) marks those that are c, as they are 0 then and less than 1;
//   - x itself marks those that are not ASCII.
//
// Two things set bits of a mask that should not be. A byte from 0x80 on may keep
// its highest bit through a subtraction: such a byte is looked for anyway, or its
// mark is looked at again. And a borrow goes on into the byte above: then the byte
// that it comes from is marked. So the lowest mark is always right, and whether
// there is one; only firstMarked and comparing with 0 make sense of a mask.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones

	wordSize = 8
)

// word is the first eight bytes of b, half the first four.
func word(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
func half(b []byte) uint64 { return uint64(binary.LittleEndian.Uint32(b)) }

// putWord is the reverse of word.
func putWord(b []byte, x uint64) { binary.LittleEndian.PutUint64(b, x) }

// tail is the bytes of b from i on, of which there are one to seven, and blanks
// behind them. It reads nothing outside of b: what is too short for a word is put
// together from parts that overlap.
func tail(b []byte, i int) uint64 {
	n := len(b) - i
	behind := uint64(' '*ones) << (8 * n & 63)
	switch {
	case len(b) >= wordSize:
		return word(b[len(b)-wordSize:])>>(8*(wordSize-n)&63) | behind
	case n >= 4:
		return half(b[i:]) | half(b[len(b)-4:])<<(8*(n-4)&63) | behind
	default:
		return uint64(b[i]) | uint64(b[i+n/2])<<(8*(n/2)&63) | uint64(b[len(b)-1])<<(8*(n-1)&63) | behind
	}
}

// zero marks the bytes of x that are 0.
func zero(x uint64) uint64 { return x - ones }

// firstMarked is the index of the first byte that mask marks, 8 if it is 0.
func firstMarked(mask uint64) int { return bits.TrailingZeros64(mask) / 8 }

// notLetter marks the first byte of x that is no small letter, and some above it.
// Of a letter, adding the first number sets the highest bit and the second does not.
func notLetter(x uint64) uint64 {
	return (^((x + (0x80-'a')*ones) &^ (x + (0x80-'z'-1)*ones)) | x) & highs
}

// Names as shortName tells them.
const (
	keyTo    = 't' | 'o'<<8
	keyID    = 'i' | 'd'<<8
	keyFrom  = 'f' | 'r'<<8 | 'o'<<16 | 'm'<<24
	keyType  = 't' | 'y'<<8 | 'p'<<16 | 'e'<<24
	keyXML   = 'x' | 'm'<<8 | 'l'<<16
	keyXMLNS = keyXML | 'n'<<24 | 's'<<32
)

// shortName returns what nameRun does for a name of one to seven small letters
// that ends before stop, if there are eight bytes to look at. Otherwise key is 0.
func shortName(b []byte, pos int, stop byte) (end int, key uint64) {
	if pos+wordSize > len(b) {
		return pos, 0
	}
	x := word(b[pos : pos+wordSize])
	other := notLetter(x)
	behind := other & -other // its lowest mark
	if behind&^x&zero(x^uint64(stop)*ones) == 0 {
		return pos, 0
	}
	return pos + firstMarked(behind), x & (behind>>7 - 1)
}

// nameRun returns the index of the first byte from pos on that no name of ASCII
// has. key is the small letters that the name begins with, eight of them at most;
// 0 if it begins with another, or fewer than eight bytes are left. Equal names
// before the same byte have equal keys.
func nameRun(b []byte, pos int) (end int, key uint64) {
	if pos+wordSize <= len(b) {
		x := word(b[pos : pos+wordSize])
		letters := firstMarked(notLetter(x))
		pos += letters
		key = x & (1<<(8*letters) - 1)
	}
	for pos < len(b) && is(b[pos], charName) {
		pos++
	}
	return pos, key
}
