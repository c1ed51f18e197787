package roster_test

import (
	"cmp"
	"errors"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/stanza"
)

var nurse = jid.MustParse("nurse@example.com")

// TestI2_1_Query reads what RFC 6121 §2.1 describes, and writes it again.
func TestI2_1_Query(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     roster.Query
		again    string // the canonical form; empty means as in
	}{
		{name: "get (§2.1.3)", in: `<query xmlns='jabber:iq:roster'/>`},
		{name: "version (§2.1.1)", in: `<query xmlns='jabber:iq:roster' ver='ver7'/>`, want: roster.Query{Ver: "ver7", HasVer: true}},
		{name: "empty version (§2.6.2)", in: `<query xmlns='jabber:iq:roster' ver=''/>`, want: roster.Query{HasVer: true}},
		{
			name: "every attribute",
			in: query(`<item jid='nurse@example.com' name='Nurse &amp; co' subscription='from' ask='subscribe' approved='true'>` +
				`<group>Servants</group><group>Friends</group></item>`),
			want: roster.Query{Items: []roster.Item{{
				JID: nurse, Name: "Nurse & co", Groups: []string{"Servants", "Friends"},
				Subscription: roster.From, Ask: true, Approved: true,
			}}},
		},
		{
			name: "defaults: no subscription is none, an empty name is none (§2.1.2.5, §2.4.1)",
			in:   query(`<item jid='nurse@example.com'/><item jid='nurse@example.com' name='' subscription='none' approved='false'/>`),
			want: roster.Query{Items: []roster.Item{{JID: nurse}, {JID: nurse}}},

			again: query(`<item jid='nurse@example.com' subscription='none'/><item jid='nurse@example.com' subscription='none'/>`),
		},
		{
			name:  "values that are not defined (§2.1.2.2, §2.1.2.5)",
			in:    query(`<item jid='nurse@example.com' subscription='friend' ask='unsubscribe' approved='yes' color='red'><x xmlns='urn:x'/></item><other/>`),
			want:  roster.Query{Items: []roster.Item{{JID: nurse}}},
			again: query(`<item jid='nurse@example.com' subscription='none'/>`),
		},
		{
			name:  "approved is an xs:boolean",
			in:    query(`<item jid='nurse@example.com' approved='1'/>`),
			want:  roster.Query{Items: []roster.Item{{JID: nurse, Approved: true}}},
			again: query(`<item jid='nurse@example.com' subscription='none' approved='true'/>`),
		},
		{
			name: "removal (§2.5.1)",
			in:   query(`<item jid='nurse@example.com' subscription='remove'/>`),
			want: roster.Query{Items: []roster.Item{{JID: nurse, Subscription: roster.Remove}}},
		},
		{
			name: "groups stay as they came, for a server to refuse",
			in:   query(`<item jid='nurse@example.com' subscription='none'><group/><group>a</group><group>a</group></item>`),
			want: roster.Query{Items: []roster.Item{{JID: nurse, Groups: []string{"", "a", "a"}}}},
		},
		{
			name: "an address that older rules allowed is kept (lenient)",
			in:   query(`<item jid='fran&#x2004;çois@example.com'/>`),
			want: roster.Query{Items: []roster.Item{{JID: lenient("fran\u2004çois@example.com")}}},

			again: query("<item jid='fran\u2004çois@example.com' subscription='none'/>"),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := stanza.ParseElement([]byte(tt.in))
			require.NoError(t, err)
			var got roster.Query
			require.NoError(t, e.Decode(&got))
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("decoded %+v; want %+v", got, tt.want)
			}
			again, err := got.AppendXML(nil)
			if want := cmp.Or(tt.again, tt.in); err != nil || string(again) != want {
				t.Errorf("encoded %s, %v; want %s", again, err, want)
			}
		})
	}
}

func lenient(s string) jid.JID {
	j, err := jid.ParseLenient(s)
	if err != nil {
		panic(err)
	}
	return j
}

func TestQueryThatCannotBeSent(t *testing.T) {
	for _, i := range []roster.Item{
		{Name: "nowhere"},
		{JID: nurse, Subscription: "friend"},
		{JID: nurse, Name: "\x00"},
		{JID: nurse, Groups: []string{"\xff"}},
	} {
		if b, err := (roster.Query{Items: []roster.Item{i}}).AppendXML([]byte("x")); err == nil || string(b) != "x" {
			t.Errorf("AppendXML(%+v) = %q, %v; want x and an error", i, b, err)
		}
	}
}

// TestI2_1_5_Change: exactly one item, with an address.
func TestI2_1_5_Change(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want jid.JID
		err  error
	}{
		{in: query(`<item jid='nurse@example.com'/>`), want: nurse},
		{in: query(``), err: stanza.BadRequest},
		{in: query(`<item jid='nurse@example.com'/><item jid='romeo@example.net'/>`), err: stanza.BadRequest},
		{in: query(`<item jid='nurse@example.com'/><item/>`), err: stanza.BadRequest},
		{in: query(`<item/>`), err: stanza.BadRequest},
		{in: query(`<item jid='@example.com'/>`), err: stanza.BadRequest},
	} {
		e, err := stanza.ParseElement([]byte(tt.in))
		require.NoError(t, err)
		var q roster.Query
		require.NoError(t, e.Decode(&q))
		if got, err := q.Change(); got.JID != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, %v; want %v, %v", tt.in, got.JID, err, tt.want, tt.err)
		}
	}
}

// TestI2_3_3_Check: the errors a server gives.
func TestI2_3_3_Check(t *testing.T) {
	for _, tt := range []struct {
		item roster.Item
		want error
	}{
		{item: roster.Item{JID: nurse}},
		{item: roster.Item{JID: nurse, Groups: []string{"b", "a", "B"}}},
		{item: roster.Item{JID: nurse, Groups: []string{"b", "a", "b"}}, want: stanza.BadRequest},
		{item: roster.Item{JID: nurse, Groups: []string{"b", ""}}, want: stanza.NotAcceptable},
		{item: roster.Item{JID: nurse, Groups: []string{"", ""}}, want: stanza.NotAcceptable},
		{item: roster.Item{}, want: stanza.BadRequest},
	} {
		if err := tt.item.Check(); !errors.Is(err, tt.want) {
			t.Errorf("Check of %+v = %v; want %v", tt.item, err, tt.want)
		}
	}
}

func TestSubscription(t *testing.T) {
	for _, tt := range []struct {
		s        roster.Subscription
		to, from bool
		name     string
	}{
		{roster.None, false, false, "none"},
		{roster.To, true, false, "to"},
		{roster.From, false, true, "from"},
		{roster.Both, true, true, "both"},
		{roster.Remove, false, false, "remove"},
	} {
		if tt.s.To() != tt.to || tt.s.From() != tt.from || tt.s.String() != tt.name {
			t.Errorf("%s: To %t, From %t; want %s: %t, %t", tt.s, tt.s.To(), tt.s.From(), tt.name, tt.to, tt.from)
		}
	}
}
