package sqlstore

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/parlance-xmpp/xmpp/jid"
)

// A key is a text of any length by which rows are found and ordered. PostgreSQL has room for 2704 bytes in a row of an
// index, and an address may have 3071, a name any number; so only the head is indexed, and what tells
// apart those that begin alike. Keys are ordered by head and tail, by their bytes.
type key struct {
	head, tail string
	sum        string // of tail, empty for one that is empty, as nearly all are
}

// headRunes is how many characters a head has at most. UTF-8 has the order of its characters, so cut after so many of
// them, texts keep their order.
const headRunes = 200

// keyOf returns the key of a text.
func keyOf(text string) key {
	n := 0
	for i := range text {
		if n == headRunes {
			sum := sha256.Sum256([]byte(text[i:]))
			return key{text[:i], text[i:], hex.EncodeToString(sum[:])}
		}
		n++
	}
	return key{head: text}
}

// addressKey returns a key that has the order of [jid.JID.Compare]. What is between the parts is less than all that an
// address may have in it: no control characters (RFC 7622 §3, and [jid.ParseLenient]). The zero JID is before all.
func addressKey(j jid.JID) key {
	if j.IsZero() {
		return key{}
	}
	return keyOf(j.Domainpart() + "\x01" + j.Localpart() + "\x01" + j.Resourcepart())
}
