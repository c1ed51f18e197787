package config

import (
	"testing"

	"github.com/parlance-xmpp/xmpp/internal/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }
