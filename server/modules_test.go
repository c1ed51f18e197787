package server

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

const nsTest = "urn:example:test"

// with installs modules in a house.
func with(all ...module.Func) func(*Options) {
	return func(o *Options) {
		for _, m := range all {
			o.Modules = append(o.Modules, m)
		}
	}
}

// hooked installs hooks.
func hooked(k module.Hooks) func(*Options) {
	return with(func(h module.Host) error { h.Hook(k); return nil })
}

func message(to, attrs, content string) string {
	return "<message to='" + to + "' type='chat' " + attrs + ">" + content + "</message>"
}

// A module that cannot be installed is the server's error.
func TestModuleInstallFails(t *testing.T) {
	_, err := New(&Options{Domains: []string{"capulet.example"}, InsecurePlaintext: true, Modules: []module.Module{module.Func(func(module.Host) error { return stanza.Conflict })}})
	require.ErrorIs(t, err, stanza.Conflict)
}

// What a module answers for accounts only their owners may ask, unless it says otherwise; and who may not ask
// cannot tell whether there is such an account.
func TestSec_AccountHandlersDenyByDefault(t *testing.T) {
	name := func(local string) xml.Name { return xml.Name{Space: nsTest, Local: local} }
	h := newHouse(t, []string{"juliet", "romeo", "nurse"}, with(func(h module.Host) error {
		for _, local := range []string{"own", "friends", "all"} {
			h.Account().IQ(stanza.IQGet, nsTest, local, func(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
				if own := iq.From.Bare() == iq.To; own != (module.FromContext(ctx) != nil) {
					t.Errorf("%s: own %v, session %v", iq.From, own, module.FromContext(ctx))
				}
				return nil, nil
			})
		}
		h.Open(module.Subscribers, stanza.IQGet, name("friends"))
		h.Open(module.Anyone, muxer.AnyIQ, name("all"))
		return nil
	}))
	h.befriend("juliet", "romeo")
	for _, tt := range []struct {
		who, to           string
		own, friends, all bool
	}{
		{"juliet", "", true, true, true},
		{"juliet", " to='juliet@capulet.example'", true, true, true},
		{"romeo", " to='juliet@capulet.example'", false, true, true},
		{"nurse", " to='juliet@capulet.example'", false, false, true},
		{"nurse", " to='nobody@capulet.example'", false, false, false},
	} {
		c := h.login(tt.who, "")
		for local, want := range map[string]bool{"own": tt.own, "friends": tt.friends, "all": tt.all} {
			c.send("<iq type='get' id='1'" + tt.to + "><" + local + " xmlns='" + nsTest + "'/></iq>")
			got := c.all()
			require.Len(t, got, 1)
			if want {
				require.Equal(t, "result", got[0].Attr("type"), "%s asks %s of%s: %s", tt.who, local, tt.to, got[0])
				continue
			}
			require.Contains(t, got[0].String(), "service-unavailable", "%s asks %s of%s", tt.who, local, tt.to)
		}
	}
}

// Clients that have not logged in can be answered, over TLS or where that is not required.
func TestStrangers(t *testing.T) {
	h := newHouse(t, nil, with(func(h module.Host) error {
		h.Feature(false, stanza.NewElement([]byte("<join xmlns='"+nsTest+"'/>")))
		h.Stranger().IQ(stanza.IQGet, nsTest, "query", func(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
			s := module.StrangerFrom(ctx)
			n, _ := s.Value("n").(int)
			s.SetValue("n", n+1)
			return stanza.NewElement([]byte("<n xmlns='" + nsTest + "'>" + s.Domain.String() + " " + string(rune('0'+n)) + "</n>")), nil
		})
		return nil
	}))
	c := h.connect()
	c.open("montague.example")
	require.False(t, c.feat.Child(nsTest, "join").IsZero())
	for n := range 2 {
		c.raw("<iq type='get' id='1'><query xmlns='" + nsTest + "'/></iq>")
		require.Equal(t, "montague.example "+string(rune('0'+n)), c.next().Child(nsTest, "n").Text())
	}
	c.raw("<iq type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
	require.True(t, c.next().Is("http://etherx.jabber.org/streams", "error"), "nothing else before the login")
}

// What a client asks for while it binds reaches the module, and is listed.
func TestBindInline(t *testing.T) {
	var of module.Session
	h := newHouse(t, []string{"juliet"}, with(func(h module.Host) error {
		h.BindInline(xml.Name{Space: nsTest, Local: "on"}, func(_ context.Context, s module.Session, e stanza.Element) {
			s.SetValue("on", e.Attr("how"))
			of = s
		})
		return nil
	}))
	c := h.connect()
	c.open("capulet.example")
	require.Contains(t, c.feat.String(), "<feature var='"+nsTest+"'/>")
	c.authenticate2(h.addr("juliet"), "<bind xmlns='urn:xmpp:bind:0'><on xmlns='"+nsTest+"' how='loud'/></bind>")
	require.NotNil(t, of)
	require.Equal(t, "loud", of.Value("on"))
}

// authenticate2 logs in by SASL2, with something inline.
func (c *client) authenticate2(account jid.JID, inline string) {
	c.t.Helper()
	m, err := sasl.Select(c.offer(), &sasl.Credentials{Username: account.Localpart(), Password: password}, nil, &sasl.Policy{Mechanisms: []string{sasl.SCRAMSHA1}})
	require.NoError(c.t, err)
	initial, err := m.Start()
	require.NoError(c.t, err)
	c.raw("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-1'><initial-response>" + encode(initial) + "</initial-response>" + inline + "</authenticate>")
	challenge, err := base64.StdEncoding.DecodeString(c.next().Text())
	require.NoError(c.t, err)
	response, err := m.Next(challenge)
	require.NoError(c.t, err)
	c.raw("<response xmlns='urn:xmpp:sasl:2'>" + encode(response) + "</response>")
	require.Equal(c.t, "success", c.next().Name().Local)
}
