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
	if err := checkChars(s); err != nil {
		return dst, err
	}
	return appendEscaped(dst, s, charText), nil
}

// AppendAttr appends an attribute: a blank, name, and value in single quotes,
// escaped so that it reads back as value, tabs and line ends included. name is
// an NCName, or two with a colon between them, such as xml:lang or xmlns:p; that
// prefixes are declared is for the caller to see to. On an error, [ErrName] or
// [ErrChar], dst is returned as it was.
func AppendAttr(dst []byte, name, value string) ([]byte, error) {
	prefix, local, prefixed := strings.Cut(name, ":")
	if !ValidName(prefix) || prefixed && !ValidName(local) {
		return dst, fmt.Errorf("%w: attribute %q", ErrName, clipped(name))
	}
	if err := checkChars(value); err != nil {
		return dst, err
	}
	return appendAttr(dst, name, value), nil
}

// appendAttr is AppendAttr for what was checked.
func appendAttr(dst []byte, name, value string) []byte {
	return appendValue(append(append(dst, ' '), name...), value)
}

// appendValue appends what follows the name of an attribute.
func appendValue[T string | []byte](dst []byte, value T) []byte {
	return append(appendEscaped(append(dst, "='"...), value, charValue), '\'')
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

// checkChars returns an error if XML cannot express s (XML §2.2).
func checkChars(s string) error {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || c < ' ' && !is(c, charBlank) {
			return checkRunes(s, i)
		}
	}
	return nil
}

func checkRunes(s string, i int) error {
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			return fmt.Errorf("%w: invalid UTF-8 at byte %d", ErrChar, i)
		}
		if !isChar(r) {
			return fmt.Errorf("%w: %U at byte %d", ErrChar, r, i)
		}
		i += n
	}
	return nil
}

// appendEscaped appends s, all of it characters that XML allows, as character
// data or as an attribute value. as, charText or charValue, is the class of what
// needs no escape.
func appendEscaped[T string | []byte](dst []byte, s T, as uint8) []byte {
	from := 0
	for i := range len(s) {
		c := s[i]
		if is(c, as) || c >= utf8.RuneSelf {
			continue
		}
		escape := ""
		switch c {
		case '&':
			escape = "&amp;"
		case '<':
			escape = "&lt;"
		case '>':
			escape = "&gt;"
		case '\'':
			escape = "&apos;"
		case '\r':
			escape = "&#13;"
		case '\n':
			escape = "&#10;"
		case '\t':
			escape = "&#9;"
		default:
			continue // a double quote, DEL: as they are
		}
		dst = append(append(dst, s[from:i]...), escape...)
		from = i + 1
	}
	return append(dst, s[from:]...)
}
