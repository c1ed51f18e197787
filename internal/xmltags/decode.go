package xmltags

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// decodeValue fills v, whose type leads to tc's, from n.
func (tc *typeCodec) decodeValue(n xmlwire.Node, v reflect.Value, depth, hops int) error {
	v, err := target(v)
	if err != nil {
		return err
	}
	if v.Type() != tc.t { // which is an interface
		tc = tc.c.codec(v.Type())
	}
	switch {
	case hops > maxHops:
		return errCycle
	case tc.own != nil:
		return tc.own(n, v.Addr().Interface())
	case tc.unmarshaler, tc.decoded != formNone, tc.t.Kind() != reflect.Slice:
		return tc.decode(n, v, depth)
	}
	return grow(v, func(item reflect.Value) error { return tc.item().decodeValue(n, item, depth, hops+1) })
}

// grow adds an item to v, a slice, and has it filled.
func grow(v reflect.Value, fill func(reflect.Value) error) error {
	n := v.Len()
	v.Grow(1)
	v.SetLen(n + 1)
	v.Index(n).SetZero() // of what a longer slice has left there
	err := fill(v.Index(n))
	if err != nil {
		v.SetLen(n)
	}
	return err
}

// decode fills v from n, and does not ask whether it can do so by itself. depth
// counts the elements around n.
func (tc *typeCodec) decode(n xmlwire.Node, v reflect.Value, depth int) error {
	switch {
	case depth >= maxDepth:
		return xmlwire.ErrDepth
	case tc.unmarshaler:
		return decodeUnmarshaler(n, v)
	case tc.decoded != formNone:
		return tc.setText(n, v)
	case tc.t == nameType:
		v.Set(reflect.ValueOf(n.Name()))
		return nil
	case tc.t.Kind() != reflect.Struct:
		return unsupported(tc.t, "read from an element")
	}
	p, err := tc.plan()
	if err != nil {
		return err
	}
	return p.decode(n, v, depth)
}

func (p *plan) decode(n xmlwire.Node, v reflect.Value, depth int) error {
	if err := p.decodeName(n, v); err != nil {
		return err
	}
	if len(p.attrs) > 0 {
		if err := p.decodeAttrs(n, v); err != nil {
			return err
		}
	}
	if len(p.tree.next) > 0 || p.any != nil {
		if err := p.decodeChildren(n, v, depth); err != nil {
			return err
		}
	}
	if p.text != nil {
		if err := p.text.decode(v, func(fv reflect.Value) error { return p.text.decodeText(n, fv) }); err != nil {
			return err
		}
	}
	if p.inner != nil {
		return p.inner.decode(v, func(fv reflect.Value) error {
			if fv.Kind() == reflect.String {
				fv.SetString(string(n.Content()))
			} else {
				fv.SetBytes(append([]byte{}, n.Content()...))
			}
			return nil
		})
	}
	return nil
}

// decodeName compares the name of n with that of the type, and fills in what v
// wants to know of it.
func (p *plan) decodeName(n xmlwire.Node, v reflect.Value) error {
	if f := p.fixed; f != nil && !f.begins(n.Raw()) {
		if named, bare := isNamed(n, f.local); !named || f.space != "" && !isIn(n, f.space, f.local, bare) {
			return &nameError{f}
		}
	}
	if p.named != nil {
		err := p.named.decode(v, func(fv reflect.Value) error {
			if f := p.fixed; f != nil && f.space != "" {
				fv.Field(0).SetString(f.space)
				fv.Field(1).SetString(f.local)
			} else {
				fv.Set(reflect.ValueOf(n.Name()))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if p.ns != nil {
		return p.ns.decode(v, func(fv reflect.Value) error {
			fv, err := target(fv)
			if err == nil {
				fv.SetString(n.Name().Space)
			}
			return err
		})
	}
	return nil
}

// nameError is an element that is not what its type is for.
type nameError struct{ want *name }

func (e *nameError) Error() string {
	return fmt.Sprintf("the element is not %s in namespace %q", e.want.local, e.want.space)
}

// decode has f in v filled, and adds its name to the error.
func (f *field) decode(v reflect.Value, fill func(reflect.Value) error) error {
	fv, err := f.settable(v)
	if err == nil {
		err = fill(fv)
	}
	if err != nil {
		return inField(f.goName, err)
	}
	return nil
}

// decodeText fills v, the value of f, with the text of n.
func (f *field) decodeText(n xmlwire.Node, v reflect.Value) error {
	v, err := target(v)
	if err != nil {
		return err
	}
	tc := f.codec
	if v.Type() != tc.t {
		tc = tc.c.codec(v.Type())
	}
	return tc.setText(n, v)
}

func (p *plan) decodeChildren(n xmlwire.Node, v reflect.Value, depth int) error {
	for c := range n.Children() {
		found, err := p.tree.decode(c, v, depth+1)
		if err == nil && !found && p.any != nil {
			err = p.any.decodeChild(c, v, depth+1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// decode fills what c, a child of the element that s leads to, is for. It reports
// false if it is for nothing.
func (s *step) decode(c xmlwire.Node, v reflect.Value, depth int) (found bool, err error) {
	for _, next := range s.next {
		named, bare := isNamed(c, next.local)
		if !named {
			continue
		}
		space := next.space
		if space == "" {
			space = c.Inherited()
		}
		switch {
		case !isIn(c, space, next.local, bare):
		case next.field != nil:
			return true, next.field.decodeChild(c, v, depth)
		case depth >= maxDepth:
			return true, xmlwire.ErrDepth
		default:
			for inner := range c.Children() {
				if _, err := next.decode(inner, v, depth+1); err != nil {
					return true, err
				}
			}
			return true, nil
		}
	}
	return false, nil
}

func (f *field) decodeChild(c xmlwire.Node, v reflect.Value, depth int) error {
	fv, err := f.settable(v)
	if err == nil {
		err = f.codec.decodeValue(c, fv, depth, 0)
	}
	if err != nil {
		return inField(f.goName, err)
	}
	return nil
}

// isNamed reports whether n has this local name, in whatever namespace, and whether
// its tag is bare: nothing but the name. In plain form names have no prefix.
func isNamed(n xmlwire.Node, local string) (named, bare bool) {
	raw, end := n.Raw(), len("<")+len(local)
	if len(raw) <= end || string(raw[len("<"):end]) != local {
		return false, false
	}
	switch c := raw[end]; c {
	case '>', '/':
		return true, true
	default:
		return c <= ' ', false
	}
}

// begins reports whether raw begins as this package would write the element, and
// so is one of that name and namespace. When it denies, it may still be one.
func (nm *name) begins(raw []byte) bool {
	rest, ok := bytes.CutPrefix(raw, nm.open)
	if !ok || nm.space == "" {
		return false
	}
	rest, ok = bytes.CutPrefix(rest, nm.decl)
	return ok && len(rest) > 0 && (rest[0] == ' ' || rest[0] == '>' || rest[0] == '/')
}

// isIn reports whether n, whose name and bareness isNamed tells, is in a namespace.
func isIn(n xmlwire.Node, space, name string, bare bool) bool {
	if bare { // so that it declares none
		return n.Inherited() == space
	}
	return n.Is(space, name)
}
