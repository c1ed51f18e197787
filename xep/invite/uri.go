package invite

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/parlance-xmpp/xmpp/jid"
)

// An Action is what a link is for (XEP-0147).
type Action string

// The actions of invites.
const (
	Roster   Action = "roster"   // make a contact of whose address it is
	Register Action = "register" // make an account of that address, or at that domain
)

// A URI is a link that invites somebody (XEP-0379 §3.2, XEP-0445 §2).
type URI struct {
	Addr   jid.JID // bare, or a domain
	Action Action
	Token  string
	Name   string // that the inviter suggests; whoever made the link can have written anything
	// Accounts says, for [Roster], that the token also makes an account at the domain of the inviter: ibr=y.
	Accounts bool
}

// maxURI bounds links.
const maxURI = 8 << 10

var errNoInvite = errors.New("not a link that invites somebody")

// ParseURI reads a link. It fails if that has no token, and if it is for something else.
func ParseURI(s string) (URI, error) {
	u, err := parseURI(s)
	if err != nil {
		return URI{}, fmt.Errorf("invite: %w", err)
	}
	return u, nil
}

func parseURI(s string) (u URI, err error) {
	s = strings.TrimSpace(s)
	if len(s) < len("xmpp:") || !strings.EqualFold(s[:len("xmpp:")], "xmpp:") || len(s) > maxURI {
		return u, errNoInvite
	}
	s, _, _ = strings.Cut(s[len("xmpp:"):], "#")
	if rest, ok := strings.CutPrefix(s, "//"); ok { // the account to do it with (RFC 5122 §2.3): that is up to the user
		_, s, _ = strings.Cut(rest, "/")
	}
	path, query, _ := strings.Cut(s, "?")
	if path, err = url.PathUnescape(path); err != nil {
		return u, errNoInvite
	}
	if u.Addr, err = jid.Parse(path); err != nil {
		return u, err
	}
	action, query, _ := strings.Cut(query, ";")
	u.Action = Action(action)
	for pair := range strings.SplitSeq(query, ";") {
		key, value, _ := strings.Cut(pair, "=")
		if value, err = url.PathUnescape(value); err != nil {
			return u, errNoInvite
		}
		switch key {
		case "preauth":
			u.Token = value
		case "name":
			_, raw, _ := strings.Cut(pair, "=")
			u.Name, _ = url.QueryUnescape(raw) // some write + for a space
		case "ibr":
			u.Accounts = value == "y"
		}
	}
	return u, u.check()
}

// check reports a link that is no good.
func (u *URI) check() error {
	switch {
	case u.Action != Roster && u.Action != Register, u.Addr.IsFull(), u.Token == "", len(u.Token) > maxToken:
		return errNoInvite
	case u.Action == Roster && u.Addr.Localpart() == "":
		return errNoInvite
	}
	return nil
}

// String returns the link.
func (u URI) String() string {
	var b strings.Builder
	b.WriteString("xmpp:")
	if local := u.Addr.Localpart(); local != "" {
		b.WriteString(escape(local) + "@")
	}
	b.WriteString(escape(u.Addr.Domainpart()) + "?" + string(u.Action) + ";preauth=" + escape(u.Token))
	if u.Name != "" {
		b.WriteString(";name=" + escape(u.Name))
	}
	if u.Accounts {
		b.WriteString(";ibr=y")
	}
	return b.String()
}

// escape leaves what no URI gives a meaning (RFC 3986 §2.3).
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// makes reports what speaks against making an account by the link.
func (u *URI) makes(account jid.JID) error {
	switch {
	case u.Action == Roster && !u.Accounts:
		return errors.New("the invite makes no account")
	case account.Localpart() == "" || account.Domain() != u.Addr.Domain():
		return fmt.Errorf("the invite makes accounts at %s", u.Addr.Domain())
	case u.Action == Register && u.Addr.Localpart() != "" && account.Bare() != u.Addr:
		return fmt.Errorf("the invite makes the account %s", u.Addr)
	}
	return nil
}
