package xmltags

import (
	"reflect"
	"slices"
)

// appendRoot appends v, which no field holds.
func (tc *typeCodec) appendRoot(dst []byte, v reflect.Value, at place) ([]byte, error) {
	switch {
	case tc.marshaler:
		return tc.appendMarshaler(dst, v, nil, at)
	case tc.encoded == formNone && tc.t.Kind() != reflect.Struct:
		return dst, unsupported(tc.t, "an element")
	}
	return tc.appendElement(dst, v, nil, at)
}

// appendValue appends v, whose type leads to tc's, as the elements it makes: none
// if it is nil. field is their name when they have no better one.
func (tc *typeCodec) appendValue(dst []byte, v reflect.Value, field *name, at place) ([]byte, error) {
	v, err := indirect(v)
	if err != nil || !v.IsValid() {
		return dst, err
	}
	if v.Type() != tc.t { // which is an interface
		tc = tc.c.codec(v.Type())
	}
	switch {
	case tc.appender:
		return tc.appendOwn(dst, v, at)
	case tc.marshaler:
		return tc.appendMarshaler(dst, v, field, at)
	case tc.encoded == formNone && (tc.t.Kind() == reflect.Slice || tc.t.Kind() == reflect.Array):
		return tc.appendItems(dst, v, field, at)
	}
	return tc.appendElement(dst, v, field, at)
}

func (tc *typeCodec) appendItems(dst []byte, v reflect.Value, field *name, at place) (_ []byte, err error) {
	if at.hops++; at.hops > maxHops {
		return dst, errCycle
	}
	item := tc.item()
	for i := range v.Len() {
		if dst, err = item.appendValue(dst, v.Index(i), field, at); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// item is the codec for what a slice is of.
func (tc *typeCodec) item() *typeCodec {
	t := tc.t.Elem()
	for hops := 0; t.Kind() == reflect.Pointer && hops < maxHops; hops++ {
		t = t.Elem()
	}
	return tc.c.codec(t)
}

// appendElement appends v as one element.
func (tc *typeCodec) appendElement(dst []byte, v reflect.Value, field *name, at place) (_ []byte, err error) {
	switch {
	case tc.encoded != formNone:
		if field == nil {
			if field, err = typeName(tc.t); err != nil {
				return dst, err
			}
		}
		if dst, _, err = field.start(dst, at); err != nil {
			return dst, err
		}
		dst = append(dst, '>')
		content := len(dst)
		if dst, err = tc.appendText(dst, v); err != nil {
			return dst, err
		}
		return field.end(dst, content), nil
	case tc.t.Kind() != reflect.Struct:
		return dst, unsupported(tc.t, "an element")
	}
	p, err := tc.plan()
	if err != nil {
		return dst, err
	}
	return p.append(dst, v, field, at)
}

func (p *plan) append(dst []byte, v reflect.Value, field *name, at place) ([]byte, error) {
	nm, err := p.nameOf(v, field)
	if err != nil {
		return dst, err
	}
	var in place
	if p.loose {
		dst, in, err = p.appendLoose(dst, v, nm, at)
	} else if dst, in, err = nm.start(dst, at); err == nil {
		dst, err = p.appendAttrs(dst, v)
	}
	if err != nil {
		return dst, err
	}
	dst = append(dst, '>')
	content := len(dst)
	if len(p.content) > 0 {
		if dst, err = p.appendContent(dst, v, in); err != nil {
			return dst, err
		}
	}
	return nm.end(dst, content), nil
}

// nameOf is the name of the element that v becomes: what XMLName's tag says, or its
// value, or else field, or else the type.
func (p *plan) nameOf(v reflect.Value, field *name) (nm *name, err error) {
	switch {
	case p.fixed != nil:
		nm = p.fixed
		if nm.space == "" && field != nil && field.local == nm.local {
			nm = field
		}
	case p.named != nil:
		if fv, ok := p.named.value(v); ok {
			if space, local := fv.Field(0).String(), fv.Field(1).String(); local != "" {
				if nm, err = newName(space, local); err != nil {
					return nil, inField(p.named.goName, err)
				}
			}
		}
	}
	if nm == nil {
		nm = field
	}
	if nm == nil {
		if nm = p.byType; nm == nil {
			return nil, p.byTypeErr
		}
	}
	if p.ns == nil {
		return nm, nil
	}
	if fv, ok := p.ns.value(v); ok {
		if fv, err = indirect(fv); err != nil || !fv.IsValid() {
			return nm, err
		}
		if space := fv.String(); space != "" && space != nm.space {
			if nm.space != "" {
				return nil, inField(p.ns.goName, errTag("the element has another namespace"))
			}
			if nm, err = newName(space, nm.local); err != nil {
				return nil, inField(p.ns.goName, err)
			}
		}
	}
	return nm, nil
}

// appendContent appends what is between the tags of v.
func (p *plan) appendContent(dst []byte, v reflect.Value, in place) (_ []byte, err error) {
	s := steps{in: in}
	for _, f := range p.content {
		fv, ok := f.value(v)
		if !ok || f.leftOut(fv) || (fv.Kind() == reflect.Pointer || fv.Kind() == reflect.Interface) && fv.IsNil() {
			continue
		}
		if len(f.path) > 0 || len(s.open) > 0 {
			if dst, err = s.walk(dst, f.path); err != nil {
				return dst, inField(f.goName, err)
			}
		}
		switch f.mode {
		case modeText:
			dst, err = f.appendText(dst, fv)
		case modeInner:
			dst, err = appendInner(dst, fv, s.in)
		default:
			dst, err = f.codec.appendValue(dst, fv, f.name, s.in)
		}
		if err != nil {
			return dst, inField(f.goName, err)
		}
	}
	return s.leave(dst, 0), nil
}

// appendText appends v, the value of f, as character data.
func (f *field) appendText(dst []byte, v reflect.Value) ([]byte, error) {
	v, err := indirect(v)
	if err != nil || !v.IsValid() {
		return dst, err
	}
	tc := f.codec
	if v.Type() != tc.t {
		tc = tc.c.codec(v.Type())
	}
	return tc.appendText(dst, v)
}

// steps are the elements that were begun on the way to a field.
type steps struct {
	in   place
	open []openStep
}

type openStep struct {
	name    *name
	outer   place
	content int
}

// walk ends and begins elements, so that path is open.
func (s *steps) walk(dst []byte, path []*name) (_ []byte, err error) {
	n := 0
	for n < len(path) && n < len(s.open) && path[n].local == s.open[n].name.local && path[n].space == s.open[n].name.space {
		n++
	}
	dst = s.leave(dst, n)
	for _, nm := range path[n:] {
		step := openStep{name: nm, outer: s.in}
		if dst, s.in, err = nm.start(dst, s.in); err != nil {
			return dst, err
		}
		dst = append(dst, '>')
		step.content = len(dst)
		s.open = append(s.open, step)
	}
	return dst, nil
}

// leave ends elements until n are open.
func (s *steps) leave(dst []byte, n int) []byte {
	for _, step := range slices.Backward(s.open[n:]) {
		dst = step.name.end(dst, step.content)
		s.in = step.outer
	}
	s.open = s.open[:n]
	return dst
}
