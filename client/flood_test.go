package client_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// slowOffline stores messages, which takes a millisecond.
type slowOffline struct {
	storage.Offline
	stored atomic.Int32
}

func (s *slowOffline) Add(ctx context.Context, owner storage.AccountID, _ storage.OfflineLimits, messages ...storage.OfflineMessage) (int, error) {
	time.Sleep(time.Millisecond)
	s.stored.Add(int32(len(messages)))
	return s.Offline.Add(ctx, owner, storage.OfflineLimits{}, messages...)
}

// Who writes faster than the server stores and is cut off for good, in the middle of it or of closing, is not told that
// anything has arrived that has not.
func TestFloodCutOff(t *testing.T) {
	for _, closing := range []bool{false, true} {
		for _, after := range []time.Duration{0, 5 * time.Millisecond, 300 * time.Millisecond} {
			t.Run(fmt.Sprintf("closing %v, %v", closing, after), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { floodCutOff(t, closing, after) })
			})
		}
	}
}

func floodCutOff(t *testing.T, closing bool, after time.Duration) {
	stores := memory.New()
	slow := &slowOffline{Offline: stores.Offline}
	stores.Offline = slow
	s, err := xmpptest.Start(&server.Options{InsecurePlaintext: true, Storage: stores})
	require.NoError(t, err)
	defer s.Stop()
	juliet, err := s.Account("juliet")
	require.NoError(t, err)
	_, err = s.Account("romeo")
	require.NoError(t, err)
	opts := s.Options(juliet)
	link := xmpptest.NewLink(opts.Dialer)
	opts.Dialer, opts.Reconnect = link, client.Never
	c, err := client.Dial(t.Context(), juliet, opts)
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		time.Sleep(after)
		if closing {
			wg.Go(func() { _ = c.Close(t.Context()) })
			time.Sleep(after)
		}
		link.Cut()
	})
	var receipts []xmpp.Receipt
	for {
		r, err := c.Send(t.Context(), stanza.Message{To: jid.MustParse("romeo@example.org"), Type: stanza.MessageChat, Body: stanza.Plain("hi")})
		if err != nil {
			break
		}
		receipts = append(receipts, r)
	}
	_ = c.Wait(t.Context())
	wg.Wait()
	acked := 0
	for _, r := range receipts {
		if stage, _ := r.Await(t.Context(), xmpp.Acked); stage == xmpp.Acked {
			acked++
		}
	}
	if stored := int(slow.stored.Load()); acked > stored {
		t.Errorf("of %d messages %d are stored, and %d acknowledged", len(receipts), stored, acked)
	}
}
