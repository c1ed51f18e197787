package register

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
)

func TestRoundTripOffer(t *testing.T) {
	e, err := stanza.ElementOf(offer{})
	require.NoError(t, err)
	require.Equal(t, "<register xmlns='http://jabber.org/features/iq-register'/>", e.String())
}

// Within any hour it happens so often, and not once more.
func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter[int](2)
		require.True(t, l.take(1))
		time.Sleep(30 * time.Minute)
		require.True(t, l.take(1))
		require.False(t, l.take(1))
		require.True(t, l.take(2), "another key")
		time.Sleep(30*time.Minute - 1)
		require.False(t, l.take(1))
		time.Sleep(time.Nanosecond)
		require.True(t, l.take(1), "the first was an hour ago")
		require.False(t, l.take(1))
		l.giveBack(1)
		require.True(t, l.take(1))
		l.giveBack(2)
		require.NotContains(t, l.when, 2)
		l.giveBack(2)

		none := newLimiter[int](-1)
		for range 1000 {
			require.True(t, none.take(1))
		}
		none.giveBack(1)
		require.Empty(t, none.when)
	})
}

// Whoever comes from ever other addresses does not fill the memory.
func TestSec_LimiterIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter[int](1)
		for i := range maxKeys {
			l.take(i)
		}
		time.Sleep(window / 2)
		l.take(-1)
		require.LessOrEqual(t, len(l.when), maxKeys, "all forgotten: none was over")
		for i := range maxKeys - 1 {
			l.take(i)
		}
		time.Sleep(window - 1)
		require.False(t, l.take(5))
		time.Sleep(time.Nanosecond)
		require.True(t, l.take(maxKeys+1))
		require.Len(t, l.when, 1, "what is over is forgotten")
	})
}

// Accounts are counted by address, by network and in total; one that was not made is not counted.
func TestGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{o: ServerOptions{Limits: Limits{PerAddress: 1, PerNetwork: 2, Total: 5}}}
		require.NoError(t, s.complete())
		at := func(ip string) bool { return s.grant(netip.MustParseAddr(ip)) != nil }
		require.True(t, at("192.0.2.1"))
		require.False(t, at("192.0.2.1"))
		require.False(t, at("::ffff:192.0.2.1"), "the same, mapped")
		require.True(t, at("192.0.2.2"))
		require.False(t, at("192.0.2.3"), "the network")
		require.True(t, at("2001:db8:0:1::1"))
		require.False(t, at("2001:db8:0:1:ffff::2"), "one of 64 bits is one")
		require.True(t, at("2001:db8:0:2::1"))
		require.False(t, at("2001:db8:0:3::1"), "the network")
		giveBack := s.grant(netip.Addr{})
		require.NotNil(t, giveBack)
		require.False(t, at("198.51.100.1"), "all together")
		giveBack()
		require.True(t, at("198.51.100.1"))
		time.Sleep(window)
		require.True(t, at("192.0.2.1"))
	})
}
