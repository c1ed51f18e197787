package stanza_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// An edited stanza differs in what was dropped and added, and in nothing else; the original
// stays as it was.
func TestRaw_Edit(t *testing.T) {
	const in = "<message type='chat' id='1' to='a@b' from='c@d/e' xml:lang='it' other='x'><body>&lt;hi&gt;</body><x xmlns='urn:example:x'><body>inner</body></x><body xml:lang='de'>hallo</body></message>"
	raw, err := stanza.Parse([]byte(in))
	require.NoError(t, err)
	added, err := stanza.ParseElement([]byte("<y xmlns='urn:example:y'/>"))
	require.NoError(t, err)
	for _, tt := range []struct {
		name string
		drop func(stanza.Element) bool
		add  []stanza.Payload
		want string
	}{
		{"nothing", nil, nil, "<body>&lt;hi&gt;</body><x xmlns='urn:example:x'><body>inner</body></x><body xml:lang='de'>hallo</body>"},
		{"drop", func(e stanza.Element) bool { return e.Is(stanza.NS, "body") }, nil, "<x xmlns='urn:example:x'><body>inner</body></x>"},
		{"add", nil, []stanza.Payload{added}, "<body>&lt;hi&gt;</body><x xmlns='urn:example:x'><body>inner</body></x><body xml:lang='de'>hallo</body><y xmlns='urn:example:y'/>"},
		{"both", func(e stanza.Element) bool { return e.Is("urn:example:x", "x") }, []stanza.Payload{added}, "<body>&lt;hi&gt;</body><body xml:lang='de'>hallo</body><y xmlns='urn:example:y'/>"},
		{"all", func(stanza.Element) bool { return true }, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := raw.Edit(tt.drop, tt.add...)
			require.NoError(t, err)
			head := "<message type='chat' id='1' to='a@b' from='c@d/e' xml:lang='it' other='x'"
			want := head + ">" + tt.want + "</message>"
			if tt.want == "" {
				want = head + "/>"
			}
			require.Equal(t, want, got.String())
			again, err := stanza.Parse([]byte(got.String()))
			require.NoError(t, err)
			require.Equal(t, again.Header(), got.Header())
			require.Equal(t, in, raw.String())
		})
	}
}
