package xmltags

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// field is what is written and read for one field of a struct.
type field struct {
	goName    string // with those of the embedded structs that it is in
	tag       string // as written
	index     []int  // as in reflect.StructField, from the outer struct
	sealed    bool   // behind an embedded pointer that only its package can set
	mode      mode
	omitEmpty bool
	codec     *typeCodec // of the type that pointers lead to

	path  []*name // of an element
	name  *name   // of an element
	space string  // of the tag: where the path begins, or the attribute's namespace
	local string  // of an attribute
	attr  string  // as written, if the attribute's namespace is none or xml
	open  []byte  // that, with what stands before and behind it
}

// newField returns the field f of struct t, whose tag is tg.
func (c *Codec) newField(t reflect.Type, f *reflect.StructField, tg tag) (*field, error) {
	base := f.Type
	for hops := 0; base.Kind() == reflect.Pointer; hops++ {
		if hops == maxHops {
			return nil, errCycle
		}
		base = base.Elem()
	}
	fd := &field{
		goName: f.Name, tag: f.Tag.Get("xml"), mode: tg.mode, omitEmpty: tg.omitEmpty, codec: c.codec(base), space: tg.space,
	}
	var err error
	switch tg.mode {
	case modeElement, modeAny:
		err = fd.nameElement(c, base, f.Name, tg)
	case modeAttr:
		err = fd.nameAttr(base, f.Name, tg)
	case modeInner:
		if base != f.Type || base.Kind() != reflect.String && !isBytes(base) {
			err = errTag("innerxml is a string or []byte")
		}
	}
	return fd, err
}

// nameElement finds the name of the element for a field of type base, called
// goName.
func (f *field) nameElement(c *Codec, base reflect.Type, goName string, tg tag) error {
	item := base
	for item.Kind() == reflect.Slice || item.Kind() == reflect.Array || item.Kind() == reflect.Pointer {
		if item = item.Elem(); item == base {
			break
		}
	}
	space, local := tg.space, tg.local
	if own, ok := c.own(item); ok && own.Name.Local != "" && (local == "" || local == own.Name.Local && space == "") {
		space, local = own.Name.Space, own.Name.Local
	} else if named, ok := lookupXMLName(item); ok {
		switch {
		case local == "":
			space, local = named.space, named.local
		case local != named.local:
			if item == base {
				return fmt.Errorf("the name %q conflicts with that of its XMLName, %q", local, named.local)
			}
		case named.space != "" && space != "" && space != named.space && len(tg.path) == 0:
			return fmt.Errorf("the namespace %q conflicts with that of its XMLName, %q", space, named.space)
		case named.space != "":
			space = named.space
		}
	}
	if local == "" {
		local = goName
	}
	for i, step := range tg.path {
		if step == "" && i == 0 {
			step = goName
		}
		nm, err := newName(tg.space, step)
		if err != nil {
			return err
		}
		f.path = append(f.path, nm)
	}
	var err error
	f.name, err = newName(space, local)
	return err
}

func (f *field) nameAttr(base reflect.Type, goName string, tg tag) error {
	f.local = tg.local
	if f.local == "" {
		f.local = goName
	}
	if !xmlwire.ValidName(f.local) {
		return fmt.Errorf("%w: attribute %q", xmlwire.ErrName, f.local)
	}
	switch {
	case f.declares():
		if base.Kind() != reflect.String || f.codec.encoded != formString {
			return errTag("xmlns is a string")
		}
	case f.local == "xmlns" || f.space == xmlwire.NSXMLNS:
		return errTag("namespaces are declared where they are needed")
	case f.space == "":
		f.attr = f.local
	case f.space == xmlwire.NSXML:
		f.attr = "xml:" + f.local
	}
	f.open = append(append([]byte{' '}, f.attr...), "='"...)
	return nil
}

// declares reports whether f is the namespace of its element.
func (f *field) declares() bool { return f.mode == modeAttr && f.space == "" && f.local == "xmlns" }

// loose reports whether only the value tells which attributes f makes, or
// whether they need a prefix.
func (f *field) loose() bool {
	if f.mode == modeAnyAttr || f.attr == "" {
		return true
	}
	tc := f.codec
	return tc.attrMarshaler || tc.t == attrType || tc.t.Kind() == reflect.Interface || tc.encoded == formNone && tc.t.Kind() == reflect.Slice
}

// steps are the names on the way to f. Fields without a name lead nowhere but to
// themselves.
func (f *field) steps() []string {
	var steps []string
	for _, nm := range f.path {
		steps = append(steps, nm.local)
	}
	switch f.mode {
	case modeElement:
		return append(steps, f.name.local)
	case modeAttr:
		return []string{f.local}
	}
	return []string{f.goName}
}

// clashes reports whether f and g are in one place, or one on the way to the other.
func (f *field) clashes(g *field) bool {
	if f.mode != g.mode {
		return false
	}
	fs, gs := f.outerSpace(), g.outerSpace()
	if fs != "" && gs != "" && fs != gs {
		return false
	}
	a, b := f.steps(), g.steps()
	n := min(len(a), len(b))
	return slices.Equal(a[:n], b[:n]) && (len(a) != len(b) || fs == gs)
}

// outerSpace is the namespace where f begins.
func (f *field) outerSpace() string {
	if f.name != nil && len(f.path) == 0 {
		return f.name.space
	}
	return f.space
}

// value is f in v, a struct. It reports false if f is behind a nil pointer.
func (f *field) value(v reflect.Value) (reflect.Value, bool) {
	for i, x := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v, true
}

var errSealed = errors.New("behind an embedded pointer that is nil and not exported")

// settable is f in v, a struct, behind new pointers where there was nil.
func (f *field) settable(v reflect.Value) (reflect.Value, error) {
	for i, x := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if f.sealed {
					return v, errSealed
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v, nil
}

// leftOut reports whether v, the value of f, is not to be written.
func (f *field) leftOut(v reflect.Value) bool {
	if !f.omitEmpty {
		return false
	}
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		if v.Len() == 0 {
			return true
		}
	case reflect.Bool, reflect.Interface, reflect.Pointer,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64:
		if v.IsZero() {
			return true
		}
	}
	return v.Type() == f.codec.t && f.codec.zeroer && receiver(v).(zeroer).IsZero()
}
