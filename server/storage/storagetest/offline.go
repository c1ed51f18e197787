package storagetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/server/storage"
)

var offlineTests = []test[storage.Offline]{
	{"keeps what it is given, in order", offlineRoundTrip},
	{"never gives an ID twice", offlineIDs},
	{"bounds", offlineLimits},
	{"adds many in order", offlineBatch},
	{"bounds many", offlineBatchLimits},
	{"lists in pages", offlineList},
	{"deletes", offlineDelete},
	{"keeps owners apart", offlineOwners},
	{"copies", offlineCopies},
	{"loses nothing", offlineConcurrent},
	{"keeps any text as it is", offlineTexts},
	{"keeps megabytes", offlineLarge},
	{"keeps the order of a sender", offlineOrder},
	{"pages while others add and delete", offlinePaging},
	{"obeys the context", offlineContext},
}

// add keeps one message with that text.
func add(t *testing.T, s storage.Offline, limits storage.OfflineLimits, text string) error {
	_, err := s.Add(t.Context(), owner, limits, offlineMessages(text)...)
	return err
}

// offlineMessages returns messages with these texts.
func offlineMessages(texts ...string) (all []storage.OfflineMessage) {
	for _, text := range texts {
		all = append(all, storage.OfflineMessage{ID: 7, Stored: noon, Stanza: []byte(text)})
	}
	return all
}

// waiting returns everything that waits for the owner.
func waiting(t *testing.T, s storage.Offline, limit int) []storage.OfflineMessage {
	t.Helper()
	return pages(t, limit, func(m storage.OfflineMessage) uint64 { return m.ID }, func(ctx context.Context, after uint64, limit int) ([]storage.OfflineMessage, error) {
		return s.List(ctx, owner, after, limit)
	})
}

func texts(all []storage.OfflineMessage) []string {
	var out []string
	for _, m := range all {
		out = append(out, string(m.Stanza))
	}
	return out
}

func offlineRoundTrip(t *testing.T, s storage.Offline) {
	want := []string{"<message>1</message>", "<message>2 \U0001F389</message>", "<message>3</message>"}
	for _, text := range want {
		require.NoError(t, add(t, s, storage.OfflineLimits{}, text))
	}
	got := waiting(t, s, 100)
	require.Equal(t, want, texts(got))
	var last uint64
	for _, m := range got {
		require.True(t, m.Stored.Equal(noon), "stored: got %v, want %v", m.Stored, noon)
		require.Greater(t, m.ID, last)
		last = m.ID
	}
}

func offlineIDs(t *testing.T, s storage.Offline) {
	require.NoError(t, add(t, s, storage.OfflineLimits{}, "first"))
	first := waiting(t, s, 10)[0].ID
	require.NoError(t, s.Delete(t.Context(), owner, first))
	require.NoError(t, add(t, s, storage.OfflineLimits{}, "second"))
	second := waiting(t, s, 10)[0].ID
	require.Greater(t, second, first)
	require.NoError(t, s.DeleteAll(t.Context(), owner))
	require.NoError(t, add(t, s, storage.OfflineLimits{Messages: 1, Bytes: 5}, "third"), "all are gone, and no longer counted")
	require.Greater(t, waiting(t, s, 10)[0].ID, second)
}

func offlineLimits(t *testing.T, s storage.Offline) {
	count := storage.OfflineLimits{Messages: 2}
	require.NoError(t, add(t, s, count, "1"))
	require.NoError(t, add(t, s, count, "2"))
	require.ErrorIs(t, add(t, s, count, "3"), storage.ErrFull)
	size := storage.OfflineLimits{Bytes: 10}
	require.ErrorIs(t, add(t, s, size, "123456789"), storage.ErrFull)
	require.NoError(t, add(t, s, size, "12345678"))
	require.NoError(t, s.Delete(t.Context(), owner, waiting(t, s, 10)[2].ID))
	require.NoError(t, add(t, s, size, "87654321"), "there is room again")
	require.Equal(t, []string{"1", "2", "87654321"}, texts(waiting(t, s, 10)))
}

// Many at once come behind what is there, and in their order, with IDs that grow; none are none.
func offlineBatch(t *testing.T, s storage.Offline) {
	want := []string{"before"}
	require.NoError(t, add(t, s, storage.OfflineLimits{}, "before"))
	for _, n := range []int{0, 1, 2, 49, 50, 51, 307} {
		var batch []string
		for i := range n {
			batch = append(batch, fmt.Sprint(n, ".", i))
		}
		added, err := s.Add(t.Context(), owner, storage.OfflineLimits{}, offlineMessages(batch...)...)
		require.NoError(t, err)
		require.Equal(t, n, added)
		want = append(want, batch...)
	}
	got := waiting(t, s, 100)
	require.Equal(t, want, texts(got))
	for i, m := range got {
		require.True(t, i == 0 || m.ID > got[i-1].ID, "the IDs grow")
		require.True(t, m.Stored.Equal(noon))
	}
}

