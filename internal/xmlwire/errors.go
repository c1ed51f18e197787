package xmlwire

import (
	"errors"
	"fmt"
)

// The stream error conditions that a reader names (RFC 6120 §4.9.3).
const (
	badFormat           = "bad-format"
	badNamespacePrefix  = "bad-namespace-prefix"
	notWellFormed       = "not-well-formed"
	policyViolation     = "policy-violation"
	restrictedXML       = "restricted-xml"
	unsupportedEncoding = "unsupported-encoding"
)

// Error is XML that is ill-formed, forbidden in XMPP or beyond a limit.
type Error struct {
	// Condition is the stream error to answer with, without its namespace
	// (RFC 6120 §4.9.3): bad-format, bad-namespace-prefix, not-well-formed,
	// policy-violation, restricted-xml or unsupported-encoding.
	Condition string
	// Detail says what is wrong, for people. It quotes nothing that was received.
	Detail string
	// Offset counts the bytes of the document before the place where that was seen.
	Offset int64
}

func (e *Error) Error() string {
	return fmt.Sprintf("xmlwire: %s at byte %d: %s", e.Condition, e.Offset, e.Detail)
}

// Errors of the writing functions. What they return wraps one of these.
var (
	// ErrChar is text with invalid UTF-8 or a character that XML forbids.
	ErrChar = errors.New("xmlwire: character not allowed in XML")
	// ErrName is a name that is not a name in XML.
	ErrName = errors.New("xmlwire: invalid XML name")
	// ErrToken is a token that does not belong where it is: a comment, a
	// processing instruction, a directive, an end without its start, text outside
	// an element, an element without its end.
	ErrToken = errors.New("xmlwire: misplaced XML token")
	// ErrDepth is a token stream nested too deeply to be read back.
	ErrDepth = errors.New("xmlwire: elements nested too deeply")
)
