//go:build expat && cgo

package expat

// #cgo LDFLAGS: -lexpat
// #include <stdlib.h>
// #include "handlers.h"
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// Version is that of the library, such as expat_2.5.0.
func Version() string { return C.GoString(C.XML_ExpatVersion()) }

// Counts is what a Stream's handlers were told of.
type Counts struct {
	Elements, Ends, Attrs int64
	Text                  int64 // bytes
}

// A Stream is a parser in the middle of an XMPP stream, with namespaces and with
// handlers that count. It is for one goroutine. Close frees it.
type Stream struct{ f *C.struct_feeder }

// NewStream returns a stream that has read header and goes on with unit over
// and over.
func NewStream(header, unit []byte) (*Stream, error) {
	if len(unit) == 0 {
		return nil, errors.New("expat: nothing to read")
	}
	s := &Stream{(*C.struct_feeder)(C.malloc(C.sizeof_struct_feeder))}
	if C.feeder_open(s.f, chars(header), C.size_t(len(header)), chars(unit), C.size_t(len(unit))) == 0 {
		err := failure(s.f.parser)
		s.Close()
		return nil, err
	}
	return s, nil
}

// Feed parses as many bytes as n units have, in pieces of at most 16 KiB as a
// connection gives them. There is one call of C, however many units, so that the
// price of calling C from Go does not count.
func (s *Stream) Feed(n int) error {
	if C.feeder_feed(s.f, C.longlong(n)) == 0 {
		return failure(s.f.parser)
	}
	return nil
}

// Counts returns what was seen so far, the root included.
func (s *Stream) Counts() Counts {
	c := s.f.counts
	return Counts{int64(c.elements), int64(c.ends), int64(c.attrs), int64(c.text)}
}

// Close frees the parser.
func (s *Stream) Close() {
	C.feeder_close(s.f)
	C.free(unsafe.Pointer(s.f))
	s.f = nil
}

// chars lends b to C for the time of one call.
func chars(b []byte) *C.char { return (*C.char)(unsafe.Pointer(unsafe.SliceData(b))) }

// An Error is what the library says of XML that it refuses.
type Error struct {
	Code    int // of enum XML_Error
	Message string
	Offset  int64
}

func (e *Error) Error() string { return fmt.Sprintf("expat: %s at byte %d", e.Message, e.Offset) }

// failure is why p, a parser or NULL, has failed.
func failure(p C.XML_Parser) error {
	if p == nil {
		return errors.New("expat: out of memory")
	}
	code := C.XML_GetErrorCode(p)
	return &Error{int(code), C.GoString((*C.char)(C.XML_ErrorString(code))), int64(C.XML_GetCurrentByteIndex(p))}
}
