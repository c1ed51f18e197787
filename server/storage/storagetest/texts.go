package storagetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// awkward are texts that XML allows and a store may not change. Some look alike, and are not the same.
var awkward = append([]string{
	"\u00e9", "e\u0301", // composed, and not
	"\u212b", "\u00c5", "A\u030a", "\ufb01", "fi",
	"\ud55c", "\u1112\u1161\u11ab",
	"\u05e9\u05dc\u05d5\u05dd \u200f\u202eabc\u202c", // from the right
	"\U0001F469\u200d\U0001F4BB\ufe0f",               // joined
	"a\u0300\u0301\u0302\u0303\u0304", "\u0301",
	"\ufeff", "\ufffd", "\u2028", " ", "  x  ", "\t\r\n", "\u00a0", "\u0085", "\u007f",
	`'"\%_;--$1?:x`, "NULL", "0x", "1e3",
}, planes()...)

// planes returns a few characters of each plane of Unicode.
func planes() (all []string) {
	for plane := range 17 {
		first := rune(plane << 16)
		all = append(all, string([]rune{first + 0x100, first + 0x2fff, first + 0xfffd}))
	}
	return all
}

func documentTexts(t *testing.T, s storage.Documents) {
	for i, text := range awkward {
		put(t, s, text, fmt.Sprint(i))
		require.NoError(t, s.Set(t.Context(), storage.AccountID(text), text, "", []byte(text), storage.DocumentLimits{}))
	}
	for i, text := range awkward {
		got, err := s.Get(t.Context(), owner, "kind", text)
		require.NoError(t, err, "%+q", text)
		require.Equal(t, fmt.Sprint(i), string(got), "%+q", text)
		got, err = s.Get(t.Context(), storage.AccountID(text), text, "")
		require.NoError(t, err, "%+q", text)
		require.Equal(t, text, string(got))
	}
	want := slices.Sorted(slices.Values(awkward))
	require.Equal(t, want, pages(t, 7, func(name string) string { return name }, func(ctx context.Context, after string, limit int) ([]string, error) {
		return s.List(ctx, owner, "kind", after, limit)
	}))
}

func rosterTexts(t *testing.T, s storage.Rosters) {
	for i, text := range awkward {
		want := storage.Contact{JID: contact(i), Listed: true, Name: text, Groups: []string{text, "x" + text}, Subscription: storage.PendingIn, Request: []byte(text)}
		require.NoError(t, set(t, s, want))
		got, err := s.Get(t.Context(), owner, want.JID)
		require.NoError(t, err)
		want.Version = got.Version
		require.Equal(t, want, got)
	}
	all := slices.Clone(awkward)
	require.NoError(t, set(t, s, storage.Contact{JID: contact(0), Listed: true, Groups: all}))
	got, err := s.Get(t.Context(), owner, contact(0))
	require.NoError(t, err)
	require.Equal(t, all, got.Groups)
}

func offlineTexts(t *testing.T, s storage.Offline) {
	for _, text := range awkward {
		require.NoError(t, add(t, s, storage.OfflineLimits{}, text))
	}
	require.Equal(t, awkward, texts(waiting(t, s, 7)))
}

// addresses are such as others may have: of the greatest length, beginning alike, of other alphabets and such as
// only others would use (see [jid.ParseLenient]), in their order.
func addresses(t *testing.T) (all []jid.JID) {
	long := random(1023)
	for _, s := range []string{
		"d.example", "a@d.example", "d.example/r", "d.example/" + long, "a-b@d.example", "a@d.example/\U0001F389 x",
		long + "@d.example", long[:1022] + "@d.example", long + "@d.example/" + long, long + "@d.example/" + long[:1022], long + "@d.example/" + long[:1021] + "\u00e9",
		"\u00fc@\u00fc.example", "\u4eba@\u4eba.example/\u4eba", "a@" + strings.Repeat(long[:60]+".", 4) + "example/" + long,
	} {
		j, err := jid.Parse(s)
		require.NoError(t, err)
		all = append(all, j)
	}
	for _, s := range []string{
		"\U0001F469\u200d\U0001F4BB@d.example", "d.example/ \U0001F469\u200d\U0001F4BB ", "A\u030a@d.example", "x_y@under_score.example",
		long + "@" + long[:1022] + "_/" + long[:1022],
	} {
		j, err := jid.ParseLenient(s)
		require.NoError(t, err)
		all = append(all, j)
	}
	slices.SortFunc(all, jid.JID.Compare)
	return all
}

// random returns a text that cannot be made shorter, always the same.
func random(size int) string {
	var b strings.Builder
	for sum := sha256.Sum256(nil); b.Len() < size; sum = sha256.Sum256(sum[:]) {
		b.WriteString(hex.EncodeToString(sum[:]))
	}
	return b.String()[:size]
}

