package portable_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/portable"
	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/delay"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

var (
	capulet = jid.MustParse("capulet.example")
	juliet  = jid.MustParse("juliet@capulet.example")
	romeo   = jid.MustParse("romeo@montague.example")
)

// served is whether the tests' server serves a domain.
func served(d jid.JID) bool { return d == capulet || d == romeo.Domain() }

// pieces are those of a file, as they come over a socket.
func pieces(t *testing.T, all iter.Seq2[portable.Piece, error]) (list []portable.Piece) {
	t.Helper()
	for p, err := range all {
		require.NoError(t, err)
		b, err := json.Marshal(p)
		require.NoError(t, err)
		var q portable.Piece
		require.NoError(t, json.Unmarshal(b, &q))
		list = append(list, q)
	}
	return list
}

// read imports a file.
func read(t *testing.T, s storage.Stores, file string) *portable.Report {
	t.Helper()
	r, err := (&portable.Importer{Stores: s, Serves: served}).Apply(t.Context(), pieces(t, portable.Read(strings.NewReader(file), nil)))
	require.NoError(t, err)
	return r
}

func export(t *testing.T, s storage.Stores) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, portable.Export(t.Context(), &b, s, []jid.JID{capulet, romeo.Domain()}))
	return b.String()
}

// people fills stores with all there is.
func people(t *testing.T) storage.Stores {
	t.Helper()
	ctx, s := t.Context(), memory.New()
	for n, addr := range []jid.JID{juliet, romeo, jid.MustParse("nurse@capulet.example")} {
		a := storage.Account{ID: storage.AccountID(fmt.Sprint(n)), Addr: addr, Disabled: n == 2}
		for _, h := range []sasl.Hash{sasl.SHA512, sasl.SHA256, sasl.SHA1} {
			secrets, err := sasl.NewSecrets(h, "password of "+addr.Localpart(), sasl.MinIterations)
			require.NoError(t, err)
			a.Secrets = append(a.Secrets, secrets)
		}
		require.NoError(t, s.Accounts.Create(ctx, a))
	}
	for n, c := range []storage.Contact{
		{JID: romeo, Name: "Romeo <&>'", Groups: []string{"Friends", "Enemies"}, Subscription: storage.To | storage.From, Listed: true},
		{JID: jid.MustParse("tybalt@capulet.example"), Subscription: storage.To | storage.PendingIn, Listed: true, Request: []byte("<presence from='tybalt@capulet.example' to='juliet@capulet.example' type='subscribe'><nick xmlns='http://jabber.org/protocol/nick'>Prince of Cats</nick></presence>")},
		{JID: jid.MustParse("paris@verona.example"), Subscription: storage.PendingIn, Request: []byte("<presence from='paris@verona.example' to='juliet@capulet.example' type='subscribe'/>")},
		{JID: jid.MustParse("friar@verona.example"), Subscription: storage.PendingOut, Approved: true, Listed: true},
		{JID: jid.MustParse("benvolio@montague.example"), Subscription: storage.From | storage.PendingOut, Listed: true},
		{JID: jid.MustParse("mercutio@verona.example"), Listed: true},
	} {
		_, err := s.Rosters.Update(ctx, "0", c.JID, storage.RosterLimits{}, func(storage.Contact) (storage.Contact, error) { return c, nil })
		require.NoError(t, err, n)
	}
	then := time.Date(1591, 7, 21, 0, 32, 29, 0, time.UTC)
	for n := range 250 {
		b, err := stanza.Message{From: romeo, To: juliet, Type: stanza.MessageChat, ID: fmt.Sprint(n), Body: stanza.Plain("]]> <b>&amp;</b> 🌹"), Payloads: stanza.Payloads{delay.Delay{From: capulet, Stamp: then}}}.AppendXML(nil)
		require.NoError(t, err)
		_, err = s.Offline.Add(ctx, "0", storage.OfflineLimits{}, storage.OfflineMessage{Stored: then, Stanza: b})
		require.NoError(t, err)
	}
	set := func(owner storage.AccountID, kind, name, data string) {
		require.NoError(t, s.Documents.Set(ctx, owner, kind, name, []byte(data), storage.DocumentLimits{}))
	}
	set("0", "vcard", "", "<vCard xmlns='vcard-temp'><FN>Juliet Capulet</FN><X xmlns='urn:x' a:b='c' xmlns:a='urn:a'>  </X></vCard>")
	set("0", "private", "exodus exodus:prefs", "<exodus xmlns='exodus:prefs'><defaultnick>Jule</defaultnick></exodus>")
	set("0", "private", "include http://www.w3.org/2001/XInclude", "<include xmlns='http://www.w3.org/2001/XInclude' href='/etc/passwd'/>")
	set("0", "last", "", "not for others")
	require.NoError(t, s.Blocklists.Add(ctx, "0", 0, jid.MustParse("spam.example"), jid.MustParse("paris@verona.example/phone")))
	return s
}

