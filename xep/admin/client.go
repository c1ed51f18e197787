package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// The calls of a client run one command each, of the domain of the account or the domain they are given. Errors worth testing for:
// [stanza.Forbidden], the session's account is no admin of the domain; [stanza.ItemNotFound], there is no such account, or no such command;
// [command.ErrFailed], it was not done to all of several accounts.

// ErrInsecure is the error of calls that would send a password where others can read it.
var ErrInsecure = errors.New("admin: the stream does not keep a password secret")

var errAnswer = errors.New("admin: the answer makes no sense")

// run runs a command of a domain.
func run(ctx context.Context, s xmpp.Session, domain jid.JID, name string, filled ...form.Field) (*command.Execution, error) {
	e, err := command.Run(ctx, s, domain, node(name), filled...)
	if err != nil {
		return nil, fmt.Errorf("admin: %s: %w", name, err)
	}
	return e, nil
}

// do is run for commands that have nothing to tell.
func do(ctx context.Context, s xmpp.Session, domain jid.JID, name string, filled ...form.Field) error {
	_, err := run(ctx, s, domain, name, filled...)
	return err
}

func values(name string, values ...string) form.Field { return form.Field{Var: name, Values: values} }

func secure(s xmpp.Session) bool {
	c, ok := s.(xmpp.Confidential)
	return ok && c.Secure()
}

// AddUser makes an account. [stanza.Conflict] when there is one.
func AddUser(ctx context.Context, s xmpp.Session, account jid.JID, password string) error {
	if !secure(s) {
		return ErrInsecure
	}
	return do(ctx, s, account.Domain(), "add-user", values(fieldAccount, account.String()), values(fieldPassword, password), values(fieldVerify, password))
}

// ChangePassword gives an account another password.
func ChangePassword(ctx context.Context, s xmpp.Session, account jid.JID, password string) error {
	if !secure(s) {
		return ErrInsecure
	}
	return do(ctx, s, account.Domain(), "change-user-password", values(fieldAccount, account.String()), values(fieldPassword, password))
}

// DeleteUser deletes an account with all that is kept of it.
func DeleteUser(ctx context.Context, s xmpp.Session, account jid.JID) error {
	return do(ctx, s, account.Domain(), "delete-user", values(fieldAccounts, account.String()))
}

// DisableUser ends the sessions of an account and lets nobody log in to it until [ReenableUser].
func DisableUser(ctx context.Context, s xmpp.Session, account jid.JID) error {
	return do(ctx, s, account.Domain(), "disable-user", values(fieldAccounts, account.String()))
}

// ReenableUser lets people log in to an account again.
func ReenableUser(ctx context.Context, s xmpp.Session, account jid.JID) error {
	return do(ctx, s, account.Domain(), "reenable-user", values(fieldAccounts, account.String()))
}

// EndSession ends one session of an account, or all of them if the address is bare.
func EndSession(ctx context.Context, s xmpp.Session, account jid.JID) error {
	return do(ctx, s, account.Domain(), "end-user-session", values(fieldAccounts, account.String()))
}

// Roster fetches the roster of an account. Items without a valid address are left out.
func Roster(ctx context.Context, s xmpp.Session, account jid.JID) ([]roster.Item, error) {
	e, err := run(ctx, s, account.Domain(), "get-user-roster", values(fieldAccounts, account.String()))
	if err != nil {
		return nil, err
	}
	x, _ := e.Payloads.Element(form.NS, "x")
	child := x.Child(roster.NS, "query")
	if child.IsZero() {
		return nil, errAnswer
	}
	var q roster.Query
	if err := child.Decode(&q); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(q.Items, func(i roster.Item) bool { return i.JID.IsZero() }), nil
}

// LastLogin fetches when somebody has logged in; zero if the server does not know.
func LastLogin(ctx context.Context, s xmpp.Session, account jid.JID) (time.Time, error) {
	e, err := run(ctx, s, account.Domain(), "get-user-lastlogin", values(fieldAccounts, account.String()))
	if err != nil || value(e, fieldLastLogin) == "" {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339, value(e, fieldLastLogin))
	if err != nil {
		return time.Time{}, errAnswer
	}
	return at, nil
}

// value returns what came of a command, as far as it is in one field.
func value(e *command.Execution, name string) string {
	if e.Form == nil {
		return ""
	}
	return e.Form.Value(name)
}

// UserStats are what a server knows about a user.
type UserStats struct {
	Addresses []string // the IP addresses of the sessions
	Roster    int      // how many contacts there are
	Resources []string // of the sessions
}

// Stats fetches what the server knows about a user.
func Stats(ctx context.Context, s xmpp.Session, account jid.JID) (UserStats, error) {
	e, err := run(ctx, s, account.Domain(), "user-stats", values(fieldAccount, account.String()))
	if err != nil {
		return UserStats{}, err
	}
	if e.Form == nil {
		return UserStats{}, errAnswer
	}
	u := UserStats{Addresses: e.Form.Values(fieldAddresses), Resources: e.Form.Values(fieldResources)}
	if value(e, fieldRosterSize) == "" {
		return u, nil
	}
	if u.Roster, err = number(e, fieldRosterSize); err != nil {
		return UserStats{}, err
	}
	return u, nil
}

