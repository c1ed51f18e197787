package stanza_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"mellium.im/xmlstream"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// harmless is what stands in a field before something evil is put there.
const harmless = "Harmless"

// evil are strings that would be something else where escaping is forgotten.
func evil() []string {
	all := []string{
		`'`, `"`, `<`, `>`, `&`, `'/><x a='`, `"/><x a="`, `</body><evil/><body>`, `</message><message from='admin@example.com'>`,
		`]]>`, `<![CDATA[x]]>`, `]]><evil/>`, `<!-- x -->`, `-->`, `<?x?>`, `<!DOCTYPE x>`, `&amp;`, `&#60;evil/>`, `&lt;evil/>`, `&x;`,
		`a b`, `a='1' b`, `a/`, `a>`, `a:b`, ` a`, `a xmlns='urn:evil'`,
		"\x00", "\x01", "\x08", "\x0b", "\x1b[31m", "\x1f", "\x7f", "\t", "\n", "\r", "\r\n", "x\ty\nz\r", "\u0085", "\u2028",
		"\xff", "\xc0\x80", "\xc3", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\uFFFE", "\uFFFF", "\uFEFF", "\uFFFD", "\U0001FFFE", "ü", "日本", "🎈",
	}
	for n := range 20 { // at every place of a word
		x := strings.Repeat("x", n)
		all = append(all, x+"'>"+x, x+"\x02"+x, x+"\xff"+x, x+"ü<"+x, x+"&"+x+"<evil/>")
	}
	return all
}

// tokens is what encoding/xml, which knows nothing of us, reads.
func tokens(t *testing.T, b []byte) []any {
	t.Helper()
	var all []any
	for d := xml.NewDecoder(bytes.NewReader(b)); ; {
		tok, err := d.Token()
		if err == io.EOF {
			return all
		}
		require.NoError(t, err, "%q", b)
		switch tok := tok.(type) {
		case xml.StartElement:
			all = append(all, tok.Copy())
		case xml.EndElement:
			all = append(all, tok)
		default: // text, and what should not be there
			all = append(all, fmt.Sprintf("%T %s", tok, tok))
		}
	}
}

// withEvil is tokens as they are to be when evil stands where harmless did.
func withEvil(all []any, evil string) []any {
	put := func(s string) string { return strings.ReplaceAll(s, harmless, evil) }
	name := func(n xml.Name) xml.Name { return xml.Name{Space: put(n.Space), Local: put(n.Local)} }
	var out []any
	for _, tok := range all {
		switch tok := tok.(type) {
		case xml.StartElement:
			tok = tok.Copy()
			tok.Name = name(tok.Name)
			for i, a := range tok.Attr {
				tok.Attr[i] = xml.Attr{Name: name(a.Name), Value: put(a.Value)}
			}
			out = append(out, tok)
		case xml.EndElement:
			out = append(out, xml.EndElement{Name: name(tok.Name)})
		case string:
			out = append(out, put(tok))
		}
	}
	return out
}

// tryEvil checks that write, given any string, either fails and writes nothing or writes what
// reads as the tree that it writes for a harmless string, with the other in its place.
func tryEvil(t *testing.T, write func(dst []byte, s string) ([]byte, error)) {
	t.Helper()
	good, err := write(nil, harmless)
	require.NoError(t, err)
	want := tokens(t, good)
	for _, s := range evil() {
		got, err := write([]byte("before"), s)
		if err != nil {
			require.Equal(t, "before", string(got), "%q", s)
			continue
		}
		got = bytes.TrimPrefix(got, []byte("before"))
		require.Equal(t, withEvil(want, s), tokens(t, got), "%q: %s", s, got)
		_, err = stanza.ParseElement(got)
		require.NoError(t, err, "%q: %s", s, got)
	}
}

