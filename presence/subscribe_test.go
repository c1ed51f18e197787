package presence_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/presence"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// TestI3_Requests: RFC 6121 §3.1.1, §3.1.4, §3.2.1, §3.3.1: to the bare JID,
// with an id of its own.
func TestI3_Requests(t *testing.T) {
	for _, tt := range []struct {
		typ  string
		send func(context.Context, xmpp.Session, jid.JID) error
	}{
		{"subscribe", presence.Subscribe},
		{"subscribed", presence.Approve},
		{"unsubscribed", presence.Cancel},
		{"unsubscribe", presence.Unsubscribe},
	} {
		t.Run(tt.typ, func(t *testing.T) {
			s := newSession()
			require.NoError(t, tt.send(t.Context(), s, romeo))
			require.NoError(t, tt.send(t.Context(), s, jid.MustParse("romeo@example.net/orchard")))
			want := `<presence type='` + tt.typ + `' to='romeo@example.net'/>`
			require.Equal(t, []string{want, want}, s.takeSent(t))

			require.Error(t, tt.send(t.Context(), s, jid.JID{}))
			require.Empty(t, s.sent)
			s.err = errLost
			err := tt.send(t.Context(), s, romeo)
			require.ErrorIs(t, err, errLost)
			require.Equal(t, "presence: "+tt.typ+" romeo@example.net: lost", err.Error())
		})
	}
}

// TestI3_1_4_Policies: RFC 6121 §3.1.4.
func TestI3_1_4_Policies(t *testing.T) {
	const (
		approved  = `<presence type='subscribed' to='romeo@example.net'/>`
		asked     = `<presence type='subscribe' to='romeo@example.net'/>`
		cancelled = `<presence type='unsubscribed' to='romeo@example.net'/>`
	)
	own := presence.OwnDomain(presence.Accept, presence.Refuse)
	request := func(from string) string {
		return `<presence type='subscribe' id='xk3h1v69' to='juliet@example.com' from='` + from + `'/>`
	}
	for _, tt := range []struct {
		name   string
		policy presence.Policy
		in     string
		want   []string
	}{
		{"nil leaves open", nil, request("romeo@example.net"), nil},
		{"leave open", presence.LeaveOpen, request("romeo@example.net"), nil},
		{"accept", presence.Accept, request("romeo@example.net"), []string{approved}},
		{"accept what a server did not stamp", presence.Accept, request("romeo@example.net/orchard"), []string{approved}},
		{"mutual", presence.Mutual, request("romeo@example.net"), []string{approved, asked}},
		{"refuse", presence.Refuse, request("romeo@example.net"), []string{cancelled}},
		{"own domain: a stranger", own, request("romeo@example.net"), []string{cancelled}},
		{"own domain: one of us", own, request("nurse@example.com"), []string{`<presence type='subscribed' to='nurse@example.com'/>`}},
		{"own domain: a subdomain", own, request("nurse@guests.example.com"), []string{`<presence type='unsubscribed' to='nurse@guests.example.com'/>`}},
		{"own domain: a look-alike", own, request("nurse@example.com.evil.example"), []string{`<presence type='unsubscribed' to='nurse@example.com.evil.example'/>`}},
		{"own domain with nil", presence.OwnDomain(presence.Accept, nil), request("romeo@example.net"), nil},
		{"in the account's own name", presence.Mutual, request("juliet@example.com"), nil},
		{"from a device of its own", presence.Mutual, request("juliet@example.com/chamber"), nil},
		{"from nobody", presence.Mutual, `<presence type='subscribe' to='juliet@example.com'/>`, nil},
		{"an approval is no request", presence.Mutual, `<presence type='subscribed' from='romeo@example.net'/>`, nil},
		{"presence is none either", presence.Mutual, `<presence from='romeo@example.net/orchard'/>`, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mux, s := muxer.New(), newSession()
			presence.Register(mux, tt.policy)
			require.NoError(t, arrive(t, mux, s, tt.in))
			require.Equal(t, tt.want, s.takeSent(t))
		})
	}
}

// A policy of one's own sees the request and its status.
func TestOwnPolicy(t *testing.T) {
	mux, s := muxer.New(), newSession()
	presence.Register(mux, func(ctx context.Context, request *stanza.Presence) presence.Decision {
		if request.Status.String() == "friend" && xmpp.SessionFrom(ctx) == s {
			return presence.Approved
		}
		return presence.Denied
	})
	require.NoError(t, arrive(t, mux, s, `<presence type='subscribe' from='romeo@example.net'><status>friend</status></presence>`))
	require.NoError(t, arrive(t, mux, s, `<presence type='subscribe' from='romeo@example.net'/>`))
	require.Equal(t, []string{
		`<presence type='subscribed' to='romeo@example.net'/>`,
		`<presence type='unsubscribed' to='romeo@example.net'/>`,
	}, s.takeSent(t))

	s.err = errLost
	require.ErrorIs(t, arrive(t, mux, s, `<presence type='subscribe' from='romeo@example.net'/>`), errLost)
}

// A component speaks as the one of its users who was asked.
func TestPolicyOfAComponent(t *testing.T) {
	mux, s := muxer.New(), newSession()
	s.local = jid.MustParse("gateway.example.com")
	presence.Register(mux, presence.Mutual)
	require.NoError(t, arrive(t, mux, s, `<presence type='subscribe' from='romeo@example.net' to='tybalt@gateway.example.com/x'/>`))
	require.Equal(t, []string{
		`<presence type='subscribed' to='romeo@example.net' from='tybalt@gateway.example.com'/>`,
		`<presence type='subscribe' to='romeo@example.net' from='tybalt@gateway.example.com'/>`,
	}, s.takeSent(t))
}

func TestPolicyWithoutASession(t *testing.T) {
	mux := muxer.New()
	presence.Register(mux, presence.OwnDomain(presence.Accept, presence.Accept))
	st, err := stanza.Parse([]byte(`<presence type='subscribe' from='romeo@example.net'/>`))
	require.NoError(t, err)
	_, err = mux.HandleStanza(t.Context(), st)
	require.NoError(t, err)
}
