package xmltags

import (
	"encoding"
	"encoding/xml"
	"reflect"
	"sync"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// typeCodec is what a type can do. Its type is no pointer.
type typeCodec struct {
	c *Codec
	t reflect.Type

	encoded, decoded form // as text

	appender        bool // is an Appender
	own             func(n xmlwire.Node, ptr any) error
	marshaler       bool // xml.Marshaler, and so on
	unmarshaler     bool
	attrMarshaler   bool
	attrUnmarshaler bool
	textAppender    bool // when a TextMarshaler
	zeroer          bool

	once sync.Once // guards the plan of a struct
	p    *plan
	err  error
}

// form is how a type is text.
type form uint8

const (
	formNone form = iota
	formString
	formBytes // a slice or an array
	formInt
	formUint
	formFloat
	formBool
	formMethod // TextMarshaler, TextUnmarshaler
)

type zeroer interface{ IsZero() bool }

// codec returns the one typeCodec for t, which is no pointer.
func (c *Codec) codec(t reflect.Type) *typeCodec {
	if tc, ok := c.types.Load(t); ok {
		return tc.(*typeCodec)
	}
	tc, _ := c.types.LoadOrStore(t, c.newTypeCodec(t))
	return tc.(*typeCodec)
}

func (c *Codec) newTypeCodec(t reflect.Type) *typeCodec {
	tc := &typeCodec{c: c, t: t}
	tc.encoded = formOf(t)
	if tc.decoded = tc.encoded; t.Kind() == reflect.Array {
		tc.decoded = formNone
	}
	if t.Kind() == reflect.Interface {
		return tc // what is in it counts
	}
	ptr := reflect.PointerTo(t)
	tc.appender = implements[Appender](ptr)
	if own, ok := c.own(t); ok {
		tc.own = own.Decode
	}
	tc.marshaler = implements[xml.Marshaler](ptr)
	tc.unmarshaler = implements[xml.Unmarshaler](ptr)
	tc.attrMarshaler = implements[xml.MarshalerAttr](ptr)
	tc.attrUnmarshaler = implements[xml.UnmarshalerAttr](ptr)
	if implements[encoding.TextMarshaler](ptr) {
		tc.encoded = formMethod
		tc.textAppender = implements[encoding.TextAppender](ptr)
	}
	if implements[encoding.TextUnmarshaler](ptr) {
		tc.decoded = formMethod
	}
	tc.zeroer = implements[zeroer](ptr)
	return tc
}

func implements[I any](t reflect.Type) bool { return t.Implements(reflect.TypeFor[I]()) }

// own is how a type, no pointer, reads itself.
func (c *Codec) own(t reflect.Type) (Own, bool) {
	if c.Own == nil || t.Kind() == reflect.Interface || t.Kind() == reflect.Pointer {
		return Own{}, false
	}
	return c.Own(reflect.PointerTo(t))
}

// formOf is how a type without methods is text.
func formOf(t reflect.Type) form {
	switch t.Kind() {
	case reflect.String:
		return formString
	case reflect.Bool:
		return formBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return formInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return formUint
	case reflect.Float32, reflect.Float64:
		return formFloat
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return formBytes
		}
	}
	return formNone
}

func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

// plan is how a struct is written and read.
func (tc *typeCodec) plan() (*plan, error) {
	tc.once.Do(func() { tc.p, tc.err = tc.c.compile(tc.t) })
	return tc.p, tc.err
}

// indirect follows pointers and interfaces to what they lead to; the zero Value
// if that is nothing.
func indirect(v reflect.Value) (reflect.Value, error) {
	for hops := 0; v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface; hops++ {
		if hops == maxHops {
			return v, errCycle
		}
		v = v.Elem()
	}
	return v, nil
}

// target follows pointers to what is to be filled, which it makes where there is
// none. The value in an interface can be filled if it is a pointer.
func target(v reflect.Value) (reflect.Value, error) {
	for hops := 0; ; hops++ {
		switch {
		case hops > maxHops:
			return v, errCycle
		case v.Kind() == reflect.Pointer:
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		case v.Kind() == reflect.Interface:
			if v.Elem().Kind() != reflect.Pointer || v.Elem().IsNil() {
				return v, unsupported(v.Type(), "read into, but for a pointer in it")
			}
			v = v.Elem()
		default:
			return v, nil
		}
	}
}

// receiver is a pointer to v, or to a copy.
func receiver(v reflect.Value) any {
	if v.CanAddr() {
		return v.Addr().Interface()
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p.Interface()
}
