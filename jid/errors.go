package jid

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The kinds of failure, for [errors.Is]. Every error of [Parse], [ParseLenient],
// [New] and the With methods is an [*Error] of exactly one kind. To a stanza with
// such an address a server answers with jid-malformed (RFC 6120 §8.3.3.8),
// whatever the kind.
var (
	// ErrNoDomain means that there is no domainpart, as in "juliet@", "/balcony" and "".
	ErrNoDomain = errors.New("jid: no domainpart")
	// ErrEmpty means that a separator announces a localpart or resourcepart and none is there.
	ErrEmpty = errors.New("jid: empty part")
	// ErrTooLong means that a part exceeds its limit once prepared.
	ErrTooLong = errors.New("jid: part too long")
	// ErrInvalidLocalpart means that the localpart has characters, or an order of them, that are not allowed.
	ErrInvalidLocalpart = errors.New("jid: invalid localpart")
	// ErrInvalidDomainpart means that the domainpart is neither a domain name nor an IP address.
	ErrInvalidDomainpart = errors.New("jid: invalid domainpart")
	// ErrInvalidResourcepart means that the resourcepart has characters, or an order of them, that are not allowed.
	ErrInvalidResourcepart = errors.New("jid: invalid resourcepart")
)

// A Part names one of the three parts of an address.
type Part uint8

// The parts of an address, in the order of their appearance.
const (
	Localpart Part = iota + 1
	Domainpart
	Resourcepart
)

// String returns the name that RFC 7622 gives to the part.
func (p Part) String() string {
	switch p {
	case Localpart:
		return "localpart"
	case Domainpart:
		return "domainpart"
	case Resourcepart:
		return "resourcepart"
	}
	return "Part(" + strconv.Itoa(int(p)) + ")"
}

// invalid returns the kind of a failure that lies in the characters of p.
func (p Part) invalid() error {
	switch p {
	case Localpart:
		return ErrInvalidLocalpart
	case Domainpart:
		return ErrInvalidDomainpart
	default:
		return ErrInvalidResourcepart
	}
}

// An Error says why a string is not an address.
type Error struct {
	Kind  error  // one of the Err variables of this package
	Part  Part   // where the fault is
	Input string // the part as it was given, or the address when the part is missing; cut to 64 bytes
	Err   error  // what is wrong with it in detail; nil when the kind says all
}

// inputLimit is how much of a refused string an [Error] keeps, in bytes. The
// string is a stranger's and may be a megabyte.
const inputLimit = 64

// fail returns an [*Error]; it copies what it keeps of input.
func fail(kind error, part Part, input string, cause error) error {
	if len(input) > inputLimit {
		n := inputLimit
		for n > inputLimit-utf8.UTFMax && !utf8.RuneStart(input[n]) {
			n--
		}
		input = input[:n] + "…"
	}
	return &Error{Kind: kind, Part: part, Input: strings.Clone(input), Err: cause}
}

// Error returns a sentence with the input in quotes, everything unprintable in it
// escaped.
func (e *Error) Error() string {
	in := strconv.Quote(e.Input)
	var text string
	switch e.Kind {
	case ErrNoDomain:
		text = "jid: no domainpart in " + in
	case ErrEmpty:
		text = "jid: empty " + e.Part.String() + " in " + in
	case ErrTooLong:
		text = "jid: " + e.Part.String() + " too long: " + in
	default:
		text = "jid: invalid " + e.Part.String() + " " + in
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the kind and, when there is one, the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}
