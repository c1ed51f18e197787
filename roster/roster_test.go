package roster_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// TestI2_1_4_Get: RFC 6121 §2.1.3, §2.1.4.
func TestI2_1_4_Get(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		want         roster.Roster
		err          error
		fails        bool
	}{
		{
			name:   "a roster",
			answer: result(`<query xmlns='jabber:iq:roster' ver='ver7'><item jid='nurse@example.com' name='Nurse' subscription='both'/><item jid='romeo@example.net'/></query>`),
			want: roster.Roster{Ver: "ver7", Items: []roster.Item{
				{JID: nurse, Name: "Nurse", Subscription: roster.Both},
				{JID: jid.MustParse("romeo@example.net")},
			}},
		},
		{name: "an empty roster", answer: result(query(``))},
		{
			name:   "what must be ignored (§2.1.2.5), and an item without an address",
			answer: result(query(`<item jid='nurse@example.com' subscription='remove'/><item name='nobody'/>`)),
			want:   roster.Roster{Items: []roster.Item{{JID: nurse}}},
		},
		{name: "no roster", answer: failure("item-not-found"), err: stanza.ItemNotFound, fails: true},
		{name: "not supported (§2.2)", answer: failure("service-unavailable"), err: stanza.ServiceUnavailable, fails: true},
		{name: "an empty result is no empty roster (§2.6.3)", answer: result(``), fails: true},
		{name: "another payload", answer: result(`<query xmlns='jabber:iq:private'/>`), fails: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := session{server: func(q string) string {
				if want := `<iq type='get' id='q1'><query xmlns='jabber:iq:roster'/></iq>`; q != want {
					t.Errorf("asked %s; want %s", q, want)
				}
				return tt.answer
			}}
			got, err := roster.Get(t.Context(), s)
			if !reflect.DeepEqual(got, tt.want) || tt.fails != (err != nil) || tt.err != nil && !errors.Is(err, tt.err) {
				t.Errorf("Get = %+v, %v; want %+v, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// TestI2_6_GetSince: RFC 6121 §2.6.2, §2.6.3.
func TestI2_6_GetSince(t *testing.T) {
	known := roster.Roster{Ver: "ver14", Items: []roster.Item{{JID: nurse}}}
	for _, tt := range []struct {
		name, question, answer string
		known, want            roster.Roster
		err                    error
	}{
		{
			name: "unchanged", known: known,
			question: `<query xmlns='jabber:iq:roster' ver='ver14'/>`, answer: result(``), want: known,
		},
		{
			name: "begin", question: `<query xmlns='jabber:iq:roster' ver=''/>`,
			answer: result(`<query xmlns='jabber:iq:roster' ver='ver1'/>`), want: roster.Roster{Ver: "ver1"},
		},
		{
			name: "all anew", known: known, question: `<query xmlns='jabber:iq:roster' ver='ver14'/>`,
			answer: result(`<query xmlns='jabber:iq:roster' ver='ver96'/>`), want: roster.Roster{Ver: "ver96"},
		},
		{
			name: "refused", known: known, question: `<query xmlns='jabber:iq:roster' ver='ver14'/>`,
			answer: failure("internal-server-error"), err: stanza.InternalServerError,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := session{server: func(q string) string {
				if want := `<iq type='get' id='q1'>` + tt.question + `</iq>`; q != want {
					t.Errorf("asked %s; want %s", q, want)
				}
				return tt.answer
			}}
			got, err := roster.GetSince(t.Context(), s, tt.known)
			if !reflect.DeepEqual(got, tt.want) || !errors.Is(err, tt.err) {
				t.Errorf("GetSince = %+v, %v; want %+v, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// TestI2_3_Set: what a client must not send (§2.1.2.1, §2.1.2.2) is not sent,
// and an error answer is an error.
func TestI2_3_Set(t *testing.T) {
	var asked string
	answer := result(``)
	s := session{server: func(q string) string { asked = q; return answer }}

	item := roster.Item{JID: nurse, Name: "Nurse", Groups: []string{"Servants"}, Subscription: roster.Both, Ask: true, Approved: true}
	require.NoError(t, roster.Set(t.Context(), s, item))
	require.Equal(t, `<iq type='set' id='q1'>`+query(`<item jid='nurse@example.com' name='Nurse'><group>Servants</group></item>`)+`</iq>`, asked)

	item.Subscription = roster.Remove // not by mistake: that is Delete
	require.NoError(t, roster.Set(t.Context(), s, item))
	require.NotContains(t, asked, "remove")

	require.NoError(t, roster.Delete(t.Context(), s, nurse))
	require.Equal(t, `<iq type='set' id='q1'>`+query(`<item jid='nurse@example.com' subscription='remove'/>`)+`</iq>`, asked)

	answer = failure("not-acceptable")
	err := roster.Set(t.Context(), s, item)
	require.ErrorIs(t, err, stanza.NotAcceptable)
	require.Equal(t, "roster: set nurse@example.com: not-acceptable", err.Error())
	answer = failure("item-not-found")
	require.ErrorIs(t, roster.Delete(t.Context(), s, nurse), stanza.ItemNotFound)

	asked = ""
	require.ErrorIs(t, roster.Set(t.Context(), s, roster.Item{JID: nurse, Groups: []string{"a", "a"}}), stanza.BadRequest)
	require.Error(t, roster.Set(t.Context(), s, roster.Item{}))
	require.Error(t, roster.Delete(t.Context(), s, jid.JID{}))
	require.Empty(t, asked, "what cannot succeed was sent")
}
