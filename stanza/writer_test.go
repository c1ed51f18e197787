package stanza_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
)

func TestWriter(t *testing.T) {
	for _, tt := range []struct {
		name  string
		write func(w *stanza.Writer)
		want  string // empty: an error
	}{
		{"empty element", func(w *stanza.Writer) { w.Start("urn:a", "a"); w.End() }, `<a xmlns='urn:a'/>`},
		{"in the stanza's namespace", func(w *stanza.Writer) { w.Start("", "a"); w.End() }, `<a/>`},
		{"inherited namespace", func(w *stanza.Writer) {
			w.Start("urn:a", "a")
			w.Start("", "b")
			w.End()
			w.Start("urn:a", "c")
			w.End()
			w.End()
		}, `<a xmlns='urn:a'><b/><c/></a>`},
		{"back to the stanza's", func(w *stanza.Writer) { w.Start("urn:a", "a"); w.Start(stanza.NS, "b"); w.End(); w.End() }, `<a xmlns='urn:a'><b xmlns='jabber:client'/></a>`},
		{"escaping", func(w *stanza.Writer) { w.Start("urn:'&<", "a"); w.Attr("b", `'"<>&`+"\n"); w.Text("<&>]]>"); w.End() },
			`<a xmlns='urn:&apos;&amp;&lt;' b='&apos;"&lt;&gt;&amp;&#10;'>&lt;&amp;&gt;]]&gt;</a>`},
		{"payload keeps its namespace", func(w *stanza.Writer) {
			w.Start("urn:xmpp:forward:0", "forwarded")
			w.Payload(payload(`<message><body>x</body></message>`))
			w.Payload(payload(`<b xmlns='urn:xmpp:forward:0'/>`))
			w.End()
		}, `<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>x</body></message><b xmlns='urn:xmpp:forward:0'/></forwarded>`},
		{"bad name", func(w *stanza.Writer) { w.Start("urn:a", "a b"); w.End() }, ``},
		{"prefixed name", func(w *stanza.Writer) { w.Start("urn:a", "p:b"); w.End() }, ``},
		{"bad attribute", func(w *stanza.Writer) { w.Start("urn:a", "a"); w.Attr("x='1' y", "2"); w.End() }, ``},
		{"namespace as attribute", func(w *stanza.Writer) { w.Start("urn:a", "a"); w.Attr("xmlns", "2"); w.End() }, ``},
		{"late attribute", func(w *stanza.Writer) { w.Start("urn:a", "a"); w.Text("x"); w.Attr("b", "2"); w.End() }, ``},
		{"not closed", func(w *stanza.Writer) { w.Start("urn:a", "a") }, ``},
		{"closed twice", func(w *stanza.Writer) { w.Start("urn:a", "a"); w.End(); w.End() }, ``},
		{"text outside", func(w *stanza.Writer) { w.Text("x") }, ``},
		{"forbidden character", func(w *stanza.Writer) { w.Start("urn:a", "a"); w.Text("\x07"); w.End() }, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := stanza.NewWriter([]byte("before"))
			tt.write(w)
			got, err := w.Bytes()
			if (err == nil) != (tt.want != "") || string(got) != "before"+tt.want {
				t.Errorf("Bytes = %q, %v; want %q", got, err, "before"+tt.want)
			}
			if err == nil {
				_, err := stanza.ParseElement(got[len("before"):])
				require.NoError(t, err)
			}
		})
	}
}

// payload is XML that is already there.
type payload string

func (p payload) AppendXML(dst []byte) ([]byte, error) { return append(dst, p...), nil }
