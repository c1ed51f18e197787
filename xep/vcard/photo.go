package vcard

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Photo is a picture. To be announced as an avatar it should be a square PNG of 64 pixels, and less than eight kilobytes
// (XEP-0153 §4.6).
type Photo struct {
	Data []byte // BINVAL, decoded
	Type string // the media type of Data; see [Photo.MediaType]
	URI  string // EXTVAL: where it is, if Data is empty

	Others []stanza.Element
}

// Hash returns the SHA-1 of the picture in hexadecimal, by which it is announced; empty if there is none.
func (p *Photo) Hash() string {
	if p == nil || len(p.Data) == 0 {
		return ""
	}
	sum := sha1.Sum(p.Data)
	return hex.EncodeToString(sum[:])
}

// signatures are what pictures begin with.
var signatures = []struct{ prefix, mediaType string }{
	{"\x89PNG\r\n\x1a\n", "image/png"},
	{"\xff\xd8\xff", "image/jpeg"},
	{"GIF87a", "image/gif"},
	{"GIF89a", "image/gif"},
}

// MediaType returns image/png, image/jpeg or image/gif if that is what the picture is, whatever Type says (XEP-0153
// §5), and otherwise nothing.
func (p *Photo) MediaType() string {
	if p == nil {
		return ""
	}
	for _, s := range signatures {
		if bytes.HasPrefix(p.Data, []byte(s.prefix)) {
			return s.mediaType
		}
	}
	return ""
}

func (p *Photo) write(w *stanza.Writer) {
	binval := base64.StdEncoding.EncodeToString(p.Data)
	writeGroup(w, "PHOTO", nil, []field{{"TYPE", &p.Type}, {"BINVAL", &binval}, {"EXTVAL", &p.URI}}, "", p.Others)
}

// parsePhoto reads a picture. It is nil for an empty one, and not ok for one that it cannot read.
func parsePhoto(e stanza.Element) (p *Photo, ok bool) {
	var binval string
	p = new(Photo)
	p.Others = read(e, []field{{"TYPE", &p.Type}, {"BINVAL", &binval}, {"EXTVAL", &p.URI}}, nil)
	data, err := decode(binval)
	switch {
	case err != nil:
		return nil, false
	case len(data) == 0 && p.URI == "":
		return nil, len(p.Others) == 0
	case len(data) > 0:
		p.Data = data
	}
	return p, true
}

// decode undoes base64 with any white space in it (XEP-0153 §4.6).
func decode(s string) ([]byte, error) {
	s = strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n':
			return -1
		}
		return r
	}, s)
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
}
