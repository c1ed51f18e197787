package disco_test

import (
	"reflect"
	"testing"

	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
)

// FuzzParse reads anything as an answer: what was read writes itself, and reads
// back as the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`<query xmlns='http://jabber.org/protocol/disco#info' node='n'><identity category='c' type='t' name='&lt;' xml:lang='de'/><feature var='v'/>` + form + `</query>`,
		`<p:query xmlns:p='http://jabber.org/protocol/disco#info'><p:feature var='&#x10FFFF;'/><x xmlns='jabber:x:data'><y xmlns=''/></x></p:query>`,
		`<query xmlns='http://jabber.org/protocol/disco#items'><item jid='a@b/c' node='' name='&amp;'/><item jid=' '/></query>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := stanza.ParseElement(b)
		if err != nil {
			return
		}
		var info, infoAgain disco.Info
		if info.ParseXML(e) == nil {
			roundTrip(t, info, &infoAgain)
			if !sameInfo(info, infoAgain) {
				t.Errorf("info %+v reads back as %+v", info, infoAgain)
			}
		}
		var items, itemsAgain disco.Items
		if items.ParseXML(e) == nil {
			roundTrip(t, items, &itemsAgain)
			if !reflect.DeepEqual(items, itemsAgain) {
				t.Errorf("items %+v read back as %+v", items, itemsAgain)
			}
		}
	})
}

func roundTrip(t *testing.T, from stanza.Payload, to stanza.Decoder) {
	t.Helper()
	b, err := from.AppendXML(nil)
	if err != nil {
		t.Fatalf("what was read cannot be written: %v", err)
	}
	e, err := stanza.ParseElement(b)
	if err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	if err := e.Decode(to); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
}

// sameInfo compares forms by what they say.
func sameInfo(a, b disco.Info) bool {
	if len(a.Forms) != len(b.Forms) {
		return false
	}
	for i := range a.Forms {
		if a.Forms[i].String() != b.Forms[i].String() {
			return false
		}
	}
	a.Forms, b.Forms = nil, nil
	return reflect.DeepEqual(a, b)
}
