package caps_test

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/caps"
	"github.com/parlance-xmpp/xmpp/xep/disco"
)

// A world is a session of juliet's in which entities answer questions, and how often each was asked.
type world struct {
	xmpp.Session
	features stanza.Element

	mu     sync.Mutex // guards the fields below
	says   map[string]string
	asked  map[string]int
	nodes  []string        // that were asked about
	silent map[string]bool // who never answers
}

func newWorld() *world {
	return &world{says: map[string]string{}, asked: map[string]int{}, silent: map[string]bool{}}
}

func (*world) LocalAddr() jid.JID         { return jid.MustParse("juliet@capulet.lit/chamber") }
func (*world) RemoteAddr() jid.JID        { return jid.MustParse("capulet.lit") }
func (w *world) Features() stanza.Element { return w.features }
func (*world) SendElement(context.Context, stanza.Payload) error {
	panic("nothing is sent")
}

func (w *world) Query(ctx context.Context, iq stanza.IQ) (stanza.IQ, error) {
	var q disco.Info
	e, err := stanza.ElementOf(iq.Payload)
	if err == nil {
		err = e.Decode(&q)
	}
	if err != nil {
		return stanza.IQ{}, err
	}
	who := iq.To.String()
	w.mu.Lock()
	w.asked[who]++
	w.nodes = append(w.nodes, q.Node)
	says, silent := w.says[who], w.silent[who]
	w.mu.Unlock()
	switch {
	case silent:
		<-ctx.Done()
		return stanza.IQ{}, ctx.Err()
	case says == "":
		return stanza.IQ{}, stanza.ServiceUnavailable
	}
	e, err = stanza.ParseElement([]byte("<query xmlns='http://jabber.org/protocol/disco#info' node='" + q.Node + "'>" + says + "</query>"))
	return stanza.IQ{Type: stanza.IQResult, Payload: e}, err
}

func (w *world) questions() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.asked)
}

const (
	romeo   = "romeo@montague.lit/orchard"
	nurse   = "nurse@capulet.lit/chamber"
	mallory = "mallory@evil.lit/x"
)

// announced is what a client with a verification string announces.
func announced(ver string) caps.Caps {
	return caps.Caps{Hash: caps.SHA1, Node: "http://code.google.com/p/exodus", Ver: ver}
}

func (w *world) ask(c *caps.Cache, who, ver string) (disco.Info, error) {
	return c.Ask(context.Background(), w, jid.MustParse(who), announced(ver))
}

const muc = "http://jabber.org/protocol/muc"

// §5.4: a hash is asked for once, whoever announces it.
func TestXEP0115_5_4_AskedOnce(t *testing.T) {
	w, c := newWorld(), caps.NewCache(nil)
	w.says[romeo] = complex
	for _, who := range []string{romeo, nurse, romeo, mallory} {
		info, err := w.ask(c, who, complexVer)
		require.NoError(t, err)
		require.Equal(t, parse(t, complex).Features, info.Features)
		require.Len(t, info.Forms, 1)
		info.Features[0] = "changed" // by the caller, for itself
	}
	require.Equal(t, map[string]int{romeo: 1}, w.questions())
	require.Equal(t, []string{"http://code.google.com/p/exodus#" + complexVer}, w.nodes, "§6.2")
}

