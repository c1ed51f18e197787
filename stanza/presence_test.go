package stanza_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// TestI4_7_Presence: each part of a presence has its place in the struct and on
// the wire.
func TestI4_7_Presence(t *testing.T) {
	for _, tt := range []struct {
		name string
		xml  string
		want stanza.Presence
	}{
		{"initial", `<presence/>`, stanza.Presence{}},
		{"full", `<presence from='romeo@example.net/orchard'><show>dnd</show><status>Wooing Juliet</status><priority>1</priority></presence>`,
			stanza.Presence{From: romeo, Show: stanza.ShowDND, Status: stanza.Plain("Wooing Juliet"), Priority: 1}},
		{"subscribe", `<presence type='subscribe' id='xk3h1v69' to='romeo@example.net/orchard'/>`,
			stanza.Presence{To: romeo, ID: "xk3h1v69", Type: stanza.PresenceSubscribe}},
		{"lowest priority", `<presence><priority>-128</priority></presence>`, stanza.Presence{Priority: -128}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse(t, tt.xml).Presence()
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.xml, written(t, got))
		})
	}
}

// TestI4_7_2_3_Priority: a priority is a number from −128 to 127.
func TestI4_7_2_3_Priority(t *testing.T) {
	for _, bad := range []string{"128", "-129", "", "one", "1.5", "99999999999999999999"} {
		_, err := parse(t, `<presence><priority>`+bad+`</priority></presence>`).Presence()
		require.ErrorIs(t, err, stanza.BadRequest, bad)
	}
	p, err := parse(t, `<presence><priority> 5 </priority></presence>`).Presence()
	require.NoError(t, err)
	require.EqualValues(t, 5, p.Priority)
}

// TestI4_7_1_PresenceType: only the defined types are presence.
func TestI4_7_1_PresenceType(t *testing.T) {
	_, err := parse(t, `<presence type='available'/>`).Presence()
	require.ErrorIs(t, err, stanza.BadRequest)
}

// TestI4_7_2_1_Show: an unknown show means plain availability.
func TestI4_7_2_1_Show(t *testing.T) {
	p, err := parse(t, `<presence><show>bored</show></presence>`).Presence()
	require.NoError(t, err)
	require.Equal(t, stanza.ShowOnline, p.Show)
}