// Of many, those from the front are added that fit, and nothing behind the first that does not.
func offlineBatchLimits(t *testing.T, s storage.Offline) {
	for _, tt := range []struct {
		limits storage.OfflineLimits
		batch  []string
		want   int
	}{
		{storage.OfflineLimits{Messages: 2}, []string{"a", "b", "c"}, 2},
		{storage.OfflineLimits{Messages: 2}, []string{"d"}, 0},
		{storage.OfflineLimits{Bytes: 6}, []string{"ee", "fff", "g"}, 1},
		{storage.OfflineLimits{Bytes: 5, Messages: 9}, []string{"h", "i"}, 1},
		{storage.OfflineLimits{Messages: 60, Bytes: 1 << 10}, slices.Repeat([]string{"j"}, 70), 56},
		{storage.OfflineLimits{}, []string{"k"}, 1},
	} {
		before := texts(waiting(t, s, 100))
		added, err := s.Add(t.Context(), owner, tt.limits, offlineMessages(tt.batch...)...)
		require.Equal(t, tt.want, added, "%v", tt)
		if tt.want == len(tt.batch) {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, storage.ErrFull)
		}
		require.Equal(t, append(before, tt.batch[:added]...), texts(waiting(t, s, 100)))
	}
}

func offlineList(t *testing.T, s storage.Offline) {
	var want []string
	for n := range 17 {
		want = append(want, fmt.Sprint(n))
		require.NoError(t, add(t, s, storage.OfflineLimits{}, want[n]))
	}
	for _, limit := range []int{1, 2, 16, 17, 18} {
		require.Equal(t, want, texts(waiting(t, s, limit)), "pages of %d", limit)
	}
}

func offlineDelete(t *testing.T, s storage.Offline) {
	for _, text := range []string{"1", "2", "3", "4"} {
		require.NoError(t, add(t, s, storage.OfflineLimits{}, text))
	}
	all := waiting(t, s, 10)
	require.NoError(t, s.Delete(t.Context(), owner, all[0].ID, all[2].ID))
	require.NoError(t, s.Delete(t.Context(), owner, all[0].ID), "it is gone already")
	require.NoError(t, s.Delete(t.Context(), owner))
	require.NoError(t, s.Delete(t.Context(), owner, all[0].ID, math.MaxUint64), "neither is there")
	require.Equal(t, []string{"2", "4"}, texts(waiting(t, s, 10)))
	page, err := s.List(t.Context(), owner, math.MaxUint64, 10)
	require.NoError(t, err)
	require.Empty(t, page)
}

func offlineOwners(t *testing.T, s storage.Offline) {
	require.NoError(t, add(t, s, storage.OfflineLimits{}, "1"))
	id := waiting(t, s, 10)[0].ID
	require.NoError(t, s.Delete(t.Context(), "other", id))
	require.NoError(t, s.DeleteAll(t.Context(), "other"))
	require.Len(t, waiting(t, s, 10), 1)
	require.NoError(t, s.DeleteAll(t.Context(), owner))
	require.Empty(t, waiting(t, s, 10))
}

func offlineCopies(t *testing.T, s storage.Offline) {
	mine := []byte("<message/>")
	_, err := s.Add(t.Context(), owner, storage.OfflineLimits{}, storage.OfflineMessage{Stored: noon, Stanza: mine})
	require.NoError(t, err)
	mine[0] = 'X'
	require.Equal(t, []string{"<message/>"}, texts(waiting(t, s, 10)))
}

func offlineConcurrent(t *testing.T, s storage.Offline) {
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for n := range 8 {
		wg.Go(func() { errs <- add(t, s, storage.OfflineLimits{}, fmt.Sprint(n)) })
	}
	wg.Wait()
	for range 8 {
		require.NoError(t, <-errs)
	}
	require.ElementsMatch(t, []string{"0", "1", "2", "3", "4", "5", "6", "7"}, texts(waiting(t, s, 3)))
}

func offlineContext(t *testing.T, s storage.Offline) {
	ctx := ended(t)
	_, listErr := s.List(ctx, owner, 0, 1)
	added, addErr := s.Add(ctx, owner, storage.OfflineLimits{}, offlineMessages("1")...)
	require.Zero(t, added)
	_, noneErr := s.Add(ctx, owner, storage.OfflineLimits{})
	for _, err := range []error{
		listErr, addErr, noneErr, s.Delete(ctx, owner, 1), s.DeleteAll(ctx, owner),
	} {
		require.ErrorIs(t, err, ctx.Err())
	}
}
