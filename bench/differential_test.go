//go:build expat && cgo

package bench

import (
	"errors"
	"slices"
	"testing"

	"github.com/parlance-xmpp/xmpp/bench/corpus"
	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// FuzzExpat holds three readers against each other. What ours accepts, libexpat
// and encoding/xml accept too, as the same tree: nobody behind us sees anything
// else in a stanza than we did. What one of them accepts and we refuse has to be
// among the known differences.
func FuzzExpat(f *testing.F) {
	add := func(doc string) {
		if len(doc) < 1024 { // to make a longer one shorter takes long and finds little
			f.Add([]byte(doc))
		}
	}
	for _, e := range corpus.Entries() {
		add(corpus.Header + string(e.XML) + corpus.End)
	}
	for _, doc := range accepted {
		add(doc)
	}
	for _, d := range differences {
		add(d.example)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		us, err := readOurs(doc)
		ex, exErr := readExpat(doc)
		std, stdErr := readStd(doc)
		if err == nil {
			if exErr != nil {
				t.Fatalf("%q\nwe accept it, libexpat says: %v", doc, exErr)
			}
			if got, want := render(ex, false), render(us, false); got != want {
				t.Fatalf("%q\nlibexpat:\n%s\nwe:\n%s", doc, got, want)
			}
			want := render(us, true)
			if misread(want) {
				return
			}
			if stdErr != nil {
				t.Fatalf("%q\nwe accept it, encoding/xml says: %v", doc, stdErr)
			}
			if got := render(std, true); got != want {
				t.Fatalf("%q\nencoding/xml:\n%s\nwe:\n%s", doc, got, want)
			}
			return
		}
		if exErr == nil && !known(theExpat, err, doc) {
			t.Fatalf("%q\nlibexpat accepts it, we say: %v", doc, err)
		}
		if stdErr == nil && !known(theStd, err, doc) {
			t.Fatalf("%q\nencoding/xml accepts it, we say: %v", doc, err)
		}
	})
}

// known reports whether it is a known difference that who accepts doc, which we
// refuse with err.
func known(who reader, err error, doc []byte) bool {
	return slices.ContainsFunc(differences, func(d difference) bool {
		return d.who&who != 0 && d.refusal == refusal(err) && (d.only == nil || d.only(doc))
	})
}

// refusal is the condition and the detail of an error of ours.
func refusal(err error) string {
	if e, ok := errors.AsType[*xmlwire.Error](err); ok {
		return e.Condition + ": " + e.Detail
	}
	return err.Error()
}

// Every difference is one: the other accepts the example still, and we refuse it
// for that reason.
func TestDifferences(t *testing.T) {
	for _, d := range differences {
		t.Run(d.refusal, func(t *testing.T) {
			doc := []byte(d.example)
			if _, err := readOurs(doc); err == nil || refusal(err) != d.refusal {
				t.Errorf("we say %v", err)
			}
			if _, err := readExpat(doc); err != nil && d.who&theExpat != 0 {
				t.Errorf("libexpat says %v", err)
			}
			if _, err := readStd(doc); err != nil && d.who&theStd != 0 {
				t.Errorf("encoding/xml says %v", err)
			}
			if d.only != nil && !d.only(doc) {
				t.Error("the example is no example")
			}
		})
	}
}

// What all three accept, some of it with more than one way to go wrong.
var accepted = []string{
	`<s/>`, `<s></s>`, `<s> <a/> </s> `,
	corpus.Header + `<message to='a@b'><body>Hi &amp; bye</body></message> <presence/>` + corpus.End,
	corpus.Header + `<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>` + corpus.End,
	corpus.Header + `<p:a xmlns:p='u' xmlns='v' p:b="1"><p:c d='&#x9;'/><![CDATA[<x>]]></p:a>` + corpus.End,
	corpus.Header + "<a b='1\r\n2'>\r\n\r&#13;]]&gt;</a >" + corpus.End,
	`<s xmlns='u'><a xmlns:xml='http://www.w3.org/XML/1998/namespace' xml:lang='en'/></s>`,
	`<s xmlns:p='u' xmlns:q='&#117;'><a p:b='1' q:c='2'/><p:a><q:b/></p:a></s>`,
	`<s><a xmlns='u'><b xmlns=''/></a><a>&#x10FFFF;&#xD7FF;&#xE000;</a></s>`,
	`<s><é è='ж'><中/></é><a>🎈</a></s>`,
	`<?xml version="1.1" encoding='utf-8' standalone="yes"?><s/>`,
}
