package bench

import (
	"bytes"
	"fmt"
	"strings"
)

// A hostile is a kind of input made to be dear. What it makes follows a stream
// header; it is accepted, or refused at its end only.
type hostile struct {
	name string
	make func(n int) string // about n bytes
}

// hostiles go for what a reader has to keep, to look up, to compare or to write
// again.
var hostiles = []hostile{
	// Deep and wide.
	{"deep", func(n int) string { return nested(n, "<a>", "</a>") }},
	{"deep with long names", func(n int) string {
		name := strings.Repeat("a", 500)
		return nested(n, "<"+name+">", "</"+name+">")
	}},
	{"deep with prefix", func(n int) string {
		return "<p:a xmlns:p='u'>" + nested(n, "<p:a>", "</p:a>") + "</p:a>"
	}},
	{"deep with a namespace each", func(n int) string { return nested(n, "<a xmlns='u'><a xmlns='v'>", "</a></a>") }},
	{"deep in a long namespace", func(n int) string {
		return "<a xmlns='" + strings.Repeat("u", n/2) + "'>" + nested(n/2, "<a>", "</a>") + "</a>"
	}},
	{"wide", func(n int) string { return "<a>" + fill(n, "<b/>") + "</a>" }},
	{"wide with end tags", func(n int) string { return "<a>" + fill(n, "<b></b >") + "</a>" }},
	{"wide with prefix", func(n int) string { return "<a xmlns:p='u'>" + fill(n, "<p:b/>") + "</a>" }},
	{"wide, children alike", func(n int) string {
		return "<iq>" + fill(n, "<query xmlns='jabber:iq:roster'/>") + "</iq>"
	}},
	{"wide in a long namespace", func(n int) string {
		return "<a xmlns='" + strings.Repeat("u", n/2) + "'>" + fill(n/2, "<b/>") + "</a>"
	}},
	{"wide, prefix of a long namespace", func(n int) string { // too long when written in plain form
		return "<a xmlns:p='" + strings.Repeat("u", n/2) + "'>" + fill(n/2, "<p:b/>") + "</a>"
	}},
	{"many elements of the stream", func(n int) string { return fill(n, "<a/>") }},
	{"many elements to write again", func(n int) string { return fill(n, "<p:a xmlns:p='u'/>") }},
	{"many messages", func(n int) string { return fill(n, "<message to='a@b'><body>x</body></message>\n") }},

	// Attributes.
	{"attributes", func(n int) string { return "<a" + count(n, " a%x=''") + "></a>" }},
	{"attributes, the last one twice", func(n int) string {
		return "<a" + count(n, " a%08x=''") + " a00000000=''></a>"
	}},
	{"attributes with prefixes", func(n int) string {
		return "<a" + prefixes(60) + "><b" + countOf(n, func(i int) string { return fmt.Sprintf(" p%02d:a%x=''", i%60, i/60) }) + "/></a>"
	}},
	{"attributes of one local name", func(n int) string { // 60 in each tag is all there can be
		return "<a" + prefixes(60) + ">" + fill(n, "<b"+numbered(60, " p%02d:c=''")+"/>") + "</a>"
	}},
	{"attributes in long namespaces", func(n int) string {
		long := strings.Repeat("u", n/4)
		return "<a xmlns:p='" + long + "' xmlns:q='" + long + "v'>" + fill(n/2, "<b/>") + "<b p:c='' q:c=''/></a>"
	}},
	{"a long attribute name", func(n int) string { return "<a " + strings.Repeat("b", n) + "=''></a>" }},
	{"a long value", func(n int) string { return "<a b='" + strings.Repeat("x", n) + "'></a>" }},
	{"a value of references", func(n int) string { return "<a b='" + fill(n, "&amp;&#65;&#9;") + "'></a>" }},
	{"a value of line ends", func(n int) string { return "<a b='" + fill(n, "\r\n\t") + "'></a>" }},
	{"blanks in a tag", func(n int) string { return "<a" + fill(n/2, " \n") + "></a" + fill(n/2, " \n") + ">" }},

	// Namespaces.
	{"a declaration for each element", func(n int) string { return "<a>" + count(n, "<b xmlns='u%x'/>") + "</a>" }},
	{"a prefix for each element", func(n int) string { return "<a>" + count(n, "<p:b xmlns:p='u%x'/>") + "</a>" }},
	{"the outermost of many prefixes", func(n int) string {
		return "<a xmlns:p='u'" + prefixes(60) + ">" + fill(n, "<p:b/>") + "</a>"
	}},
	{"prefixes that look alike", func(n int) string {
		long := strings.Repeat("p", max(1, n/200))
		return "<a" + numbered(60, " xmlns:"+long+"%02d='u'") + ">" + fill(n/2, "<"+long+"00:b/>") + "</a>"
	}},
	{"prefixes on their way back", func(n int) string {
		return "<a>" + fill(n, strings.Repeat("<p:a xmlns:p='u'>", 60)+strings.Repeat("<b p:c=''/></p:a>", 60)) + "</a>"
	}},
	{"a namespace of references", func(n int) string {
		return "<p:a xmlns:p='" + fill(n/2, "&#117;") + "'>" + fill(n/2, "<b/>") + "</p:a>"
	}},

	// Names, text.
	{"a long name", func(n int) string {
		name := strings.Repeat("a", n/2)
		return "<" + name + "></" + name + ">"
	}},
	{"a long name of many letters", func(n int) string {
		name := strings.Repeat("ж", n/4)
		return "<" + name + "></" + name + ">"
	}},
	{"text", func(n int) string { return "<a>" + strings.Repeat("x", n) + "</a>" }},
	{"text in other letters", func(n int) string { return "<a>" + strings.Repeat("ж", n/2) + "</a>" }},
	{"text of brackets", func(n int) string { return "<a>" + strings.Repeat("]", n) + "</a>" }},
	{"text of line ends", func(n int) string { return "<a>" + strings.Repeat("\r", n) + "</a>" }},
	{"text of references", func(n int) string { return "<a>" + fill(n, "&lt;") + "</a>" }},
	{"text of odd references", func(n int) string { return "<a>" + fill(n, "&#x00000041;") + "</a>" }},
	{"one CDATA section", func(n int) string { return "<a><![CDATA[" + fill(n, "]]&<\r") + "]]></a>" }},
	{"empty CDATA sections", func(n int) string { return "<a>" + fill(n, "<![CDATA[]]>") + "</a>" }},
	{"CDATA sections in elements", func(n int) string { return "<a>" + fill(n, "<b><![CDATA[<]]></b>") + "</a>" }},
	{"blanks between elements", func(n int) string { return strings.Repeat(" ", n) + "<a></a>" }},

	// Refused, but not before the end.
	{"a comment at the end", func(n int) string { return "<a>" + fill(n, "<b/>") + "<!-- x --></a>" }},
	{"no end tags", func(n int) string { return nested(n, "<a>", "") + "</b>" }},
	{"an undeclared prefix at the end", func(n int) string {
		return "<a" + prefixes(60) + ">" + fill(n, "<b/>") + "<p99:b/></a>"
	}},
}

// torn is s with a fault in place of its last byte.
func torn(s string) string { return s[:len(s)-1] + "&" }

// fill repeats unit up to about n bytes.
func fill(n int, unit string) string { return strings.Repeat(unit, max(1, n/len(unit))) }

// nested repeats first, then last as often, up to about n bytes.
func nested(n int, first, last string) string {
	deep := max(1, n/(len(first)+len(last)))
	return strings.Repeat(first, deep) + strings.Repeat(last, deep)
}

// count formats 0, 1, 2 … up to about n bytes.
func count(n int, format string) string {
	return countOf(n, func(i int) string { return fmt.Sprintf(format, i) })
}

func countOf(n int, piece func(i int) string) string {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		b.WriteString(piece(i))
	}
	return b.String()
}

// numbered formats 0, 1, 2 … n-1.
func numbered(n int, format string) (s string) {
	for i := range n {
		s += fmt.Sprintf(format, i)
	}
	return s
}

// prefixes declares n prefixes, p00 and so on.
func prefixes(n int) string { return numbered(n, " xmlns:p%02d='u%[1]d'") }
