package jid_test

import (
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp/jid"
)

func Example() {
	j, err := jid.Parse("Juliet@EXAMPLE.com/Balcony")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(j)
	fmt.Println(j.Bare())
	fmt.Println(j.Domain())
	fmt.Println(j == jid.MustParse("juliet@example.com/Balcony"))
	// Output:
	// juliet@example.com/Balcony
	// juliet@example.com
	// example.com
	// true
}

func ExampleParse_error() {
	_, err := jid.Parse("foo bar@example.com")
	fmt.Println(err)
	if e, ok := errors.AsType[*jid.Error](err); ok {
		fmt.Println(e.Part, errors.Is(err, jid.ErrInvalidLocalpart))
	}
	// Output:
	// jid: invalid localpart "foo bar": precis: disallowed rune encountered
	// localpart true
}

// A chatroom sends nicknames that RFC 7622 refuses.
func ExampleParseLenient() {
	const from = "Verona@chat.example/ Romeo"
	_, err := jid.Parse(from)
	fmt.Println(err)

	j, err := jid.ParseLenient(from)
	fmt.Printf("%q %v\n", j, err)
	// Output:
	// jid: invalid resourcepart " Romeo": a space at the start
	// "verona@chat.example/ Romeo" <nil>
}

func ExampleEscapeLocalpart() {
	j, err := jid.New(jid.EscapeLocalpart("d'artagnan"), "musketeers.lit", "")
	fmt.Println(j, err)
	fmt.Println(jid.UnescapeLocalpart(j.Localpart()))
	// Output:
	// d\27artagnan@musketeers.lit <nil>
	// d'artagnan
}

func ExampleJID_WithResource() {
	room := jid.MustParse("verona@chat.example")
	me, err := room.WithResource("Romeo")
	fmt.Println(me, err)
	// Output: verona@chat.example/Romeo <nil>
}
