package server

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/crypto/bcrypt"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// userAccounts are the users of a program as the [storage.Accounts] of a server. What it keeps of
// their passwords itself, in its documents, is void when the program's hash is another one.
type userAccounts struct {
	users      Users
	passwords  PasswordChecker // nil: hashes are checked here
	tokens     TokenVerifier   // nil: there are none
	tailored   bool            // what is offered depends on the account
	kept       storage.Documents
	iterations int
	log        *slog.Logger

	checking chan struct{}                // has an item for each password that is being checked
	last     atomic.Pointer[passwordHash] // the hash seen last, as a decoy
	key      []byte                       // of what is made up for names that nobody has
}

var _ storage.Accounts = (*userAccounts)(nil)

func newUserAccounts(o *Options) *userAccounts {
	u := &userAccounts{
		users: o.Users, tailored: o.Mechanisms == nil, kept: o.Storage.Documents, iterations: o.Iterations, log: o.Logger, key: o.FakeKey,
		checking: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	u.passwords, _ = o.Users.(PasswordChecker)
	u.tokens, _ = o.Users.(TokenVerifier)
	if u.key == nil {
		u.key = make([]byte, 32)
		_, _ = rand.Read(u.key) // never fails
	}
	return u
}

// usersOf returns the users that are the accounts of a server, nil if they are none.
func usersOf(s storage.Stores) *userAccounts {
	u, _ := s.Accounts.(*userAccounts)
	return u
}

// Get implements [storage.Accounts]. The secrets are left out: they are asked for at logins only.
func (u *userAccounts) Get(ctx context.Context, addr jid.JID) (storage.Account, error) {
	user, err := u.find(ctx, addr)
	if err != nil {
		return storage.Account{}, err
	}
	return storage.Account{ID: storage.AccountID(user.ID), Addr: addr, Disabled: user.Disabled}, nil
}

// Create implements [storage.Accounts]: it is for the program to do.
func (u *userAccounts) Create(context.Context, storage.Account) error { return errUsers }

// SetSecrets implements [storage.Accounts]: it is for the program to do.
func (u *userAccounts) SetSecrets(context.Context, storage.AccountID, []sasl.Secrets) error {
	return errUsers
}

// SetDisabled implements [storage.Accounts]: it is for the program to do.
func (u *userAccounts) SetDisabled(context.Context, storage.AccountID, bool) error { return errUsers }

// Delete implements [storage.Accounts]: it is for the program to do.
func (u *userAccounts) Delete(context.Context, storage.AccountID) error { return errUsers }

// List implements [storage.Accounts]: the program knows how many users it has.
func (u *userAccounts) List(context.Context, string, jid.JID, int) ([]storage.Account, error) {
	return nil, errUsers
}

// find asks for the user at a bare JID.
func (u *userAccounts) find(ctx context.Context, addr jid.JID) (User, error) {
	if addr.Localpart() == "" {
		return User{}, ErrNoUser
	}
	user, err := asking(u.log, func() (User, error) { return u.users.User(ctx, addr) })
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return User{}, ErrNoUser
	case err == nil && user.ID == "":
		err = errors.New("server: a user without an ID")
	}
	if err != nil {
		if ctx.Err() == nil {
			u.log.Error("the table of users could not be asked", "peer", addr, "err", err)
		}
		return User{}, fmt.Errorf("%w: %w", sasl.ErrTemporary, err) // whatever else it says that it is
	}
	user.Name = addr.Localpart()
	return user, nil
}

