package xmlwire

import (
	"bytes"
	"unicode/utf8"
)

// maxEntity is the longest reference that is looked for, "&" and ";" included.
// Longer ones are refused before they get here.
const maxEntity = maxReference + 1

// unescaped is an attribute value with its references resolved and its white
// space normalised (XML §3.3.3). When there is nothing to do, it is v itself.
// It takes any bytes: what is no reference stays as it is.
func unescaped(v []byte) []byte {
	if !isEncoded(v) {
		return v
	}
	return appendDecoded(make([]byte, 0, len(v)), v, ' ')
}

// isEncoded reports whether an attribute value may read as other than it is written.
func isEncoded(v []byte) bool {
	for _, c := range v {
		if c == '&' || c < ' ' {
			return true
		}
	}
	return false
}

// appendDecoded appends character data, or an attribute value, with its
// references resolved and its line ends normalised (XML §2.11). lineFeed is what
// a line end reads as; when it is a blank, so do tabs.
func appendDecoded(dst, raw []byte, lineFeed byte) []byte {
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '&':
			if r, n := resolve(raw[i:]); n > 0 {
				dst, i = utf8.AppendRune(dst, r), i+n
				continue
			}
			dst = append(dst, c)
		case c == '\r':
			if i+1 < len(raw) && raw[i+1] == '\n' {
				i++
			}
			dst = append(dst, lineFeed)
		case c == '\n', c == '\t' && lineFeed == ' ':
			dst = append(dst, lineFeed)
		default:
			dst = append(dst, c)
		}
		i++
	}
	return dst
}

// resolve returns the character that the reference at the start of b stands for
// and the length of the reference, 0 if it is none.
func resolve(b []byte) (r rune, n int) {
	window, _ := head(b, maxEntity)
	end := bytes.IndexByte(window, ';')
	if end < 2 {
		return 0, 0
	}
	for i := 1; i < end; i++ {
		if !continues(b[1:i], b[i]) {
			return 0, 0
		}
	}
	if !continues(b[1:end], ';') {
		return 0, 0
	}
	r, known := referenced(b[1:end])
	if !known || !isChar(r) {
		return 0, 0
	}
	return r, end + 1
}

// intern returns b as a string, without allocating for the names of XMPP's core.
func intern(b []byte) string {
	if s := known(b); s != "" {
		return s
	}
	return string(b)
}

// known returns b as a string if it is a name of XMPP's core.
func known(b []byte) string {
	switch string(b) {
	case "message":
		return "message"
	case "presence":
		return "presence"
	case "iq":
		return "iq"
	case "a":
		return "a"
	case "r":
		return "r"
	case "body":
		return "body"
	case "jabber:client":
		return "jabber:client"
	case "jabber:server":
		return "jabber:server"
	case NSStreams:
		return NSStreams
	case "urn:xmpp:sm:3":
		return "urn:xmpp:sm:3"
	}
	return ""
}
