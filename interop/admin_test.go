//go:build unix

package interop

import (
	"testing"

	"github.com/parlance-xmpp/xmpp/xep/admin"
)

// TestSlixmppAdmin: slixmpp's plugins for ad-hoc commands and service administration list and run the commands of
// xmppd, by hand and by their own workflow, and a user who is no admin is forbidden.
func TestSlixmppAdmin(t *testing.T) {
	const python = "/usr/bin/python3"
	need(t, python)
	u := startUsual(t, "closed", "bard")
	out := u.demo().on(t, "", nil, python, "testdata/admin.py", "localhost", u.address, u.ca, usualPassword, "R0m30")
	requireFound(t, out, "an admin sees the commands", "an account is made, and once only", "who is online", "an announcement and a message of the day",
		"a user is forbidden", "who there is, and what is known of them", "messages are changed and deleted", "a session is ended",
		"an account is disabled and enabled", "an account is deleted")
}

// TestProfanityAdmin: profanity lists the commands, runs one without a form, and fills in the form of another.
func TestProfanityAdmin(t *testing.T) {
	need(t, "profanity", "tmux", "openssl")
	p := startProfanity(t, startUsual(t, "closed", "bard").demo())
	p.connect(t, "bard@localhost", usualPassword)
	p.enter(t, "", "/disco info localhost")
	p.enter(t, "http://jabber.org/protocol/commands", "/cmd list localhost") // it has asked the same by itself, and has had the answer
	p.await(t, "get-online-users-num")
	p.enter(t, "", "/cmd exec "+admin.NS+"#get-online-users-num localhost")
	p.await(t, "number of online users")
	p.enter(t, "", "/cmd exec "+admin.NS+"#announce localhost")
	p.enter(t, "[field1] Announcement (required):", `/field1 add "Please log off now."`)
	p.enter(t, "Please log off now.", "/form submit")
	p.await(t, "sessions that were told: 1")
}
