package xmpp_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// message returns a message with that id.
func message(id string) *stanza.Raw {
	raw, err := stanza.Parse([]byte("<message id='" + id + "'/>"))
	if err != nil {
		panic(err)
	}
	return raw
}

// claimPages claims what has an id that begins with page.
func claimPages() (c *xmpp.Claim, drops *int) {
	drops = new(int)
	return xmpp.NewClaim(
		func(h stanza.Header) bool { return strings.HasPrefix(h.ID, "page") },
		func(*xmpp.Claim) { *drops++ },
	), drops
}

func TestClaim(t *testing.T) {
	c, drops := claimPages()
	require.False(t, c.Offer(message("other")))
	require.True(t, c.Offer(message("page1")))
	require.True(t, c.Offer(message("page2")))
	require.True(t, c.Offer(message("page3")))

	st, err := c.Next(t.Context())
	require.NoError(t, err)
	require.Equal(t, "page1", st.Header().ID)
	pending := c.Pending()
	require.Len(t, pending, 2)
	require.Equal(t, "page3", pending[1].Header().ID)
	require.Empty(t, c.Pending())

	c.Close()
	c.Close()
	require.Equal(t, 1, *drops)
	require.False(t, c.Offer(message("page4")))
	_, err = c.Next(t.Context())
	require.ErrorIs(t, err, xmpp.ErrClosed)
}

// TestClaimWaits: Next waits for a stanza, its context or the end of the session.
func TestClaimWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := claimPages()
		go func() {
			time.Sleep(time.Second) // fake time
			c.Offer(message("page1"))
			time.Sleep(time.Second)
			c.Fail(xmpp.ErrClosed)
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := c.Next(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		st, err := c.Next(t.Context())
		require.NoError(t, err)
		require.Equal(t, "page1", st.Header().ID)
		for range 2 { // every later call, too
			_, err = c.Next(t.Context())
			require.ErrorIs(t, err, xmpp.ErrClosed)
		}
	})
}

// TestClaimIsBounded: a claim that nobody reads does not grow for ever.
func TestClaimIsBounded(t *testing.T) {
	c, _ := claimPages()
	big, err := stanza.Parse([]byte("<message id='page'><body>" + strings.Repeat("x", 1<<20) + "</body></message>"))
	require.NoError(t, err)
	for range 100 {
		require.True(t, c.Offer(big))
	}
	_, err = c.Next(t.Context())
	require.ErrorIs(t, err, stanza.ResourceConstraint)
}

// log is a Progress that has sent what it says.
type log struct{ sent uint64 }

func (l log) Stage(position uint64) xmpp.Stage {
	if position < l.sent {
		return xmpp.Sent
	}
	return xmpp.Queued
}

func (l log) Await(_ context.Context, position uint64, want xmpp.Stage) (xmpp.Stage, error) {
	return l.Stage(position), nil
}

func TestReceipt(t *testing.T) {
	r := xmpp.NewReceipt(log{sent: 3}, 2)
	require.Equal(t, xmpp.Sent, r.Stage())
	require.Equal(t, xmpp.Queued, xmpp.NewReceipt(log{sent: 3}, 3).Stage())

	var none xmpp.Receipt
	require.Equal(t, xmpp.Dropped, none.Stage())
	stage, err := none.Await(t.Context(), xmpp.Sent)
	require.Equal(t, xmpp.Dropped, stage)
	require.True(t, xmpp.SafeToRetry(err))
}

func ExampleSafeToRetry() {
	err := fmt.Errorf("client: send: %w", &xmpp.UnsentError{Err: xmpp.ErrClosed})
	fmt.Println(err)
	fmt.Println(xmpp.SafeToRetry(err), errors.Is(err, xmpp.ErrClosed))
	fmt.Println(xmpp.SafeToRetry(xmpp.ErrClosed))
	// Output:
	// client: send: xmpp: the session is closed
	// true true
	// false
}
