package admin

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// §4.8: the roster is in the form.
func TestRosterForm_RoundTrip(t *testing.T) {
	in := rosterForm{form.New(form.TypeResult, NS, values(fieldAccounts, "juliet@example.org")), roster.Query{Items: []roster.Item{{JID: jid.MustParse("romeo@example.net"), Name: "</x>"}}}}
	e, err := stanza.ElementOf(in)
	require.NoError(t, err)
	var out rosterForm
	require.NoError(t, e.Decode(&out.form))
	require.NoError(t, e.Child(roster.NS, "query").Decode(&out.roster))
	require.Equal(t, in, out)

	in.roster.Items[0].JID = jid.JID{}
	b, err := in.AppendXML([]byte("before"))
	require.Error(t, err)
	require.Equal(t, "before", string(b))
}
