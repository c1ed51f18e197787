package portable

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"path"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Open opens a file that another one includes, by its name relative to the first.
type Open func(name string) (io.ReadCloser, error)

// Read yields the pieces of a file. Files that it includes (XEP-0227, "Use of XInclude") are opened by open; nil includes nothing. An
// error, with the line, comes last.
func Read(r io.Reader, open Open) iter.Seq2[Piece, error] {
	return func(yield func(Piece, error) bool) {
		f := &reader{d: xml.NewDecoder(bufio.NewReader(r)), open: open, yield: yield}
		err := f.root(f.serverData)
		if err != nil && !errors.Is(err, errEnough) {
			yield(Piece{}, err)
		}
	}
}

// errEnough ends reading when nobody wants more.
var errEnough = errors.New("enough")

// A reader reads one file.
type reader struct {
	d     *xml.Decoder
	name  string // empty for the first
	open  Open
	yield func(Piece, error) bool
}

// A level reads an element from behind its start tag up to and with its end tag.
type level func(f *reader, start xml.StartElement) error

func (f *reader) give(p Piece) error {
	if !f.yield(p, nil) {
		return errEnough
	}
	return nil
}

// unknown skips an element.
func (f *reader) unknown(addr jid.JID, start xml.StartElement, why string) error {
	what := "<" + start.Name.Local + "/>"
	if start.Name.Space != "" {
		what += " of " + start.Name.Space
	}
	if err := f.d.Skip(); err != nil {
		return err
	}
	return f.give(Piece{Kind: Unknown, Addr: addr, What: what, Why: why})
}

const notKnown = "this program does not know it"

// root reads a file, the root of which is for a level.
func (f *reader) root(read func(xml.StartElement) error) error {
	for {
		t, err := f.d.Token()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF // before any element
		}
		if start, ok := t.(xml.StartElement); ok && err == nil {
			if err = read(start); err == nil {
				return nil
			}
		}
		if err != nil {
			return f.at(err)
		}
	}
}

// at says where in the file an error is, unless that was said.
func (f *reader) at(err error) error {
	if _, said := errors.AsType[*positioned](err); said || errors.Is(err, errEnough) {
		return err
	}
	line, _ := f.d.InputPos()
	if e, ok := errors.AsType[*xml.SyntaxError](err); ok {
		line, err = e.Line, errors.New(e.Msg)
	}
	return &positioned{f.name, line, err}
}

// A positioned error knows where it is.
type positioned struct {
	file string
	line int
	err  error
}

func (e *positioned) Error() string {
	if e.file == "" {
		return fmt.Sprintf("line %d: %v", e.line, e.err)
	}
	return fmt.Sprintf("%s, line %d: %v", e.file, e.line, e.err)
}

func (e *positioned) Unwrap() error { return e.err }

// children reads what is in an element: included files as if they were there.
func (f *reader) children(child level) error {
	for {
		t, err := f.d.Token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if t.Name.Space == nsInclude && t.Name.Local == "include" {
				err = f.include(t, child)
			} else {
				err = child(f, t.Copy())
			}
			if err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

// include reads another file. What is in it is one level further in, so that files cannot include each other without end.
func (f *reader) include(start xml.StartElement, child level) error {
	href, err := url.Parse(attr(start, "href"))
	switch {
	case err != nil || href.IsAbs() || href.Host != "" || path.IsAbs(href.Path) || href.Path == "":
		return f.unknown(jid.JID{}, start, "only files beside this one are included")
	case attr(start, "parse") != "" || attr(start, "xpointer") != "":
		return f.unknown(jid.JID{}, start, "only whole files are included")
	case f.open == nil:
		return f.unknown(jid.JID{}, start, "there are no files beside the standard input")
	}
	if err := f.d.Skip(); err != nil {
		return err
	}
	name := path.Join(path.Dir(f.name), href.Path)
	r, err := f.open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	other := &reader{d: xml.NewDecoder(bufio.NewReader(r)), name: name, open: f.open, yield: f.yield}
	return other.root(func(start xml.StartElement) error { return child(other, start.Copy()) })
}

// serverData reads the whole.
func (f *reader) serverData(start xml.StartElement) error {
	if start.Name != (xml.Name{Space: NS, Local: "server-data"}) {
		return fmt.Errorf("this is no file of XEP-0227: it begins with <%s/> of %q", start.Name.Local, start.Name.Space)
	}
	return f.children(host)
}

func host(f *reader, start xml.StartElement) error {
	if start.Name != (xml.Name{Space: NS, Local: "host"}) {
		return f.unknown(jid.JID{}, start, notKnown)
	}
	domain, err := jid.Parse(attr(start, "jid"))
	if err != nil || domain != domain.Domain() {
		return f.unknown(jid.JID{}, start, fmt.Sprintf("%q is no domain", attr(start, "jid")))
	}
	return f.children(func(f *reader, start xml.StartElement) error {
		if start.Name != (xml.Name{Space: NS, Local: "user"}) {
			return f.unknown(domain, start, notKnown)
		}
		addr, err := domain.WithLocal(attr(start, "name"))
		if err != nil || addr.Localpart() == "" {
			return f.unknown(domain, start, fmt.Sprintf("%q is no name of an account", attr(start, "name")))
		}
		return f.user(addr, start)
	})
}

// element reads an element as a whole.
func (f *reader) element(start xml.StartElement) (stanza.Element, error) {
	return stanza.FromTokens(&single{d: f.d, next: &start})
}

// A single reads the tokens of one element.
type single struct {
	d     *xml.Decoder
	next  *xml.StartElement
	depth int
}

// Token implements [xml.TokenReader].
func (s *single) Token() (xml.Token, error) {
	if s.next != nil {
		t := *s.next
		s.next, s.depth = nil, 1
		return t, nil
	}
	for s.depth > 0 {
		t, err := s.d.Token()
		if err != nil {
			return nil, err
		}
		switch t.(type) {
		case xml.StartElement:
			s.depth++
		case xml.EndElement:
			s.depth--
		case xml.CharData:
		default:
			continue // comments and the like are no data
		}
		return t, nil
	}
	return nil, io.EOF
}

func attr(start xml.StartElement, local string) string {
	for _, a := range start.Attr {
		if a.Name.Space == "" && a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}
