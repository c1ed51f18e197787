package server

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/stanza"
)

func TestRosterFeature_RoundTrip(t *testing.T) {
	b, err := rosterFeature{roster.NSVersioning, "ver"}.AppendXML(nil)
	require.NoError(t, err)
	e, err := stanza.ParseElement(b)
	require.NoError(t, err)
	require.True(t, e.Is(roster.NSVersioning, "ver"))
}
