package xmltags

import (
	"encoding/xml"
	"fmt"
	"reflect"
	"slices"
)

// plan is how a struct is written and read.
type plan struct {
	t         reflect.Type
	fixed     *name  // what the tag of XMLName says, or nil
	named     *field // XMLName, if it is an xml.Name
	byType    *name  // the name when there is no other
	byTypeErr error

	attrs   []*field // with the one for the others
	anyAttr *field   // the one for the others
	loose   bool     // the attributes are only known when they are written
	ns      *field   // the namespace of the element

	content []*field // elements, texts and raw XML, in their order
	text    *field   // where text is read to
	inner   *field   // where raw XML is read to
	any     *field   // where children are read to that nothing else takes
	tree    step     // where the others are read to
}

// step is an element on the way to a field.
type step struct {
	space, local string // no space: that of the parent
	field        *field // nil when the way goes on
	next         []*step
}

// compile makes the plan for struct t.
func (c *Codec) compile(t reflect.Type) (*plan, error) {
	p := &plan{t: t}
	p.byType, p.byTypeErr = typeName(t)
	if t == nameType {
		return p, nil
	}
	s := survey{codec: c, outer: t}
	if err := s.visit(t, nil, "", false); err != nil {
		return nil, err
	}
	if x := s.xmlName; x != nil {
		if x.name != nil {
			p.fixed = x.name
		}
		if t.FieldByIndex(x.index).Type == nameType {
			p.named = x
		}
	}
	for _, f := range s.fields {
		switch f.mode {
		case modeAttr, modeAnyAttr:
			p.addAttr(f)
		case modeComment:
		default:
			p.addContent(f)
		}
	}
	return p, nil
}

func (p *plan) addAttr(f *field) {
	if f.declares() {
		p.ns = f
		return
	}
	if f.mode == modeAnyAttr && p.anyAttr == nil {
		p.anyAttr = f
	}
	p.loose = p.loose || f.loose()
	p.attrs = append(p.attrs, f)
}

func (p *plan) addContent(f *field) {
	p.content = append(p.content, f)
	first := func(to **field) {
		if *to == nil {
			*to = f
		}
	}
	switch f.mode {
	case modeText:
		first(&p.text)
	case modeInner:
		first(&p.inner)
	case modeAny:
		first(&p.any)
	case modeElement:
		at := &p.tree
		for _, nm := range f.path {
			at = at.to(nm)
		}
		at.next = append(at.next, &step{space: f.name.space, local: f.name.local, field: f})
	}
}

// to is the step to nm, on the way to something.
func (s *step) to(nm *name) *step {
	for _, n := range s.next {
		if n.field == nil && n.space == nm.space && n.local == nm.local {
			return n
		}
	}
	n := &step{space: nm.space, local: nm.local}
	s.next = append(s.next, n)
	return n
}

// survey collects the fields of a struct and of those embedded in it.
type survey struct {
	codec   *Codec
	outer   reflect.Type
	within  []reflect.Type // embedded in one another
	xmlName *field
	fields  []*field
}

func (s *survey) visit(t reflect.Type, index []int, path string, sealed bool) error {
	if t == nameType {
		return nil
	}
	if slices.Contains(s.within, t) {
		return fmt.Errorf("%s is embedded in itself", t)
	}
	s.within = append(s.within, t)
	for f := range t.Fields() {
		if err := s.field(t, &f, append(slices.Clip(index), f.Index...), path, sealed); err != nil {
			return err
		}
	}
	s.within = s.within[:len(s.within)-1]
	return nil
}

func (s *survey) field(t reflect.Type, f *reflect.StructField, index []int, path string, sealed bool) error {
	text := f.Tag.Get("xml")
	if text == "-" || !f.IsExported() && !f.Anonymous {
		return nil
	}
	if f.Anonymous {
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner, sealed = inner.Elem(), sealed || !f.IsExported()
		}
		if inner.Kind() == reflect.Struct {
			return s.visit(inner, index, path+f.Name+".", sealed)
		}
		if !f.IsExported() {
			return nil
		}
	}
	tg, err := parseTag(text)
	if err != nil {
		return describe(t, f, err)
	}
	if f.Name == xmlName {
		return s.addXMLName(t, f, tg, index, path, sealed)
	}
	fd, err := s.codec.newField(t, f, tg)
	if err != nil {
		return describe(t, f, err)
	}
	fd.goName, fd.index, fd.sealed = path+f.Name, index, sealed
	return s.add(fd)
}

func (s *survey) addXMLName(t reflect.Type, f *reflect.StructField, tg tag, index []int, path string, sealed bool) error {
	if tg.mode != modeElement || len(tg.path) > 0 {
		return describe(t, f, errTag("XMLName is a name"))
	}
	if s.xmlName != nil && len(s.xmlName.index) <= len(index) {
		return nil
	}
	x := &field{goName: path + f.Name, index: index, sealed: sealed}
	if tg.local != "" {
		var err error
		if x.name, err = newName(tg.space, tg.local); err != nil {
			return describe(t, f, err)
		}
	}
	s.xmlName = x
	return nil
}

// add adds f. Where fields clash, the one that is embedded less deeply counts, as
// in Go itself.
func (s *survey) add(f *field) error {
	var deeper []*field
	for _, g := range s.fields {
		switch {
		case !f.clashes(g):
		case len(g.index) < len(f.index):
			return nil
		case len(g.index) > len(f.index):
			deeper = append(deeper, g)
		default:
			return &xml.TagPathError{Struct: s.outer, Field1: g.goName, Tag1: g.tag, Field2: f.goName, Tag2: f.tag}
		}
	}
	s.fields = slices.DeleteFunc(s.fields, func(g *field) bool { return slices.Contains(deeper, g) })
	s.fields = append(s.fields, f)
	return nil
}