func rosterAddresses(t *testing.T, s storage.Rosters) {
	want := addresses(t)
	for _, j := range want {
		require.NoError(t, set(t, s, storage.Contact{JID: j, Listed: true}), "%.60s", j)
	}
	for _, limit := range []int{1, 4, 100} {
		var got []jid.JID
		for _, c := range pages(t, limit, func(c storage.Contact) jid.JID { return c.JID }, func(ctx context.Context, after jid.JID, limit int) ([]storage.Contact, error) {
			return s.List(ctx, owner, after, limit)
		}) {
			got = append(got, c.JID)
		}
		require.Equal(t, want, got, "pages of %d", limit)
	}
	before := version(t, s)
	for _, j := range want {
		require.NoError(t, set(t, s, storage.Contact{JID: j}))
		_, err := s.Get(t.Context(), owner, j)
		require.ErrorIs(t, err, storage.ErrNotFound)
	}
	gone, err := s.Changes(t.Context(), owner, before, 100)
	require.NoError(t, err)
	require.Len(t, gone, len(want))
	for i, c := range gone {
		require.Equal(t, want[i], c.JID)
	}
}

func blocklistAddresses(t *testing.T, s storage.Blocklists) {
	want := addresses(t)
	require.NoError(t, s.Add(t.Context(), owner, len(want), want...))
	require.NoError(t, s.Add(t.Context(), owner, len(want), want...), "they are there")
	for _, limit := range []int{1, 4, 100} {
		require.Equal(t, want, blocked(t, s, limit), "pages of %d", limit)
	}
	require.NoError(t, s.Remove(t.Context(), owner, want[1:]...))
	require.Equal(t, want[:1], blocked(t, s, 10))
}

func accountAddresses(t *testing.T, s storage.Accounts) {
	var want []jid.JID
	for n, j := range addresses(t) {
		if j.Localpart() == "" || slices.Contains(want, j.Bare()) {
			continue
		}
		require.NoError(t, s.Create(t.Context(), storage.Account{ID: storage.AccountID(fmt.Sprint(n)), Addr: j.Bare(), Created: noon}))
		got, err := s.Get(t.Context(), j.Bare())
		require.NoError(t, err)
		require.Equal(t, j.Bare(), got.Addr)
		if j.Domainpart() == "d.example" {
			want = append(want, j.Bare())
		}
	}
	var got []jid.JID
	for _, a := range pages(t, 2, func(a storage.Account) jid.JID { return a.Addr }, func(ctx context.Context, after jid.JID, limit int) ([]storage.Account, error) {
		return s.List(ctx, "d.example", after, limit)
	}) {
		got = append(got, a.Addr)
	}
	require.Equal(t, want, got)
}

// Names of documents come from clients, and may be as long as a stanza.
func documentNames(t *testing.T, s storage.Documents) {
	long := random(9000)
	want := []string{long[:2700], long[:2701], long[:2702], long[:8999], long, long + "\u00e9", long + "\U0001F389"}
	for i := range want {
		name := want[len(want)-1-i]
		put(t, s, name, "first")
		put(t, s, name, name)
	}
	for _, limit := range []int{1, 3, 100} {
		require.Equal(t, want, pages(t, limit, func(name string) string { return name }, func(ctx context.Context, after string, limit int) ([]string, error) {
			return s.List(ctx, owner, "kind", after, limit)
		}))
	}
	for _, name := range want {
		got, err := s.Get(t.Context(), owner, "kind", name)
		require.NoError(t, err)
		require.Equal(t, name, string(got))
	}
}

// megabyte is a stanza, or a document, of that size.
func megabyte() []byte { return bytes.Repeat([]byte(random(1<<10)), 1<<10) }

func offlineLarge(t *testing.T, s storage.Offline) {
	want := string(megabyte())
	for range 5 {
		require.NoError(t, add(t, s, storage.OfflineLimits{Bytes: 5 << 20}, want))
	}
	require.ErrorIs(t, add(t, s, storage.OfflineLimits{Bytes: 5 << 20}, "x"), storage.ErrFull)
	for _, got := range texts(waiting(t, s, 2)) {
		require.True(t, got == want, "%d bytes, or others", len(got))
	}
}

func rosterLarge(t *testing.T, s storage.Rosters) {
	want := megabyte()
	require.NoError(t, set(t, s, storage.Contact{JID: contact(1), Subscription: storage.PendingIn, Request: want}))
	got, err := s.Get(t.Context(), owner, contact(1))
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got.Request), "%d bytes, or others", len(got.Request))
}

func documentLarge(t *testing.T, s storage.Documents) {
	want := megabyte()
	limits := storage.DocumentLimits{Bytes: len(want) + 1}
	require.NoError(t, s.Set(t.Context(), owner, "kind", "a", want, limits))
	require.NoError(t, s.Set(t.Context(), owner, "kind", "b", []byte("1"), limits))
	require.ErrorIs(t, s.Set(t.Context(), owner, "kind", "b", []byte("12"), limits), storage.ErrFull)
	got, err := s.Get(t.Context(), owner, "kind", "a")
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "%d bytes, or others", len(got))
}
