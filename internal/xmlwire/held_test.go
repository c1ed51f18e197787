package xmlwire

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"unsafe"
)

// memory is what a value refers to: the ranges of its slices and strings.
type memory struct {
	ranges [][2]uintptr
	most   uintptr // the largest of them
}

// walk adds all that v refers to, up to the capacity of slices. It does not look
// into what stop names.
func (m *memory) walk(v reflect.Value, stop ...string) {
	add := func(p unsafe.Pointer, n uintptr) {
		if n > 0 {
			m.ranges = append(m.ranges, [2]uintptr{uintptr(p), uintptr(p) + n})
			m.most = max(m.most, n)
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			skip := false
			for _, name := range stop {
				skip = skip || v.Type().Field(i).Name == name
			}
			if !skip {
				m.walk(v.Field(i))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			m.walk(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			m.walk(v.Elem())
		}
	case reflect.String:
		add(unsafe.Pointer(unsafe.StringData(v.String())), uintptr(v.Len()))
	case reflect.Slice:
		add(v.UnsafePointer(), uintptr(v.Cap())*v.Type().Elem().Size())
		if all := v.Slice(0, v.Cap()); all.Len() > 0 && v.Type().Elem().Size() > 1 {
			for i := range all.Len() {
				m.walk(all.Index(i))
			}
		}
	}
}

func (m *memory) touches(b []byte) bool {
	from := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	to := from + uintptr(cap(b))
	for _, r := range m.ranges {
		if r[0] < to && r[1] > from {
			return true
		}
	}
	return false
}

// large are documents that leave much in a scanner, if anything does.
var large = map[string]string{
	"children":   "<a>" + strings.Repeat("<b/>", 5000) + "</a>",
	"depth":      nested(90),
	"attributes": "<a" + lettered(" %='1'", 26) + lettered(" %x='1'", 26) + "/>",
	"prefixes":   "<a" + lettered(" xmlns:%='"+strings.Repeat("u", 2000)+"'", 26) + "><z:b/></a>",
	"name":       "<a xmlns='" + strings.Repeat("u", 30_000) + "'><b/></a>",
	"names":      "<a>" + strings.Repeat("<b xmlns='"+strings.Repeat("u", 1000)+"'/>", 100) + "</a>",
	"value":      "<a to='" + strings.Repeat("&amp;", 9000) + "'/>",
	"written":    "<a><![CDATA[" + strings.Repeat("x", 50_000) + "]]></a>",
	"refused":    "<a to='" + strings.Repeat("x", 9000) + "'><b>" + strings.Repeat("<c/>", 1000) + "</c>",
	"small":      "<a to='x'><b/></a>",
}

// A scanner that was given back has nothing of a document, and nothing large.
func TestSec_ScannersKeepNothing(t *testing.T) {
	const most = max(keepBytes, keepAttrs*unsafe.Sizeof(attrSpan{}), 2*maxPrefixes*unsafe.Sizeof(binding{}), keepChildren*unsafe.Sizeof(openElem{}))
	for name, in := range large {
		t.Run(name, func(t *testing.T) {
			r := NewReader(strings.NewReader(opening+in+"<b/></stream:stream>"), Limits{})
			if _, err := r.Header(); err != nil {
				t.Fatal(err)
			}
			s, buf := r.scan, []byte(nil)
			for err := error(nil); err == nil; _, err = r.Next() {
				buf = r.win.buf
			}
			r.Reset(nil)
			check := func(s *scanner, doc []byte) {
				var m memory
				m.walk(reflect.ValueOf(s).Elem(), "memo")
				if m.touches(doc) {
					t.Error("refers to the document")
				}
				if m.most > most {
					t.Errorf("keeps a piece of %d bytes, want at most %d", m.most, most)
				}
			}
			if s.doc != nil {
				t.Error("refers to the reader's document")
			}
			check(s, buf)

			b := []byte(in)
			_ = Inspect(b, "jabber:client", Limits{}, func(e *Element) {})
			inspector := inspectors.Get().(*Reader)
			if s := inspector.scan; s != nil {
				check(s, b)
			}
			var m memory
			m.walk(reflect.ValueOf(inspector).Elem(), "scan")
			if m.touches(b) {
				t.Error("an idle inspector refers to what it inspected")
			}
		})
	}
}

// Nor has a memo, but for short copies.
func TestSec_MemosKeepLittle(t *testing.T) {
	s := new(scanner)
	s.borrow()
	for _, in := range large {
		b := []byte(in)
		s.lim, s.doc = Limits{}.withDefaults(), &document{contentNS: "jabber:client"}
		s.fresh = true
		s.begin(false)
		s.scan(b)
		var m memory
		m.walk(reflect.ValueOf(s.memo).Elem())
		if m.touches(b) || m.most > maxRemembered {
			t.Errorf("%.20s…: a piece of %d bytes", in, m.most)
		}
	}
}

// asking calls look before each read.
type asking struct {
	src  io.Reader
	look func()
}

func (a *asking) Read(p []byte) (int, error) {
	a.look()
	return a.src.Read(p)
}

// A reader that waits holds next to nothing: between elements no scanner, no memo
// and a small buffer; within one no memo.
func TestSec_WaitingReaderHolds(t *testing.T) {
	small := strings.Repeat("<a to='x'><b/></a> ", 40)
	for name, in := range map[string]string{
		"small":        small,
		"large, small": text(200_000) + small,
		"in full":      text(smallBuffer) + text(idleBuffer) + text(busyBuffer) + text(busyBuffer) + small,
	} {
		for _, n := range []int{1, 300, smallBuffer, 1 << 20} {
			if name == "large, small" && n == 1 {
				continue // as the one of 300
			}
			t.Run(fmt.Sprintf("%s, %d at a time", name, n), func(t *testing.T) {
				var r *Reader
				idle, within := 0, 0
				r = NewReader(&asking{&chopped{opening + in, n}, func() {
					switch {
					case r.win.len() == 0 && !r.inElem:
						idle++
						if r.scan != nil {
							t.Error("an idle reader holds a scanner")
						}
						if len(r.win.buf) > idleBuffer {
							t.Errorf("an idle reader holds %d bytes", len(r.win.buf))
						}
					case r.inElem:
						within++
						if r.scan == nil || r.scan.memo != nil {
							t.Error("a reader that waits within an element holds a memo")
						}
					}
				}}, Limits{})
				if _, err := r.Header(); err != nil {
					t.Fatal(err)
				}
				var err error
				for err == nil {
					_, err = r.Next()
				}
				if err != io.ErrUnexpectedEOF || idle == 0 || within == 0 && n == 1 {
					t.Errorf("%v; %d times idle, %d within an element", err, idle, within)
				}
				if n <= 300 && len(r.win.buf) != smallBuffer {
					t.Errorf("after small reads the buffer has %d bytes", len(r.win.buf))
				}
			})
		}
	}
}

// After an error nothing is held, and the scanner is fit for others.
func TestSec_RefusedHoldsNothing(t *testing.T) {
	for _, tt := range refused {
		r := NewReader(strings.NewReader(opening+tt.in), Limits{})
		if _, err := r.Header(); err != nil {
			t.Fatal(err)
		}
		for err := error(nil); err == nil || err == io.EOF; {
			_, err = r.Next()
		}
		if r.err == nil || r.scan != nil || r.win.buf != nil || r.inElem || r.lent != nil {
			t.Errorf("%s: %v; scanner %v, buffer of %d bytes", tt.in, r.err, r.scan, len(r.win.buf))
		}
	}
	if e, err := first("<a to='x'><b/></a>", Limits{}); err != nil || string(e.Head.To) != "x" || len(e.Head.Children) != 1 {
		t.Errorf("got %v, %v", e, err)
	}
}

// What Inspect is given stays the caller's: it goes to no pool, and is not written
// to when the lease ends.
func TestSec_InspectGivesNothingAway(t *testing.T) {
	for _, size := range []int{smallBuffer, idleBuffer, busyBuffer} {
		for _, in := range []string{text(size), "<a>" + strings.Repeat("x", size-3), "<a><![CDATA[" + strings.Repeat("x", size-19) + "]]></a>", strings.Repeat("<", size), "<a/>" + strings.Repeat(" ", size-4)} {
			b := []byte(in)
			for range 20 {
				_ = Inspect(b, "", Limits{}, func(*Element) {})
				_ = Inspect([]byte("<a/>"), "", Limits{}, func(*Element) {})
				if got := lendBuffer(size); unsafe.SliceData(got) == unsafe.SliceData(b) {
					t.Fatal("the caller's bytes are in a pool")
				}
			}
			if string(b) != in {
				t.Errorf("%.20s…: the caller's bytes were written to", in)
			}
		}
	}
}

// A lease that Reset ends does not come back: by then others may have the memory.
func TestSec_ResetEndsTheLease(t *testing.T) {
	r := NewReader(strings.NewReader(opening+"<a><![CDATA[1]]></a>"), Limits{})
	if _, err := r.Header(); err != nil {
		t.Fatal(err)
	}
	e, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	raw := e.Raw
	r.Reset(strings.NewReader(opening + "<a/>"))
	if r.lent != nil || poison && bytes.Contains(raw, []byte("a")) {
		t.Errorf("still lent: %q, %q", r.lent, raw)
	}
}
