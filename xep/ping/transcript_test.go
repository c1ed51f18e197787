package ping_test

import (
	"context"
	"testing"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/xep/ping"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

func TestXEP0199_4_2_Transcripts(t *testing.T) {
	xmpptest.Play(t, "testdata/ask/*.xmpp", func(ctx context.Context, s xmpp.Session) error {
		return ping.Send(ctx, s, s.RemoteAddr())
	})
}

func TestXEP0199_4_1_Transcripts(t *testing.T) {
	mux := muxer.New()
	ping.Register(mux)
	xmpptest.PlayHandler(t, "testdata/*.xmpp", mux)
}