// stringsIn returns the path to every string that can be set in v, a pointer.
func stringsIn(v reflect.Value, path string, found map[string]reflect.Value) map[string]reflect.Value {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			stringsIn(v.Elem(), path, found)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				stringsIn(v.Field(i), path+"."+f.Name, found)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			stringsIn(v.Index(i), fmt.Sprintf("%s[%d]", path, i), found)
		}
	case reflect.String:
		if v.CanSet() {
			found[path] = v
		}
	}
	return found
}

// TestSec_Injection_Fields: whatever stands in a field of a stanza or an error, it is refused
// or reads back exactly.
func TestSec_Injection_Fields(t *testing.T) {
	text := func() stanza.Text { return stanza.Text{{Value: "x"}, {Lang: "de", Value: "y"}} }
	failure := func() *stanza.Error {
		return &stanza.Error{Type: stanza.Cancel, Condition: stanza.Gone, Text: "x", Lang: "en", Address: "xmpp:a@b", By: juliet}
	}
	fields := 0
	for _, v := range []stanza.Payload{
		&stanza.Message{ID: "1", Type: stanza.MessageError, Lang: "en", Subject: text(), Body: text(), Thread: stanza.Thread{ID: "1", Parent: "2"}, Error: failure()},
		&stanza.Message{ID: "1", Type: stanza.MessageChat},
		&stanza.Presence{ID: "1", Type: stanza.PresenceError, Lang: "en", Show: stanza.ShowAway, Status: text(), Priority: 1, Error: failure()},
		&stanza.Presence{ID: "1", Type: stanza.PresenceUnavailable},
		&stanza.IQ{ID: "1", Type: stanza.IQError, Lang: "en", Error: failure()},
		&stanza.IQ{ID: "1", Type: stanza.IQGet, Payload: active},
		failure(),
	} {
		for path, field := range stringsIn(reflect.ValueOf(v), fmt.Sprintf("%T", v), map[string]reflect.Value{}) {
			fields++
			t.Run(path, func(t *testing.T) {
				before := field.String()
				defer field.SetString(before)
				tryEvil(t, func(dst []byte, s string) ([]byte, error) {
					field.SetString(s)
					return v.AppendXML(dst)
				})
			})
		}
	}
	require.Greater(t, fields, 35)
}

// TestSec_Injection_Addresses: an address reads back exactly, however lenient the parser
// that let it in.
func TestSec_Injection_Addresses(t *testing.T) {
	for name, stanzaOf := range map[string]func(j jid.JID) stanza.Payload{
		"message":  func(j jid.JID) stanza.Payload { return stanza.Message{To: j, From: j} },
		"presence": func(j jid.JID) stanza.Payload { return stanza.Presence{To: j, From: j} },
		"iq":       func(j jid.JID) stanza.Payload { return stanza.IQ{Type: stanza.IQResult, To: j, From: j} },
		"error":    func(j jid.JID) stanza.Payload { return &stanza.Error{By: j} },
	} {
		t.Run(name, func(t *testing.T) {
			refused := 0
			tryEvil(t, func(dst []byte, s string) ([]byte, error) {
				j, err := jid.ParseLenient("romeo@example.net/" + s)
				if err != nil || !strings.HasSuffix(j.String(), s) {
					refused++
					return dst, errors.New("no address")
				}
				return stanzaOf(j).AppendXML(dst)
			})
			require.Less(t, refused, len(evil())/2)
		})
	}
}

// TestSec_Injection_AppendWith: a header given to a stanza, forwarded or not, is refused
// or reads back exactly.
func TestSec_Injection_AppendWith(t *testing.T) {
	raw := parse(t, `<message other='1'><body>x</body></message>`)
	for name, header := range map[string]func(s string) stanza.Header{
		"type": func(s string) stanza.Header { return stanza.Header{Type: s} },
		"id":   func(s string) stanza.Header { return stanza.Header{ID: s} },
		"lang": func(s string) stanza.Header { return stanza.Header{Lang: s} },
	} {
		for _, st := range []stanza.Stanza{raw, chatMessage("x"), stanza.Presence{}, stanza.IQ{Type: stanza.IQResult}} {
			t.Run(fmt.Sprintf("%s of %T", name, st), func(t *testing.T) {
				tryEvil(t, func(dst []byte, s string) ([]byte, error) { return stanza.AppendWith(dst, st, header(s)) })
			})
		}
	}
}

