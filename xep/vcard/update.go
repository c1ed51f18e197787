package vcard

import (
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// NSUpdate is the namespace of what presence says about pictures.
const NSUpdate = "vcard-temp:x:update"

// An Update is the part of a presence that announces a picture (XEP-0153 §3.1, §4.1). The zero Update announces nothing yet.
type Update struct {
	Known bool   // whether there is a picture is known
	Hash  string // see [Photo.Hash]; empty if there is none
}

// AppendXML implements [stanza.Payload]. It fails when the hash is none.
func (u Update) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NSUpdate, "x")
	switch {
	case u.Hash != "" && !isHash(u.Hash):
		return dst, fmt.Errorf("vcard: %.50q is no hash", u.Hash)
	case u.Known || u.Hash != "":
		w.Element(NSUpdate, "photo", u.Hash)
	}
	w.End()
	return w.Bytes()
}

// PayloadName implements [stanza.Decoder].
func (*Update) PayloadName() xml.Name { return xml.Name{Space: NSUpdate, Local: "x"} }

// ParseXML implements [stanza.Decoder]. It never fails: a hash that is none announces nothing.
func (u *Update) ParseXML(e stanza.Element) error {
	*u = Update{}
	photo := e.Child(NSUpdate, "photo")
	if photo.IsZero() {
		return nil
	}
	hash := strings.ToLower(strings.TrimSpace(photo.Text())) // both cases are in use (§3.1)
	if hash == "" || isHash(hash) {
		*u = Update{Known: true, Hash: hash}
	}
	return nil
}

// isHash reports whether s can be a SHA-1 in hexadecimal.
func isHash(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 20
}