// What one server writes another one reads, and writes again as it was. Read again, nothing changes.
func TestXEP0227_4_RoundTrip(t *testing.T) {
	from, to := people(t), memory.New()
	file := export(t, from)
	r := read(t, to, file)
	require.Empty(t, r.Skips())
	require.Equal(t, map[portable.Kind]int{
		portable.Account: 3, portable.Credentials: 3, portable.Contact: 5, portable.Request: 2, portable.Message: 250,
		portable.Private: 2, portable.VCard: 1, portable.Blocked: 2,
	}, r.Kept)
	require.Empty(t, r.Unchanged)
	require.Equal(t, canonical(file), canonical(export(t, to)))

	a, err := to.Accounts.Get(t.Context(), juliet)
	require.NoError(t, err)
	require.Len(t, a.Secrets, 3)
	for _, s := range a.Secrets {
		require.True(t, s.Verify("password of juliet"))
	}
	b, err := from.Accounts.Get(t.Context(), juliet)
	require.NoError(t, err)
	require.Equal(t, all(t, from, b.ID), all(t, to, a.ID))
	require.NotEqual(t, a.ID, b.ID)

	for _, s := range []storage.Stores{to, from} {
		before := export(t, s)
		again := read(t, s, file)
		require.Empty(t, again.Kept)
		require.Empty(t, again.Skips())
		require.Equal(t, r.Kept, again.Unchanged)
		require.Equal(t, before, export(t, s))
	}
}

// canonical orders the attributes that a reader of XML may order.
func canonical(file string) string {
	return strings.NewReplacer(
		"a:b='c' xmlns:a='urn:a'", "xmlns:a='urn:a' a:b='c'",
		"from='tybalt@capulet.example' to='juliet@capulet.example' type='subscribe'", "type='subscribe' to='juliet@capulet.example' from='tybalt@capulet.example'",
		"from='paris@verona.example' to='juliet@capulet.example' type='subscribe'", "type='subscribe' to='juliet@capulet.example' from='paris@verona.example'",
	).Replace(file)
}

// all is what stores have of an account but what only their versions differ in.
func all(t *testing.T, s storage.Stores, id storage.AccountID) (list []any) {
	ctx := t.Context()
	contacts, err := s.Rosters.List(ctx, id, jid.JID{}, 100)
	require.NoError(t, err)
	for _, c := range contacts {
		c.Version, c.Request = 0, []byte(canonical(string(c.Request)))
		list = append(list, c)
	}
	messages, err := s.Offline.List(ctx, id, 0, 1000)
	require.NoError(t, err)
	for _, m := range messages {
		list = append(list, m.Stored.UTC(), string(m.Stanza))
	}
	for _, name := range []string{"exodus exodus:prefs", "include http://www.w3.org/2001/XInclude"} {
		b, err := s.Documents.Get(ctx, id, "private", name)
		require.NoError(t, err)
		list = append(list, string(b))
	}
	return list
}

