package disco_test

import (
	"cmp"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
)

const form = `<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>urn:example:f</value></field></x>`

// TestInfo reads answers and writes them again. XEP-0030 §3.1.
func TestInfo(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     disco.Info
		again    string // the canonical form; empty means as in
	}{
		{
			name: "request",
			in:   `<query xmlns='http://jabber.org/protocol/disco#info'/>`,
		},
		{
			name: "request for a node (example 9)",
			in:   `<query xmlns='http://jabber.org/protocol/disco#info' node='http://jabber.org/protocol/commands'/>`,
			want: disco.Info{Node: "http://jabber.org/protocol/commands"},
		},
		{
			name: "answer",
			in: `<query xmlns='http://jabber.org/protocol/disco#info'>` +
				`<identity xml:lang='en' category='client' type='pc' name='Gabber'/>` +
				`<feature var='jabber:iq:time'/><feature var='jabber:iq:version'/>` + form + `</query>`,
			want: disco.Info{
				Identities: []disco.Identity{{Category: "client", Type: "pc", Name: "Gabber", Lang: "en"}},
				Features:   []string{"jabber:iq:time", "jabber:iq:version"},
			},
		},
		{
			name: "order and duplicates stay, for XEP-0115 §5.4",
			in: `<query xmlns='http://jabber.org/protocol/disco#info'>` +
				`<identity category='client' type='pc'/><identity category='client' type='pc'/>` +
				`<feature var='b'/><feature var='a'/><feature var='b'/></query>`,
			want: disco.Info{
				Identities: []disco.Identity{{Category: "client", Type: "pc"}, {Category: "client", Type: "pc"}},
				Features:   []string{"b", "a", "b"},
			},
		},
		{
			name: "what lacks its attributes, and what is unknown, is left out",
			in: `<query xmlns='http://jabber.org/protocol/disco#info'>` +
				`<identity category='client'/><identity type='pc'/><feature/><feature var='a'/><feature xmlns='urn:x' var='b'/><other/></query>`,
			want:  disco.Info{Features: []string{"a"}},
			again: `<query xmlns='http://jabber.org/protocol/disco#info'><feature var='a'/></query>`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := stanza.ParseElement([]byte(tt.in))
			require.NoError(t, err)
			var got disco.Info
			require.NoError(t, e.Decode(&got))
			forms := got.Forms
			got.Forms = nil
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("decoded %+v; want %+v", got, tt.want)
			}
			if want := strings.Count(tt.in, form); len(forms) != want {
				t.Errorf("%d forms; want %d", len(forms), want)
			}
			got.Forms = forms
			again, err := got.AppendXML(nil)
			if want := cmp.Or(tt.again, tt.in); err != nil || string(again) != want {
				t.Errorf("encoded %s, %v; want %s", again, err, want)
			}
		})
	}
}

func TestInfoThatCannotBeSent(t *testing.T) {
	for _, info := range []disco.Info{
		{Identities: []disco.Identity{{Category: "client"}}},
		{Identities: []disco.Identity{{Type: "pc"}}},
		{Features: []string{""}},
		{Features: []string{"a\x00b"}},
		{Forms: []stanza.Element{{}}},
		{Forms: []stanza.Element{element(t, `<y xmlns='jabber:x:data'/>`)}},
	} {
		if b, err := info.AppendXML([]byte("x")); err == nil || string(b) != "x" {
			t.Errorf("AppendXML(%+v) = %q, %v; want x and an error", info, b, err)
		}
	}
	if b, err := (disco.Items{Items: []disco.Item{{Name: "nowhere"}}}).AppendXML([]byte("x")); err == nil || string(b) != "x" {
		t.Errorf("AppendXML of an item without address = %q, %v", b, err)
	}
}

func element(t testing.TB, s string) stanza.Element {
	t.Helper()
	e, err := stanza.ParseElement([]byte(s))
	require.NoError(t, err)
	return e
}

