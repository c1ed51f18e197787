package xmltags

import (
	"encoding/xml"
	"fmt"
	"reflect"
	"strings"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// name is the name of an element, and the pieces of its tags.
type name struct {
	space, local      string // no space: that of the parent
	open, decl, close []byte // <local, xmlns='space', </local>
}

func newName(space, local string) (*name, error) {
	open, err := xmlwire.AppendName([]byte{'<'}, local)
	if err != nil {
		return nil, err
	}
	nm := &name{space: space, local: local, open: open}
	switch space {
	case "":
	case xmlwire.NSXML, xmlwire.NSXMLNS:
		return nil, fmt.Errorf("%w: element %s in a reserved namespace", xmlwire.ErrName, local)
	default:
		if nm.decl, err = xmlwire.AppendAttr(nil, "xmlns", space); err != nil {
			return nil, err
		}
	}
	nm.close = append(append([]byte("</"), local...), '>')
	return nm, nil
}

// typeName is the name of an element that nothing but its type names.
func typeName(t reflect.Type) (*name, error) {
	local, _, _ := strings.Cut(t.Name(), "[") // of a generic type
	if local == "" {
		return nil, fmt.Errorf("%w: a type without a name needs an XMLName", xmlwire.ErrName)
	}
	return newName("", local)
}

// place is where an element is to be written.
type place struct {
	ns    string // of the parent
	depth int    // elements around it
	hops  int    // slices around it, inside of the parent
}

// start appends the start of nm's tag, and returns the place inside the element.
func (nm *name) start(dst []byte, at place) ([]byte, place, error) {
	in, err := nm.enter(at)
	if err != nil {
		return dst, in, err
	}
	dst = append(dst, nm.open...)
	if in.ns != at.ns {
		dst = append(dst, nm.decl...)
	}
	return dst, in, nil
}

// enter is the place inside an element called nm.
func (nm *name) enter(at place) (place, error) {
	in := place{ns: at.ns, depth: at.depth + 1}
	if nm.space != "" {
		in.ns = nm.space
	}
	switch {
	case in.depth > maxDepth:
		return in, xmlwire.ErrDepth
	case in.ns == xmlwire.NSStreams && at.depth > 0:
		return in, fmt.Errorf("%w: element of the stream namespace inside another", xmlwire.ErrToken)
	}
	return in, nil
}

// end appends the end tag, or makes the start tag, which ends before content, one
// of an empty element.
func (nm *name) end(dst []byte, content int) []byte {
	if len(dst) == content {
		return append(dst[:content-1], "/>"...)
	}
	return append(dst, nm.close...)
}

func (nm *name) xml(ns string) xml.Name { return xml.Name{Space: ns, Local: nm.local} }
