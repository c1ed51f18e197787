package private

import (
	"encoding/xml"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
)

func TestNothing_RoundTrip(t *testing.T) {
	name := xml.Name{Space: "exodus:prefs", Local: "exodus"}
	e, err := stanza.ElementOf(nothing(name))
	require.NoError(t, err)
	require.Equal(t, name, e.Name())
	require.True(t, isEmpty(e))
}
