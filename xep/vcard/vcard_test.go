package vcard_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/vcard"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

func card(content string) string { return "<vCard xmlns='vcard-temp'>" + content + "</vCard>" }

func element(t testing.TB, s string) stanza.Element {
	t.Helper()
	e, err := stanza.ParseElement([]byte(s))
	require.NoError(t, err)
	return e
}

// example is that of §3.1.
const example = `
    <FN>Peter Saint-Andre</FN>
    <N>
      <FAMILY>Saint-Andre</FAMILY>
      <GIVEN>Peter</GIVEN>
      <MIDDLE/>
    </N>
    <NICKNAME>stpeter</NICKNAME>
    <URL>http://www.xmpp.org/xsf/people/stpeter.shtml</URL>
    <BDAY>1966-08-06</BDAY>
    <ORG>
      <ORGNAME>XMPP Standards Foundation</ORGNAME>
      <ORGUNIT/>
    </ORG>
    <TITLE>Executive Director</TITLE>
    <ROLE>Patron Saint</ROLE>
    <TEL><WORK/><VOICE/><NUMBER>303-308-3282</NUMBER></TEL>
    <TEL><WORK/><FAX/><NUMBER/></TEL>
    <ADR>
      <WORK/>
      <EXTADD>Suite 600</EXTADD>
      <STREET>1899 Wynkoop Street</STREET>
      <LOCALITY>Denver</LOCALITY>
      <REGION>CO</REGION>
      <PCODE>80202</PCODE>
      <CTRY>USA</CTRY>
    </ADR>
    <ADR>
      <HOME/>
      <EXTADD/>
      <STREET/>
      <LOCALITY>Denver</LOCALITY>
    </ADR>
    <EMAIL><INTERNET/><PREF/><USERID>stpeter@jabber.org</USERID></EMAIL>
    <JABBERID>stpeter@jabber.org</JABBERID>
    <DESC>Check out my blog at https://stpeter.im/</DESC>
`

