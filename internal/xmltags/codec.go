package xmltags

import (
	"encoding/xml"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// maxDepth bounds the elements inside one another, as in xmlwire.
const maxDepth = 100

// maxHops bounds the pointers, interfaces and slices between two elements. Only
// what leads back to itself has more.
const maxHops = 32

// A Codec writes and reads values by their tags. The zero Codec is ready to use.
// It is safe for concurrent use, its fields must not change once it is in use,
// and it must not be copied. It remembers each type it met.
type Codec struct {
	// NS is the namespace around what an [Appender] writes.
	NS string
	// Own tells how a pointer of type ptr reads itself, if it does. It counts for
	// fields only, so a type's own method may call the Codec for its tags. Nil
	// knows no such types.
	Own func(ptr reflect.Type) (Own, bool)

	types sync.Map // reflect.Type, no pointer: *typeCodec
}

// An Appender in a field writes itself: at most one element, complete and
// well-formed, to be read where [Codec.NS] is the default namespace.
type Appender interface {
	AppendXML(dst []byte) ([]byte, error)
}

// Own is how a type reads itself.
type Own struct {
	Name   xml.Name // what it reads, for fields whose tags do not say; empty when it reads anything
	Decode func(n xmlwire.Node, ptr any) error
}

// Append appends v, a struct or a pointer to one, as an element in plain form, to
// stand in an element whose namespace is parentNS. On error it returns dst as it was.
//
// What has no XMLName is named after its type. That v may be an [Appender] does
// not count.
func (c *Codec) Append(dst []byte, v any, parentNS string) ([]byte, error) {
	rv, err := indirect(reflect.ValueOf(v))
	if err == nil && !rv.IsValid() {
		err = errNil
	}
	if err != nil {
		return dst, newError(reflect.TypeOf(v), err)
	}
	tc := c.codec(rv.Type())
	out, err := tc.appendRoot(dst, rv, place{ns: parentNS})
	if err != nil {
		return dst, newError(tc.t, err)
	}
	return out, nil
}

// Decode fills v, a pointer that is not nil, from n. Fields that n says nothing
// about stay as they are, and slices grow. After an error v is filled in part.
func (c *Codec) Decode(n xmlwire.Node, v any) error {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return newError(reflect.TypeOf(v), errPointer)
	}
	rv, err := target(rv)
	if err != nil {
		return newError(reflect.TypeOf(v), err)
	}
	tc := c.codec(rv.Type())
	if err := tc.decode(n, rv, 0); err != nil {
		return newError(tc.t, err)
	}
	return nil
}

// An Error says what could not be written or read, and where.
type Error struct {
	Type  reflect.Type // of the value that was given; nil for an untyped nil
	Field string       // the path of Go fields to the place, empty for the value itself
	Err   error
}

func (e *Error) Error() string {
	at := fmt.Sprint(e.Type)
	if e.Field != "" {
		at += "." + e.Field
	}
	return at + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

var (
	errNil     = errors.New("nil is no element")
	errPointer = errors.New("not a pointer, or nil")
	errOne     = errors.New("not exactly one element")
	errCycle   = errors.New("a pointer or slice that leads to itself")
)

// newError returns err as an [Error] about a value of type t.
func newError(t reflect.Type, err error) error {
	e, ok := err.(*Error)
	if !ok {
		return &Error{Type: t, Err: err}
	}
	e.Type = t
	return e
}

// inField returns err as an [Error] about a field.
func inField(name string, err error) error {
	e, ok := err.(*Error)
	if !ok {
		return &Error{Field: name, Err: err}
	}
	e.Field = name + "." + e.Field
	return e
}

// unsupported is the error for a type that cannot be what it is asked to be.
func unsupported(t reflect.Type, as string) error { return fmt.Errorf("type %s cannot be %s", t, as) }
