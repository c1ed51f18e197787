//go:build linux

package postgres_test

import (
	"testing"

	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/internal/pgtest"
)

func TestMain(m *testing.M) { leaktest.Main(pgtest.Tests(m)) }
