//go:build unix

package interop

import "testing"

// slixmpps are the versions of slixmpp that are tried, by the interpreter that has them.
var slixmpps = map[string]string{"packaged": "/usr/bin/python3", "newest": "testdata/venv/bin/python"}

// TestUsualSlixmpp: two people with two devices each, made of slixmpp, have from xmppd what they expect of one.
func TestUsualSlixmpp(t *testing.T) {
	for name, python := range slixmpps {
		t.Run(name, func(t *testing.T) {
			need(t, python)
			u := startUsual(t, "closed", "juliet", "romeo")
			out := u.demo().on(t, "", nil, python, "testdata/usual_slixmpp.py", u.address, u.ca, usualPassword)
			requireFound(t, out,
				"login", "stream features", "limits", "stream management", "resumption", "server disco", "contact addresses",
				"server capabilities", "roster versions", "new contact", "subscription", "subscription back", "roster item",
				"contact capabilities", "ping", "software version", "entity time", "last activity", "vcard", "avatar",
				"private xml", "carbons", "client state", "blocking", "unblocking", "offline message", "roster removal", "goodbye")
		})
	}
}

// TestUsualSlixmppRegister: slixmpp makes an account at xmppd, where all may and where those who are invited may, changes its
// password and deletes it.
func TestUsualSlixmppRegister(t *testing.T) {
	for name, python := range slixmpps {
		for _, registration := range []string{"open", "invite"} {
			t.Run(name+", "+registration, func(t *testing.T) {
				need(t, python)
				u := startUsual(t, registration, "bard")
				args := []string{"testdata/usual_slixmpp_register.py", u.address, u.ca}
				if registration == "invite" {
					args = append(args, u.invite(), usualPassword)
				}
				requireFound(t, u.demo().on(t, "", nil, python, args...), "invitation", "account", "inviter", "refusal", "registered", "password", "removal")
			})
		}
	}
}
