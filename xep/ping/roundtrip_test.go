package ping_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/ping"
)

// A ping has no content; that it reads back is all there is to it.
func TestPing_RoundTrip(t *testing.T) {
	b, err := ping.Ping{}.AppendXML(nil)
	require.NoError(t, err)
	require.Equal(t, `<ping xmlns='urn:xmpp:ping'/>`, string(b))
	e, err := stanza.ParseElement(b)
	require.NoError(t, err)
	require.NoError(t, e.Decode(new(ping.Ping)))
}
