package muxer_test

import (
	"context"
	"encoding/xml"
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// raw is a stanza as it arrives.
func raw(t testing.TB, s string) *stanza.Raw {
	t.Helper()
	st, err := stanza.Parse([]byte(s))
	require.NoError(t, err, s)
	return st
}

// handle hands h a stanza and returns the answer as XML: "" for none.
func handle(t testing.TB, h xmpp.Handler, s string) (string, error) {
	t.Helper()
	p, err := h.HandleStanza(t.Context(), raw(t, s))
	if p == nil {
		return "", err
	}
	b, encodeErr := p.AppendXML(nil)
	require.NoError(t, encodeErr)
	return string(b), err
}

// roll is a payload of the tests' own protocol: <roll xmlns='urn:example:dice' sides='6'/>.
type roll struct{ Sides int }

const nsDice = "urn:example:dice"

func (r roll) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(nsDice, "roll")
	w.Attr("sides", strconv.Itoa(r.Sides))
	w.End()
	return w.Bytes()
}

func (*roll) PayloadName() xml.Name { return xml.Name{Space: nsDice, Local: "roll"} }

func (r *roll) ParseXML(e stanza.Element) error {
	n, err := strconv.Atoi(e.Attr("sides"))
	switch {
	case err != nil:
		return errSides
	case n > 100:
		return &stanza.Error{Condition: stanza.NotAcceptable, Text: "too many sides"}
	}
	r.Sides = n
	return nil
}

var errSides = errors.New("dice: sides is not a number")

// text answers with an element that names the handler.
func text(name string) func(context.Context, *stanza.IQ) (stanza.Payload, error) {
	return func(context.Context, *stanza.IQ) (stanza.Payload, error) { return note(name), nil }
}

// note is <note xmlns='urn:example:note'>…</note>.
type note string

func (n note) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Element("urn:example:note", "note", string(n))
	return w.Bytes()
}

func noted(s string) string { return "<note xmlns='urn:example:note'>" + s + "</note>" }
