package invite

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
)

func TestRoundTripOffer(t *testing.T) {
	e, err := stanza.ElementOf(offer{})
	require.NoError(t, err)
	require.Equal(t, "<register xmlns='urn:xmpp:ibr-token:0'/>", e.String())
}
