package private

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"time"

	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// kind is that of the documents in the store, one for each element.
const kind = "private"

// maxName is how long the name of a document may be.
const maxName = 512

// patience bounds a set that must not stop halfway when the client that asked for it leaves.
const patience = 30 * time.Second

// ServerOptions adjusts [Server]. Nil and the zero value are ready to use.
type ServerOptions struct {
	// Elements is how many elements an account may keep. Zero means 100.
	Elements int
	// Bytes is how large they may be together. Zero means 512 KiB.
	Bytes int
}

// Server is the server's half. It keeps elements in [storage.Documents] for the account that sends them, and for nobody else.
//
// A set of several elements is not one step: when one of them is too much, those before it are kept.
func Server(opts *ServerOptions) module.Module {
	k := &keeper{limits: storage.DocumentLimits{Count: 100, Bytes: 512 << 10}}
	if opts != nil && opts.Elements != 0 {
		k.limits.Count = opts.Elements
	}
	if opts != nil && opts.Bytes != 0 {
		k.limits.Bytes = opts.Bytes
	}
	return k
}

// A keeper is the module.
type keeper struct {
	limits storage.DocumentLimits
	store  storage.Documents
}

// Install implements [module.Module].
func (k *keeper) Install(h module.Host) error {
	if k.limits.Count < 0 || k.limits.Bytes < 0 {
		return fmt.Errorf("private: limits of %d elements, %d bytes", k.limits.Count, k.limits.Bytes)
	}
	k.store = h.Stores().Documents
	h.Domain().Feature(NS)
	muxer.IQ(h.Account(), stanza.IQGet, own(k.get))
	muxer.IQ(h.Account(), stanza.IQSet, own(k.set))
	return nil
}

// own is a handler for the sessions of the account itself.
func own(f func(context.Context, storage.AccountID, []stanza.Element) (stanza.Payload, error)) func(context.Context, *stanza.IQ, *Query) (stanza.Payload, error) {
	return func(ctx context.Context, _ *stanza.IQ, q *Query) (stanza.Payload, error) {
		s := module.FromContext(ctx)
		if s == nil {
			return nil, stanza.ServiceUnavailable
		}
		if err := check(q.Elements); err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		return f(ctx, s.Account().ID, q.Elements)
	}
}

// check finds what nobody may ask for, or have kept (§2.3): nothing, elements that have no namespace of their own, and two of one
// name, of which only one could be kept.
func check(elements []stanza.Element) error {
	if len(elements) == 0 {
		return notAcceptable(errNothing.Error())
	}
	seen := make(map[xml.Name]bool, len(elements))
	for _, e := range elements {
		name := e.Name()
		switch {
		case name.Space == "" || name.Space == NS || name.Space == stanza.NS:
			return notAcceptable("an element has no namespace of its own")
		case len(document(name)) > maxName:
			return notAcceptable("the name of an element is too long")
		case seen[name]:
			return notAcceptable("two elements have the same name")
		}
		seen[name] = true
	}
	return nil
}

// get answers with what is kept, and with empty elements in place of what is not. There may be several, of one namespace (§2.3).
func (k *keeper) get(ctx context.Context, owner storage.AccountID, asked []stanza.Element) (stanza.Payload, error) {
	answer := Query{Elements: make([]stanza.Element, len(asked))}
	for i, e := range asked {
		name := e.Name()
		if name.Space != asked[0].Name().Space {
			return nil, &stanza.Error{Condition: stanza.BadRequest, Text: "only one namespace can be asked for at a time", Lang: "en"}
		}
		data, err := k.store.Get(ctx, owner, kind, document(name))
		switch {
		case errors.Is(err, storage.ErrNotFound):
			answer.Elements[i], err = stanza.ElementOf(nothing(name))
		case err == nil:
			answer.Elements[i], err = stanza.ParseElement(data)
		}
		if err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// set keeps elements. One without anything in it takes no room: asked for, it is there anyway.
func (k *keeper) set(ctx context.Context, owner storage.AccountID, elements []stanza.Element) (stanza.Payload, error) {
	for _, e := range elements {
		var data []byte
		if !isEmpty(e) {
			var err error
			if data, err = e.AppendXML(nil); err != nil {
				return nil, err
			}
		}
		err := k.store.Set(ctx, owner, kind, document(e.Name()), data, k.limits)
		if errors.Is(err, storage.ErrFull) {
			return nil, &stanza.Error{Condition: stanza.ResourceConstraint, Text: "there is no room for more", Lang: "en"}
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// isEmpty reports whether an element says nothing but its name.
func isEmpty(e stanza.Element) bool {
	for range e.Attrs() {
		return false
	}
	return e.First().IsZero() && e.Text() == ""
}

// document is the name under which an element is kept.
func document(name xml.Name) string { return name.Local + " " + name.Space }

func notAcceptable(text string) *stanza.Error {
	return &stanza.Error{Condition: stanza.NotAcceptable, Text: text, Lang: "en"}
}