// An answer with another hash, or that is ill-formed, is nobody's; the next one who announces the hash is asked.
func TestSec_CapsPoisoning(t *testing.T) {
	poison := map[string]string{
		"another answer":        "<identity category='client' name='Exodus 0.9.1' type='pc'/><feature var='" + muc + "'/>",
		"a feature twice":       simple + "<feature var='" + muc + "'/>",
		"nothing":               "<identity category='client' type='pc'/>",
		"one feature more":      simple + "<feature var='urn:xmpp:poison'/>",
		"one form more":         complex,
		"a form about 2 things": simple + "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>a</value><value>b</value></field></x>",
	}
	for name, says := range poison {
		t.Run(name, func(t *testing.T) {
			w, c := newWorld(), caps.NewCache(nil)
			w.says[mallory], w.says[romeo] = says, simple
			for range 3 {
				_, err := w.ask(c, mallory, simpleVer)
				require.True(t, errors.Is(err, caps.ErrMismatch) || errors.Is(err, caps.ErrIllFormed), "%v", err)
			}
			info, err := w.ask(c, romeo, simpleVer)
			require.NoError(t, err)
			require.Equal(t, parse(t, simple).Features, info.Features)
			require.Equal(t, map[string]int{mallory: 1, romeo: 1}, w.questions())

			// And nothing of what mallory says is believed now, even of mallory.
			info, err = w.ask(c, mallory, simpleVer)
			require.NoError(t, err)
			require.Equal(t, parse(t, simple).Features, info.Features)
		})
	}
}

// §9.3: other answers have the same hash. They hide a feature, or add one, and are good for nobody else.
func TestSec_CapsPoisoningWithTheSameHash(t *testing.T) {
	form := func(about, fields string) string {
		return "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>" + about + "</value></field>" + fields + "</x>"
	}
	value := func(name, value string) string {
		return "<field var='" + name + "'><value>" + value + "</value></field>"
	}
	identity := "<identity category='client' name='Exodus 0.9.1' type='pc'/>"
	for name, tt := range map[string]struct{ honest, poison string }{
		"the last feature as a form": {simple, identity + "<feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>" +
			"<feature var='http://jabber.org/protocol/disco#items'/>" + form(muc, "")},
		"the last two as a form and its field": {simple, identity + "<feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>" +
			form("http://jabber.org/protocol/disco#items", "<field var='"+muc+"'/>")},
		"the last three, with a value": {simple, identity + "<feature var='http://jabber.org/protocol/caps'/>" +
			form("http://jabber.org/protocol/disco#info", "<field var='http://jabber.org/protocol/disco#items'><value>"+muc+"</value></field>")},
		"a field without a colon": {identity + "<feature var='urn:xmpp:ping'/><feature var='vcard-temp'/>", identity + form("urn:xmpp:ping", "<field var='vcard-temp'/>")},
		"all features in a name": {simple, "<identity category='client' type='pc' name='Exodus 0.9.1&lt;http://jabber.org/protocol/caps&lt;" +
			"http://jabber.org/protocol/disco#info&lt;http://jabber.org/protocol/disco#items&lt;http://jabber.org/protocol/muc'/>"},
		"two features in one": {simple, identity + "<feature var='http://jabber.org/protocol/caps&lt;http://jabber.org/protocol/disco#info'/>" +
			"<feature var='http://jabber.org/protocol/disco#items'/><feature var='" + muc + "'/>"},
		"the identity as a feature": {simple, "<feature var='client/pc//Exodus 0.9.1'/>" + features},
		"an identity with another type": {"<identity category='client' type='pc' name='a/b'/>" + features,
			"<identity category='client' type='pc/' xml:lang='a' name='b'/>" + features},
		"a form as a feature": {complex, complexAsFeature},
		"one identity of two as a feature": {complex[:len(complex)-len(softwareInfo)],
			"<identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/><feature var='client/pc/en/Psi 0.11'/>" + features},
		"the last feature as what a form is about, and that as a field": {identity + "<feature var='urn:xmpp:time'/>" + form("urn:a:form", value("x", "y")),
			identity + form("urn:xmpp:time", "<field var='urn:a:form'><value>x</value><value>y</value></field>")},
		"the last feature in what a form is about": {identity + "<feature var='urn:xmpp:time'/>" + form("urn:a:form", value("a", "1")),
			identity + form("urn:xmpp:time&lt;urn:a:form", value("a", "1"))},
		"two fields in the name of one": {identity + "<feature var='urn:xmpp:time'/>" + form("urn:a:form", value("a", "1")+value("b", "2")),
			identity + "<feature var='urn:xmpp:time'/>" + form("urn:a:form", value("a&lt;1&lt;b", "2"))},
		"two fields in the value of one": {identity + "<feature var='urn:xmpp:time'/>" + form("urn:a:form", value("a", "1")+value("b", "2")),
			identity + "<feature var='urn:xmpp:time'/>" + form("urn:a:form", value("a", "1&lt;b&lt;2"))},
		"two fields of one name": {identity + "<feature var='urn:xmpp:time'/>" + form("urn:a:form", "<field var='a'><value>1</value><value>a</value><value>b</value></field>"),
			identity + "<feature var='urn:xmpp:time'/>" + form("urn:a:form", value("a", "1")+value("a", "b"))},
	} {
		t.Run(name, func(t *testing.T) {
			ver, err := caps.Ver(parse(t, tt.honest), caps.SHA1)
			require.NoError(t, err)
			same, err := caps.Ver(parse(t, tt.poison), caps.SHA1)
			require.NoError(t, err)
			require.Equal(t, ver, same, "or this is no attack")

			w, c := newWorld(), caps.NewCache(nil)
			w.says[mallory], w.says[romeo] = tt.poison, tt.honest
			own, err := w.ask(c, mallory, ver)
			require.NoError(t, err)
			require.Equal(t, parse(t, tt.poison).Features, own.Features, "of mallory it may be true")
			info, err := w.ask(c, romeo, ver)
			require.NoError(t, err)
			require.ElementsMatch(t, parse(t, tt.honest).Features, info.Features)
			require.ElementsMatch(t, parse(t, tt.honest).Identities, info.Identities)
			honest := caps.NewCache(nil)
			_, err = honest.Add(caps.SHA1, parse(t, tt.honest))
			require.NoError(t, err)
			for _, want := range honest.All() {
				require.Equal(t, fmt.Sprint(want.Forms), fmt.Sprint(info.Forms))
			}
			_, err = c.Add(caps.SHA1, parse(t, tt.poison))
			require.Error(t, err)
			_, err = w.ask(c, nurse, ver)
			require.NoError(t, err, "romeo's is good for all")
			require.Equal(t, map[string]int{mallory: 1, romeo: 1}, w.questions())
		})
	}
}

