// Package corpus holds stanzas as they stand on the wire, for measuring. Their
// forms are those of the examples in the specifications; their names, texts and
// keys mean nothing to anybody.
package corpus

import (
	"embed"
	"fmt"
)

// Header opens the stream that all elements of the corpus stand in.
const Header = `<?xml version='1.0'?><stream:stream from='capulet.example' to='juliet@capulet.example' id='gPybzaOzBmaADgxKXu9UClbprp0=' ` +
	`version='1.0' xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`

// End closes it.
const End = `</stream:stream>`

// An Entry is one first-level element, or a sequence of them without anything
// in between.
type Entry struct {
	Name     string
	About    string
	Elements int // at the first level
	XML      []byte
}

// Entries returns the corpus, the small entries first. The bytes are the
// caller's.
func Entries() []Entry {
	entries := []Entry{
		{Name: "chat", About: "a chat message of 380 bytes with a chat state, a receipt request and an id (XEP-0085, 0184, 0359)", Elements: 1},
		{Name: "presence", About: "presence with show, status, capabilities, avatar hash and idle time (XEP-0115, 0153, 0319)", Elements: 1},
		{Name: "muc-presence", About: "presence of an occupant of a room (XEP-0045, 0421)", Elements: 1},
		{Name: "login", About: "STARTTLS, SCRAM-SHA-256, bind and stream management, both sides' elements in their order (RFC 6120, 5802, XEP-0198)", Elements: 13},
		{Name: "omemo", About: "an encrypted message for five devices (XEP-0384, 0380)", Elements: 1},
		{Name: "mam", About: "an archive page of 50 messages and its end (XEP-0313)", Elements: 51},
		{Name: "roster", About: "a roster of 500 contacts (RFC 6121 §2)", Elements: 1},
		{Name: "avatar", About: "an avatar image of 64 KiB (XEP-0084)", Elements: 1},
	}
	for i := range entries {
		entries[i].XML = read(entries[i].Name)
	}
	return entries
}

// Chat is the message that the budgets are about.
func Chat() []byte { return read("chat") }

//go:embed *.xml
var files embed.FS

func read(name string) []byte {
	b, err := files.ReadFile(name + ".xml")
	if err != nil {
		panic(fmt.Sprintf("corpus: %v", err)) // the files are part of the program
	}
	return b
}
