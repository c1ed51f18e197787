package caps_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/caps"
	"github.com/parlance-xmpp/xmpp/xep/disco"
)

const node = "https://dice.example/bot"

// sent returns what the mux makes of a stanza that is sent.
func sent(t testing.TB, mux *muxer.Mux, st stanza.Stanza) *stanza.Raw {
	t.Helper()
	out, err := mux.OutgoingStanza(context.Background(), st)
	require.NoError(t, err)
	b, err := out.AppendXML(nil)
	require.NoError(t, err)
	raw, err := stanza.Parse(b)
	require.NoError(t, err)
	return raw
}

// annotation returns what a presence announces.
func annotation(t testing.TB, raw *stanza.Raw) (c caps.Caps) {
	t.Helper()
	require.NoError(t, raw.Element().Child(caps.NS, "c").Decode(&c), "%s", raw)
	return c
}

// A presence that embeds one is a stanza too.
type embedded struct{ stanza.Presence }

// §6.1, §8.3: every available presence announces what the mux can do, in whatever form it is given; nothing else does.
func TestXEP0115_6_1_Presence(t *testing.T) {
	mux := muxer.New()
	mux.Identity("client", "pc", "Exodus 0.9.1")
	mux.Feature(muc)
	caps.Register(mux, node)
	want := caps.Caps{Hash: caps.SHA1, Node: node, Ver: simpleVer} // of §5.2
	other := stanza.Plain("x")
	raw, err := stanza.Parse([]byte("<presence><status>x</status></presence>"))
	require.NoError(t, err)
	p := stanza.Presence{Status: other}
	room := make(stanza.Payloads, 0, 5)
	for name, st := range map[string]stanza.Stanza{
		"a struct":     p,
		"a pointer":    &p,
		"a raw one":    raw,
		"a look-alike": embedded{p},
		"directed":     stanza.Presence{To: jid.MustParse("room@muc.example/nick"), Status: other, Payloads: room},
	} {
		out := sent(t, mux, st)
		require.Equal(t, want, annotation(t, out), name)
		got, err := out.Presence()
		require.NoError(t, err)
		require.Equal(t, "x", got.Status.String(), name)
	}
	require.Empty(t, p.Payloads, "the caller's is as it was")
	require.Nil(t, room[:1][0])

	for name, st := range map[string]stanza.Stanza{
		"unavailable": stanza.Presence{Type: stanza.PresenceUnavailable}, "a request": stanza.Presence{Type: stanza.PresenceSubscribe, To: jid.MustParse("a@b")},
		"a message": stanza.Message{Body: other}, "an error": stanza.Presence{Error: &stanza.Error{Condition: stanza.Conflict}},
	} {
		require.True(t, sent(t, mux, st).Element().Child(caps.NS, "c").IsZero(), name)
	}

	own := caps.Caps{Hash: caps.SHA1, Node: "urn:own", Ver: "x"}
	annotated := stanza.Presence{Payloads: stanza.Payloads{own}}
	b, err := annotated.AppendXML(nil)
	require.NoError(t, err)
	raw, err = stanza.Parse(b)
	require.NoError(t, err)
	for _, st := range []stanza.Stanza{annotated, raw, embedded{annotated}} {
		require.Equal(t, own, annotation(t, sent(t, mux, st)), "what the program says stays")
	}
	_, err = mux.OutgoingStanza(t.Context(), &stanza.Presence{Status: stanza.Plain("\x00")})
	require.ErrorIs(t, err, stanza.ErrCharacter, "what cannot be written")
	require.Panics(t, func() { caps.Register(muxer.New(), "") })
}

// §6.1, §6.2: what was announced is answered for, also a moment after it has changed; what never was is not.
func TestXEP0115_6_2_Describe(t *testing.T) {
	mux := muxer.New()
	caps.Register(mux, node)
	ask := func(node string) (disco.Info, error) {
		st, err := stanza.Parse([]byte("<iq from='juliet@capulet.lit/balcony' id='1' type='get'><query xmlns='http://jabber.org/protocol/disco#info' node='" + node + "'/></iq>"))
		require.NoError(t, err)
		p, err := mux.HandleStanza(t.Context(), st)
		if err != nil {
			return disco.Info{}, err
		}
		return p.(disco.Info), nil
	}
	var all []caps.Caps
	for i := range 10 {
		mux.Feature(fmt.Sprint("urn:feature:", i))
		all = append(all, annotation(t, sent(t, mux, stanza.Presence{})))
	}
	for i, c := range all {
		info, err := ask(c.Node + "#" + c.Ver)
		if i < 2 {
			require.ErrorIs(t, err, stanza.ItemNotFound, "long ago")
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.Node+"#"+c.Ver, info.Node)
		ver, err := caps.Ver(info, c.Hash)
		require.NoError(t, err)
		require.Equal(t, c.Ver, ver)
		require.Equal(t, i < 9, !slices.Contains(info.Features, "urn:feature:9"))
		require.True(t, info.Has(caps.NS), "§7")
	}
	for _, node := range []string{node, node + "#", node + "#x", "https://psi-im.org#" + all[9].Ver} {
		_, err := ask(node)
		require.ErrorIs(t, err, stanza.ItemNotFound, node)
	}
	st, err := stanza.Parse([]byte("<iq from='a@b/c' id='1' type='get'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>"))
	require.NoError(t, err)
	items, err := mux.HandleStanza(t.Context(), st)
	require.NoError(t, err)
	require.Empty(t, items.(disco.Items).Items, "§6.2: the node is none of the items")
}