// What was delivered since the last time does not come again, nor what is the account's own by now.
func TestReadAgain(t *testing.T) {
	s, ctx := memory.New(), t.Context()
	file := export(t, people(t))
	read(t, s, file)
	a, err := s.Accounts.Get(ctx, juliet)
	require.NoError(t, err)
	require.NoError(t, s.Offline.DeleteAll(ctx, a.ID))
	require.NoError(t, s.Documents.Set(ctx, a.ID, "vcard", "", []byte("<vCard xmlns='vcard-temp'><FN>J.</FN></vCard>"), storage.DocumentLimits{}))
	other, err := sasl.NewSecrets(sasl.SHA256, "another", sasl.MinIterations)
	require.NoError(t, err)
	require.NoError(t, s.Accounts.SetSecrets(ctx, a.ID, []sasl.Secrets{other}))
	_, err = s.Rosters.Update(ctx, a.ID, romeo, storage.RosterLimits{}, func(c storage.Contact) (storage.Contact, error) {
		c.Name = "Love"
		return c, nil
	})
	require.NoError(t, err)
	nurse, err := s.Accounts.Get(ctx, jid.MustParse("nurse@capulet.example"))
	require.NoError(t, err)
	require.True(t, nurse.Disabled)
	require.NoError(t, s.Accounts.SetDisabled(ctx, nurse.ID, false))

	r := read(t, s, file)
	require.Empty(t, r.Kept)
	require.Equal(t, 250, r.Unchanged[portable.Message])
	require.Equal(t, []portable.Skip{
		{Addr: juliet, What: "the contact romeo@montague.example", Why: "there is another one already"},
		{Addr: juliet, What: "the vCard", Why: "there is another one already"},
	}, r.Skips())
	a, err = s.Accounts.Get(ctx, juliet)
	require.NoError(t, err)
	require.Equal(t, []sasl.Secrets{other}, a.Secrets)
	nurse, err = s.Accounts.Get(ctx, nurse.Addr)
	require.NoError(t, err)
	require.False(t, nurse.Disabled)
}

// An import that is cut off anywhere is complete when it was done again.
func TestCutOff(t *testing.T) {
	file := export(t, people(t))
	list := pieces(t, portable.Read(strings.NewReader(file), nil))
	for cut := 0; cut < len(list); cut += 29 {
		s := memory.New()
		_, err := (&portable.Importer{Stores: s, Serves: served}).Apply(t.Context(), list[:cut])
		require.NoError(t, err)
		for at := 0; at < len(list); at += 50 { // in parts, each by another
			_, err := (&portable.Importer{Stores: s, Serves: served}).Apply(t.Context(), list[at:min(at+50, len(list))])
			require.NoError(t, err)
		}
		require.Equal(t, canonical(file), canonical(export(t, s)), cut)
	}
}

