// Package private keeps XML on the server that only the own account can read (XEP-0049): settings of a client,
// and what older ones keep there, such as bookmarks.
//
//	err := private.Set(ctx, s, prefs) // any payload with a namespace of its own
//	…
//	err = private.Decode(ctx, s, &prefs)
//
// Of each name one element is kept. There is no way to change a part of it, nor to learn that another device has changed it; what
// must be the same everywhere belongs into a private node of personal eventing (XEP-0223) instead.
//
// In a server, [Server] is the module that keeps it.
package private

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// NS is the namespace of requests.
const NS = "jabber:iq:private"

var errNothing = errors.New("there is no element")

// A Query is the payload of requests and results: in a set what is to be kept, in a get empty elements of the names asked for.
//
// It is a [stanza.Payload], and a pointer to it a [stanza.Decoder].
type Query struct{ Elements []stanza.Element }

// AppendXML implements [stanza.Payload].
func (q Query) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NS, "query")
	for i := range q.Elements {
		w.Payload(&q.Elements[i]) // a copy would be allocated
	}
	w.End()
	return w.Bytes()
}

// PayloadName implements [stanza.Decoder].
func (*Query) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "query"} }

// ParseXML implements [stanza.Decoder]. It never fails.
func (q *Query) ParseXML(e stanza.Element) error {
	*q = Query{}
	for c := range e.Children() {
		q.Elements = append(q.Elements, c)
	}
	return nil
}

// Get returns the element of that name that the session's account keeps. When there is none the result is an element without
// attributes and content.
func Get(ctx context.Context, s xmpp.Session, name xml.Name) (stanza.Element, error) {
	e, err := get(ctx, s, name)
	if err != nil {
		return stanza.Element{}, fmt.Errorf("private: get %s: %w", describe(name), err)
	}
	return e, nil
}

func get(ctx context.Context, s xmpp.Session, name xml.Name) (stanza.Element, error) {
	empty, err := stanza.ElementOf(nothing(name))
	if err != nil {
		return empty, err
	}
	result, err := s.Query(ctx, stanza.IQ{Type: stanza.IQGet, Payload: Query{Elements: []stanza.Element{empty}}})
	if err != nil {
		return empty, err
	}
	var q Query
	if err := result.Decode(&q); err != nil {
		return empty, err
	}
	for _, e := range q.Elements {
		if e.Name() == name {
			return e, nil
		}
	}
	return empty, errors.New("the result is about something else")
}

// Decode fills v, whose name says what is asked for, from what the account keeps. See [Get] for what is not there.
func Decode(ctx context.Context, s xmpp.Session, v stanza.Decoder) error {
	e, err := Get(ctx, s, v.PayloadName())
	if err != nil {
		return err
	}
	return v.ParseXML(e)
}

// Set has elements kept, each in place of the one that has its name. Each must have a namespace of its own, which
// nobody else uses for something else.
//
// Errors worth testing for: [stanza.ResourceConstraint], it would be too much.
func Set(ctx context.Context, s xmpp.Session, elements ...stanza.Payload) error {
	if len(elements) == 0 {
		return fmt.Errorf("private: set: %w", errNothing)
	}
	q := Query{Elements: make([]stanza.Element, len(elements))}
	for i, p := range elements {
		var err error
		if q.Elements[i], err = stanza.ElementOf(p); err != nil {
			return fmt.Errorf("private: set: %w", err)
		}
	}
	if _, err := s.Query(ctx, stanza.IQ{Type: stanza.IQSet, Payload: q}); err != nil {
		return fmt.Errorf("private: set %s: %w", describe(q.Elements[0].Name()), err)
	}
	return nil
}

// Delete has the element of that name forgotten: an empty one takes its place, which is the same.
func Delete(ctx context.Context, s xmpp.Session, name xml.Name) error {
	return Set(ctx, s, nothing(name))
}

// describe names the object of a request in an error.
func describe(name xml.Name) string { return fmt.Sprintf("%s in %.100q", name.Local, name.Space) }

// nothing is an empty element.
type nothing xml.Name

// AppendXML implements [stanza.Payload].
func (n nothing) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Element(n.Space, n.Local, "")
	return w.Bytes()
}