// complexAsFeature is complex with what its form is about as a feature, and the rest of it as another form.
const complexAsFeature = "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/><identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>" + features +
	"<feature var='urn:xmpp:dataforms:softwareinfo'/><x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>ip_version</value></field>" +
	"<field var='ipv4'><value>ipv6</value></field><field var='os'><value>Mac</value></field><field var='os_version'><value>10.5.1</value></field>" +
	"<field var='software'><value>Psi</value></field><field var='software_version'><value>0.11</value></field></x>"

// What is not in the hash is not told of others: forms that do not count, names for people, the order.
func TestSec_CapsOutsideOfTheHash(t *testing.T) {
	w, c := newWorld(), caps.NewCache(nil)
	extra := "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE'><value>http://jabber.org/network/serverinfo</value></field><field var='abuse-addresses'><value>xmpp:mallory@evil.lit</value></field></x>"
	labelled := "<x xmlns='jabber:x:data' type='form'><title>Click here</title><instructions>Now</instructions>" + softwareInfo[len("<x xmlns='jabber:x:data' type='result'>"):]
	w.says[mallory] = complex[:len(complex)-len(softwareInfo)] + labelled + extra
	_, err := w.ask(c, mallory, complexVer)
	require.NoError(t, err)
	info, err := w.ask(c, romeo, complexVer)
	require.NoError(t, err)
	require.Len(t, info.Forms, 1)
	require.NotContains(t, info.Forms[0].String(), "Click")
	require.Equal(t, map[string]int{mallory: 1}, w.questions())
}

