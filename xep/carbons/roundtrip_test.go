package carbons

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
)

func TestWish_RoundTrip(t *testing.T) {
	for _, w := range []wish{"enable", "disable"} {
		e, err := stanza.ElementOf(w)
		require.NoError(t, err)
		require.True(t, e.Is(NS, string(w)))
	}
}
