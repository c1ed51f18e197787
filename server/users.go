package server

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Users is the table of users that a program has already. With [Options.Users] they are the accounts of the server: there are
// no others, and nothing has to be kept in step, because the table is asked at each login and whenever it
// matters whether somebody exists.
//
// One method will do:
//
//	func (t table) User(ctx context.Context, addr jid.JID) (server.User, error) {
//		var u server.User
//		err := t.db.QueryRowContext(ctx, `SELECT id, password_hash, banned FROM users WHERE lower(name) = $1`,
//			addr.Localpart()).Scan(&u.ID, &u.PasswordHash, &u.Disabled)
//		if errors.Is(err, sql.ErrNoRows) {
//			err = server.ErrNoUser
//		}
//		return u, err
//	}
//
// A type that is a [TokenVerifier] too lets users log in with the program's own tokens, a [PasswordChecker] with
// passwords that are kept in another form.
//
// Methods may be called from any number of goroutines, and have to return when ctx is done. What a client is waiting for is given
// up then: a login after [Limits].PreAuthTimeout, and a message to somebody who may or may not exist after
// half a minute. A panic is logged, and fails the login or the stanza that it was about.
//
// # Names
//
// A user is addressed as name@domain. The name comes in one form, whatever a client wrote: in lower case, and
// as RFC 7622 has it else. Two users whose names differ in case only cannot both have
// an address. For a name that holds what no address may (blanks, "@", "/" and a few more)
// [jid.EscapeLocalpart] makes one, and [jid.UnescapeLocalpart] is how User gets it back. Of
// addr, a program with one domain needs the [jid.JID.Localpart] only.
//
// # Passwords
//
// A password that a client shows, over TLS, is checked against PasswordHash. Then the server also
// derives what it takes to check it without seeing it (SCRAM), and keeps that in its own Storage: from the next
// login on, clients are offered the stronger mechanisms. When PasswordHash changes, all of that is void at once,
// and so are the tokens by which clients come back without a password.
//
// # Who does not exist
//
// Whoever asks does not learn who has an account. For a name that nobody has, as much work is done as for
// the user before; the answer is the same as to a wrong password, and so is what is offered, as far as a
// single look can tell. The error for such a name has to be [ErrNoUser]: any other means
// that the table could not be asked, and clients are told so.
type Users interface {
	// User returns the user at an address, a bare JID, or [ErrNoUser].
	User(ctx context.Context, addr jid.JID) (User, error)
}

// ErrNoUser is the error of [Users] for a name that nobody has. It is a [storage.ErrNotFound].
var ErrNoUser = fmt.Errorf("server: no such user: %w", storage.ErrNotFound)

// A User is a row of the program's table. Printing or logging a value shows nothing secret.
type User struct {
	// ID is the key of the row, as text: another name may not change it, and it never comes back. What
	// the server keeps for the user (contacts, messages that wait) it keeps under this.
	ID string
	// Name is the localpart of the address. Only who returns a user from VerifyToken has to say it.
	Name string
	// PasswordHash is of the password: bcrypt ($2a$, $2b$, $2y$), or Argon2 as a PHC string ($argon2id$, $argon2i$). Where the
	// table is a [PasswordChecker] it is anything that changes with the password, or empty if there is no such thing: then each login
	// shows the password, as the server would not know when to forget what it has learned. For any other table empty means
	// that nobody can log in with a password, unless there are Secrets.
	PasswordHash string
	// Secrets are of the password as well, for a table that has them already. Nil leaves them to the server. Clients take the
	// strongest mechanism that they are offered: where there are no secrets for [sasl.SHA512], list in Options.Mechanisms what there is.
	Secrets []sasl.Secrets
	// Disabled users exist, and cannot log in. It is for [Server.LogOut] to end the sessions that they have.
	Disabled bool
}

// Format prints the id and the name, whatever the verb.
func (u User) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(u.redacted())) }

// LogValue implements [slog.LogValuer] without what is secret.
func (u User) LogValue() slog.Value { return slog.StringValue(u.redacted()) }

func (u User) redacted() string { return fmt.Sprintf("server.User{%q, %q}", u.ID, u.Name) }

// A PasswordChecker is [Users] that check passwords themselves.
type PasswordChecker interface {
	// CheckPassword reports whether the password is that of the user. It is also called, with a User without an ID, for
	// a name that nobody has: it should then take as long, and what it returns does not matter.
	CheckPassword(ctx context.Context, u User, password string) (bool, error)
}

// A TokenVerifier is [Users] whose clients may log in with a token that the program has given out, by OAUTHBEARER (RFC 7628).
// This takes TLS, as for a password.
type TokenVerifier interface {
	// VerifyToken returns the user that a token is good for: its ID and its Name. The server then asks for the
	// user of that name, who has to have that ID and not be disabled. For a token that is not good the error is
	// [ErrNoUser], or a [*sasl.TokenError] to say more.
	VerifyToken(ctx context.Context, token string) (User, error)
}

// errUsers is the error of what would change the accounts of a server whose accounts are the program's users.
var errUsers = fmt.Errorf("server: accounts are the program's users: %w", stanza.NotAllowed)
