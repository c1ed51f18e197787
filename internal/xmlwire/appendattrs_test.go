package xmlwire

import "testing"

// Attributes and the rest are written as they came, but for what is left out.
func TestAppendAttrs(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"<a/>", ""},
		{"<a to='x' xmlns='u' from = \"y\">z</a>", ""},
		{"<a b='1' to='x' c=\"2\" />", " b='1' c='2'"},
		{`<a b="it's" c='"' d="&apos;'&#10;&lt;"/>`, ` b='it&apos;s' c='"' d='&apos;&apos;&#10;&lt;'`},
		{"<a xmlns:p='u' p:to='1' xml:lang='x'/>", " xmlns:p='u' p:to='1' xml:lang='x'"},
		{"<a><b/>x</a>", ""},
		{"", ""},
		{"<a b", ""},
	} {
		n := NewNode([]byte(tt.in), "u")
		got := n.AppendAttrs([]byte("…"), "to", "from")
		if string(got) != "…"+tt.want {
			t.Errorf("%s: %s, want %s", tt.in, got, tt.want)
		}
		want := "…" + tt.want + "/>"
		if c := n.Content(); c != nil {
			want = "…" + tt.want + ">" + string(c) + "</a>"
		}
		if got := n.AppendRest([]byte("…"), "to", "from"); string(got) != want {
			t.Errorf("%s: rest %s, want %s", tt.in, got, want)
		}
	}
}
