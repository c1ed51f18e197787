package muxer

import (
	"context"
	"encoding/xml"
	"errors"
	"slices"

	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
)

// catalog is what the mux tells about its entity.
type catalog struct {
	identities []disco.Identity
	features   []string // sorted, each once
	forms      []stanza.Element
	nodes      map[string]disco.Info
	infos      []func(context.Context, *stanza.IQ, string) (disco.Info, error)
	items      []func(context.Context, *stanza.IQ, string) ([]disco.Item, error)
}

// Feature advertises features (XEP-0030 §3.1), usually the namespaces of
// protocols. To advertise one again changes nothing.
func (m *Mux) Feature(names ...string) {
	m.change(func(t *table) { t.disco.addFeatures(names...) })
}

// Identity adds what the entity is, such as "client", "bot", "Dicebot". The
// name, for people, may be empty. Until the first call it is "client/bot":
// every entity must have an identity (XEP-0030 §3.1).
func (m *Mux) Identity(category, typ, name string) {
	m.Identities(disco.Identity{Category: category, Type: typ, Name: name})
}

// Identities adds identities; of one that is given in several languages it adds
// each. One whose category, type and language are there already takes the place
// of that (§3.1 allows only one name).
func (m *Mux) Identities(ids ...disco.Identity) {
	for _, id := range ids {
		if id.Category == "" || id.Type == "" {
			panic("muxer: an identity needs a category and a type")
		}
	}
	m.change(func(t *table) {
		all := slices.Clone(t.disco.identities)
		for _, id := range ids {
			same := func(o disco.Identity) bool {
				return o.Category == id.Category && o.Type == id.Type && o.Lang == id.Lang
			}
			if i := slices.IndexFunc(all, same); i >= 0 {
				all[i] = id
				continue
			}
			all = append(all, id)
		}
		t.disco.identities = all
	})
}

// Form adds a data form to what is told about the entity (XEP-0128). It takes
// the place of one with the same FORM_TYPE.
func (m *Mux) Form(form stanza.Element) {
	typ := formType(form)
	if !form.Is(nsForm, "x") || typ == "" {
		panic("muxer: not a data form with a FORM_TYPE")
	}
	m.change(func(t *table) {
		others := slices.DeleteFunc(slices.Clone(t.disco.forms), func(f stanza.Element) bool { return formType(f) == typ })
		t.disco.forms = append(others, form)
	})
}

const nsForm = "jabber:x:data"

// formType returns the value of the field FORM_TYPE (XEP-0068).
func formType(form stanza.Element) string {
	for c := range form.Children() {
		if c.Is(nsForm, "field") && c.Attr("var") == "FORM_TYPE" {
			return c.Child(nsForm, "value").Text()
		}
	}
	return ""
}

// Node describes a node of the entity. Without an identity in info it has those
// of the entity; the feature of being asked at all is added. Registering a node
// again replaces it.
func (m *Mux) Node(node string, info disco.Info) {
	if node == "" {
		panic("muxer: a node needs a name")
	}
	info.Identities = slices.Clone(info.Identities)
	info.Features = slices.Clone(info.Features)
	info.Forms = slices.Clone(info.Forms)
	m.change(func(t *table) { t.disco.nodes = with(t.disco.nodes, node, info) })
}

// Nodes has f describe nodes that [Mux.Node] does not know. f returns
// [stanza.ItemNotFound] for those it does not know either; the next one is then
// asked. It is not called for the entity itself.
func (m *Mux) Nodes(f func(ctx context.Context, iq *stanza.IQ, node string) (disco.Info, error)) {
	if f == nil {
		panic("muxer: Nodes needs a function")
	}
	m.change(func(t *table) { t.disco.infos = append(slices.Clip(t.disco.infos), f) })
}

// Items has f list what belongs to the entity, when node is empty, or to one of
// its nodes. Of several registrations the lists are joined. f returns
// [stanza.ItemNotFound] for a node it does not know; any other error is the
// answer.
func (m *Mux) Items(f func(ctx context.Context, iq *stanza.IQ, node string) ([]disco.Item, error)) {
	if f == nil {
		panic("muxer: Items needs a function")
	}
	m.change(func(t *table) { t.disco.items = append(slices.Clip(t.disco.items), f) })
}

// Info returns what the mux now tells about its entity. It belongs to the
// caller.
func (m *Mux) Info() disco.Info {
	c := &m.table.Load().disco
	return c.complete(disco.Info{Features: c.features, Identities: c.identities, Forms: c.forms})
}

// addFeatures keeps the features sorted and single.
func (c *catalog) addFeatures(names ...string) {
	all := slices.Concat(c.features, names)
	slices.Sort(all)
	all = slices.Compact(all)
	if slices.Contains(all, "") {
		panic("muxer: a feature needs a name")
	}
	c.features = all
}

// complete returns a copy of info with what every answer must hold (XEP-0030
// §3.1).
func (c *catalog) complete(info disco.Info) disco.Info {
	info.Features = append(slices.Clone(info.Features), disco.NSInfo)
	slices.Sort(info.Features)
	info.Features = slices.Compact(info.Features)
	info.Forms = slices.Clone(info.Forms)
	info.Identities = slices.Clone(info.Identities)
	if len(info.Identities) == 0 {
		info.Identities = slices.Clone(c.identities)
	}
	if len(info.Identities) == 0 {
		info.Identities = []disco.Identity{{Category: "client", Type: "bot"}}
	}
	return info
}

// serveDisco registers the mux's own routes.
func (m *Mux) serveDisco() {
	m.iq(iqPattern{stanza.IQGet, xml.Name{Space: disco.NSInfo, Local: "query"}}, iqRoute{m.serveInfo, true})
	m.iq(iqPattern{stanza.IQGet, xml.Name{Space: disco.NSItems, Local: "query"}}, iqRoute{m.serveItems, true})
}

func (m *Mux) serveInfo(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
	var q disco.Info
	if err := iq.Decode(&q); err != nil {
		return nil, badRequest(err)
	}
	if q.Node == "" {
		return m.Info(), nil
	}
	info, err := m.table.Load().disco.info(ctx, iq, q.Node)
	if err != nil {
		return nil, err
	}
	info.Node = q.Node // the answer mirrors it (§3.2)
	return info, nil
}

// info describes a node.
func (c *catalog) info(ctx context.Context, iq *stanza.IQ, node string) (disco.Info, error) {
	if info, ok := c.nodes[node]; ok {
		return c.complete(info), nil
	}
	for _, f := range c.infos {
		info, err := f(ctx, iq, node)
		if err == nil {
			return c.complete(info), nil
		}
		if !errors.Is(err, stanza.ItemNotFound) {
			return disco.Info{}, err
		}
	}
	return disco.Info{}, stanza.ItemNotFound
}

func (m *Mux) serveItems(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
	var q disco.Items
	if err := iq.Decode(&q); err != nil {
		return nil, badRequest(err)
	}
	c := &m.table.Load().disco
	answer := disco.Items{Node: q.Node}
	known := q.Node == ""
	for _, f := range c.items {
		items, err := f(ctx, iq, q.Node)
		switch {
		case err == nil:
			known = true
			answer.Items = append(answer.Items, items...)
		case !errors.Is(err, stanza.ItemNotFound):
			return nil, err
		}
	}
	if !known { // a node that can be described exists and has no items (§4.1)
		if _, err := c.info(ctx, iq, q.Node); err != nil {
			return nil, err
		}
	}
	return answer, nil
}
