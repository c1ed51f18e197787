package stanza

import (
	"strings"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// Text is something for people to read, in one language or several: a body,
// subject or status (RFC 6121 §5.2.3: at most one value for each language).
// Nil is no text at all. Make the usual single value with [Plain].
type Text []Translation

// A Translation is a text in one language.
type Translation struct {
	Lang  string // a language tag (BCP 47); empty means the language of the stanza
	Value string
}

// Plain returns s as a text in the language of its stanza.
func Plain(s string) Text { return Text{{Value: s}} }

// String returns the value in the stanza's own language, or else the first
// one; empty when there is none.
func (t Text) String() string {
	for _, tr := range t {
		if tr.Lang == "" {
			return tr.Value
		}
	}
	if len(t) > 0 {
		return t[0].Value
	}
	return ""
}

// In returns the value that suits a reader best who prefers the given
// languages in that order. Each is looked up as RFC 4647 §3.4 says, shortening
// it from the right: de-CH-1996, de-CH, de. Without a match it is [Text.String].
func (t Text) In(languages ...string) string {
	for _, want := range languages {
		for want != "" {
			for _, tr := range t {
				if strings.EqualFold(tr.Lang, want) {
					return tr.Value
				}
			}
			want = shorten(want)
		}
	}
	return t.String()
}

// shorten drops the last subtag and a single-letter subtag that precedes it.
func shorten(tag string) string {
	i := strings.LastIndexByte(tag, '-')
	if i < 0 {
		return ""
	}
	tag = tag[:i]
	if len(tag) >= 2 && tag[len(tag)-2] == '-' {
		tag = tag[:len(tag)-2]
	}
	return tag
}

// append writes one element for each translation, given its tags: what a start
// tag begins with, and the end tag.
func (t Text) append(w *Writer, start, end string) {
	for i := range t {
		tr := &t[i]
		for _, before := range t[:i] {
			if strings.EqualFold(before.Lang, tr.Lang) {
				w.fail("two %s elements in language %q", start[1:], tr.Lang)
			}
		}
		w.closeTag()
		dst, err := append(w.dst, start...), error(nil)
		if tr.Lang != "" {
			if dst, err = xmlwire.AppendQuoted(append(dst, " xml:lang='"...), tr.Lang); err != nil {
				w.fail("language of %s: %w", start[1:], err)
			}
		}
		if tr.Value == "" {
			w.dst = append(dst, "/>"...)
			continue
		}
		if dst, err = xmlwire.AppendText(append(dst, '>'), tr.Value); err != nil {
			w.fail("text of %s: %w", start[1:], err)
		}
		w.dst = append(dst, end...)
	}
}

// add takes in one element of a received stanza. Of several in one language
// the first counts.
func (t *Text) add(e Element) {
	lang := e.Lang()
	for _, tr := range *t {
		if strings.EqualFold(tr.Lang, lang) {
			return
		}
	}
	*t = append(*t, Translation{Lang: lang, Value: e.Text()})
}
