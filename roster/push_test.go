package roster_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// TestClientS1_RosterPush: only the own account may change the roster
// (RFC 6121 §2.1.6; CVE-2015-8688, CVE-2016-9928). Anybody else learns nothing
// and changes nothing.
func TestClientS1_RosterPush(t *testing.T) {
	for _, tt := range []struct {
		name, from string
		taken      bool
	}{
		{"no from", "", true},
		{"own bare JID", "juliet@example.com", true},
		{"own bare JID, spelled otherwise", "Juliet@EXAMPLE.com", true},
		{"own full JID", "juliet@example.com/balcony", false},
		{"another own resource", "juliet@example.com/chamber", false},
		{"own domain", "example.com", false},
		{"a peer", "mallory@example.net", false},
		{"a peer's resource", "mallory@example.net/juliet@example.com", false},
		{"a user of the own domain", "mallory@example.com", false},
		{"the account at another domain", "juliet@example.com.evil.example", false},
		{"a subdomain", "juliet@im.example.com", false},
		{"a look-alike: Cyrillic е", "juliеt@example.com", false},
		{"a look-alike: zero width joiner", "juliet\u200d@example.com", false},
		{"a look-alike: a space that lenient parsing keeps", "juliet\u2004@example.com", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mux := muxer.New()
			list := roster.NewList(nil)
			list.Register(mux)
			if err := list.Load(t.Context(), session{server: func(string) string {
				return result(query(`<item jid='romeo@example.net' subscription='both'/>`))
			}}); err != nil {
				t.Fatal(err)
			}
			before := list.Roster()
			for _, q := range []string{
				query(`<item jid='mallory@example.net' name='Romeo' subscription='both'/>`),
				query(`<item jid='romeo@example.net' subscription='remove'/>`),
			} {
				err := push(t, mux, tt.from, q)
				switch {
				case tt.taken && err != nil:
					t.Errorf("refused with %v", err)
				case !tt.taken && err != stanza.ServiceUnavailable:
					t.Errorf("answered with %v; want service-unavailable", err)
				}
			}
			if _, taken := list.Lookup(jidOf("mallory@example.net")); taken != tt.taken {
				t.Errorf("item added: %t; want %t", taken, tt.taken)
			}
			if list.Contains(jidOf("romeo@example.net")) == tt.taken {
				t.Errorf("item removed: %t; want %t", !tt.taken, tt.taken)
			}
			if !tt.taken {
				require.Equal(t, before, list.Roster())
			}
			// Ill-formed data from a stranger is not even looked at.
			if err := push(t, mux, tt.from, query(``)); !tt.taken && err != stanza.ServiceUnavailable {
				t.Errorf("an ill-formed push was answered with %v; want service-unavailable", err)
			}
		})
	}
}

// Without a session nobody can be told from the account: refused.
func TestClientS1_NoSession(t *testing.T) {
	mux := muxer.New()
	roster.Register(mux, func(context.Context, roster.Push) { t.Error("a push was taken") })
	st, err := stanza.Parse([]byte(`<iq type='set' id='1'>` + query(`<item jid='a@b'/>`) + `</iq>`))
	require.NoError(t, err)
	if _, err := mux.HandleStanza(t.Context(), st); !errors.Is(err, stanza.ServiceUnavailable) {
		t.Errorf("answered with %v", err)
	}
}

// TestI2_1_6_OneItem: rule 1 of RFC 6121 §2.1.6.
func TestI2_1_6_OneItem(t *testing.T) {
	mux := muxer.New()
	var got []roster.Push
	roster.Register(mux, func(_ context.Context, p roster.Push) { got = append(got, p) })
	for _, q := range []string{
		query(``),
		query(`<item jid='nurse@example.com'/><item jid='romeo@example.net'/>`),
		query(`<item name='nobody'/>`),
	} {
		if err := push(t, mux, "", q); !errors.Is(err, stanza.BadRequest) {
			t.Errorf("%s: answered with %v; want bad-request", q, err)
		}
	}
	require.Empty(t, got)

	require.NoError(t, push(t, mux, "", `<query xmlns='jabber:iq:roster' ver='ver34'><item jid='nurse@example.com' subscription='friend'/></query>`))
	require.NoError(t, push(t, mux, "", query(`<item jid='nurse@example.com' subscription='remove'/>`)))
	require.Equal(t, []roster.Push{
		{Item: roster.Item{JID: nurse}, Ver: "ver34"}, // an undefined subscription is ignored (§2.1.2.5)
		{Item: roster.Item{JID: nurse, Subscription: roster.Remove}},
	}, got)
	require.False(t, got[0].Removed())
	require.True(t, got[1].Removed())
}