// asking calls a method of the program's. A panic in it ends one login and not the program, as in a handler of net/http. The stack is
// for the log: the error may get as far as a page.
func asking[T any](log *slog.Logger, method func() (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("a method of Users panicked", "err", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return method()
}

// stamp changes whenever the password does. It shows nothing of the hash, or of the secrets.
func (u User) stamp() string {
	digest := sha256.New()
	io.WriteString(digest, u.PasswordHash)
	for _, s := range u.Secrets {
		fmt.Fprintf(digest, "\x00%s\x00%x\x00%d\x00%x", s.Hash, s.Salt, s.Iterations, s.StoredKey)
	}
	return hex.EncodeToString(digest.Sum(nil)[:16])
}

// timeless reports whether a change of the password would go unnoticed.
func (u User) timeless() bool { return u.PasswordHash == "" && len(u.Secrets) == 0 }

// verify reports whether a password is that of a user, the zero one if nobody has the name: it takes as
// long. No more are checked at a time than there are processors; the rest wait.
func (u *userAccounts) verify(ctx context.Context, user User, password string) (bool, error) {
	select {
	case u.checking <- struct{}{}:
		defer func() { <-u.checking }()
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
	if u.passwords != nil {
		ok, err := asking(u.log, func() (bool, error) { return u.passwords.CheckPassword(ctx, user, password) })
		return ok && user.ID != "", err
	}
	hash, err := user.hash()
	switch {
	case err != nil:
		return false, err
	case hash == nil:
		u.decoy().verify(password)
		return false, nil
	}
	decoy := hash.decoy()
	u.last.Store(&decoy)
	return hash.verify(password), nil
}

// hash is what a password of the user is checked against, nil if there is nothing.
func (u User) hash() (passwordHash, error) {
	switch {
	case u.PasswordHash != "":
		return parsePasswordHash(u.PasswordHash)
	case len(u.Secrets) > 0:
		return secretsHash(u.Secrets[0]), nil
	}
	return nil, nil
}

// decoy is a hash that costs what others do.
func (u *userAccounts) decoy() passwordHash {
	if last := u.last.Load(); last != nil {
		return *last
	}
	return bcryptOfNobody(bcrypt.DefaultCost)
}

// learned is what the server keeps of a password that it was shown.
type learned struct {
	Stamp   string // of the user at that time
	Secrets []sasl.Secrets
}

// learnedKind is the kind of the document that has it.
const learnedKind = "server/scram"

// secrets returns what is known of the password of a user: what the program has, or else what was learned.
func (u *userAccounts) secrets(ctx context.Context, user User) ([]sasl.Secrets, error) {
	if user.Secrets != nil {
		return user.Secrets, nil
	}
	b, err := u.kept.Get(ctx, storage.AccountID(user.ID), learnedKind, "")
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	var l learned
	if err == nil {
		err = json.Unmarshal(b, &l)
	}
	if err != nil {
		return nil, fmt.Errorf("server: secrets of user %q: %w", user.ID, err)
	}
	if l.Stamp != user.stamp() {
		return nil, nil
	}
	return l.Secrets, nil
}

// learn keeps what it takes to check a password of a user without seeing it. It was checked before.
func (u *userAccounts) learn(ctx context.Context, user User, password string) error {
	known, err := u.secrets(ctx, user)
	if err != nil || known != nil || user.PasswordHash == "" {
		return err
	}
	l := learned{Stamp: user.stamp()}
	if l.Secrets, err = secretsOf(password, u.iterations); err != nil {
		return err
	}
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return u.kept.Set(ctx, storage.AccountID(user.ID), learnedKind, "", b, storage.DocumentLimits{})
}

// stronger reports whether the account that a client says it is is offered mechanisms that do not show the
// password. Of a name that nobody has, half are: a client that is not offered them
// could be a user whose password was never seen, and one that is could be nobody.
func (u *userAccounts) stronger(ctx context.Context, claimed jid.JID) bool {
	addr, err := jid.Parse(claimed.String())
	if err != nil || addr.Localpart() == "" {
		return false
	}
	mac := hmac.New(sha256.New, u.key)
	mac.Write([]byte("offer\x00" + addr.String()))
	made := mac.Sum(nil)
	user, err := u.find(ctx, addr)
	if errors.Is(err, storage.ErrNotFound) {
		user = User{ID: hex.EncodeToString(made)} // to look for as long
		_, err = u.secrets(ctx, user)
		return err == nil && made[0]&1 == 1
	}
	var known []sasl.Secrets
	if err == nil {
		known, err = u.secrets(ctx, user)
	}
	return err == nil && len(known) > 0
}
