package sasl

import (
	"errors"
	"fmt"
)

// A Condition is the kind of a failed exchange. Every error of a [Server] wraps
// one, so that a protocol can tell its peer what happened:
//
//	condition, ok := errors.AsType[sasl.Condition](err)
//
// The values are the names of the SASL errors of RFC 6120 §6.5, one to one, and
// a client may turn a received name back with a conversion, Condition(name).
// The kind is all a peer should learn; the text of the wrapping error says more
// and stays in the log. A [Client] uses the same kinds for what a server sent.
type Condition string

// The conditions (RFC 6120 §6.5).
const (
	ErrAborted            Condition = "aborted"                // the client gave up
	ErrAccountDisabled    Condition = "account-disabled"       // told only to who proved to be its owner
	ErrCredentialsExpired Condition = "credentials-expired"    // told only to who proved to be its owner
	ErrEncryptionRequired Condition = "encryption-required"    // the mechanism needs a confidential channel
	ErrIncorrectEncoding  Condition = "incorrect-encoding"     // wrong base64, around a message or within
	ErrInvalidAuthzid     Condition = "invalid-authzid"        // may not act as the identity asked for
	ErrInvalidMechanism   Condition = "invalid-mechanism"      // not offered
	ErrMalformed          Condition = "malformed-request"      // against the syntax or the order of the mechanism
	ErrMechanismTooWeak   Condition = "mechanism-too-weak"     // weaker than policy permits for this account
	ErrNotAuthorized      Condition = "not-authorized"         // wrong password, unknown user, or what shall look like it
	ErrTemporary          Condition = "temporary-auth-failure" // the store could not be asked
)

// Error returns the name of the condition.
func (c Condition) Error() string { return "sasl: " + string(c) }

// What a client decides on, beside the condition a server reports.
var (
	// ErrNoMechanism: nothing that was offered can be used with these
	// credentials on this channel under this policy.
	ErrNoMechanism = errors.New("sasl: no usable mechanism")
	// ErrServerNotProven: the server claims success without having proven that
	// it knows the account. It must not be trusted: close the stream.
	ErrServerNotProven = errors.New("sasl: server not proven")
	// ErrDowngrade: somebody between client and server altered what was
	// offered, or the channel. Close the stream and do not fall back.
	ErrDowngrade = errors.New("sasl: downgrade detected")
	// ErrIterations: the server asks for an iteration count outside the bounds
	// of [Policy].
	ErrIterations = errors.New("sasl: iteration count out of bounds")
)

// failure is an error of a given kind with a text for the log.
type failure struct {
	kind  error
	text  string
	cause error // nil, or what the store said
}

// fail makes an error of a kind. Its arguments must hold no secrets.
func fail(kind error, format string, args ...any) error {
	return &failure{kind: kind, text: fmt.Sprintf(format, args...)}
}

func (f *failure) Error() string {
	if f.cause != nil {
		return "sasl: " + f.text + ": " + f.cause.Error()
	}
	return "sasl: " + f.text
}

func (f *failure) Unwrap() []error {
	if f.cause != nil {
		return []error{f.kind, f.cause}
	}
	return []error{f.kind}
}

// storeError gives the error of a store a condition: its own when it chose one,
// else [ErrTemporary].
func storeError(err error) error {
	if _, ok := errors.AsType[Condition](err); ok {
		return err
	}
	return &failure{kind: ErrTemporary, text: "account store", cause: err}
}
