//go:build linux

package main

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/blocking"
	"github.com/parlance-xmpp/xmpp/xep/private"
	"github.com/parlance-xmpp/xmpp/xep/vcard"
)

// What clients keep on one server they find on the next one, whatever its storage is: with the same password, and without asking anybody again.
func TestXEP0227_Move(t *testing.T) {
	old := newHome(t, hosts("capulet.example"))
	for _, name := range []string{"juliet", "romeo", "nurse"} {
		old.must("s3cret of "+name, "user", "add", name+"@capulet.example")
	}
	old.must("", "user", "disable", "nurse@capulet.example")
	s := old.serve()
	juliet := join(t, "juliet@capulet.example", *old.options("s3cret of juliet"))
	romeo := join(t, "romeo@capulet.example", *old.options("s3cret of romeo"))
	ctx := t.Context()
	for from, to := range map[*friend]string{juliet: "romeo@capulet.example", romeo: "juliet@capulet.example"} {
		_, err := from.Send(ctx, stanza.Presence{To: jid.MustParse(to), Type: stanza.PresenceSubscribe})
		require.NoError(t, err)
		from.sync()
	}
	require.NoError(t, roster.Set(ctx, juliet, roster.Item{JID: jid.MustParse("romeo@capulet.example"), Name: "Romeo & co", Groups: []string{"Friends"}}))
	_, err := juliet.Send(ctx, stanza.Presence{To: jid.MustParse("romeo@capulet.example"), Type: stanza.PresenceSubscribed})
	require.NoError(t, err)
	require.NoError(t, vcard.Set(ctx, juliet, vcard.VCard{FN: "Juliet Capulet"}))
	note := struct {
		XMLName xml.Name `xml:"urn:example:note note"`
		Text    string   `xml:"text"`
	}{Text: "a thousand times good night"}
	require.NoError(t, private.Set(ctx, juliet, stanza.Marshal(note)))
	require.NoError(t, blocking.Block(ctx, juliet, jid.MustParse("paris@capulet.example")))
	rosterBefore, err := roster.Get(ctx, juliet)
	require.NoError(t, err)
	juliet.leave()
	romeo.says("juliet@capulet.example", "parting is such sweet sorrow")
	romeo.leave()
	file := filepath.Join(old.dir, "all.xml")
	old.must("", "export", file)
	s.stop()

	for _, storage := range []string{"sqlite", "memory", "postgres"} {
		t.Run(storage, func(t *testing.T) {
			where := storage
			if storage == "postgres" {
				where = databaseURL(t)
			}
			next := newHome(t, "storage = '"+where+"'\n"+hosts("capulet.example"))
			s := next.serve()
			require.Contains(t, next.must("", "import", file), "\n0 skipped\n")
			require.Contains(t, next.must("", "import", file), "message: 0 new, 1 there already\n")
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(text), next.must("", "export"))

			juliet := join(t, "juliet@capulet.example", *next.options("s3cret of juliet"))
			juliet.hears("parting is such sweet sorrow")
			list, err := roster.Get(ctx, juliet)
			require.NoError(t, err)
			require.Equal(t, rosterBefore.Items, list.Items)
			card, err := vcard.Get(ctx, juliet, jid.MustParse("juliet@capulet.example"))
			require.NoError(t, err)
			require.Equal(t, "Juliet Capulet", card.FN)
			e, err := private.Get(ctx, juliet, xml.Name{Space: "urn:example:note", Local: "note"})
			require.NoError(t, err)
			require.Equal(t, note.Text, e.Child("urn:example:note", "text").Text())
			blocked, err := blocking.Get(ctx, juliet)
			require.NoError(t, err)
			require.Equal(t, []jid.JID{jid.MustParse("paris@capulet.example")}, blocked)
			require.Contains(t, next.must("", "user", "list"), "disabled")

			require.Contains(t, next.must("", "import", file), "message: 0 new, 1 there already\n", "it was delivered, and does not come again")
			s.stop()
		})
	}
}

// Accounts of a server that only knew SCRAM-SHA-1 log in where nothing else is offered, and the import says so.
func TestImportedSHA1(t *testing.T) {
	h := newHome(t, "mechanisms = ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-1']\n"+hosts("localhost"))
	h.people("localhost", 2)
	h.serve()
	join(t, "user0@localhost", *h.options("s3cret"))
}