// What a vCard may hold is read, and written again; what is not known goes along.
func TestXEP0054_3_1_VCard(t *testing.T) {
	others := func(s ...string) (all []stanza.Element) {
		for _, s := range s {
			e := element(t, card(s)).First()
			all = append(all, e)
		}
		return all
	}
	for _, tt := range []struct {
		name, in string
		want     vcard.VCard
		again    string // the canonical form; empty means as in
	}{
		{name: "empty", in: "<vCard xmlns='vcard-temp'/>"},
		{
			name: "the example", in: card(example),
			want: vcard.VCard{
				FN: "Peter Saint-Andre", N: vcard.Name{Family: "Saint-Andre", Given: "Peter"}, Nickname: "stpeter",
				URL: "http://www.xmpp.org/xsf/people/stpeter.shtml", BDay: "1966-08-06", Org: vcard.Org{Name: "XMPP Standards Foundation"},
				Title: "Executive Director", Role: "Patron Saint", JabberID: "stpeter@jabber.org", Desc: "Check out my blog at https://stpeter.im/",
				Tel: []vcard.Tel{{Types: []string{"WORK", "VOICE"}, Number: "303-308-3282"}, {Types: []string{"WORK", "FAX"}}},
				Adr: []vcard.Address{
					{Types: []string{"WORK"}, Extended: "Suite 600", Street: "1899 Wynkoop Street", Locality: "Denver", Region: "CO", Code: "80202", Country: "USA"},
					{Types: []string{"HOME"}, Locality: "Denver"},
				},
				Email: []vcard.Email{{Types: []string{"INTERNET", "PREF"}, UserID: "stpeter@jabber.org"}},
			},
			again: card("<FN>Peter Saint-Andre</FN><NICKNAME>stpeter</NICKNAME><BDAY>1966-08-06</BDAY><JABBERID>stpeter@jabber.org</JABBERID>" +
				"<TITLE>Executive Director</TITLE><ROLE>Patron Saint</ROLE><URL>http://www.xmpp.org/xsf/people/stpeter.shtml</URL>" +
				"<DESC>Check out my blog at https://stpeter.im/</DESC><N><FAMILY>Saint-Andre</FAMILY><GIVEN>Peter</GIVEN></N>" +
				"<ADR><WORK/><EXTADD>Suite 600</EXTADD><STREET>1899 Wynkoop Street</STREET><LOCALITY>Denver</LOCALITY><REGION>CO</REGION><PCODE>80202</PCODE><CTRY>USA</CTRY></ADR>" +
				"<ADR><HOME/><LOCALITY>Denver</LOCALITY></ADR><TEL><WORK/><VOICE/><NUMBER>303-308-3282</NUMBER></TEL><TEL><WORK/><FAX/><NUMBER/></TEL>" +
				"<EMAIL><INTERNET/><PREF/><USERID>stpeter@jabber.org</USERID></EMAIL><ORG><ORGNAME>XMPP Standards Foundation</ORGNAME></ORG>"),
		},
		{
			name: "a picture (XEP-0153 §3.1), with white space in it", in: card("<PHOTO><TYPE>image/jpeg</TYPE><BINVAL>\n aGVs\r\n\tbG8=\n</BINVAL></PHOTO>"),
			want:  vcard.VCard{Photo: &vcard.Photo{Data: []byte("hello"), Type: "image/jpeg"}},
			again: card("<PHOTO><TYPE>image/jpeg</TYPE><BINVAL>aGVsbG8=</BINVAL></PHOTO>"),
		},
		{
			name: "a picture elsewhere", in: card("<PHOTO><EXTVAL>https://x.example/</EXTVAL></PHOTO>"),
			want: vcard.VCard{Photo: &vcard.Photo{URI: "https://x.example/"}},
		},
		{name: "no picture", in: card("<PHOTO><TYPE>image/png</TYPE><BINVAL/></PHOTO>"), again: "<vCard xmlns='vcard-temp'/>"},
		{
			name: "pictures that cannot be read, and a second one", in: card("<PHOTO><BINVAL>!</BINVAL></PHOTO><PHOTO><x xmlns='urn:x'/></PHOTO><PHOTO><BINVAL>aGk=</BINVAL></PHOTO><PHOTO><BINVAL>aG8=</BINVAL></PHOTO>"),
			want: vcard.VCard{Photo: &vcard.Photo{Data: []byte("hi")},
				Others: others("<PHOTO><BINVAL>!</BINVAL></PHOTO>", "<PHOTO><x xmlns='urn:x'/></PHOTO>", "<PHOTO><BINVAL>aG8=</BINVAL></PHOTO>")},
			again: card("<PHOTO><BINVAL>aGk=</BINVAL></PHOTO><PHOTO><BINVAL>!</BINVAL></PHOTO><PHOTO><x xmlns='urn:x'/></PHOTO><PHOTO><BINVAL>aG8=</BINVAL></PHOTO>"),
		},
		{
			name: "what nobody knows", in: "<vCard xmlns='vcard-temp' version='3.0'><FN>x</FN><N><GIVEN>y</GIVEN><x xmlns='urn:x'>z</x></N><TEL><HOME/><TTY/><NUMBER>1</NUMBER><NUMBER>2</NUMBER></TEL>" +
				"<ORG><ORGNAME>o</ORGNAME><ORGUNIT>a</ORGUNIT><ORGUNIT>b</ORGUNIT><x xmlns='urn:x'/></ORG><FN>second</FN><KEY><CRED>k</CRED></KEY><x xmlns='urn:x'/></vCard>",
			want: vcard.VCard{
				FN: "x", Version: "3.0", N: vcard.Name{Given: "y", Others: others("<x xmlns='urn:x'>z</x>")},
				Tel:    []vcard.Tel{{Types: []string{"HOME", "TTY"}, Number: "1", Others: others("<NUMBER>2</NUMBER>")}},
				Org:    vcard.Org{Name: "o", Units: []string{"a", "b"}, Others: others("<x xmlns='urn:x'/>")},
				Others: others("<FN>second</FN>", "<KEY><CRED>k</CRED></KEY>", "<x xmlns='urn:x'/>"),
			},
		},
		{
			name: "a number and an address where they must not be (§8)", in: card("<TEL><HOME/> 303 </TEL><EMAIL>a@b</EMAIL>"),
			want:  vcard.VCard{Tel: []vcard.Tel{{Types: []string{"HOME"}, Number: "303"}}, Email: []vcard.Email{{UserID: "a@b"}}},
			again: card("<TEL><HOME/><NUMBER>303</NUMBER></TEL><EMAIL><USERID>a@b</USERID></EMAIL>"),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got, twice vcard.VCard
			require.NoError(t, element(t, tt.in).Decode(&got))
			out, err := got.AppendXML(nil)
			require.NoError(t, err)
			bare := func(s string) string { return strings.ReplaceAll(s, " xmlns='vcard-temp'", "") } // where it is said again
			require.Equal(t, bare(cmp.Or(tt.again, tt.in)), bare(string(out)))
			require.Equal(t, len(tt.want.Others), len(got.Others))
			want, err := tt.want.AppendXML(nil)
			require.NoError(t, err)
			require.Equal(t, string(want), string(out))
			require.Equal(t, tt.want.Photo, got.Photo)
			require.NoError(t, element(t, string(out)).Decode(&twice))
			require.Equal(t, string(out) == "<vCard xmlns='vcard-temp'/>", twice.IsEmpty())
		})
	}
}

