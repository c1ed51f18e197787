package roster_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// FuzzParse reads anything as a roster. Whatever has an address writes itself
// and reads back as the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`<query xmlns='jabber:iq:roster' ver=''/>`,
		`<query xmlns='jabber:iq:roster' ver='a&lt;'><item jid='a@b' name='&apos;' subscription='both' ask='subscribe' approved='1'><group>g</group><group/></item></query>`,
		`<r:query xmlns:r='jabber:iq:roster'><r:item jid='a@b/ c'><r:group>x<y/>z</r:group></r:item><r:item/></r:query>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := stanza.ParseElement(b)
		if err != nil {
			return
		}
		var q, again roster.Query
		if err := q.ParseXML(e); err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(q.Items, func(i roster.Item) bool { return i.JID.IsZero() }) {
			if _, err := q.AppendXML(nil); err == nil {
				t.Error("an item without an address was written")
			}
			return
		}
		out, err := q.AppendXML(nil)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if e, err = stanza.ParseElement(out); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		if err := e.Decode(&again); err != nil || !reflect.DeepEqual(q, again) {
			t.Errorf("%+v reads back as %+v, %v", q, again, err)
		}
		for _, i := range q.Items {
			_ = i.Check()
		}
	})
}
