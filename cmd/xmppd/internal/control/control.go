// Package control is what can be done to a server by commands, and how these reach one that runs.
//
// A [Local] does it to a server of the own process. [Listen] lets others do it through a socket in the data folder that only its owner can
// open, and a [Client] is such another. The protocol is HTTP: POST /v1/NAME with an object of JSON. The answer is an object, or lines of them: one
// {"value": …} each and {"end": true} at last. What goes wrong is {"error": {"kind": …, "text": …}}, maybe at the end of such lines.
package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/portable"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/watch"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// Operations are what can be done to a server.
type Operations interface {
	AddUser(ctx context.Context, addr jid.JID, password string) error
	SetPassword(ctx context.Context, addr jid.JID, password string) error
	SetDisabled(ctx context.Context, addr jid.JID, disabled bool) error
	DeleteUser(ctx context.Context, addr jid.JID) error
	// Users yields the accounts of a domain in order, those of all domains for the zero address.
	Users(ctx context.Context, domain jid.JID) iter.Seq2[User, error]
	Invite(ctx context.Context, r InviteRequest) (Invitation, error)
	// Export writes a domain, or all for the zero address.
	Export(ctx context.Context, w io.Writer, domain jid.JID) error
	Import(ctx context.Context, pieces []portable.Piece) (*portable.Report, error)
}

// Live are what can only be done to a server that runs.
type Live interface {
	Operations
	Status(ctx context.Context) (Status, error)
	// Reload has the file read again, and returns when it is in force; with [ErrFile] all is as before. Notes say what needs a restart.
	Reload(ctx context.Context) (notes []string, err error)
	// Sessions yields the sessions of an account, one by its full JID, or all for the zero address.
	Sessions(ctx context.Context, addr jid.JID) iter.Seq2[Session, error]
	// CloseSessions ends the session of a full JID, or all of an account, and returns how many.
	CloseSessions(ctx context.Context, addr jid.JID, text string) (int, error)
	// Watch calls show with what happens on the streams of an account until ctx is done or the server stops: first with a line that it begins.
	Watch(ctx context.Context, addr jid.JID, content bool, show func(watch.Line) error) error
}

// The kinds of errors, beside [storage.ErrNotFound] and [storage.ErrExists].
var (
	ErrInvalid    = errors.New("this makes no sense")
	ErrNotRunning = errors.New("no server runs")
	ErrFile       = errors.New("the file makes no sense")
)

// A User is an account.
type User struct {
	Addr     jid.JID   `json:"jid"`
	Created  time.Time `json:"created"`
	Disabled bool      `json:"disabled"`
	// Password is whether there is one; without, nobody can log in.
	Password bool `json:"password"`
}

// An InviteRequest says what an invite is to be for.
type InviteRequest struct {
	// Account may be made by it: of any name, if it is a domain.
	Account jid.JID
	Uses    int           // zero means once
	Valid   time.Duration // zero means a week
}

// An Invitation is an invite.
type Invitation struct {
	URI     string    `json:"uri"`
	Expires time.Time `json:"expires"`
}

// A Session is a device that is logged in.
type Session struct {
	Addr      jid.JID   `json:"jid"`
	Remote    string    `json:"remote"`
	TLS       bool      `json:"tls"`
	Since     time.Time `json:"since"`
	Active    time.Time `json:"active"` // when something came from it last
	Suspended bool      `json:"suspended"`
	Available bool      `json:"available"`
}

// A Status is how a server is.
type Status struct {
	Version   string       `json:"version"`
	PID       int          `json:"pid"`
	Started   time.Time    `json:"started"`
	Stopping  bool         `json:"stopping"`
	File      string       `json:"file"`
	Storage   string       `json:"storage"`
	Listening Listening    `json:"listen"`
	Hosts     []Host       `json:"hosts"`
	Limits    Limits       `json:"limits"`
	Stats     server.Stats `json:"stats"`
}

// Listening is where connections are accepted.
type Listening struct {
	C2S     []string `json:"c2s"`
	C2STLS  []string `json:"c2s_tls"`
	Metrics []string `json:"metrics"`
}

// A Host is a domain that is served.
type Host struct {
	Domain       jid.JID     `json:"domain"`
	Registration string      `json:"registration"`
	Admins       []jid.JID   `json:"admins"`
	Certificate  Certificate `json:"certificate"`
}

// A Certificate is one that is shown.
type Certificate struct {
	Ends   time.Time `json:"ends"`
	SHA256 string    `json:"sha256"`
}

// Limits are those in force.
type Limits struct {
	StanzaBytes        int `json:"stanza_bytes"`
	SessionsPerAccount int `json:"sessions_per_account"`
	RateBytesPerSecond int `json:"rate_bytes_per_second"`
}

// kinds are the words for kinds of errors.
var kinds = map[string]error{"not-found": storage.ErrNotFound, "exists": storage.ErrExists, "invalid": ErrInvalid, "file": ErrFile}

// An Error is an error of a server that runs elsewhere.
type Error struct {
	Kind string `json:"kind"` // one of kinds, or "failed"
	Text string `json:"text"`
}

// Error implements error.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return kinds[e.Kind] }

// errorOf is an error for others.
func errorOf(err error) *Error {
	if e, ok := errors.AsType[*config.Error](err); ok && !e.Outside {
		return &Error{"file", err.Error()}
	}
	for word, kind := range kinds {
		if errors.Is(err, kind) {
			return &Error{word, err.Error()}
		}
	}
	return &Error{"failed", err.Error()}
}

// A told error is an error of a kind that says it in its own words.
type told struct {
	kind error
	text string
}

// Error implements error.
func (e *told) Error() string { return e.text }

// Unwrap returns the kind.
func (e *told) Unwrap() error { return e.kind }

// tell makes an error of a kind.
func tell(kind error, format string, args ...any) error {
	return &told{kind, fmt.Sprintf(format, args...)}
}

// Invalid is an error of the kind [ErrInvalid].
func Invalid(format string, args ...any) error { return tell(ErrInvalid, format, args...) }