// The examples of XEP-0227, with what this server does not keep told.
func TestXEP0227_4_Examples(t *testing.T) {
	const file = `<?xml version='1.0' encoding='UTF-8'?>
<!-- from elsewhere -->
<p:server-data xmlns:p='urn:xmpp:pie:0'>
  <p:host jid='capulet.example'>
    <p:user name='juliet' password='R0m30'>
      <p:offline-messages>
        <message xmlns='jabber:client' from='romeo@montague.example/orchard' to='juliet@capulet.example/balcony' type='chat'>
          <body><![CDATA[Neither, fair saint, <if> either thee dislike.]]></body>
          <delay xmlns='urn:xmpp:delay' from='capulet.example' stamp='1469-07-21T00:32:29Z'>Offline Storage</delay>
        </message>
        <message xmlns='jabber:client' from='romeo@montague.example/orchard' to='paris@verona.example'/>
      </p:offline-messages>
      <query xmlns='jabber:iq:roster'>
        <item jid='romeo@montague.example' name='Romeo' subscription='both'><group>Friends</group></item>
        <item jid='a@b@c' subscription='both'/>
        <item jid='friar@verona.example' subscription='remove'/>
      </query>
      <query xmlns='jabber:iq:private'><e:exodus xmlns:e='exodus:prefs'><e:defaultnick>Jule</e:defaultnick></e:exodus></query>
      <query xmlns='jabber:iq:privacy'><default name='public'/></query>
      <vCard xmlns='vcard-temp'><FN>Juliet Capulet</FN></vCard>
      <presence xmlns='jabber:client' type='subscribe' id='xk3h1v69' from='romeo@montague.example'><nick xmlns='http://jabber.org/protocol/nick'>Romeo</nick></presence>
      <presence xmlns='jabber:client' type='subscribe' from='mercutio@montague.example/phone'/>
      <pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:bookmarks:1'/></pubsub>
      <archive xmlns='urn:xmpp:pie:0#mam'/>
    </p:user>
    <p:user name='romeo'>
      <scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'>
        <iter-count>100000</iter-count>
        <salt>TmFDbE5hQ2xOYUNsTmFDbE5hQ2xOYUNsTmFDbE5hQ2xOYUNsTmFDbE5hQ2wK</salt>
        <server-key>0pXWGK0GZJ6TR73AIUN3ITYtA1g=</server-key>
        <stored-key>Q6qT/SbybblGCZz8e8eSfCJOQic=</stored-key>
      </scram-credentials>
      <scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'>
        <iter-count>100000</iter-count><salt>TmFD</salt><server-key>0pXWGK0GZJ6TR73AIUN3ITYtA1g=</server-key><stored-key>Q6qT/SbybblGCZz8e8eSfCJOQic=</stored-key>
      </scram-credentials>
      <scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA3-512'/>
      <scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-256'>
        <iter-count>1</iter-count><salt>TmFD</salt><server-key>0pXWGK0GZJ6TR73AIUN3ITYtA1g=</server-key><stored-key>Q6qT/SbybblGCZz8e8eSfCJOQic=</stored-key>
      </scram-credentials>
    </p:user>
    <p:user name='a b'/>
    <p:user name='nobody'/>
  </p:host>
  <p:host jid='verona.example'><p:user name='escalus'><vCard xmlns='vcard-temp'/></p:user><p:user name='paris'/></p:host>
  <p:host jid='juliet@capulet.example'/>
</p:server-data>`
	s := memory.New()
	r := read(t, s, file)
	var skips []string
	for _, k := range r.Skips() {
		skips = append(skips, fmt.Sprintf("%d %s: %s: %s", r.Skipped[k], k.Addr, k.What, k.Why))
	}
	require.Equal(t, []string{
		"1 : <host/> of urn:xmpp:pie:0: \"juliet@capulet.example\" is no domain",
		"1 capulet.example: <user/> of urn:xmpp:pie:0: \"a b\" is no name of an account",
		"1 capulet.example: credentials for SCRAM-SHA-256: the file has none: leave the mechanism out of mechanisms, or clients that prefer it cannot log in",
		"1 capulet.example: credentials for SCRAM-SHA-512: the file has none: leave the mechanism out of mechanisms, or clients that prefer it cannot log in",
		"1 juliet@capulet.example: <archive/> of urn:xmpp:pie:0#mam: this program does not know it",
		"1 juliet@capulet.example: <pubsub/> of http://jabber.org/protocol/pubsub: this program does not know it",
		"1 juliet@capulet.example: <query/> of jabber:iq:privacy: this program does not know it",
		"1 juliet@capulet.example: the contact a@b@c: bad-request: the item has no valid address",
		"1 juliet@capulet.example: the contact friar@verona.example: the subscription makes no sense",
		"1 juliet@capulet.example: the message romeo@montague.example/orchard: it is for somebody else",
		"1 nobody@capulet.example: the credentials: there are none that this program knows: set a password with xmppd user passwd",
		"1 romeo@capulet.example: credentials for SCRAM-SHA-1: there are two",
		"1 romeo@capulet.example: credentials for SCRAM-SHA-256: a key is of the wrong length",
		"1 romeo@capulet.example: credentials for SCRAM-SHA3-512: this program does not know the mechanism",
		"2 verona.example: an account: the domain is not served here: add a [[host]] for it",
	}, skips)
	require.Equal(t, map[portable.Kind]int{
		portable.Account: 3, portable.Credentials: 2, portable.Contact: 1, portable.Request: 1, portable.Message: 1, portable.Private: 1, portable.VCard: 1,
	}, r.Kept)
	require.Equal(t, map[portable.Kind]int{portable.Request: 1}, r.Unchanged, "romeo sees her already")

	a, err := s.Accounts.Get(t.Context(), juliet)
	require.NoError(t, err)
	require.Len(t, a.Secrets, 3)
	require.True(t, a.Secrets[1].Verify("R0m30"))
	m, err := s.Offline.List(t.Context(), a.ID, 0, 10)
	require.NoError(t, err)
	require.Len(t, m, 1)
	require.Equal(t, "1469-07-21T00:32:29Z", m[0].Stored.UTC().Format(time.RFC3339))
	st, err := stanza.Parse(m[0].Stanza)
	require.NoError(t, err)
	msg, err := st.Message()
	require.NoError(t, err)
	require.Equal(t, "Neither, fair saint, <if> either thee dislike.", msg.Body.String())
	b, err := s.Documents.Get(t.Context(), a.ID, "private", "exodus exodus:prefs")
	require.NoError(t, err)
	require.Equal(t, "<exodus xmlns='exodus:prefs'><defaultnick>Jule</defaultnick></exodus>", string(b))
	c, err := s.Rosters.Get(t.Context(), a.ID, jid.MustParse("mercutio@montague.example"))
	require.NoError(t, err)
	require.Equal(t, storage.PendingIn, c.Subscription)
	require.Equal(t, "<presence type='subscribe' to='juliet@capulet.example' from='mercutio@montague.example'/>", string(c.Request))
}