// TestSec_Injection_Writer: whatever a Writer is given, names, namespaces and tokens
// included, is refused or reads back exactly.
func TestSec_Injection_Writer(t *testing.T) {
	attr := func(space, local, value string) []xml.Attr {
		return []xml.Attr{{Name: xml.Name{Space: space, Local: local}, Value: value}}
	}
	token := func(w *stanza.Writer, space, local string, attrs []xml.Attr, text string) {
		s := xml.StartElement{Name: xml.Name{Space: space, Local: local}, Attr: attrs}
		_, _ = xmlstream.Copy(w, xmlstream.Wrap(xmlstream.Token(xml.CharData(text)), s))
	}
	for name, write := range map[string]func(w *stanza.Writer, s string){
		"Start, name":          func(w *stanza.Writer, s string) { w.Start("urn:a", s); w.End() },
		"Start, namespace":     func(w *stanza.Writer, s string) { w.Start(s, "a"); w.End() },
		"Attr, name":           func(w *stanza.Writer, s string) { w.Start("", "a"); w.Attr(s, "1"); w.End() },
		"Attr":                 func(w *stanza.Writer, s string) { w.Start("", "a"); w.Attr("b", s); w.End() },
		"OptAttr, name":        func(w *stanza.Writer, s string) { w.Start("", "a"); w.OptAttr(s, "1"); w.End() },
		"OptAttr":              func(w *stanza.Writer, s string) { w.Start("", "a"); w.OptAttr("b", s); w.End() },
		"Lang":                 func(w *stanza.Writer, s string) { w.Start("", "a"); w.Lang(s); w.End() },
		"Text":                 func(w *stanza.Writer, s string) { w.Start("", "a"); w.Text(s); w.End() },
		"Element, name":        func(w *stanza.Writer, s string) { w.Element("urn:b", s, "1") },
		"Element, namespace":   func(w *stanza.Writer, s string) { w.Element(s, "b", "1") },
		"Element":              func(w *stanza.Writer, s string) { w.Element("urn:b", "b", s) },
		"token, name":          func(w *stanza.Writer, s string) { token(w, "urn:b", s, nil, "1") },
		"token, namespace":     func(w *stanza.Writer, s string) { token(w, s, "b", nil, "1") },
		"token, xmlns":         func(w *stanza.Writer, s string) { token(w, "", "b", attr("", "xmlns", s), "1") },
		"token, attribute":     func(w *stanza.Writer, s string) { token(w, "", "b", attr("", s, "1"), "1") },
		"token, its namespace": func(w *stanza.Writer, s string) { token(w, "", "b", attr(s, "c", "1"), "1") },
		"token, its value":     func(w *stanza.Writer, s string) { token(w, "", "b", attr("", "c", s), "1") },
		"token, text":          func(w *stanza.Writer, s string) { token(w, "", "b", nil, s) },
		"payload of others":    func(w *stanza.Writer, s string) { w.Payload(stanza.FromMarshaler(textOf(s))) },
		"payload in another one": func(w *stanza.Writer, s string) {
			w.Payload(&stanza.Error{Condition: stanza.Gone, Address: s, Text: s})
		},
	} {
		t.Run(name, func(t *testing.T) {
			tryEvil(t, func(dst []byte, s string) ([]byte, error) {
				w := stanza.NewWriter(dst)
				w.Start("urn:o", "o")
				write(w, s)
				w.Element("", "behind", "x")
				w.End()
				return w.Bytes()
			})
		})
	}
}

// textOf is a marshaler of mellium.im/xmlstream whose element holds a text.
type textOf string

func (s textOf) TokenReader() xml.TokenReader {
	return xmlstream.Wrap(xmlstream.Token(xml.CharData(s)), xml.StartElement{Name: xml.Name{Space: "urn:t", Local: "t"}})
}
