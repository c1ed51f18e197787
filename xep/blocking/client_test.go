package blocking_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/blocking"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// The calls of a client, as a server sees them.
func TestXEP0191_3_Transcripts(t *testing.T) {
	example := jid.MustParse("romeo@example.net")
	xmpptest.Play(t, "testdata/calls/*.xmpp", func(ctx context.Context, s xmpp.Session) error {
		all, err := blocking.Get(ctx, s)
		if err != nil || !slices.Equal(all, []jid.JID{romeo, iago}) {
			return fmt.Errorf("%v, %w", all, err)
		}
		err = errors.Join(
			blocking.Block(ctx, s, romeo),
			blocking.BlockAndReport(ctx, s, example, blocking.Report{
				Reason: blocking.ReasonSpam, Text: stanza.Text{{Lang: "en", Value: "Never came trouble to my house like this."}},
				Messages: []blocking.StanzaID{{ID: "28482-98726-73623", By: example}, {ID: "38383-38018-18385", By: example}},
			}),
			blocking.Unblock(ctx, s, romeo),
			blocking.UnblockAll(ctx, s))
		if err != nil {
			return err
		}
		if blocking.Unblock(ctx, s) == nil || blocking.Block(ctx, s) == nil {
			return errors.New("a command without an object")
		}
		err = blocking.Block(ctx, s, romeo.Domain(), iago.Domain())
		if !errors.Is(err, stanza.ResourceConstraint) || err.Error() != "blocking: block 2 addresses: resource-constraint" {
			return fmt.Errorf("want resource-constraint, got %w", err)
		}
		return nil
	})
}

// Changes that the server tells, and who else may not, as on the wire.
func TestSec_ForgedBlockingPush(t *testing.T) {
	var got []blocking.Change
	mux := muxer.New()
	blocking.Register(mux, func(_ context.Context, c blocking.Change) { got = append(got, c) })
	xmpptest.PlayHandler(t, "testdata/pushes/*.xmpp", mux)
	require.Equal(t, []blocking.Change{{Blocked: []jid.JID{romeo}}, {Unblocked: []jid.JID{romeo}}, {UnblockedAll: true}}, got)
}

// A session is one of juliet's, with a block list that its server answers with.
type session struct {
	xmpp.Session
	answer func() (stanza.Payload, error)
}

func (session) LocalAddr() jid.JID { return jid.MustParse("juliet@capulet.com/chamber") }
func (s session) Query(context.Context, stanza.IQ) (stanza.IQ, error) {
	p, err := s.answer()
	if err != nil {
		return stanza.IQ{}, err
	}
	e, err := stanza.ElementOf(p)
	return stanza.IQ{Type: stanza.IQResult, Payload: &e}, err
}

// A list is what was loaded, and what was told since or meanwhile.
func TestList(t *testing.T) {
	changes := 0
	l := blocking.NewList(&blocking.ListOptions{Changed: func(context.Context) { changes++ }})
	mux := muxer.New()
	l.Register(mux)
	var answer func() (stanza.Payload, error)
	ctx := xmpp.WithSession(t.Context(), session{answer: func() (stanza.Payload, error) { return answer() }})
	push := func(payload string) {
		st, err := stanza.Parse([]byte("<iq type='set' id='p'>" + payload + "</iq>"))
		require.NoError(t, err)
		p, err := mux.HandleStanza(ctx, st)
		require.NoError(t, err)
		require.Nil(t, p)
	}
	check := func(changed int, entries ...jid.JID) {
		t.Helper()
		require.Equal(t, entries, slices.Collect(l.All()))
		require.Equal(t, len(entries), l.Len())
		require.Equal(t, changed, changes)
	}
	mux.HandleEvent(ctx, xmpp.Event{Status: xmpp.Online}) // it was never loaded
	check(0)

	lost := errors.New("lost")
	answer = func() (stanza.Payload, error) { return nil, lost }
	require.ErrorIs(t, l.Load(ctx, xmpp.SessionFrom(ctx)), lost)

	answer = func() (stanza.Payload, error) {
		push(`<block xmlns='urn:xmpp:blocking'><item jid='shakespeare.lit'/></block>`)
		push(`<unblock xmlns='urn:xmpp:blocking'><item jid='iago@shakespeare.lit'/></unblock>`)
		return blocking.Blocklist{Items: []jid.JID{romeo, iago}}, nil // as it was before
	}
	require.NoError(t, l.Load(ctx, xmpp.SessionFrom(ctx)))
	check(2, romeo, iago.Domain())
	require.True(t, l.Blocks(romeo))
	require.True(t, l.Blocks(iago))
	require.False(t, l.Contains(iago))
	require.True(t, l.Contains(iago.Domain()))
	require.False(t, l.Blocks(romeo.Domain()))

	push(`<block xmlns='urn:xmpp:blocking'><item jid='romeo@montague.net'/></block>`)
	check(2, romeo, iago.Domain())
	push(`<unblock xmlns='urn:xmpp:blocking'/>`)
	check(3)

	answer = func() (stanza.Payload, error) { return blocking.Blocklist{Items: []jid.JID{romeo}}, nil }
	mux.HandleEvent(ctx, xmpp.Event{Status: xmpp.Resumed})
	check(3)
	mux.HandleEvent(ctx, xmpp.Event{Status: xmpp.Online})
	check(4, romeo)
}

// §3.3: what comes back says that it was never sent.
func TestXEP0191_3_3_IsBlocked(t *testing.T) {
	raw, err := stanza.Parse([]byte(`<message type='error' from='romeo@montague.net' to='juliet@capulet.com'><body>Can you hear me now?</body><error type='cancel'>` +
		`<not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><blocked xmlns='urn:xmpp:blocking:errors'/></error></message>`))
	require.NoError(t, err)
	require.True(t, blocking.IsBlocked(fmt.Errorf("wrapped: %w", raw.Failure())))
	require.False(t, blocking.IsBlocked(&stanza.Error{Condition: stanza.NotAcceptable}))
	require.False(t, blocking.IsBlocked(&stanza.Error{Condition: stanza.NotAcceptable, App: blocking.Blocklist{}}))
	require.False(t, blocking.IsBlocked(nil))
}