// number returns what came of a command that counts.
func number(e *command.Execution, name string) (int, error) {
	n, err := strconv.Atoi(value(e, name))
	if err != nil || n < 0 {
		return 0, errAnswer
	}
	return n, nil
}

// Count counts the users of a domain.
func Count(ctx context.Context, s xmpp.Session, domain jid.JID, g Group) (int, error) {
	i, err := g.index()
	if err != nil {
		return 0, err
	}
	e, err := run(ctx, s, domain, "get-"+string(g)+"-users-num")
	if err != nil {
		return 0, err
	}
	return number(e, groups[i].number)
}

// Users lists the users of a domain, as many as the server tells in one answer.
func Users(ctx context.Context, s xmpp.Session, domain jid.JID, g Group) ([]jid.JID, error) {
	i, err := g.index()
	if err != nil {
		return nil, err
	}
	e, err := run(ctx, s, domain, groups[i].node, values(fieldMax, "none"))
	if err != nil {
		return nil, err
	}
	if e.Form == nil {
		return nil, errAnswer
	}
	field, _ := e.Form.Lookup(groups[i].list)
	return field.JIDs()
}

// index is where a group is in groups.
func (g Group) index() (int, error) {
	for i := range groups {
		if groups[i].Group == g {
			return i, nil
		}
	}
	return 0, fmt.Errorf("admin: there are no %s users", string(g))
}

// Announce sends a message to all users of a domain who are online.
func Announce(ctx context.Context, s xmpp.Session, domain jid.JID, text string) error {
	return do(ctx, s, domain, "announce", lines(fieldAnnouncement, text))
}

// lines is a text as a field has it.
func lines(name, text string) form.Field { return values(name, strings.Split(text, "\n")...) }

// SetMOTD sends a message to each user of a domain, once: at once, or when he comes online the next time.
func SetMOTD(ctx context.Context, s xmpp.Session, domain jid.JID, text string) error {
	return do(ctx, s, domain, "set-motd", lines(fieldMOTD, text))
}

// EditMOTD corrects the message for those who have not got it yet.
func EditMOTD(ctx context.Context, s xmpp.Session, domain jid.JID, text string) error {
	return do(ctx, s, domain, "edit-motd", lines(fieldMOTD, text))
}

// DeleteMOTD has the message sent to nobody any more.
func DeleteMOTD(ctx context.Context, s xmpp.Session, domain jid.JID) error {
	return do(ctx, s, domain, "delete-motd")
}

// SetWelcome sets the message that new users of a domain get.
func SetWelcome(ctx context.Context, s xmpp.Session, domain jid.JID, text string) error {
	return do(ctx, s, domain, "set-welcome", lines(fieldWelcome, text))
}

// DeleteWelcome has new users get no message.
func DeleteWelcome(ctx context.Context, s xmpp.Session, domain jid.JID) error {
	return do(ctx, s, domain, "delete-welcome")
}

// EditAdmins changes who administers a domain: change gets those who do, and returns those who shall.
func EditAdmins(ctx context.Context, s xmpp.Session, domain jid.JID, change func([]jid.JID) []jid.JID) error {
	e, err := command.Start(ctx, s, domain, node("edit-admin"))
	if err == nil && e.Form == nil {
		err = errAnswer
	}
	var admins []jid.JID
	if err == nil {
		field, _ := e.Form.Lookup(fieldAdmins)
		admins, err = field.JIDs()
	}
	if err == nil {
		f := values(fieldAdmins)
		for _, j := range change(admins) {
			f.Values = append(f.Values, j.String())
		}
		err = e.Complete(ctx, f)
	}
	if err == nil {
		err = e.Err()
	}
	if err != nil {
		return fmt.Errorf("admin: edit-admin: %w", err)
	}
	return nil
}

// Restart restarts a server after so many seconds, of which it may know only some numbers, and tells its users before; an empty text tells
// them nothing.
func Restart(ctx context.Context, s xmpp.Session, domain jid.JID, after time.Duration, text string) error {
	return do(ctx, s, domain, "restart", ending(after, text)...)
}

// Shutdown shuts a server down, otherwise as [Restart].
func Shutdown(ctx context.Context, s xmpp.Session, domain jid.JID, after time.Duration, text string) error {
	return do(ctx, s, domain, "shutdown", ending(after, text)...)
}

func ending(after time.Duration, text string) (all []form.Field) {
	if after > 0 {
		all = append(all, values(fieldDelay, strconv.Itoa(int(after/time.Second))))
	}
	if text != "" {
		all = append(all, lines(fieldAnnouncement, text))
	}
	return all
}
