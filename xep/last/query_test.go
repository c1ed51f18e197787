package last

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// A request has no content; that it reads back is all there is to it.
func TestQuery_RoundTrip(t *testing.T) {
	e, err := stanza.ElementOf(query{})
	require.NoError(t, err)
	require.Equal(t, "<query xmlns='jabber:iq:last'/>", e.String())
}

// What is kept reads back; a long status loses its end, between two characters.
func TestDocument(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	long := string(make([]byte, statusBytes-1)) + "é…"
	for in, want := range map[string]string{"": "", "Heading\nHome": "Heading\nHome", long: long[:statusBytes-1]} {
		data := format(now, in)
		require.LessOrEqual(t, len(data), limits.Bytes)
		at, status, err := parse(data)
		require.NoError(t, err)
		require.Equal(t, now, at)
		require.Equal(t, want, status)
	}
	_, _, err := parse([]byte("broken"))
	require.Error(t, err)
}
