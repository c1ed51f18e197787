package xmlwire

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// AppendText appends s as character data, escaped so that it reads back as s,
// carriage returns included. If s is not valid UTF-8 or has a character that XML
// forbids, it returns dst as it was and an error that is [ErrChar].
func AppendText(dst []byte, s string) ([]byte, error) {
	b := bytesOf(s)
	if plain := indexSpecialText(b, 0); plain < len(b) {
		return appendTextSpecial(dst, s, plain)
	}
	return append(dst, b...), nil
}

// appendTextSpecial is AppendText for what is plain as far as i only.
func appendTextSpecial(dst []byte, s string, i int) ([]byte, error) {
	out, bad := escapeText(dst, bytesOf(s), i)
	if bad >= 0 {
		return dst, charError(s, bad)
	}
	return out, nil
}

// AppendAttr appends an attribute: a blank, name, and value in single quotes,
// escaped so that it reads back as value, tabs and line ends included. name is
// an NCName, or two with a colon between them, such as xml:lang or xmlns:p; that
// prefixes are declared is for the caller to see to. On an error, [ErrName] or
// [ErrChar], dst is returned as it was.
func AppendAttr(dst []byte, name, value string) ([]byte, error) {
	if !ValidName(name) {
		prefix, local, _ := strings.Cut(name, ":")
		if !ValidName(prefix) || !ValidName(local) {
			return dst, fmt.Errorf("%w: attribute %q", ErrName, clipped(name))
		}
	}
	return AppendNamedAttr(dst, name, value)
}

// AppendNamedAttr is AppendAttr for a name that is known to be one: written in
// the program, or checked before.
func AppendNamedAttr(dst []byte, name, value string) ([]byte, error) {
	out, err := AppendQuoted(append(append(append(dst, ' '), name...), "='"...), value)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// AppendQuoted appends the rest of an attribute to dst, which ends in the quote
// that begins its value, a single one: the value as [AppendAttr] escapes it, and
// the other quote. On an error, [ErrChar], dst is returned as it was.
func AppendQuoted(dst []byte, value string) ([]byte, error) {
	v, n := bytesOf(value), len(dst)
	if room := n + len(v) + wordSize; room <= cap(dst) && copyPlainValue(dst[n:room], v) {
		dst = dst[:n+len(v)+1]
		dst[n+len(v)] = '\''
		return dst, nil
	}
	return appendQuoted(dst, value)
}

// appendQuoted is AppendQuoted for any value and any room.
func appendQuoted(dst []byte, value string) ([]byte, error) {
	out, bad := escapeValue(dst, bytesOf(value))
	if bad >= 0 {
		return dst, charError(value, bad)
	}
	return append(out, '\''), nil
}

// AppendName appends name, an NCName (see [ValidName]), as any name that a
// program was given has to be before it can stand in a tag. On an error,
// [ErrName], dst is returned as it was.
func AppendName(dst []byte, name string) ([]byte, error) {
	if !ValidName(name) {
		return dst, fmt.Errorf("%w: %q", ErrName, clipped(name))
	}
	return append(dst, name...), nil
}

// clipped is s for an error message.
func clipped(s string) string {
	if len(s) > 32 {
		return s[:32] + "…"
	}
	return s
}

// appendAttr is AppendNamedAttr for a value that was checked.
func appendAttr(dst []byte, name, value string) []byte {
	return appendValue(append(append(dst, ' '), name...), bytesOf(value))
}

// appendValue appends what follows the name of an attribute, for a value that was
// checked.
func appendValue(dst, value []byte) []byte {
	dst, _ = escapeValue(append(dst, "='"...), value)
	return append(dst, '\'')
}

// appendEscaped is AppendText for what was checked.
func appendEscaped(dst, s []byte) []byte {
	dst, _ = escapeText(dst, s, 0)
	return dst
}

// escapeText appends s as character data, and returns the index of the first
// byte that XML cannot express, with which it has stopped; -1 if there is none. It
// is plain as far as i.
func escapeText(dst, s []byte, i int) (out []byte, bad int) {
	for from := 0; ; {
		i = indexSpecialText(s, i)
		if i == len(s) {
			return append(dst, s[from:]...), -1
		}
		if s[i] >= utf8.RuneSelf {
			var ok bool
			if i, ok = skipRunes(s, i); !ok {
				return dst, i
			}
			continue
		}
		escape := escapes[s[i]]
		if escape == "" {
			return dst, i
		}
		dst = append(append(dst, s[from:i]...), escape...)
		i++
		from = i
	}
}

// escapeValue is escapeText for the value of an attribute, between single quotes.
func escapeValue(dst, s []byte) (out []byte, bad int) {
	from := 0
	for i := 0; ; {
		i = indexSpecialValue(s, i)
		if i == len(s) {
			return append(dst, s[from:]...), -1
		}
		c := s[i]
		if c >= utf8.RuneSelf {
			var ok bool
			if i, ok = skipRunes(s, i); !ok {
				return dst, i
			}
			continue
		}
		if c == '"' {
			i++
			continue
		}
		escape := escapes[c]
		if escape == "" {
			return dst, i
		}
		dst = append(append(dst, s[from:i]...), escape...)
		i++
		from = i
	}
}

// escapes holds what is written for a byte that does not stand for itself. Where
// it has nothing, the byte is forbidden.
var escapes = [utf8.RuneSelf]string{
	'&': "&amp;", '<': "&lt;", '>': "&gt;", '\'': "&apos;",
	'\r': "&#13;", '\n': "&#10;", '\t': "&#9;",
}

// skipRunes returns the index of the first byte of ASCII, other than a blank
// between words, behind the characters at i; or false and the index of the first
// byte that begins no character of XML.
func skipRunes(s []byte, i int) (int, bool) {
	for i < len(s) {
		switch c := s[i]; {
		case c >= 0xC2 && c <= 0xDF && i+1 < len(s) && isTrail(s[i+1]):
			i += 2
		case c > 0xE0 && c < 0xED && i+2 < len(s) && isTrail(s[i+1]) && isTrail(s[i+2]):
			i += 3
		case c == ' ':
			i++
		case c < utf8.RuneSelf:
			return i, true
		default:
			r, n := utf8.DecodeRune(s[i:])
			if r == utf8.RuneError && n == 1 || !isChar(r) {
				return i, false
			}
			i += n
		}
	}
	return i, true
}

// isTrail reports whether c can only follow another byte in UTF-8.
func isTrail(c byte) bool { return c&0xC0 == 0x80 }

// charError says what is wrong with s at i.
func charError(s string, i int) error {
	r, n := utf8.DecodeRuneInString(s[i:])
	if r == utf8.RuneError && n == 1 {
		return fmt.Errorf("%w: invalid UTF-8 at byte %d", ErrChar, i)
	}
	return fmt.Errorf("%w: %U at byte %d", ErrChar, r, i)
}