// §5.4: what cannot be verified is good for one entity, as long as it announces the same.
func TestXEP0115_5_4_UnknownHash(t *testing.T) {
	w, c := newWorld(), caps.NewCache(nil)
	w.says[romeo], w.says[nurse] = simple, complex
	unknown := caps.Caps{Hash: "sha-9", Node: "http://psi-im.org", Ver: "x"}
	for range 2 {
		for who, forms := range map[string]int{romeo: 0, nurse: 1} {
			info, err := c.Ask(t.Context(), w, jid.MustParse(who), unknown)
			require.NoError(t, err)
			require.Len(t, info.Forms, forms)
		}
	}
	require.Equal(t, map[string]int{romeo: 1, nurse: 1}, w.questions())
	// Somebody else may be at the address later, and announce the same.
	mux := muxer.New()
	c.Register(mux)
	gone, err := stanza.Parse([]byte("<presence type='unavailable' from='" + nurse + "'/>"))
	require.NoError(t, err)
	_, err = mux.HandleStanza(xmpp.WithSession(t.Context(), w), gone)
	require.NoError(t, err)
	w.says[nurse] = simple
	info, err := c.Ask(t.Context(), w, jid.MustParse(nurse), unknown)
	require.NoError(t, err)
	require.Empty(t, info.Forms)
	mux.HandleEvent(xmpp.WithSession(t.Context(), w), xmpp.Event{Status: xmpp.Online})
	_, err = c.Ask(t.Context(), w, jid.MustParse(nurse), unknown)
	require.NoError(t, err)
	require.Equal(t, 3, w.questions()[nurse])
	other := unknown
	other.Ver = "y"
	_, err = c.Ask(t.Context(), w, jid.MustParse(romeo), unknown)
	require.NoError(t, err)
	asked := w.questions()[romeo]
	_, err = c.Ask(t.Context(), w, jid.MustParse(romeo), other)
	require.NoError(t, err)
	require.Equal(t, asked+1, w.questions()[romeo])
}

// §5.4: what is ill-formed is nobody's, even with the hash that it would have.
func TestXEP0115_5_4_IllFormedWithItsHash(t *testing.T) {
	w, c := newWorld(), caps.NewCache(nil)
	w.says[mallory] = "<identity category='client' type='pc'/><feature var='urn:x'/><feature var='urn:x'/>"
	sum := sha1.Sum([]byte("client/pc//<urn:x<urn:x<"))
	_, err := w.ask(c, mallory, base64.StdEncoding.EncodeToString(sum[:]))
	require.ErrorIs(t, err, caps.ErrIllFormed)
}

// Many who want to know the same ask one; who does not answer delays the others by three seconds and no more.
func TestSec_CapsDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := newWorld(), caps.NewCache(nil)
		w.says[romeo], w.silent[mallory] = simple, true
		ctx, cancel := context.WithCancel(t.Context())
		var asking sync.WaitGroup
		asking.Go(func() {
			if _, err := c.Ask(ctx, w, jid.MustParse(mallory), announced(simpleVer)); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		begin := time.Now()
		_, err := w.ask(c, romeo, simpleVer)
		require.NoError(t, err)
		require.Equal(t, 3*time.Second, time.Since(begin))
		cancel()
		asking.Wait()

		// Who gives up waiting says so.
		w.silent[romeo] = true
		ctx, cancel = context.WithCancel(t.Context())
		asking.Go(func() { _, _ = c.Ask(ctx, w, jid.MustParse(romeo), announced(complexVer)) })
		synctest.Wait()
		short, stop := context.WithTimeout(t.Context(), time.Second)
		_, err = c.Ask(short, w, jid.MustParse(nurse), announced(complexVer))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		stop()
		cancel()
		asking.Wait()
		require.Zero(t, w.questions()[nurse])
	})
}

