package storagetest_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/server/storage/storagetest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

var errDisk = errors.New("the disk is on fire")

// always is a plan of one fault.
func always(f storagetest.Fault) func(storagetest.Call) storagetest.Fault {
	return func(storagetest.Call) storagetest.Fault { return f }
}

// Without faults nothing is different.
func TestNoFaults(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Stores {
		return storagetest.Faults(memory.New(), always(storagetest.Fault{}))
	})
}

// Every method of every store asks the plan, by its name, and a call that fails is not made.
func TestFaultsOfEveryMethod(t *testing.T) {
	var asked storagetest.Call
	stores := reflect.ValueOf(storagetest.Faults(memory.New(), func(c storagetest.Call) storagetest.Fault {
		asked = c
		return storagetest.Fault{Err: errDisk}
	}))
	for i := range stores.NumField() {
		store, name := stores.Field(i), stores.Type().Field(i).Name
		for method := range store.Type().Methods() {
			args := []reflect.Value{reflect.ValueOf(t.Context())}
			for a := 1; a < method.Type.NumIn() && !(method.Type.IsVariadic() && a == method.Type.NumIn()-1); a++ {
				args = append(args, reflect.Zero(method.Type.In(a)))
			}
			results := store.MethodByName(method.Name).Call(args)
			err, _ := results[len(results)-1].Interface().(error)
			require.ErrorIs(t, err, errDisk, "%s.%s", name, method.Name)
			require.Equal(t, storagetest.Call{Store: name, Method: method.Name}, asked)
			for _, r := range results[:len(results)-1] {
				require.True(t, r.IsZero())
			}
		}
	}
}

// A lost acknowledgement: it was written, and the caller is told that something failed.
func TestLostAcknowledgement(t *testing.T) {
	under := memory.New()
	for _, lost := range []bool{false, true} {
		s := storagetest.Faults(under, always(storagetest.Fault{Err: errDisk, Lost: lost}))
		_, err := s.Offline.Add(t.Context(), "a", storage.OfflineLimits{}, storage.OfflineMessage{})
		require.ErrorIs(t, err, errDisk)
		all, err := under.Offline.List(t.Context(), "a", 0, 10)
		require.NoError(t, err)
		require.Equal(t, lost, len(all) == 1)
	}
}

// A delay passes before the call, and ends with the context.
func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		under := memory.New()
		s := storagetest.Faults(under, always(storagetest.Fault{Delay: time.Minute}))
		begin := time.Now()
		_, err := s.Offline.Add(t.Context(), "a", storage.OfflineLimits{}, storage.OfflineMessage{})
		require.NoError(t, err)
		require.Equal(t, time.Minute, time.Since(begin))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = s.Offline.Add(ctx, "a", storage.OfflineLimits{}, storage.OfflineMessage{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Minute+time.Second, time.Since(begin))
		all, err := under.Offline.List(t.Context(), "a", 0, 10)
		require.NoError(t, err)
		require.Len(t, all, 1, "the second was not made")
	})
}

// What is not there stays so.
func TestFaultsOfNothing(t *testing.T) {
	require.Equal(t, storage.Stores{}, storagetest.Faults(storage.Stores{}, always(storagetest.Fault{})))
}
