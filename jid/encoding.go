package jid

import (
	"database/sql/driver"
	"fmt"
)

// AppendText appends the address to b. It never fails; the zero JID appends
// nothing. It implements [encoding.TextAppender].
func (j JID) AppendText(b []byte) ([]byte, error) { return append(b, j.s...), nil }

// MarshalText returns the address, or an empty text for the zero JID. It never
// fails. It implements [encoding.TextMarshaler], so that JSON, XML attributes and
// flags can hold addresses, and JSON objects can have them as keys.
func (j JID) MarshalText() ([]byte, error) { return j.AppendText(nil) }

// UnmarshalText is [Parse], strict, into j; an empty text gives the zero JID. On
// error j is unchanged. It implements [encoding.TextUnmarshaler].
func (j *JID) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*j = JID{}
		return nil
	}
	k, err := Parse(string(text))
	if err != nil {
		return err
	}
	*j = k
	return nil
}

// Value returns the address as a string, or nil (NULL) for the zero JID. It
// implements [driver.Valuer].
func (j JID) Value() (driver.Value, error) {
	if j.IsZero() {
		return nil, nil
	}
	return j.s, nil
}

// Scan reads an address from a database: a string or a []byte, which is copied;
// nil and the empty string give the zero JID. On error j is unchanged. It
// implements [database/sql.Scanner].
//
// Scan is [ParseLenient], so that whatever Value wrote is read back as the same
// value: an archive holds addresses of others, and a strict one that was stored
// stays strict.
func (j *JID) Scan(src any) error {
	var s string
	switch src := src.(type) {
	case nil:
	case string:
		s = src
	case []byte:
		s = string(src)
	default:
		return fmt.Errorf("jid: cannot scan %T", src)
	}
	if s == "" {
		*j = JID{}
		return nil
	}
	k, err := ParseLenient(s)
	if err != nil {
		return err
	}
	*j = k
	return nil
}