// Who asks at the same time shares the answer, and who fails leaves the question to the next.
func TestAskTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, c := newWorld(), caps.NewCache(nil)
		w.says[romeo], w.says[nurse] = simple, simple
		var asking sync.WaitGroup
		for range 20 {
			for _, who := range []string{romeo, nurse} {
				asking.Go(func() {
					if _, err := w.ask(c, who, simpleVer); err != nil {
						t.Error(err)
					}
				})
			}
		}
		asking.Wait()
		asked := w.questions()
		require.Equal(t, 1, asked[romeo]+asked[nurse])

		w.silent[mallory] = true
		ctx, cancel := context.WithCancel(t.Context())
		asking.Go(func() { _, _ = c.Ask(ctx, w, jid.MustParse(mallory), announced(complexVer)) })
		synctest.Wait()
		w.says[nurse] = complex
		asking.Go(func() {
			if _, err := w.ask(c, nurse, complexVer); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		cancel()
		asking.Wait()
	})
}

// The cache forgets what was not used for long, and never keeps more than it may.
func TestSec_CapsCacheIsBounded(t *testing.T) {
	w, c := newWorld(), caps.NewCache(&caps.CacheOptions{Bytes: 10_000, Entities: 2})
	w.says[romeo] = simple
	_, err := w.ask(c, romeo, simpleVer)
	require.NoError(t, err)
	for i := range 50 {
		says := fmt.Sprintf("<identity category='client' type='pc' name='%d'/>", i)
		ver, err := caps.Ver(parse(t, says), caps.SHA1)
		require.NoError(t, err)
		w.says[mallory] = says
		_, err = w.ask(c, mallory, ver)
		require.NoError(t, err)
		if i < 5 { // what is in use stays
			_, err = w.ask(c, romeo, simpleVer)
			require.NoError(t, err)
		}
	}
	require.Equal(t, 1, w.questions()[romeo])
	require.Less(t, len(maps.Collect(c.All())), 10)
	n := 0
	for range c.All() {
		n++
	}
	require.Less(t, n, 10)
	_, err = w.ask(c, romeo, simpleVer)
	require.NoError(t, err)
	require.Equal(t, 2, w.questions()[romeo])

	// Too large to be kept at all; and what is known of single entities is bounded too.
	var large strings.Builder
	large.WriteString("<identity category='client' type='pc'/>")
	for i := range 500 {
		large.WriteString(fmt.Sprintf("<feature var='urn:%d'/>", i))
	}
	ver, err := caps.Ver(parse(t, large.String()), caps.SHA1)
	require.NoError(t, err)
	w.says[nurse] = large.String()
	for range 2 {
		_, err := w.ask(c, nurse, ver)
		require.NoError(t, err)
	}
	require.Equal(t, 2, w.questions()[nurse])
	require.Panics(t, func() { caps.NewCache(&caps.CacheOptions{Bytes: -1}) })
}

