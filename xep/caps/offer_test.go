package caps

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// What a stream offers reads back as what is announced.
func TestOffer_RoundTrip(t *testing.T) {
	a := register(muxer.New(), "https://example.org/")
	e, err := stanza.ElementOf(offer{a})
	require.NoError(t, err)
	var c Caps
	require.NoError(t, e.Decode(&c))
	require.Equal(t, a.caps(), c)
}
