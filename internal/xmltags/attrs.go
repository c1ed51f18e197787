package xmltags

import (
	"encoding/xml"
	"io"
	"reflect"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// appendAttrs appends the attributes of v, whose names the plan knows.
func (p *plan) appendAttrs(dst []byte, v reflect.Value) ([]byte, error) {
	for _, f := range p.attrs {
		fv, ok := f.value(v)
		if !ok || f.leftOut(fv) {
			continue
		}
		fv, err := indirect(fv)
		if err == nil && fv.IsValid() {
			dst, err = f.codec.appendAttr(dst, f, fv)
		}
		if err != nil {
			return dst, inField(f.goName, err)
		}
	}
	return dst, nil
}

// appendLoose appends the start tag of v, but for its end, when only its value
// tells which attributes it has.
func (p *plan) appendLoose(dst []byte, v reflect.Value, nm *name, at place) ([]byte, place, error) {
	in, err := nm.enter(at)
	if err != nil {
		return dst, in, err
	}
	start := xml.StartElement{Name: nm.xml(in.ns)}
	for _, f := range p.attrs {
		fv, ok := f.value(v)
		if !ok || f.leftOut(fv) {
			continue
		}
		if err := f.codec.addAttr(&start, xml.Name{Space: f.space, Local: f.attrLocal()}, fv, 0); err != nil {
			return dst, in, inField(f.goName, err)
		}
	}
	dst, err = xmlwire.AppendTokens(dst, &oneElement{start: start}, at.ns)
	if err != nil {
		return dst, in, err
	}
	return dst[:len(dst)-len("/>")], in, nil
}

// attrLocal is the name of an attribute that does not name itself.
func (f *field) attrLocal() string {
	if f.mode == modeAnyAttr {
		return f.goName
	}
	return f.local
}

// addAttr adds what v makes of an attribute with this name. tc is for the type
// that v's leads to.
func (tc *typeCodec) addAttr(start *xml.StartElement, n xml.Name, v reflect.Value, hops int) error {
	v, err := indirect(v)
	if err != nil || !v.IsValid() {
		return err
	}
	if v.Type() != tc.t {
		tc = tc.c.codec(v.Type())
	}
	switch {
	case hops > maxHops:
		return errCycle
	case tc.attrMarshaler:
		a, err := receiver(v).(xml.MarshalerAttr).MarshalXMLAttr(n)
		if err == nil && a.Name.Local != "" {
			start.Attr = append(start.Attr, a)
		}
		return err
	case tc.encoded != formNone:
		text, err := tc.appendUnescaped(nil, v)
		start.Attr = append(start.Attr, xml.Attr{Name: n, Value: string(text)})
		return err
	case tc.t == attrType:
		start.Attr = append(start.Attr, v.Interface().(xml.Attr))
		return nil
	case tc.t.Kind() == reflect.Slice:
		item := tc.item()
		for i := range v.Len() {
			if err := item.addAttr(start, n, v.Index(i), hops+1); err != nil {
				return err
			}
		}
		return nil
	}
	return unsupported(tc.t, "an attribute")
}

// oneElement yields an empty element as tokens.
type oneElement struct {
	start xml.StartElement
	read  int
}

func (e *oneElement) Token() (xml.Token, error) {
	switch e.read++; e.read {
	case 1:
		return e.start, nil
	case 2:
		return e.start.End(), nil
	}
	return nil, io.EOF
}

// decodeAttrs fills the attributes of v from n.
func (p *plan) decodeAttrs(n xmlwire.Node, v reflect.Value) error {
	for _, f := range p.attrs {
		if f.mode == modeAnyAttr {
			continue
		}
		value, ok := n.Attr(f.space, f.local)
		if !ok {
			continue
		}
		if err := f.decodeAttr(v, xml.Attr{Name: xml.Name{Space: f.space, Local: f.local}, Value: value}); err != nil {
			return err
		}
	}
	if p.anyAttr == nil {
		return nil
	}
	for name, value := range n.Attrs() {
		if p.takesAttr(name) {
			continue
		}
		if err := p.anyAttr.decodeAttr(v, xml.Attr{Name: name, Value: value}); err != nil {
			return err
		}
	}
	return nil
}

// takesAttr reports whether a field is for the attribute with this name.
func (p *plan) takesAttr(n xml.Name) bool {
	for _, f := range p.attrs {
		if f.mode == modeAttr && f.local == n.Local && f.space == n.Space {
			return true
		}
	}
	return false
}

// decodeAttr fills f in v from a.
func (f *field) decodeAttr(v reflect.Value, a xml.Attr) error {
	fv, err := f.settable(v)
	if err == nil {
		err = f.codec.decodeAttr(fv, a, 0)
	}
	if err != nil {
		return inField(f.goName, err)
	}
	return nil
}

func (tc *typeCodec) decodeAttr(v reflect.Value, a xml.Attr, hops int) error {
	v, err := target(v)
	if err != nil {
		return err
	}
	if v.Type() != tc.t {
		tc = tc.c.codec(v.Type())
	}
	switch {
	case hops > maxHops:
		return errCycle
	case tc.attrUnmarshaler:
		return v.Addr().Interface().(xml.UnmarshalerAttr).UnmarshalXMLAttr(a)
	case tc.decoded != formNone:
		return tc.setString(v, a.Value)
	case tc.t == attrType:
		v.Set(reflect.ValueOf(a))
		return nil
	case tc.t.Kind() == reflect.Slice:
		return grow(v, func(item reflect.Value) error { return tc.item().decodeAttr(item, a, hops+1) })
	}
	return unsupported(tc.t, "read from an attribute")
}
