//go:build unix

package interop

import "testing"

// TestUsualXMPPjs: @xmpp/client has from xmppd what it expects of one, copies of messages from the moment of Bind 2, and an account that
// somebody makes while logging in.
func TestUsualXMPPjs(t *testing.T) {
	needNode(t)
	u := startUsual(t, "open", "juliet")
	out := u.demo().on(t, "testdata/xmppjs", []string{"NODE_EXTRA_CA_CERTS=" + u.ca}, "node", "usual.mjs", "xmpp://"+u.address, "localhost", usualPassword)
	requireFound(t, out, "login", "registration", "roster", "subscription", "presence", "chat", "resumption",
		"disco", "ping", "vcard", "carbons", "blocking", "offline", "goodbye")
}
