package csi_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/csi"
)

// A session is one on a stream that offers what features says.
type session struct {
	xmpp.Session
	features string
	sent     []string
}

func (s *session) Features() stanza.Element {
	e, err := stanza.ParseElement([]byte("<stream:features xmlns:stream='http://etherx.jabber.org/streams'>" + s.features + "</stream:features>"))
	if err != nil {
		panic(err)
	}
	return e
}

func (s *session) SendElement(_ context.Context, p stanza.Payload) error {
	b, err := p.AppendXML(nil)
	s.sent = append(s.sent, string(b))
	return err
}

// What is said is said once on each stream.
func TestState(t *testing.T) {
	s := &session{features: "<csi xmlns='urn:xmpp:csi:0'/>"}
	mux, state := muxer.New(), csi.New()
	state.Register(mux)
	event := func(status xmpp.Status) {
		mux.HandleEvent(xmpp.WithSession(t.Context(), s), xmpp.Event{Status: status})
	}
	event(xmpp.Online)
	require.NoError(t, state.Set(t.Context(), s, true))
	require.Empty(t, s.sent, "a stream begins like that")
	require.NoError(t, state.Set(t.Context(), s, false))
	require.NoError(t, state.Set(t.Context(), s, false))
	event(xmpp.Suspended)
	event(xmpp.Resumed)
	event(xmpp.Offline)
	event(xmpp.Online)
	require.NoError(t, state.Set(t.Context(), s, true))
	event(xmpp.Resumed)
	require.Equal(t, []string{
		"<inactive xmlns='urn:xmpp:csi:0'/>", "<inactive xmlns='urn:xmpp:csi:0'/>", "<inactive xmlns='urn:xmpp:csi:0'/>",
		"<active xmlns='urn:xmpp:csi:0'/>",
	}, s.sent)
	for _, sent := range s.sent {
		e, err := stanza.ParseElement([]byte(sent))
		require.NoError(t, err)
		require.Equal(t, csi.NS, e.Name().Space)
	}
}

// A server that does not know it is told nothing.
func TestNotOffered(t *testing.T) {
	s := new(session)
	require.NoError(t, csi.New().Set(t.Context(), s, false))
	require.Empty(t, s.sent)
}
