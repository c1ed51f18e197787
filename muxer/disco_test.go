package muxer_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
)

func info(content, node string) string {
	if node != "" {
		node = " node='" + node + "'"
	}
	return `<query xmlns='http://jabber.org/protocol/disco#info'` + node + `>` + content + `</query>`
}

const (
	bot     = `<identity category='client' type='bot'/>`
	ownOnes = `<feature var='http://jabber.org/protocol/disco#info'/><feature var='http://jabber.org/protocol/disco#items'/>`
)

func ask(t testing.TB, mux *muxer.Mux, ns, node string) (string, error) {
	t.Helper()
	return handle(t, mux, `<iq type='get' id='1' from='romeo@montague.lit/orchard'><query xmlns='`+ns+`' node='`+node+`'/></iq>`)
}

// XEP-0030 §3.1: an identity and the feature of being asked, always.
func TestInfoOfAnEmptyMux(t *testing.T) {
	got, err := ask(t, muxer.New(), disco.NSInfo, "")
	if want := info(bot+ownOnes, ""); got != want || err != nil {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	got, err = ask(t, muxer.New(), disco.NSItems, "")
	if want := `<query xmlns='http://jabber.org/protocol/disco#items'/>`; got != want || err != nil {
		t.Errorf("got %s, %v; want %s", got, err, want) // §4.1: empty, never an error
	}
}

func TestInfo(t *testing.T) {
	mux := muxer.New()
	mux.Feature("urn:z", "urn:a")
	mux.Feature("urn:z")
	mux.IQ(stanza.IQGet, nsDice, "roll", text("")) // advertises
	mux.IQ(stanza.IQSet, nsDice, "roll", text(""))
	mux.IQ(stanza.IQGet, muxer.Any, muxer.Any, text("")) // nothing to advertise
	mux.Identity("automation", "dice", "Old name")
	mux.Identities(
		disco.Identity{Category: "automation", Type: "dice", Name: "Dice"}, // takes its place: one name for each (§3.1)
		disco.Identity{Category: "automation", Type: "dice", Name: "Würfel", Lang: "de"},
	)
	want := disco.Info{
		Identities: []disco.Identity{
			{Category: "automation", Type: "dice", Name: "Dice"},
			{Category: "automation", Type: "dice", Name: "Würfel", Lang: "de"},
		},
		Features: []string{disco.NSInfo, disco.NSItems, "urn:a", nsDice, "urn:z"},
	}
	got := mux.Info()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Info() = %+v; want %+v", got, want)
	}
	got.Features[0], got.Identities[0].Name = "changed", "changed" // it belongs to the caller
	if again := mux.Info(); !reflect.DeepEqual(again, want) {
		t.Errorf("after a change to the copy, Info() = %+v", again)
	}

	// What is answered is the same.
	p, err := mux.HandleStanza(t.Context(), raw(t, `<iq type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`))
	require.NoError(t, err)
	require.Equal(t, want, p)
}

func formOf(t *testing.T, typ, value string) stanza.Element {
	e, err := stanza.ParseElement([]byte(`<x xmlns='jabber:x:data' type='result'>` +
		`<field var='FORM_TYPE' type='hidden'><value>` + typ + `</value></field><field var='v'><value>` + value + `</value></field></x>`))
	require.NoError(t, err)
	return e
}

// XEP-0128, and XEP-0115 §5.4: never two forms of one type.
func TestForm(t *testing.T) {
	mux := muxer.New()
	mux.Form(formOf(t, "urn:one", "a"))
	mux.Form(formOf(t, "urn:two", "b"))
	mux.Form(formOf(t, "urn:one", "c"))
	got, err := ask(t, mux, disco.NSInfo, "")
	require.NoError(t, err)
	if want := info(bot+ownOnes+formOf(t, "urn:two", "b").String()+formOf(t, "urn:one", "c").String(), ""); got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	untyped, err := stanza.ParseElement([]byte(`<x xmlns='jabber:x:data' type='result'/>`))
	require.NoError(t, err)
	require.Panics(t, func() { mux.Form(untyped) })
}

