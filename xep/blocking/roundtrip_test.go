package blocking

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
)

func TestBlocked_RoundTrip(t *testing.T) {
	e, err := stanza.ElementOf(&stanza.Error{Condition: stanza.NotAcceptable, App: blocked{}})
	require.NoError(t, err)
	require.False(t, e.Child(NSErrors, "blocked").IsZero())
}
