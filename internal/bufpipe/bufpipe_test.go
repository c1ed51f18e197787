package bufpipe_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/bufpipe"
)

func TestPipe(t *testing.T) {
	a, b := bufpipe.New()
	for range 2 { // nobody reads yet
		n, err := a.Write([]byte("hello"))
		require.NoError(t, err)
		require.Equal(t, 5, n)
	}
	require.NoError(t, a.Close())
	_, err := a.Write([]byte("more"))
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = a.Read(make([]byte, 1))
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = b.Write([]byte("answer"))
	require.ErrorIs(t, err, io.ErrClosedPipe)
	got, err := io.ReadAll(b) // what was written before the end
	require.NoError(t, err)
	require.Equal(t, "hellohello", string(got))
}

// A bounded pipe makes the writer wait, as long as it wants to.
func TestBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := bufpipe.Bounded(4)
		begin := time.Now()
		require.NoError(t, a.SetWriteDeadline(begin.Add(time.Second)))
		n, err := a.Write([]byte("hello"))
		require.Equal(t, 4, n)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Second, time.Since(begin))

		require.NoError(t, a.SetDeadline(time.Time{}))
		written := make(chan error, 1)
		go func() {
			_, err := a.Write([]byte("o, world"))
			written <- err
		}()
		got := make([]byte, 12)
		_, err = io.ReadFull(b, got)
		require.NoError(t, err)
		require.NoError(t, <-written)
		require.Equal(t, "hello, world", string(got))

		for name, end := range map[string]net.Conn{"the own end": a, "the other": b} {
			c, d := bufpipe.Bounded(1)
			if name == "the own end" {
				end = c
			} else {
				end = d
			}
			go func() {
				_, err := c.Write([]byte("xx"))
				written <- err
			}()
			synctest.Wait()
			require.NoError(t, end.Close())
			require.Error(t, <-written, name)
		}
	})
}

func TestReadDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := bufpipe.New()
		begin := time.Now()
		require.NoError(t, b.SetReadDeadline(begin.Add(time.Second)))
		_, err := b.Read(make([]byte, 1))
		require.True(t, errors.Is(err, os.ErrDeadlineExceeded))
		require.Equal(t, time.Second, time.Since(begin))

		require.NoError(t, b.SetDeadline(time.Time{}))
		time.AfterFunc(time.Minute, func() { _, _ = a.Write([]byte("x")) })
		_, err = b.Read(make([]byte, 1))
		require.NoError(t, err)

		time.AfterFunc(time.Minute, func() { _ = b.Close() })
		_, err = b.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
	})
}
