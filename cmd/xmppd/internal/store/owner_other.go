//go:build !unix

package store

import "github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"

// give is for systems with a root.
func give(*config.Config, ...string) {}