// XEP-0030 §3.1: the feature of disco#info itself is inferred.
func TestHas(t *testing.T) {
	info := disco.Info{
		Identities: []disco.Identity{{Category: "server", Type: "im"}},
		Features:   []string{"urn:xmpp:ping"},
	}
	for _, tt := range []struct {
		feature string
		want    bool
	}{{"urn:xmpp:ping", true}, {disco.NSInfo, true}, {disco.NSItems, false}, {"", false}} {
		if got := info.Has(tt.feature); got != tt.want {
			t.Errorf("Has(%q) = %t; want %t", tt.feature, got, tt.want)
		}
	}
	for _, tt := range []struct {
		category, typ string
		want          bool
	}{{"server", "im", true}, {"server", "", true}, {"server", "x", false}, {"im", "server", false}} {
		if got := info.Is(tt.category, tt.typ); got != tt.want {
			t.Errorf("Is(%q, %q) = %t; want %t", tt.category, tt.typ, got, tt.want)
		}
	}
}

func TestGetInfo(t *testing.T) {
	plays := jid.MustParse("plays.shakespeare.lit")
	for _, tt := range []struct {
		name, node, question, answer string
		want                         disco.Info
		err                          error
	}{
		{
			name:     "examples 1 and 2",
			question: `<iq type='get' id='q1' to='plays.shakespeare.lit'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
			answer:   `<iq type='result' id='q1'><query xmlns='http://jabber.org/protocol/disco#info'><identity category='conference' type='text'/><feature var='gc-1.0'/></query></iq>`,
			want:     disco.Info{Identities: []disco.Identity{{Category: "conference", Type: "text"}}, Features: []string{"gc-1.0"}},
		},
		{
			name:     "an error answer",
			node:     "a'b",
			question: `<iq type='get' id='q1' to='plays.shakespeare.lit'><query xmlns='http://jabber.org/protocol/disco#info' node='a&apos;b'/></iq>`,
			answer:   `<iq type='error' id='q1'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
			err:      stanza.ItemNotFound,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := answering{answer: func(q string) (string, error) {
				if q != tt.question {
					t.Errorf("asked %s; want %s", q, tt.question)
				}
				return tt.answer, nil
			}}
			got, err := disco.GetInfo(t.Context(), s, plays, tt.node)
			if !reflect.DeepEqual(got, tt.want) || !errors.Is(err, tt.err) {
				t.Errorf("GetInfo = %+v, %v; want %+v, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// An answer that is no answer is an error, not an entity without features.
func TestGetWithoutAnAnswer(t *testing.T) {
	for _, answer := range []string{
		`<iq type='result' id='q1'/>`,
		`<iq type='result' id='q1'><query xmlns='jabber:iq:roster'/></iq>`,
	} {
		s := answering{answer: func(string) (string, error) { return answer, nil }}
		if info, err := disco.GetInfo(t.Context(), s, jid.JID{}, ""); err == nil {
			t.Errorf("GetInfo took %s for %+v", answer, info)
		}
		if items, err := disco.GetItems(t.Context(), s, jid.JID{}, "n"); err == nil {
			t.Errorf("GetItems took %s for %+v", answer, items)
		}
	}
}

func TestGetItems(t *testing.T) {
	s := answering{answer: func(string) (string, error) {
		return `<iq type='result' id='q1'><query xmlns='http://jabber.org/protocol/disco#items' node='music'>` +
			`<item jid='catalog.shakespeare.lit' node='music/A' name='A'/><item name='no address'/><item jid='@'/>` +
			`<item jid='people.shakespeare.lit'><x xmlns='urn:x'/></item></query></iq>`, nil
	}}
	got, err := disco.GetItems(t.Context(), s, jid.MustParse("catalog.shakespeare.lit"), "music")
	require.NoError(t, err)
	want := disco.Items{Node: "music", Items: []disco.Item{
		{JID: jid.MustParse("catalog.shakespeare.lit"), Node: "music/A", Name: "A"},
		{JID: jid.MustParse("people.shakespeare.lit")},
	}}
	if got.Node != want.Node || !slices.Equal(got.Items, want.Items) {
		t.Errorf("GetItems = %+v; want %+v", got, want)
	}
}