// What XML cannot carry is not sent.
func TestVCardThatCannotBeSent(t *testing.T) {
	for _, v := range []vcard.VCard{{FN: "\x00"}, {Tel: []vcard.Tel{{Types: []string{"<"}}}}, {Photo: &vcard.Photo{URI: "\xff"}}} {
		if b, err := v.AppendXML([]byte("x")); err == nil || string(b) != "x" {
			t.Errorf("AppendXML(%+v) = %q, %v; want x and an error", v, b, err)
		}
	}
	for _, u := range []vcard.Update{{Hash: "x"}, {Known: true, Hash: "01b87fcd030b72895ff8e88db57ec525450f000"}} {
		if b, err := u.AppendXML([]byte("x")); err == nil || string(b) != "x" {
			t.Errorf("AppendXML(%+v) = %q, %v; want x and an error", u, b, err)
		}
	}
}

// XEP-0153 §3.1, §4.1: what presence says.
func TestXEP0153_4_1_Update(t *testing.T) {
	const hash = "01b87fcd030b72895ff8e88db57ec525450f000d"
	x := func(s string) string { return "<x xmlns='vcard-temp:x:update'>" + s + "</x>" }
	for _, tt := range []struct {
		in    string
		want  vcard.Update
		again string
	}{
		{in: x("<photo>" + hash + "</photo>"), want: vcard.Update{Known: true, Hash: hash}},
		{in: x("<photo> 01B87FCD030B72895FF8E88DB57EC525450F000D\n</photo>"), want: vcard.Update{Known: true, Hash: hash}, again: x("<photo>" + hash + "</photo>")},
		{in: "<x xmlns='vcard-temp:x:update'/>"},
		{in: x("<photo/>"), want: vcard.Update{Known: true}},
		{in: x("<photo>sha1</photo>"), again: "<x xmlns='vcard-temp:x:update'/>"},
		{in: x("<photo>01b87f</photo>"), again: "<x xmlns='vcard-temp:x:update'/>"},
		{in: x("<photo xmlns='urn:x'/>"), again: "<x xmlns='vcard-temp:x:update'/>"},
	} {
		var u vcard.Update
		require.NoError(t, element(t, tt.in).Decode(&u))
		require.Equal(t, tt.want, u, tt.in)
		out, err := u.AppendXML(nil)
		require.NoError(t, err)
		require.Equal(t, cmp.Or(tt.again, tt.in), string(out))
	}
}

