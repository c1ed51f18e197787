package xmltags

import (
	"encoding/xml"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// mode is what part of an element a field is.
type mode uint8

const (
	modeElement mode = iota
	modeAttr
	modeText
	modeInner
	modeComment
	modeAny
	modeAnyAttr
)

// modes are the options that say so.
var modes = map[string]mode{
	"attr": modeAttr, "chardata": modeText, "cdata": modeText, "innerxml": modeInner, "comment": modeComment, "any": modeAny,
}

// tag is a field's tag, taken apart.
type tag struct {
	space     string
	path      []string // the names in front of the last, with ">" between them
	local     string   // empty when the tag has no name
	mode      mode
	omitEmpty bool
}

func parseTag(s string) (tag, error) {
	t := tag{}
	names, options, _ := strings.Cut(s, ",")
	if space, rest, ok := strings.Cut(names, " "); ok {
		t.space, names = space, rest
	}
	if err := t.parseOptions(options); err != nil {
		return t, err
	}
	switch named := names != "" || t.space != ""; {
	case named && t.mode != modeElement && t.mode != modeAttr:
		return t, errTag("a name where none can be")
	case named && names == "":
		return t, errTag("a namespace without a name")
	case t.omitEmpty && t.mode != modeElement && t.mode != modeAny && t.mode != modeAttr && t.mode != modeAnyAttr:
		return t, errTag("omitempty on neither element nor attribute")
	}
	t.path = strings.Split(names, ">")
	t.local = t.path[len(t.path)-1]
	t.path = t.path[:len(t.path)-1]
	if len(t.path) > 0 {
		switch {
		case t.mode != modeElement:
			return t, errTag("a path that leads to no element")
		case t.local == "":
			return t, errTag("a path without its end")
		}
	}
	if local, ok := strings.CutPrefix(t.local, "xml:"); ok && t.mode == modeAttr && t.space == "" {
		t.space, t.local = xmlwire.NSXML, local
	}
	return t, nil
}

// parseOptions reads what follows the first comma.
func (t *tag) parseOptions(options string) error {
	var set []mode
	for option := range strings.SplitSeq(options, ",") {
		m, ok := modes[option]
		switch {
		case ok:
			set = append(set, m)
		case option == "omitempty":
			t.omitEmpty = true
		case option != "":
			return errTag("unknown option " + option)
		}
	}
	slices.Sort(set)
	set = slices.Compact(set)
	switch {
	case len(set) == 0:
	case len(set) == 1:
		t.mode = set[0]
	case len(set) == 2 && set[0] == modeAttr && set[1] == modeAny:
		t.mode = modeAnyAttr
	default:
		return errTag("options that exclude each other")
	}
	return nil
}

// errTag is what is wrong with a tag.
type errTag string

func (e errTag) Error() string { return "bad tag: " + string(e) }

// xmlName is the name of the field that names its struct.
const xmlName = "XMLName"

var (
	nameType = reflect.TypeFor[xml.Name]()
	attrType = reflect.TypeFor[xml.Attr]()
)

// lookupXMLName is the tag of t's XMLName, if it has one that gives a name. t
// may be a pointer.
func lookupXMLName(t reflect.Type) (tag, bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == nameType {
		return tag{}, false
	}
	for f := range t.Fields() {
		if f.Name == xmlName {
			tg, err := parseTag(f.Tag.Get("xml"))
			return tg, err == nil && tg.local != "" && tg.mode == modeElement && len(tg.path) == 0
		}
	}
	return tag{}, false
}

// describe adds the field to an error about its tag.
func describe(t reflect.Type, f *reflect.StructField, err error) error {
	return fmt.Errorf("field %s of %s, tag %q: %w", f.Name, t, f.Tag.Get("xml"), err)
}
