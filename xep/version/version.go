// Package version tells which software an entity is, and asks others (XEP-0092).
//
//	version.Register(mux, version.Info{Name: "Dicebot", Version: "1.2"})
//	…
//	info, err := version.Get(ctx, s, jid.MustParse("chat.example.org"))
//
// Nothing is said but what the program has put into its [Info]; the operating system in particular is found
// out by nobody (§5).
//
// Of contacts, whose presence is known, XEP-0115 tells more for less. Ask them only when a person wants to
// know (§1).
//
// In a server, [Server] is the module that answers for its domains.
package version

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// NS is the namespace, and the feature of answering.
const NS = "jabber:iq:version"

// Info describes the software of an entity. The zero Info is the request.
type Info struct {
	Name    string // required in an answer
	Version string // required in an answer
	OS      string // the operating system; empty when that is nobody's business
}

// AppendXML implements [stanza.Payload].
func (i Info) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NS, "query")
	if i != (Info{}) {
		w.Element("", "name", i.Name)
		w.Element("", "version", i.Version)
		if i.OS != "" {
			w.Element("", "os", i.OS)
		}
	}
	w.End()
	return w.Bytes()
}

// PayloadName implements [stanza.Decoder].
func (*Info) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "query"} }

// ParseXML implements [stanza.Decoder]. It never fails.
func (i *Info) ParseXML(e stanza.Element) error {
	*i = Info{
		Name:    e.Child(NS, "name").Text(),
		Version: e.Child(NS, "version").Text(),
		OS:      e.Child(NS, "os").Text(),
	}
	return nil
}

// check reports what an answer lacks.
func (i Info) check() error {
	if i.Name == "" || i.Version == "" {
		return errors.New("version: a name and a version are required")
	}
	return nil
}

// Register answers requests with info, and advertises the feature. It panics without a name and a version. To
// whom info is not told a layer of the mux can answer [stanza.ServiceUnavailable].
func Register(mux *muxer.Mux, info Info) {
	if err := info.check(); err != nil {
		panic(err.Error())
	}
	mux.IQ(stanza.IQGet, NS, "query", func(context.Context, *stanza.IQ) (stanza.Payload, error) { return info, nil })
}

// Get asks the entity at address to for its software. What it answers is its own claim.
//
// An error answer is a [*stanza.Error]: [stanza.ServiceUnavailable] when it does not say.
func Get(ctx context.Context, s xmpp.Session, to jid.JID) (Info, error) {
	var info Info
	result, err := s.Query(ctx, stanza.IQ{Type: stanza.IQGet, To: to, Payload: Info{}})
	if err == nil {
		err = result.Decode(&info)
	}
	if err == nil && info == (Info{}) {
		err = errEmpty
	}
	if err != nil {
		return Info{}, fmt.Errorf("version: of %s: %w", to, err)
	}
	return info, nil
}

var errEmpty = errors.New("the answer says nothing")

// Server is the server's half: it answers for the domains.
func Server(info Info) module.Module {
	return module.Func(func(h module.Host) error {
		if err := info.check(); err != nil {
			return err
		}
		Register(h.Domain(), info)
		return nil
	})
}