func TestNodes(t *testing.T) {
	mux := muxer.New()
	mux.Identity("automation", "dice", "")
	mux.Node("static", disco.Info{Identities: []disco.Identity{{Category: "hierarchy", Type: "leaf"}}, Features: []string{"urn:z", "urn:a", "urn:a"}})
	mux.Node("bare", disco.Info{})
	mux.Nodes(func(_ context.Context, iq *stanza.IQ, node string) (disco.Info, error) {
		switch node {
		case "first":
			return disco.Info{Node: "not this", Features: []string{iq.From.String()}}, nil
		case "secret":
			return disco.Info{}, stanza.Forbidden
		}
		return disco.Info{}, stanza.ItemNotFound
	})
	mux.Nodes(func(_ context.Context, _ *stanza.IQ, node string) (disco.Info, error) {
		if node == "second" || node == "secret" {
			return disco.Info{}, nil
		}
		return disco.Info{}, &stanza.Error{Condition: stanza.ItemNotFound, Text: "no"}
	})
	mux.Items(func(_ context.Context, _ *stanza.IQ, node string) ([]disco.Item, error) {
		switch node {
		case "", "listed":
			return []disco.Item{{JID: jid.MustParse("a.example"), Node: node, Name: "A"}}, nil
		case "second":
			return nil, stanza.NotAllowed
		}
		return nil, stanza.ItemNotFound
	})
	mux.Items(func(_ context.Context, _ *stanza.IQ, node string) ([]disco.Item, error) {
		if node == "" {
			return []disco.Item{{JID: jid.MustParse("b.example")}}, nil
		}
		return nil, stanza.ItemNotFound
	})
	const (
		dice = `<identity category='automation' type='dice'/>`
		self = `<feature var='http://jabber.org/protocol/disco#info'/>`
		nsIt = `<query xmlns='http://jabber.org/protocol/disco#items'`
	)
	for _, tt := range []struct {
		ns, node, want string
		err            error
	}{
		{ns: disco.NSInfo, node: "static", want: info(`<identity category='hierarchy' type='leaf'/>`+self+`<feature var='urn:a'/><feature var='urn:z'/>`, "static")},
		{ns: disco.NSInfo, node: "bare", want: info(dice+self, "bare")},
		{ns: disco.NSInfo, node: "first", want: info(dice+self+`<feature var='romeo@montague.lit/orchard'/>`, "first")}, // §3.2: the node is mirrored
		{ns: disco.NSInfo, node: "second", want: info(dice+self, "second")},
		{ns: disco.NSInfo, node: "secret", err: stanza.Forbidden},
		{ns: disco.NSInfo, node: "none", err: stanza.ItemNotFound},
		{ns: disco.NSItems, node: "", want: nsIt + `><item jid='a.example' name='A'/><item jid='b.example'/></query>`},
		{ns: disco.NSItems, node: "listed", want: nsIt + ` node='listed'><item jid='a.example' node='listed' name='A'/></query>`},
		{ns: disco.NSItems, node: "static", want: nsIt + ` node='static'/>`}, // §4.1: it exists and has no items
		{ns: disco.NSItems, node: "first", want: nsIt + ` node='first'/>`},
		{ns: disco.NSItems, node: "second", err: stanza.NotAllowed},
		{ns: disco.NSItems, node: "none", err: stanza.ItemNotFound},
	} {
		t.Run(tt.ns+" "+tt.node, func(t *testing.T) {
			if got, err := ask(t, mux, tt.ns, tt.node); got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %s, %v\nwant %s, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// What was handed over at registration stays as it was.
func TestRegistrationCopies(t *testing.T) {
	mux := muxer.New()
	given := disco.Info{Features: []string{"urn:b"}, Identities: []disco.Identity{{Category: "c", Type: "t"}}}
	mux.Node("n", given)
	given.Features[0], given.Identities[0].Type = "urn:changed", "changed"
	got, err := ask(t, mux, disco.NSInfo, "n")
	if want := info(`<identity category='c' type='t'/><feature var='http://jabber.org/protocol/disco#info'/><feature var='urn:b'/>`, "n"); got != want || err != nil {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

// A catch-all does not hide service discovery; a route of its own replaces it.
func TestDiscoReplaced(t *testing.T) {
	mux := muxer.New()
	mux.IQ(muxer.AnyIQ, muxer.Any, muxer.Any, text("anything"))
	got, err := ask(t, mux, disco.NSInfo, "")
	if want := info(bot+ownOnes, ""); got != want || err != nil {
		t.Errorf("beside a catch-all: %s, %v; want %s", got, err, want)
	}
	mux.IQ(stanza.IQGet, disco.NSInfo, "query", func(_ context.Context, iq *stanza.IQ) (stanza.Payload, error) {
		adapted := mux.Info()
		adapted.Features = slices.DeleteFunc(adapted.Features, func(f string) bool { return f == disco.NSItems })
		adapted.Identities = []disco.Identity{{Category: "account", Type: "registered"}}
		return adapted, nil
	})
	got, err = ask(t, mux, disco.NSInfo, "")
	if want := info(`<identity category='account' type='registered'/><feature var='http://jabber.org/protocol/disco#info'/>`, ""); got != want || err != nil {
		t.Errorf("replaced: %s, %v; want %s", got, err, want)
	}
	require.Panics(t, func() { mux.IQ(stanza.IQGet, disco.NSInfo, "query", text("again")) })
}
