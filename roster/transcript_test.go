package roster_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// The calls of a client, as a server sees them.
func TestI2_3_Transcripts(t *testing.T) {
	nurse := jid.MustParse("nurse@example.com")
	xmpptest.Play(t, "testdata/calls/*.xmpp", func(ctx context.Context, s xmpp.Session) error {
		contacts, err := roster.Get(ctx, s)
		if err != nil || len(contacts.Items) != 2 {
			return errors.Join(err, errors.New("want two contacts"))
		}
		if err := roster.Set(ctx, s, roster.Item{JID: nurse, Name: "Nurse", Groups: []string{"Servants"}}); err != nil {
			return err
		}
		if err := roster.Delete(ctx, s, nurse); err != nil {
			return err
		}
		if err := roster.Delete(ctx, s, nurse); !errors.Is(err, stanza.ItemNotFound) {
			return errors.Join(err, errors.New("want item-not-found"))
		}
		return nil
	})
}

// Pushes, and who may send them, as on the wire.
func TestI2_1_6_Transcripts(t *testing.T) {
	var pushed []string
	mux := muxer.New()
	roster.Register(mux, func(_ context.Context, p roster.Push) {
		pushed = append(pushed, p.Item.JID.String()+" "+p.Item.Subscription.String())
	})
	xmpptest.PlayHandler(t, "testdata/pushes/*.xmpp", mux)
	require.Equal(t, []string{"nurse@example.com both", "nurse@example.com remove"}, pushed)
}