// One file for all, one for each host, one for each user; never what is in the data of a user.
func TestXEP0227_5_Includes(t *testing.T) {
	files := map[string]string{
		"capulet.example.xml":             `<host xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude' jid='capulet.example'><xi:include href='capulet.example/juliet.xml'/></host>`,
		"capulet.example/juliet.xml":      `<user xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude' name='juliet' password='p'><xi:include href='./juliet%20card.xml'/></user>`,
		"capulet.example/juliet card.xml": `<vCard xmlns='vcard-temp'><xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='x'/></vCard>`,
		"bad.xml":                         "<host xmlns='urn:xmpp:pie:0' jid='capulet.example'>\n</hots>",
		"empty.xml":                       "",
	}
	open := func(name string) (io.ReadCloser, error) {
		text, ok := files[name]
		if !ok {
			return nil, fmt.Errorf("open %s", name)
		}
		return io.NopCloser(strings.NewReader(text)), nil
	}
	with := func(include string) string {
		return "<server-data xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude'>\n" + include + "</server-data>"
	}
	list := pieces(t, portable.Read(strings.NewReader(with("<xi:include href='capulet.example.xml'/>")), open))
	require.Len(t, list, 3)
	require.Equal(t, portable.Piece{Kind: portable.VCard, Addr: juliet, XML: "<vCard xmlns='vcard-temp'><include xmlns='http://www.w3.org/2001/XInclude' href='x'/></vCard>"}, list[1])
	require.Equal(t, "p", list[2].Password)

	for _, href := range []string{"href='/etc/passwd'", "href='file:///etc/passwd'", "href='//host/x'", "", "href='capulet.example.xml' parse='text'", "href='capulet.example.xml' xpointer='x'"} {
		list := pieces(t, portable.Read(strings.NewReader(with("<xi:include "+href+"/>")), open))
		require.Len(t, list, 1, href)
		require.Equal(t, portable.Unknown, list[0].Kind, href)
	}
	for include, want := range map[string]string{
		"<xi:include href='none.xml'/>":  "line 2: open none.xml",
		"<xi:include href='bad.xml'/>":   "bad.xml, line 2: element <host> closed by </hots>",
		"<xi:include href='empty.xml'/>": "empty.xml, line 1: unexpected EOF",
		"<host":                          "line 2: expected attribute name in element",
	} {
		require.EqualError(t, last(portable.Read(strings.NewReader(with(include)), open)), want, include)
	}
	require.ErrorContains(t, last(portable.Read(strings.NewReader("<html/>"), nil)), "this is no file of XEP-0227: it begins with <html/>")
}

