package stream

import (
	"strings"

	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// An AuthError is the server's word that authentication failed (RFC 6120 §6.5).
type AuthError struct {
	Condition sasl.Condition // errors.Is(err, sasl.ErrNotAuthorized): wrong password or unknown account
	Text      string         // for people
	Lang      string         // language of Text
}

// Error returns the condition and the text.
func (e *AuthError) Error() string {
	s := "stream: authentication failed: " + string(e.Condition)
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// Unwrap returns the condition.
func (e *AuthError) Unwrap() error { return e.Condition }

// parseFailure reads a SASL failure. A condition that is unknown is
// not-authorized (RFC 6120 §6.5).
func parseFailure(el stanza.Element) *AuthError {
	e := &AuthError{}
	for c := range el.Children() {
		name := c.Name()
		switch {
		case name.Space != nsSASL:
		case name.Local == "text":
			if e.Text == "" {
				e.Text, e.Lang = strings.TrimSpace(c.Text()), c.Lang()
			}
		case e.Condition == "" && definedSASL(sasl.Condition(name.Local)):
			e.Condition = sasl.Condition(name.Local)
		}
	}
	if e.Condition == "" {
		e.Condition = sasl.ErrNotAuthorized
	}
	return e
}

// definedSASL reports whether c is one of the conditions of RFC 6120.
func definedSASL(c sasl.Condition) bool {
	switch c {
	case sasl.ErrAborted, sasl.ErrAccountDisabled, sasl.ErrCredentialsExpired, sasl.ErrEncryptionRequired,
		sasl.ErrIncorrectEncoding, sasl.ErrInvalidAuthzid, sasl.ErrInvalidMechanism, sasl.ErrMalformed,
		sasl.ErrMechanismTooWeak, sasl.ErrNotAuthorized, sasl.ErrTemporary:
		return true
	}
	return false
}
