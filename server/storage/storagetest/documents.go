package storagetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/server/storage"
)

var documentTests = []test[storage.Documents]{
	{"keeps what it is given", documentRoundTrip},
	{"bounds", documentLimits},
	{"lists in pages", documentList},
	{"keeps owners and kinds apart", documentOwners},
	{"lists owners in pages", documentOwnersList},
	{"copies", documentCopies},
	{"loses no write", documentConcurrent},
	{"keeps any text as it is", documentTexts},
	{"keeps long names", documentNames},
	{"keeps a megabyte", documentLarge},
	{"pages while others write", documentPaging},
	{"obeys the context", documentContext},
}

// put keeps a document of the kind that is mostly used here.
func put(t *testing.T, s storage.Documents, name, data string) {
	t.Helper()
	require.NoError(t, s.Set(t.Context(), owner, "kind", name, []byte(data), storage.DocumentLimits{}))
}

func documentRoundTrip(t *testing.T, s storage.Documents) {
	for name, data := range map[string]string{
		"": "<vCard xmlns='vcard-temp'/>", "urn:x x": "\x00\xff any bytes", "\U0001F389 e\u0301 ' \" \\ %": "x", strings.Repeat("n", 1000): strings.Repeat("large ", 1<<17),
	} {
		put(t, s, name, "before")
		put(t, s, name, data)
		got, err := s.Get(t.Context(), owner, "kind", name)
		require.NoError(t, err)
		require.Equal(t, data, string(got))
		put(t, s, name, "")
		_, err = s.Get(t.Context(), owner, "kind", name)
		require.ErrorIs(t, err, storage.ErrNotFound)
		put(t, s, name, "")
	}
}

func documentLimits(t *testing.T, s storage.Documents) {
	limits := storage.DocumentLimits{Count: 2, Bytes: 10}
	set := func(kind, name, data string) error {
		return s.Set(t.Context(), owner, kind, name, []byte(data), limits)
	}
	require.NoError(t, set("kind", "a", "12345"))
	require.NoError(t, set("kind", "b", "12345"))
	require.ErrorIs(t, set("kind", "c", "1"), storage.ErrFull, "a third")
	require.ErrorIs(t, set("kind", "b", "123456"), storage.ErrFull, "too large")
	require.NoError(t, set("other", "a", "1234567890"), "kinds are counted one by one")
	require.NoError(t, set("kind", "a", "1"))
	require.NoError(t, set("kind", "b", "123456789"))
	require.NoError(t, set("kind", "a", ""))
	require.NoError(t, set("kind", "c", "1"))
	got, err := s.Get(t.Context(), owner, "kind", "b")
	require.NoError(t, err)
	require.Equal(t, "123456789", string(got))
}

func documentList(t *testing.T, s storage.Documents) {
	var want []string
	put(t, s, "", "never listed")
	for n := range 17 {
		name := fmt.Sprintf("%c%d", 'c'-rune(n%3), n)
		want = append(want, name)
		put(t, s, name, "x")
	}
	want = append(want, "É", "e")
	put(t, s, "É", "x")
	put(t, s, "e", "x")
	slices.Sort(want)
	for _, limit := range []int{1, 2, 18, 19, 20} {
		got := pages(t, limit, func(name string) string { return name }, func(ctx context.Context, after string, limit int) ([]string, error) {
			return s.List(ctx, owner, "kind", after, limit)
		})
		require.Equal(t, want, got, "pages of %d", limit)
	}
}

func documentOwners(t *testing.T, s storage.Documents) {
	put(t, s, "a", "x")
	_, err := s.Get(t.Context(), "other", "kind", "a")
	require.ErrorIs(t, err, storage.ErrNotFound)
	_, err = s.Get(t.Context(), owner, "other", "a")
	require.ErrorIs(t, err, storage.ErrNotFound)
	require.NoError(t, s.DeleteAll(t.Context(), "other"))
	_, err = s.Get(t.Context(), owner, "kind", "a")
	require.NoError(t, err)
	require.NoError(t, s.DeleteAll(t.Context(), owner))
	_, err = s.Get(t.Context(), owner, "kind", "a")
	require.ErrorIs(t, err, storage.ErrNotFound)
}

func documentCopies(t *testing.T, s storage.Documents) {
	mine := []byte("mine")
	require.NoError(t, s.Set(t.Context(), owner, "kind", "a", mine, storage.DocumentLimits{}))
	mine[0] = 'X'
	got, err := s.Get(t.Context(), owner, "kind", "a")
	require.NoError(t, err)
	require.Equal(t, "mine", string(got))
	got[0] = 'X'
	got, err = s.Get(t.Context(), owner, "kind", "a")
	require.NoError(t, err)
	require.Equal(t, "mine", string(got))
}

func documentConcurrent(t *testing.T, s storage.Documents) {
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for n := range 8 {
		wg.Go(func() {
			errs <- s.Set(t.Context(), owner, "kind", fmt.Sprint(n), []byte("x"), storage.DocumentLimits{Count: 5})
		})
	}
	wg.Wait()
	full := 0
	for range 8 {
		if err := <-errs; err != nil {
			require.ErrorIs(t, err, storage.ErrFull)
			full++
		}
	}
	require.Equal(t, 3, full)
}

func documentContext(t *testing.T, s storage.Documents) {
	ctx := ended(t)
	_, getErr := s.Get(ctx, owner, "kind", "a")
	_, listErr := s.List(ctx, owner, "kind", "", 1)
	_, ownersErr := s.Owners(ctx, "kind", "", 1)
	for _, err := range []error{getErr, listErr, ownersErr, s.Set(ctx, owner, "kind", "a", []byte("x"), storage.DocumentLimits{}), s.DeleteAll(ctx, owner)} {
		require.ErrorIs(t, err, ctx.Err())
	}
}

func documentOwnersList(t *testing.T, s storage.Documents) {
	want := []storage.AccountID{"A", "a", "a b", "b", "\u00e9"}
	for _, id := range want {
		for _, name := range []string{"", "1", "2"} {
			require.NoError(t, s.Set(t.Context(), id, "kind", name, []byte("x"), storage.DocumentLimits{}))
		}
		require.NoError(t, s.Set(t.Context(), id+"x", "another", "", []byte("x"), storage.DocumentLimits{}))
	}
	require.NoError(t, s.Set(t.Context(), "gone", "kind", "", []byte("x"), storage.DocumentLimits{}))
	require.NoError(t, s.Set(t.Context(), "gone", "kind", "", nil, storage.DocumentLimits{}))
	for limit := range 7 {
		var got []storage.AccountID
		for after := storage.AccountID(""); ; after = got[len(got)-1] {
			page, err := s.Owners(t.Context(), "kind", after, limit)
			require.NoError(t, err)
			got = append(got, page...)
			if len(page) < limit || limit == 0 {
				break
			}
		}
		if limit > 0 {
			require.Equal(t, want, got)
		}
	}
}
