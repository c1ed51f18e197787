//go:build unix

package interop

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ask enters a command on a clean screen and waits for answers.
func (p *prof) ask(t *testing.T, line string, answers ...string) {
	t.Helper()
	p.enter(t, "", "/win 1")
	p.enter(t, "", "/clear")
	require.Eventually(t, func() bool { return !strings.Contains(p.screen(t), " - ") }, startTimeout, 20*time.Millisecond)
	p.enter(t, "", line)
	for _, a := range answers {
		p.await(t, a)
	}
}

// TestUsualProfanity: two people with profanity, one of whom makes the account with it, have from xmppd what they expect of one.
func TestUsualProfanity(t *testing.T) {
	need(t, "profanity", "tmux", "openssl")
	u := startUsual(t, "open", "juliet")
	newcomer := startProfanity(t, u.demo()) // profanity cannot connect after it has registered
	newcomer.enter(t, "", fmt.Sprintf("/register romeo localhost port %s tls force", newcomer.port))
	newcomer.enter(t, "assword", usualPassword)
	newcomer.enter(t, "onfirm", usualPassword)
	newcomer.await(t, "Registration successful")

	juliet, romeo := startProfanity(t, u.demo()), startProfanity(t, u.demo())
	juliet.connect(t, "juliet@localhost/balcony", usualPassword)
	romeo.connect(t, "romeo@localhost/orchard", usualPassword)

	juliet.ask(t, "/roster hide") // the panel: what it shows is no answer
	juliet.ask(t, "/sub request romeo@localhost", "Sent subscription request to romeo@localhost.")
	romeo.await(t, "Received authorization request from juliet@localhost")
	romeo.ask(t, "/sub allow juliet@localhost", "Accepted subscription for juliet@localhost")
	juliet.await(t, "romeo@localhost (orchard) is online")
	juliet.ask(t, "/roster", "romeo@localhost - to")
	romeo.ask(t, `/status set away "looking at the balcony"`)
	juliet.await(t, `romeo@localhost (orchard) is away, "looking at the balcony"`)
	for _, q := range [][]string{
		{"/carbons on"},
		{"/ping", "Ping response from server"},
		{"/ping romeo@localhost/orchard", "Ping response from romeo@localhost/orchard"},
		{"/disco info localhost", "Service discovery info for localhost", "im server", "urn:xmpp:blocking", "urn:xmpp:carbons:2"},
		{"/serversoftware localhost", "xmppd"},
		{"/software romeo@localhost/orchard", "Name    : Profanity"},
		{"/lastactivity get", "localhost up since"},
		{"/lastactivity get romeo@localhost", "romeo@localhost currently logged in"},
		{"/caps romeo@localhost/orchard", "Identity: Profanity", "urn:xmpp:ping"}, // which it has verified
		{"/blocked add romeo@localhost", "User romeo@localhost successfully blocked."},
		{"/blocked", "Blocked users:", " -   romeo@localhost"},
	} {
		juliet.ask(t, q[0], q[1:]...)
	}
	romeo.ask(t, "/msg juliet@localhost do you hear me?", "do you hear me?", "service-unavailable")
	juliet.ask(t, "/blocked remove romeo@localhost", "User romeo@localhost successfully unblocked.")
	romeo.ask(t, "/msg juliet@localhost and now?")
	juliet.await(t, "<< chat message: romeo@localhost/orchard (win 2)")
	juliet.ask(t, "/win 2", "and now?")
	require.NotContains(t, juliet.screen(t), "do you hear me?")

	juliet.ask(t, "/changepassword")
	const other = "a rose by any other name"
	juliet.enter(t, "Enter password", other)
	juliet.enter(t, "Confirm password", other)
	juliet.await(t, "Password successfully changed")
	third := startProfanity(t, u.demo())
	third.connect(t, "juliet@localhost/chamber", other)
}

// TestUsualProfanityDevices: juliet has profanity on two devices and romeo on a bad line; her devices know of each other's messages, and nothing is
// lost when his connection is, or while he is away.
func TestUsualProfanityDevices(t *testing.T) {
	need(t, "profanity", "tmux", "openssl")
	u := startUsual(t, "closed", "juliet", "romeo")
	way := startProxy(t, u.address)
	atWay := u.demo()
	atWay.server = way.address
	balcony, chamber, romeo := startProfanity(t, u.demo()), startProfanity(t, u.demo()), startProfanity(t, atWay)
	for _, p := range []*prof{balcony, chamber, romeo} {
		p.ask(t, "/carbons on")
		p.ask(t, "/reconnect 1")
	}
	balcony.connect(t, "juliet@localhost/balcony", usualPassword)
	chamber.connect(t, "juliet@localhost/chamber", usualPassword)
	romeo.connect(t, "romeo@localhost/orchard", usualPassword)
	balcony.ask(t, "/sub request romeo@localhost", "Sent subscription request to romeo@localhost.")
	romeo.await(t, "Received authorization request from juliet@localhost")
	romeo.ask(t, "/sub allow juliet@localhost", "Accepted subscription for juliet@localhost")
	romeo.ask(t, "/sub request juliet@localhost", "Sent subscription request to juliet@localhost.")
	chamber.await(t, "Received authorization request from romeo@localhost")
	chamber.ask(t, "/sub allow romeo@localhost", "Accepted subscription for romeo@localhost")
	romeo.await(t, "juliet@localhost (balcony) is online")
	balcony.ask(t, `/status set dnd "with the nurse"`)
	romeo.await(t, `juliet@localhost (balcony) is dnd, "with the nurse"`)
	romeo.ask(t, "/status set away")
	balcony.await(t, "romeo@localhost (orchard) is away")

	romeo.ask(t, "/msg juliet@localhost/balcony to the balcony", "to the balcony")
	for _, p := range []*prof{balcony, chamber} {
		p.ask(t, "/win 2", "to the balcony")
	}
	balcony.enter(t, "", "from the balcony")
	chamber.await(t, "me: from the balcony")
	romeo.ask(t, "/win 2", "from the balcony") // 3 is for one of her devices

	way.cut()
	balcony.enter(t, "", "while you were away")
	romeo.await(t, "while you were away")
	balcony.enter(t, "", "/win 1")
	balcony.await(t, "romeo@localhost (orchard) is online") // which he has told anew
	require.NotContains(t, balcony.screen(t), "(orchard) is offline", "his session was resumed")

	romeo.ask(t, "/disconnect")
	balcony.await(t, "romeo@localhost (orchard) is offline")
	chamber.enter(t, "", "come back")
	chamber.await(t, "me: come back")
	romeo.connect(t, "romeo@localhost/mantua", usualPassword)
	balcony.await(t, "romeo@localhost (mantua) is online")
	require.Eventually(t, func() bool { // the window is there when the message is
		romeo.enter(t, "", "/win 2")
		return strings.Contains(romeo.screen(t), ": come back")
	}, startTimeout, 200*time.Millisecond)
}
