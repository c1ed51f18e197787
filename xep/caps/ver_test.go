package caps_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/caps"
	"github.com/parlance-xmpp/xmpp/xep/disco"
)

func element(t testing.TB, s string) stanza.Element {
	t.Helper()
	e, err := stanza.ParseElement([]byte(s))
	require.NoError(t, err)
	return e
}

// parse reads what is inside of an answer.
func parse(t testing.TB, content string) (info disco.Info) {
	t.Helper()
	require.NoError(t, element(t, "<query xmlns='http://jabber.org/protocol/disco#info'>"+content+"</query>").Decode(&info))
	return info
}

const (
	features = "<feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>" +
		"<feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>"
	simple  = "<identity category='client' name='Exodus 0.9.1' type='pc'/>" + features                                                                                             // §5.2
	complex = "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/><identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>" + features + softwareInfo // §5.3

	simpleVer  = "QgayPKawpkPSDYmwT/WM94uAlu0="
	complexVer = "q07IKJEyjvHSyhy//CH0CxmKi8w="

	softwareInfo = "<x xmlns='jabber:x:data' type='result'>" + softwareType +
		"<field var='ip_version' type='text-multi'><value>ipv4</value><value>ipv6</value></field><field var='os'><value>Mac</value></field>" +
		"<field var='os_version'><value>10.5.1</value></field><field var='software'><value>Psi</value></field><field var='software_version'><value>0.11</value></field></x>"
	softwareType = "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>"
)