// A mux tells the cache what is announced, to which session, and that it holds no longer.
func TestXEP0115_6_1_Heard(t *testing.T) {
	w, c, mux := newWorld(), caps.NewCache(nil), muxer.New()
	c.Register(mux)
	w.says[romeo] = simple
	ctx := xmpp.WithSession(t.Context(), w)
	hear := func(attrs, content string) {
		t.Helper()
		st, err := stanza.Parse([]byte("<presence from='" + romeo + "' " + attrs + ">" + content + "</presence>"))
		require.NoError(t, err)
		_, err = mux.HandleStanza(ctx, st)
		require.NoError(t, err)
	}
	known := func(want error) {
		t.Helper()
		info, err := c.Get(t.Context(), w, jid.MustParse(romeo))
		require.ErrorIs(t, err, want)
		require.Equal(t, want == nil, info.Has(muc))
	}
	says := "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://code.google.com/p/exodus' ver='" + simpleVer + "'/>"
	known(caps.ErrUnknown)
	hear("type='unavailable'", says)
	hear("type='subscribe'", says)
	hear("type='error'", says)
	known(caps.ErrUnknown) // only who is available has capabilities
	hear("", "<show>away</show>"+says)
	known(nil)
	hear("", "") // §8.4: it may be left out
	known(nil)
	hear("type='unavailable'", "")
	known(caps.ErrUnknown)
	hear("", says)
	known(nil)
	hear("", "<c xmlns='http://jabber.org/protocol/caps' node='http://exodus.jabberstudio.org/' ver='0.9'/>") // §13
	known(caps.ErrUnknown)
	hear("", says)
	mux.HandleEvent(ctx, xmpp.Event{Status: xmpp.Suspended})
	mux.HandleEvent(ctx, xmpp.Event{Status: xmpp.Resumed})
	known(nil)
	mux.HandleEvent(ctx, xmpp.Event{Status: xmpp.Offline})
	known(caps.ErrUnknown)
	require.Equal(t, 1, w.questions()[romeo], "what is verified lasts")

	// Of more entities than there is room for the ones heard of first are forgotten.
	small := caps.NewCache(&caps.CacheOptions{Entities: 1})
	mux = muxer.New()
	small.Register(mux)
	for _, who := range []string{romeo, nurse} {
		st, err := stanza.Parse([]byte("<presence from='" + who + "'>" + says + "</presence>"))
		require.NoError(t, err)
		_, err = mux.HandleStanza(ctx, st)
		require.NoError(t, err)
	}
	_, err := small.Get(t.Context(), w, jid.MustParse(romeo))
	require.ErrorIs(t, err, caps.ErrUnknown)
}

// What a program has kept is as good as what it asks for.
func TestAdd(t *testing.T) {
	w, before, c := newWorld(), caps.NewCache(nil), caps.NewCache(nil)
	w.says[romeo] = complex
	_, err := w.ask(before, romeo, complexVer)
	require.NoError(t, err)
	for hash, info := range before.All() {
		ver, err := c.Add(hash, info)
		require.NoError(t, err)
		require.Equal(t, complexVer, ver)
	}
	_, err = w.ask(c, nurse, complexVer)
	require.NoError(t, err)
	require.Zero(t, w.questions()[nurse])
	clark := softwareInfo[:len(softwareInfo)-len("</x>")] + "<field var='{https://example.org/}colour'><value>red</value></field></x>"
	_, err = c.Add(caps.SHA1, parse(t, simple+clark))
	require.NoError(t, err, "XEP-0068 §3.4 has such names")
	_, err = c.Add("md5", parse(t, simple))
	require.ErrorIs(t, err, caps.ErrHash)
	for range c.All() {
		break // leaves nothing running
	}
}

// An error answer is no answer: the next time it is asked again.
func TestAskRefused(t *testing.T) {
	w, c := newWorld(), caps.NewCache(nil)
	for range 2 {
		_, err := w.ask(c, romeo, simpleVer)
		require.ErrorIs(t, err, stanza.ServiceUnavailable)
	}
	require.Equal(t, 2, w.questions()[romeo])
}

func ExampleCache() {
	w := newWorld() // in a program, a client
	w.says[romeo] = simple
	cache, mux := caps.NewCache(nil), muxer.New()
	cache.Register(mux)

	// Romeo and the nurse come online, with the same client.
	ctx := xmpp.WithSession(context.Background(), w)
	for _, who := range []string{romeo, nurse} {
		presence, err := stanza.Parse([]byte("<presence from='" + who + "'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1'" +
			" node='http://code.google.com/p/exodus' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/></presence>"))
		if err != nil {
			fmt.Println(err)
			return
		}
		if _, err := mux.HandleStanza(ctx, presence); err != nil {
			fmt.Println(err)
		}
	}

	for _, who := range []string{romeo, nurse} {
		info, err := cache.Get(ctx, w, jid.MustParse(who))
		fmt.Println(who, info.Has("http://jabber.org/protocol/muc"), err)
	}
	fmt.Println("questions:", w.asked[romeo]+w.asked[nurse])
	// Output:
	// romeo@montague.lit/orchard true <nil>
	// nurse@capulet.lit/chamber true <nil>
	// questions: 1
}
