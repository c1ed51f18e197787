package main

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"sync"

	"golang.org/x/crypto/bcrypt"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server"
)

// users is the table of the web application, as such tables are. Yours is in a database.
type users struct {
	mu       sync.Mutex     // guards the fields below
	rows     map[string]row // by name
	sessions map[string]row // the tokens that the login page has given out
}

// A row is a user.
type row struct {
	id     int
	name   string
	hash   string // bcrypt of the password; empty: cannot log in
	banned bool
}

// cost is what a password costs to check, and to guess.
var cost = bcrypt.DefaultCost

func newUsers() *users {
	return &users{rows: make(map[string]row), sessions: make(map[string]row)}
}

// errTaken is the error for a name that somebody has, or that is no name for an address.
var errTaken = errors.New("choose another name")

// add adds a user. One without a password is for the program itself. Names are kept as they are in addresses, so that no two users
// get the same one.
func (u *users) add(name, password string) error {
	addr, err := address(name)
	if err != nil || addr.Localpart() == "" {
		return errTaken
	}
	name = addr.Localpart()
	var hash []byte
	if password != "" {
		if hash, err = bcrypt.GenerateFromPassword([]byte(password), cost); err != nil {
			return err
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, ok := u.rows[name]; ok {
		return errTaken
	}
	u.rows[name] = row{id: len(u.rows) + 1, name: name, hash: string(hash)} // a table without DELETE: an id never comes back
	return nil
}

// ban keeps a user out.
func (u *users) ban(name string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if r, ok := u.rows[name]; ok {
		r.banned = true
		u.rows[name] = r
	}
}

// count tells how many users there are.
func (u *users) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.rows)
}

// newSession gives out a token.
func (u *users) newSession(name string) (token string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	token = rand.Text()
	u.sessions[token] = u.rows[name]
	return token
}

// User implements server.Users: who is in the table has an account.
func (u *users) User(_ context.Context, addr jid.JID) (server.User, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	r, ok := u.rows[addr.Localpart()]
	if !ok {
		return server.User{}, server.ErrNoUser
	}
	return server.User{ID: strconv.Itoa(r.id), PasswordHash: r.hash, Disabled: r.banned}, nil
}

// VerifyToken implements server.TokenVerifier: who is logged in to the pages is to the chat.
func (u *users) VerifyToken(_ context.Context, token string) (server.User, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	r, ok := u.sessions[token]
	if !ok {
		return server.User{}, server.ErrNoUser
	}
	return server.User{ID: strconv.Itoa(r.id), Name: r.name}, nil
}