func TestXEP0115_5_Ver(t *testing.T) {
	shuffled := "<feature var='http://jabber.org/protocol/muc'/><x xmlns='jabber:x:data' type='result'><field var='software_version'><value>0.11</value></field>" +
		"<field var='software'><value>Psi</value></field><field var='os_version'><value>10.5.1</value></field><field var='os'><value>Mac</value></field>" +
		"<field var='ip_version'><value>ipv6</value><value>ipv4</value></field>" + softwareType + "</x>" +
		"<feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/disco#info'/><feature var='http://jabber.org/protocol/caps'/>" +
		"<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/><identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>"
	notHidden := strings.ReplaceAll(softwareInfo, " type='hidden'", "")
	for _, tt := range []struct{ name, in, hash, want string }{
		{"§5.2", simple, caps.SHA1, simpleVer},
		{"§5.3", complex, caps.SHA1, complexVer},
		{"in any order", shuffled, caps.SHA1, complexVer},
		{"a form that does not say what it is about (§5.4)", simple + notHidden, caps.SHA1, simpleVer},
		{"a form about nothing (§5.4)", simple + "<x xmlns='jabber:x:data' type='result'><field var='a'><value>b</value></field></x>", caps.SHA1, simpleVer},
		{"SHA-224", simple, caps.SHA224, "eRTRaZXdg2D07A6LJ66hyY2s7f5jZLiTkgLEvA=="},
		{"SHA-256", simple, caps.SHA256, "Wr6IGEKhx6b9627gBmi/cCmpxXBc/GYq5zWuYfWGWoc="},
		{"SHA-384", simple, caps.SHA384, "Nf8JigpWSRF8x8Bvhy7Vzz09f1ZRpn+UWA1rfZ+HYBW+bUsD7RZWpWzMwUIPRIvP"},
		{"SHA-512", simple, caps.SHA512, "fRSVSbrOODMrPDQyHoSWoR+RemysUcEeGGhMh+kl/hGp9UrJxyDnrh9BymsL57Am/eToRZ/T4s6QBqeC6LVmoQ=="},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := caps.Ver(parse(t, tt.in), tt.hash)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
	_, err := caps.Ver(parse(t, simple), "md5")
	require.ErrorIs(t, err, caps.ErrHash)

	// §5.1: four characters that look like a reference are four characters.
	literal, err := caps.Ver(parse(t, "<identity category='client' type='pc' name='SomeClient&amp;lt;http://jabber.org/protocol/muc'/>"), caps.SHA1)
	require.NoError(t, err)
	converted, err := caps.Ver(parse(t, "<identity category='client' type='pc' name='SomeClient&lt;http://jabber.org/protocol/muc'/>"), caps.SHA1)
	require.NoError(t, err)
	require.NotEqual(t, literal, converted)
}

// §5.4: what says something twice is ill-formed.
func TestXEP0115_5_4_IllFormed(t *testing.T) {
	for name, tt := range map[string]struct {
		in  string
		bad bool
	}{
		"an identity twice":             {simple + "<identity category='client' name='Exodus 0.9.1' type='pc'/>", true},
		"one identity with two names":   {simple + "<identity category='client' name='Exodus' type='pc'/>", false},
		"one identity in two languages": {simple + "<identity xml:lang='en' category='client' name='Exodus 0.9.1' type='pc'/>", false},
		"a feature twice":               {simple + "<feature var='http://jabber.org/protocol/muc'/>", true},
		"two forms about the same":      {complex + softwareInfo, true},
		"a form about two things":       {simple + strings.Replace(softwareInfo, "</value>", "</value><value>urn:x</value>", 1), true},
		"a form about one thing, twice": {simple + strings.Replace(softwareInfo, "</value>", "</value><value>urn:xmpp:dataforms:softwareinfo</value>", 1), false},
		"a form about another thing":    {complex + strings.Replace(softwareInfo, "urn:xmpp:dataforms:softwareinfo", "urn:x", 1), false},
	} {
		_, err := caps.Ver(parse(t, tt.in), caps.SHA1)
		if tt.bad {
			require.ErrorIs(t, err, caps.ErrIllFormed, name)
		} else {
			require.NoError(t, err, name)
		}
	}
}

func TestXEP0115_4_Caps(t *testing.T) {
	in := "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://code.google.com/p/exodus' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/>"
	var got caps.Caps
	require.NoError(t, element(t, in).Decode(&got))
	require.Equal(t, caps.Caps{Hash: caps.SHA1, Node: "http://code.google.com/p/exodus", Ver: simpleVer}, got)
	out, err := got.AppendXML(nil)
	require.NoError(t, err)
	require.Equal(t, in, string(out))
	for name, attrs := range map[string]string{
		"the legacy format (§13)":    "node='http://exodus.jabberstudio.org/' ver='0.9'",
		"no node":                    "hash='sha-1' ver='x'",
		"no string":                  "hash='sha-1' node='x'",
		"a hash function for a book": "node='x' ver='x' hash='" + strings.Repeat("x", 33) + "'",
		"a node for a book":          "hash='sha-1' ver='x' node='" + strings.Repeat("x", 513) + "'",
		"a string for a book":        "hash='sha-1' node='x' ver='" + strings.Repeat("x", 257) + "'",
	} {
		require.Error(t, element(t, "<c xmlns='http://jabber.org/protocol/caps' "+attrs+"/>").Decode(&got), name)
		require.Zero(t, got)
	}
	out, err = caps.Caps{Hash: caps.SHA1, Node: "x"}.AppendXML([]byte("x"))
	require.Error(t, err)
	require.Equal(t, "x", string(out))
}

// FuzzCaps: whatever is written reads back as it was, or is refused.
func FuzzCaps(f *testing.F) {
	f.Add("sha-1", "http://code.google.com/p/exodus", simpleVer)
	f.Add("'", "<&>", "\x00")
	f.Fuzz(func(t *testing.T, hash, node, ver string) {
		c := caps.Caps{Hash: hash, Node: node, Ver: ver}
		out, err := c.AppendXML([]byte("x"))
		if err != nil {
			require.Equal(t, "x", string(out))
			return
		}
		var again caps.Caps
		if element(t, string(out[1:])).Decode(&again) == nil {
			require.Equal(t, c, again)
		} else {
			require.Greater(t, len(hash)+len(node)+len(ver), 32, "it is long")
		}
	})
}

// FuzzVer: no answer panics, and what a cache makes of one has the same hash.
func FuzzVer(f *testing.F) {
	f.Add(simple)
	f.Add(complex)
	f.Add("<identity category='a' type='b' name='&lt;'/><feature var='a/b/c/d'/><x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'/><field/></x>")
	f.Fuzz(func(t *testing.T, in string) {
		e, err := stanza.ParseElement([]byte("<query xmlns='http://jabber.org/protocol/disco#info'>" + in + "</query>"))
		if err != nil {
			return
		}
		var info disco.Info
		require.NoError(t, e.Decode(&info))
		want, err := caps.Ver(info, caps.SHA1)
		if err != nil {
			return
		}
		c := caps.NewCache(nil)
		if ver, err := c.Add(caps.SHA1, info); err != nil {
			return
		} else if ver != want {
			t.Fatalf("Add = %s; want %s", ver, want)
		}
		for hash, again := range c.All() {
			got, err := caps.Ver(again, hash)
			if err != nil || got != want {
				t.Errorf("%s is kept as %+v, with %s, %v", in, again, got, err)
			}
		}
	})
}
