package server

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// What a delay says reads back: who kept the stanza, and the time in UTC, to the
// millisecond (XEP-0203 §4).
func TestDelay_RoundTrip(t *testing.T) {
	sent := delay{jid.MustParse("example.com"), time.Date(2024, 2, 29, 23, 59, 59, 987_654_321, time.FixedZone("", 3600))}
	b, err := sent.AppendXML(nil)
	require.NoError(t, err)
	e, err := stanza.ParseElement(b)
	require.NoError(t, err)
	require.True(t, e.Is("urn:xmpp:delay", "delay"))
	require.Equal(t, "example.com", e.Attr("from"))
	stamp, err := time.Parse(time.RFC3339Nano, e.Attr("stamp"))
	require.NoError(t, err)
	require.Equal(t, "2024-02-29T22:59:59.987Z", stamp.Format(time.RFC3339Nano))
}

func TestPreApproval_RoundTrip(t *testing.T) {
	b, err := preApproval{}.AppendXML(nil)
	require.NoError(t, err)
	e, err := stanza.ParseElement(b)
	require.NoError(t, err)
	require.True(t, e.Is(roster.NSPreApproval, "sub"))
}
