package server_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/crypto/bcrypt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// members is a table of users in a database, with hashes of bcrypt.
type members struct{ db *sql.DB }

// User implements server.Users.
func (m members) User(ctx context.Context, addr jid.JID) (server.User, error) {
	const query = `SELECT id, password_hash, banned FROM users WHERE lower(name) = $1`
	var u server.User
	err := m.db.QueryRowContext(ctx, query, addr.Localpart()).Scan(&u.ID, &u.PasswordHash, &u.Disabled)
	if errors.Is(err, sql.ErrNoRows) {
		err = server.ErrNoUser
	}
	return u, err
}

// The accounts are those of a table that is there already. The first login shows the password, and the next
// one need not any more.
func ExampleUsers() {
	hash, err := bcrypt.GenerateFromPassword([]byte("b4lc0ny"), bcrypt.MinCost)
	if err != nil {
		fmt.Println(err)
		return
	}
	db := sql.OpenDB(rows{"juliet": {int64(7), string(hash), false}})
	defer db.Close()
	srv, err := xmpptest.Start(&server.Options{Users: members{db}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer srv.Stop()

	ctx, juliet := context.Background(), jid.MustParse("Juliet@example.org")
	for range 2 {
		opts := srv.Options(juliet)
		opts.Password, opts.AllowPlain = "b4lc0ny", true
		opts.Trace = &xmpp.Trace{Event: func(name, detail string) {
			if name == "sasl" {
				fmt.Println(detail)
			}
		}}
		c, err := client.Dial(ctx, juliet, opts)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("welcome,", c.LocalAddr().Bare())
		_ = c.Close(ctx)
		_ = c.Wait(ctx)
	}
	_, err = client.Dial(ctx, jid.MustParse("tybalt@example.org"), &client.Options{Server: srv})
	fmt.Println(errors.Is(err, client.ErrCredentials))
	// Output:
	// PLAIN
	// welcome, juliet@example.org
	// SCRAM-SHA-512-PLUS
	// welcome, juliet@example.org
	// true
}
