package stanza_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
)

func TestEdit(t *testing.T) {
	raw := parse(t, `<message id='1' odd='2'><body>x &lt; y</body><delay xmlns='urn:xmpp:delay'/><a xmlns='urn:a'><b/></a></message>`)
	isDelay := func(e stanza.Element) bool { return e.Is("urn:xmpp:delay", "delay") }
	for _, tt := range []struct {
		name string
		drop func(stanza.Element) bool
		add  []stanza.Payload
		want string
	}{
		{"nothing", nil, nil, `<message id='1' odd='2'><body>x &lt; y</body><delay xmlns='urn:xmpp:delay'/><a xmlns='urn:a'><b/></a></message>`},
		{"drop", isDelay, nil, `<message id='1' odd='2'><body>x &lt; y</body><a xmlns='urn:a'><b/></a></message>`},
		{"drop and add", isDelay, []stanza.Payload{payload(`<c xmlns='urn:c'/>`)}, `<message id='1' odd='2'><body>x &lt; y</body><a xmlns='urn:a'><b/></a><c xmlns='urn:c'/></message>`},
		{"add", nil, []stanza.Payload{payload(`<c xmlns='urn:c'/>`)}, `<message id='1' odd='2'><body>x &lt; y</body><delay xmlns='urn:xmpp:delay'/><a xmlns='urn:a'><b/></a><c xmlns='urn:c'/></message>`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := raw.Edit(tt.drop, tt.add...)
			require.NoError(t, err)
			require.Equal(t, tt.want, got.String())
			again := parse(t, tt.want)
			require.Equal(t, again.Header(), got.Header())
		})
	}
	require.Equal(t, `<message id='1' odd='2'><body>x &lt; y</body><delay xmlns='urn:xmpp:delay'/><a xmlns='urn:a'><b/></a></message>`, raw.String())
}
