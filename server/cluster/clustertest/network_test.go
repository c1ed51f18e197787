package clustertest_test

import (
	"testing"

	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/server/cluster"
	"github.com/parlance-xmpp/xmpp/server/cluster/clustertest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func TestNetwork(t *testing.T) {
	clustertest.Run(t, func(*testing.T) cluster.Engine { return clustertest.New() })
}
