package invite_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/invite"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

func addr(s string) jid.JID { return jid.MustParse(s) }

// XEP-0379 §3.2, XEP-0445 §2, XEP-0401 §5: the links.
func TestXEP0379_3_2_URI(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     invite.URI
		again    string // empty means as in
	}{
		{name: "example 1", in: "xmpp:romeo@montague.net?roster;preauth=1tMFqYDdKhfe2pwp;name=Romeo+Montague",
			want:  invite.URI{Addr: addr("romeo@montague.net"), Action: invite.Roster, Token: "1tMFqYDdKhfe2pwp", Name: "Romeo Montague"},
			again: "xmpp:romeo@montague.net?roster;preauth=1tMFqYDdKhfe2pwp;name=Romeo%20Montague"},
		{name: "in the landing page", in: "xmpp:romeo@montague.net?roster;preauth=1tMFqYDdKhfe2pwp;name=Romeo%20Montague",
			want: invite.URI{Addr: addr("romeo@montague.net"), Action: invite.Roster, Token: "1tMFqYDdKhfe2pwp", Name: "Romeo Montague"}},
		{name: "XEP-0445 §2.1", in: "xmpp:juliet@example.com?register;preauth=TOKEN", want: invite.URI{Addr: addr("juliet@example.com"), Action: invite.Register, Token: "TOKEN"}},
		{name: "XEP-0445 §2.2", in: "xmpp:example.com?register;preauth=TOKEN", want: invite.URI{Addr: addr("example.com"), Action: invite.Register, Token: "TOKEN"}},
		{name: "XEP-0445 §2.3", in: "xmpp:romeo@example.com?roster;preauth=TOKEN;ibr=y", want: invite.URI{Addr: addr("romeo@example.com"), Action: invite.Roster, Token: "TOKEN", Accounts: true}},
		{name: "escaped", in: "XMPP:n%C3%A9e@montague.net?roster;preauth=a+b%3Bc%25;name=%3D%26;x=%20#fragment",
			want:  invite.URI{Addr: addr("née@montague.net"), Action: invite.Roster, Token: "a+b;c%", Name: "=&"},
			again: "xmpp:n%C3%A9e@montague.net?roster;preauth=a%2Bb%3Bc%25;name=%3D%26"},
		{name: "with an account to use", in: " xmpp://guest@example.com/romeo@montague.net?roster;preauth=T;ibr=n\n", want: invite.URI{Addr: addr("romeo@montague.net"), Action: invite.Roster, Token: "T"},
			again: "xmpp:romeo@montague.net?roster;preauth=T"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := invite.ParseURI(tt.in)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			if tt.again == "" {
				tt.again = tt.in
			}
			require.Equal(t, tt.again, got.String())
		})
	}
	for name, in := range map[string]string{
		"empty": "", "another scheme": "https://a/?roster;preauth=T", "no query": "xmpp:a@b", "another action": "xmpp:a@b?message;preauth=T",
		"no token": "xmpp:a@b?roster", "an empty token": "xmpp:a@b?roster;preauth=", "a session": "xmpp:a@b/c?roster;preauth=T", "no contact": "xmpp:b?roster;preauth=T",
		"no address": "xmpp:?roster;preauth=T", "a bad escape": "xmpp:a@b?roster;preauth=%", "a bad escape in the address": "xmpp:%@b?roster;preauth=T",
		"a long token": "xmpp:a@b?roster;preauth=" + strings.Repeat("x", 2000), "too long": "xmpp:a@b?roster;preauth=T;x=" + strings.Repeat("x", 10_000),
		"an address within": "xmpp:a%40b@c?roster;preauth=T",
	} {
		_, err := invite.ParseURI(in)
		require.Error(t, err, name)
	}
}

// FuzzURI: what is read as a link reads back as the same.
func FuzzURI(f *testing.F) {
	f.Add("xmpp:romeo@montague.net?roster;preauth=1tMF;name=Romeo+Montague;ibr=y")
	f.Add("xmpp://a/[::1]?register;preauth=%00%ff")
	f.Fuzz(func(t *testing.T, in string) {
		u, err := invite.ParseURI(in)
		if err != nil {
			return
		}
		again, err := invite.ParseURI(u.String())
		if err != nil || again != u {
			t.Errorf("%+v is %s, which is %+v, %v", u, u, again, err)
		}
	})
}

func TestXEP0379_3_4_Preauth(t *testing.T) {
	const in = "<preauth xmlns='urn:xmpp:pars:0' token='1tMFqYDdKhfe2pwp'/>"
	e, err := stanza.ParseElement([]byte(in))
	require.NoError(t, err)
	var p invite.Preauth
	require.NoError(t, e.Decode(&p))
	require.Equal(t, "1tMFqYDdKhfe2pwp", p.Token)
	out, err := p.AppendXML(nil)
	require.NoError(t, err)
	require.Equal(t, in, string(out))
}

// FuzzPreauth: what is read reads back as the same.
func FuzzPreauth(f *testing.F) {
	f.Add("<preauth xmlns='urn:xmpp:pars:0' token='1tMFqYDdKhfe2pwp'/>")
	f.Add("<preauth xmlns='urn:xmpp:pars:0'><x/></preauth>")
	f.Fuzz(func(t *testing.T, in string) {
		if read, again := xmpptest.RoundTrip[invite.Preauth](t, in); again != nil {
			require.Equal(t, read, again)
		}
	})
}