// XEP-0153 §5: what a picture is, its bytes say.
func TestXEP0153_5_MediaType(t *testing.T) {
	for _, tt := range []struct {
		photo *vcard.Photo
		typ   string
	}{
		{},
		{photo: new(vcard.Photo)},
		{photo: &vcard.Photo{Data: []byte("\x89PNG\r\n\x1a\n..."), Type: "image/gif"}, typ: "image/png"},
		{photo: &vcard.Photo{Data: []byte("GIF89a")}, typ: "image/gif"},
		{photo: &vcard.Photo{Data: []byte("\xff\xd8\xff\xe0")}, typ: "image/jpeg"},
		{photo: &vcard.Photo{Data: []byte("<svg/>"), Type: "image/svg+xml"}},
	} {
		if got := tt.photo.MediaType(); got != tt.typ {
			t.Errorf("%+v is %q; want %q", tt.photo, got, tt.typ)
		}
	}
	require.Equal(t, "a9993e364706816aba3e25717850c26c9cd0d89d", (&vcard.Photo{Data: []byte("abc")}).Hash(), "RFC 3174 §7.3")
	require.Empty(t, (&vcard.Photo{URI: "x"}).Hash())
	require.Empty(t, (*vcard.Photo)(nil).Hash())
}

// The calls of a client, as a server sees them.
func TestXEP0054_3_Transcripts(t *testing.T) {
	xmpptest.Play(t, "testdata/calls/*.xmpp", func(ctx context.Context, s xmpp.Session) error {
		v, err := vcard.Get(ctx, s, jid.JID{})
		if err != nil || !v.IsEmpty() {
			return fmt.Errorf("to have none: %w", err)
		}
		if err := vcard.Change(ctx, s, func(v *vcard.VCard) { v.Nickname = "stpeter" }); err != nil {
			return err
		}
		if v, err = vcard.Get(ctx, s, jid.MustParse("jer@jabber.org")); err != nil || v.FN != "JeremieMiller" || v.Email[0].UserID != "jeremie@jabber.org" {
			return fmt.Errorf("%+v, %w", v, err)
		}
		for _, who := range []string{"nobody@jabber.org", "old@jabber.org"} {
			if _, err = vcard.Get(ctx, s, jid.MustParse(who)); !errors.Is(err, vcard.ErrNone) {
				return fmt.Errorf("%s: %w", who, err)
			}
		}
		if err := vcard.Change(ctx, s, func(*vcard.VCard) {}); errors.Is(err, vcard.ErrNone) || !errors.Is(err, stanza.ServiceUnavailable) {
			return fmt.Errorf("a server without vCards: %w", err)
		}
		if err := vcard.Set(ctx, s, vcard.VCard{}); !errors.Is(err, stanza.PolicyViolation) {
			return err
		}
		return nil
	})
}

// FuzzVCard reads anything as a vCard. What was read is written, and reads back as the same.
func FuzzVCard(f *testing.F) {
	f.Add([]byte(card(example)))
	f.Add([]byte(card("<PHOTO><TYPE>image/png</TYPE><BINVAL> aGk= </BINVAL><EXTVAL>u</EXTVAL><x xmlns=''/></PHOTO><PHOTO/><FN><x/></FN><FN/><FN>y</FN>")))
	f.Add([]byte(card("<TEL>1<NUMBER/><NUMBER><x/></NUMBER><PREF a='b'/></TEL><EMAIL/><N><GIVEN>&lt;</GIVEN></N><N/><ORG/><ORG><ORGUNIT/><ORGUNIT>u</ORGUNIT></ORG>")))
	f.Fuzz(func(t *testing.T, b []byte) {
		read, again := xmpptest.RoundTrip[vcard.VCard](t, string(b))
		if read == nil {
			return
		}
		require.NotNil(t, again, "what was read cannot be written")
		if read.IsEmpty() != again.IsEmpty() || read.FN != again.FN || read.Photo.Hash() != again.Photo.Hash() {
			t.Errorf("%+v reads back as %+v", read, again)
		}
		_ = read.Photo.MediaType()
	})
}

// FuzzUpdate reads anything as an update.
func FuzzUpdate(f *testing.F) {
	f.Add([]byte("<x xmlns='vcard-temp:x:update'><photo>01b87fcd030b72895ff8e88db57ec525450f000d</photo></x>"))
	f.Add([]byte("<x xmlns='vcard-temp:x:update'><photo/></x>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		read, again := xmpptest.RoundTrip[vcard.Update](t, string(b))
		require.Equal(t, read, again)
	})
}
