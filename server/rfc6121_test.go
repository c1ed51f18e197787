package server_test

import (
	"testing"

	"github.com/parlance-xmpp/xmpp/server/servertest"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
)

// All 72 transitions of a subscription, over stores in memory.
func TestI3_AppendixA_InMemory(t *testing.T) { servertest.Subscriptions(t, memory.New()) }

// Every cell of the table of deliveries, over stores in memory.
func TestI8_5_4_InMemory(t *testing.T) {
	servertest.Deliveries(t, func(*testing.T) storage.Stores { return memory.New() })
}
