//go:build expat && cgo

package expat

// #include <stdlib.h>
// #include "handlers.h"
import "C"

import (
	"encoding/xml"
	"errors"
	"math"
	"strings"
	"unsafe"
)

// Tokens reads a whole document and returns it as encoding/xml's start elements
// (names expanded, declarations left out), end elements and character data.
// What the library refuses is an [*Error].
func Tokens(doc []byte) ([]xml.Token, error) {
	if len(doc) > math.MaxInt32 {
		return nil, errors.New("expat: document too long")
	}
	r := (*C.struct_record)(C.malloc(C.sizeof_struct_record))
	defer C.free(unsafe.Pointer(r))
	defer C.record_close(r)
	if C.record_parse(r, chars(doc), C.size_t(len(doc))) == 0 {
		return nil, failure(r.parser)
	}
	return decode(unsafe.String((*byte)(unsafe.Pointer(r.buf)), int(r.len))), nil
}

// decode copies out of a record what was put into it.
func decode(record string) []xml.Token {
	var tokens []xml.Token
	var start xml.StartElement
	pending := false
	flush := func() {
		if pending {
			tokens = append(tokens, start)
		}
		pending = false
	}
	var attr xml.Name
	for record != "" {
		kind := record[0]
		piece := record[1:]
		record = ""
		if n := strings.IndexFunc(piece, func(r rune) bool { return r >= C.START && r <= C.TEXT }); n >= 0 {
			piece, record = piece[:n], piece[n:]
		}
		if kind != C.ATTR && kind != C.VALUE {
			flush()
		}
		switch kind {
		case C.START:
			start, pending = xml.StartElement{Name: expanded(piece)}, true
		case C.ATTR:
			attr = expanded(piece)
		case C.VALUE:
			start.Attr = append(start.Attr, xml.Attr{Name: attr, Value: strings.Clone(piece)})
		case C.END:
			tokens = append(tokens, xml.EndElement{Name: expanded(piece)})
		case C.TEXT:
			tokens = append(tokens, xml.CharData(piece))
		}
	}
	flush()
	return tokens
}

// expanded takes apart a name as the library gives it.
func expanded(s string) xml.Name {
	if space, local, ok := strings.Cut(s, string(rune(C.SEPARATOR))); ok {
		return xml.Name{Space: strings.Clone(space), Local: strings.Clone(local)}
	}
	return xml.Name{Local: strings.Clone(s)}
}
