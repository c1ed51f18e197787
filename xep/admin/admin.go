// Package admin lets those who run a server do so with the client that they have (XEP-0133: Service Administration): by commands of
// package command, which any client can run, for accounts, sessions, announcements and the server itself.
//
// In a server, [Server] is the module:
//
//	srv, err := server.New(&server.Options{Modules: []module.Module{
//		admin.Server(&admin.Options{Admins: admin.NewList(jid.MustParse("bard@shakespeare.lit"))}),
//	}, …})
//
// An admin is one of a domain, does nothing to accounts of another, and gets the commands by asking that domain. All others are told
// that they are forbidden, and see no command in the list.
//
// A program runs them by calls:
//
//	err := admin.AddUser(ctx, s, jid.MustParse("juliet@shakespeare.lit"), password)
//	n, err := admin.Count(ctx, s, jid.MustParse("shakespeare.lit"), admin.Online)
//
// # What is not offered
//
// No password is ever told (§4.6, which the XEP has retracted): none is kept. There are no blacklists and whitelists (§4.11, §4.12):
// whom the accounts of a server may have to do with is a question about other servers, to be asked when one connects, and
// not about each stanza; people who want to be left alone have package blocking.
//
// An account is made with a password, as nobody could log in without, and without the name and the email address of §4.1: what people tell about
// themselves is in their vCard, and theirs to write. Of the statistics of a user (§4.10) only those are told that
// somebody counts. Rosters are told one at a time (§4.8): nothing in the answer says whose one is.
//
// A command that is not offered is answered as XEP-0050 §4.4 has it for all commands, with item-not-found, and not as in §5; to who
// is no admin it is forbidden as any other.
//
// # Where servers act as one
//
// What is done to accounts is done everywhere. What is about sessions is about those of the server that is asked: how many there are, who is
// active, who gets an announcement at once. A message of the day reaches all who log in anywhere.
package admin

// NS is the namespace of the commands' nodes, and what their forms are about.
const NS = "http://jabber.org/protocol/admin"

// node returns the node of a command.
func node(name string) string { return NS + "#" + name }

// The fields of forms (§8.2).
const (
	fieldAccount      = "accountjid"
	fieldAccounts     = "accountjids"
	fieldPassword     = "password"
	fieldVerify       = "password-verify"
	fieldLastLogin    = "lastlogin"
	fieldAddresses    = "ipaddresses"
	fieldRosterSize   = "rostersize"
	fieldResources    = "onlineresources"
	fieldMax          = "max_items"
	fieldAnnouncement = "announcement"
	fieldMOTD         = "motd"
	fieldWelcome      = "welcome"
	fieldAdmins       = "adminjids"
	fieldDelay        = "delay"
)
