package command

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// FuzzRepeated: whatever a request says of itself, an error can repeat it, without what was filled in.
func FuzzRepeated(f *testing.F) {
	f.Add("<command xmlns='http://jabber.org/protocol/commands' node='n' sessionid='s' action='leap' xml:lang='en'><x xmlns='jabber:x:data' type='submit'/></command>")
	f.Add("<p:command xmlns:p='http://jabber.org/protocol/commands' node='&#13;&lt;&apos;&quot;' xml:lang='!'/>")
	f.Fuzz(func(t *testing.T, in string) {
		e, err := stanza.ParseElement([]byte(in))
		if err != nil {
			return
		}
		var asked, again Command
		if e.Decode(&asked) != nil {
			return
		}
		out, err := stanza.ElementOf(repeated(asked))
		require.NoError(t, err)
		require.NoError(t, out.Decode(&again))
		want := Command{Node: asked.Node, SessionID: asked.SessionID, Action: asked.Action, Lang: asked.Lang}
		require.Equal(t, want, again)
	})
}