// last is the error that comes last.
func last(all iter.Seq2[portable.Piece, error]) (err error) {
	for _, err = range all {
	}
	return err
}

// An archive of a gigabyte is read without being held, and who has enough stops.
func TestStreaming(t *testing.T) {
	message := "<message xmlns='jabber:client' to='juliet@capulet.example'><body>" + strings.Repeat("x", 1000) + "</body></message>"
	endless := io.MultiReader(strings.NewReader("<server-data xmlns='urn:xmpp:pie:0'><host jid='capulet.example'><user name='juliet'><offline-messages>"), &repeat{text: message})
	n := 0
	for p, err := range portable.Read(endless, nil) {
		require.NoError(t, err)
		if p.Kind == portable.Message {
			if n++; n == 10_000 {
				break
			}
		}
	}
	require.Equal(t, 10_000, n)
}

// A repeat repeats itself.
type repeat struct {
	text string
	at   int
}

func (r *repeat) Read(b []byte) (int, error) {
	n := copy(b, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	return n, nil
}

// A store that fails stops an import, and an export is not complete without saying so.
func TestFaults(t *testing.T) {
	s, broken := people(t), errors.New("the disk is full")
	file := export(t, s)
	bad := memory.New()
	bad.Documents = failing{bad.Documents, broken}
	_, err := (&portable.Importer{Stores: bad, Serves: served}).Apply(t.Context(), pieces(t, portable.Read(strings.NewReader(file), nil)))
	require.ErrorIs(t, err, broken)
	s.Documents = failing{s.Documents, broken}
	require.ErrorIs(t, portable.Export(t.Context(), io.Discard, s, []jid.JID{capulet}), broken)
	require.ErrorIs(t, portable.Export(t.Context(), full{broken}, people(t), []jid.JID{capulet}), broken)
}

type failing struct {
	storage.Documents
	err error
}

func (f failing) Get(context.Context, storage.AccountID, string, string) ([]byte, error) {
	return nil, f.err
}

type full struct{ err error }

func (f full) Write([]byte) (int, error) { return 0, f.err }

// Whatever a file holds, what was read of it can be imported, and what was imported is exported as XML that reads as the same.
func FuzzRead(f *testing.F) {
	f.Add([]byte("<server-data xmlns='urn:xmpp:pie:0'><host jid='capulet.example'><user name='juliet' password='x'><offline-messages><message xmlns='jabber:client'><a:b xmlns:a='urn:x' a:c='d'/></message></offline-messages><query xmlns='jabber:iq:roster'><item jid='a@b' ask='subscribe'/></query><query xmlns='jabber:iq:private'><x xmlns='y'/></query><vCard xmlns='vcard-temp'/><blocklist xmlns='urn:xmpp:blocking'><item jid='z'/></blocklist></user></host></server-data>"))
	f.Fuzz(func(t *testing.T, file []byte) {
		var list []portable.Piece
		for p, err := range portable.Read(bytes.NewReader(file), nil) {
			if err == nil && p.Password == "" {
				list = append(list, p)
			}
		}
		s := memory.New()
		r, err := (&portable.Importer{Stores: s, Serves: func(jid.JID) bool { return true }}).Apply(t.Context(), list)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Kept) == 0 {
			return
		}
		domains := []jid.JID{list[0].Addr.Domain()}
		var b strings.Builder
		if err := portable.Export(t.Context(), &b, s, domains); err != nil {
			t.Fatal(err)
		}
		again := memory.New()
		list = nil
		for p, err := range portable.Read(strings.NewReader(b.String()), nil) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, p)
		}
		if _, err := (&portable.Importer{Stores: again, Serves: func(jid.JID) bool { return true }}).Apply(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		var c strings.Builder
		if err := portable.Export(t.Context(), &c, again, domains); err != nil || c.String() != b.String() {
			t.Fatalf("%v\n%s\n%s", err, &b, &c)
		}
	})
}
