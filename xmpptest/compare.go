package xmpptest

import (
	"crypto/rand"
	"encoding/xml"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// variables hold what each $name of a transcript stands for.
type variables map[string]string

var variable = regexp.MustCompile(`\$[a-z][a-z0-9_]*`)

// expand puts in the values of what has been seen, and makes up a value for
// what has not.
func (v variables) expand(s string) string {
	return variable.ReplaceAllStringFunc(s, func(name string) string {
		if _, ok := v[name]; !ok {
			v[name] = rand.Text()
		}
		return escape(v[name])
	})
}

// contract puts names in the place of values, to write a transcript.
func (v variables) contract(s string) string {
	for name, value := range v {
		if len(value) >= 8 {
			s = strings.ReplaceAll(s, escape(value), name)
		}
	}
	return s
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

// match compares a value with what a transcript wants, and binds the names seen first.
func (v variables) match(want, got string) bool {
	if want == got {
		return true
	}
	var names []string
	var pattern strings.Builder
	pattern.WriteString("^")
	rest := want
	for _, at := range variable.FindAllStringIndex(want, -1) {
		name := want[at[0]:at[1]]
		pattern.WriteString(regexp.QuoteMeta(rest[:at[0]-(len(want)-len(rest))]))
		rest = want[at[1]:]
		if value, ok := v[name]; ok {
			pattern.WriteString(regexp.QuoteMeta(value))
			continue
		}
		pattern.WriteString("(?s:(.+))")
		names = append(names, name)
	}
	m := regexp.MustCompile(pattern.String() + regexp.QuoteMeta(rest) + "$").FindStringSubmatch(got)
	if m == nil {
		return false
	}
	for i, name := range names {
		v[name] = m[i+1]
	}
	return true
}

// compare says where got differs from want, or returns "".
func (v variables) compare(want, got stanza.Element) string {
	wn, gn := want.Name(), got.Name()
	if wn != gn {
		return fmt.Sprintf("element {%s}%s, want {%s}%s", gn.Space, gn.Local, wn.Space, wn.Local)
	}
	if diff := v.compareAttrs(want, got); diff != "" {
		return fmt.Sprintf("<%s>: %s", gn.Local, diff)
	}
	wc, gc := slices.Collect(want.Children()), slices.Collect(got.Children())
	wt, gt := want.Text(), got.Text()
	if len(wc) > 0 { // blanks between elements are layout
		wt, gt = strings.TrimSpace(wt), strings.TrimSpace(gt)
	}
	if !v.match(wt, gt) {
		return fmt.Sprintf("<%s>: text %q, want %q", gn.Local, gt, wt)
	}
	for i := range min(len(wc), len(gc)) {
		if diff := v.compare(wc[i], gc[i]); diff != "" {
			return fmt.Sprintf("<%s>: %s", gn.Local, diff)
		}
	}
	if len(wc) != len(gc) {
		return fmt.Sprintf("<%s>: %d children, want %d", gn.Local, len(gc), len(wc))
	}
	return ""
}

// compareAttrs compares attributes, in any order.
func (v variables) compareAttrs(want, got stanza.Element) string {
	left := maps.Collect(got.Attrs())
	for name, value := range want.Attrs() {
		g, ok := left[name]
		if !ok {
			return fmt.Sprintf("no attribute %s, want %q", name.Local, value)
		}
		if !v.match(value, g) {
			return fmt.Sprintf("attribute %s is %q, want %q", name.Local, g, value)
		}
		delete(left, name)
	}
	for name, value := range left {
		return fmt.Sprintf("unexpected attribute %s=%q", name.Local, value)
	}
	return ""
}
