package servertest

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// BenchmarkFlood measures how many messages for somebody who is offline one client gets stored in a second: from the client, over a
// connection in memory, to its acknowledgement.
func BenchmarkFlood(b *testing.B, stores storage.Stores) {
	s, err := xmpptest.Start(&server.Options{
		Domains: []string{domain}, InsecurePlaintext: true, Iterations: sasl.MinIterations, Storage: stores, Logger: slog.New(slog.DiscardHandler),
		Limits: server.Limits{OfflineMessages: 1 << 30, OfflineBytes: 1 << 40, SessionRate: -1, AccountRate: -1, AddressRate: -1},
	})
	require.NoError(b, err)
	defer s.Stop()
	romeo, err := s.Account("romeo")
	require.NoError(b, err)
	juliet, err := s.Account("juliet")
	require.NoError(b, err)
	c, err := client.Dial(b.Context(), romeo, s.Options(romeo))
	require.NoError(b, err)
	m := stanza.Message{To: juliet, Type: stanza.MessageChat, Body: stanza.Plain("Art thou not Romeo, and a Montague?")}
	var last xmpp.Receipt
	b.ResetTimer()
	for range b.N { // the end is measured too
		if last, err = c.Send(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
	_, err = last.Await(b.Context(), xmpp.Acked)
	b.StopTimer()
	require.NoError(b, err)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	_ = c.Close(context.Background())
	_ = c.Wait(context.Background())
}
