package vcard_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/vcard"
)

// A session is juliet's: her server keeps a vCard, and what she sends is noted, in short.
type session struct {
	xmpp.Session
	mux  *muxer.Mux
	card vcard.VCard
	err  error
	sent []string
	asks func() // happens while a request is under way
}

func (*session) LocalAddr() jid.JID { return jid.MustParse("juliet@capulet.com/balcony") }

func (s *session) Send(ctx context.Context, st stanza.Stanza) (xmpp.Receipt, error) {
	st, err := s.mux.OutgoingStanza(ctx, st)
	if err != nil {
		return xmpp.Receipt{}, err
	}
	raw, ok := st.(*stanza.Raw)
	if !ok {
		s.sent = append(s.sent, fmt.Sprintf("%T", st))
		return xmpp.Receipt{}, nil
	}
	says, x := "", raw.Element().Child(vcard.NSUpdate, "x")
	if !x.IsZero() {
		var u vcard.Update
		if err := x.Decode(&u); err != nil {
			return xmpp.Receipt{}, err
		}
		says = fmt.Sprintf(" %t%.4s", u.Known, " "+u.Hash)
	}
	s.sent = append(s.sent, strings.TrimSpace("presence "+raw.Header().To.String())+strings.TrimRight(says, " ")+" "+raw.Element().Child(stanza.NS, "show").Text())
	return xmpp.Receipt{}, nil
}

func (s *session) Query(_ context.Context, iq stanza.IQ) (stanza.IQ, error) {
	s.sent = append(s.sent, string(iq.Type))
	if f := s.asks; f != nil {
		s.asks = nil
		f()
	}
	if s.err != nil {
		return stanza.IQ{}, s.err
	}
	if iq.Type == stanza.IQSet {
		e, err := stanza.ElementOf(iq.Payload)
		if err == nil {
			err = e.Decode(&s.card)
		}
		return stanza.IQ{Type: stanza.IQResult}, err
	}
	e, err := stanza.ElementOf(s.card)
	return stanza.IQ{Type: stanza.IQResult, Payload: &e}, err
}

// A scene is juliet's client with its avatars.
type scene struct {
	t       *testing.T
	s       *session
	ctx     context.Context
	avatars *vcard.Avatars
	told    []string
}

func newScene(t *testing.T, known map[jid.JID]string) *scene {
	c := &scene{t: t, s: &session{mux: muxer.New()}}
	c.ctx = xmpp.WithSession(t.Context(), c.s)
	c.avatars = vcard.NewAvatars(&vcard.AvatarOptions{Known: known, Changed: func(_ context.Context, who jid.JID, hash string) {
		c.told = append(c.told, strings.TrimSpace(fmt.Sprintf("%s %.3s", who, hash)))
	}})
	c.avatars.Register(c.s.mux)
	return c
}

// photo returns a picture, and the hash by which the scene shows it.
func photo(data string) *vcard.Photo { return &vcard.Photo{Data: []byte(data)} }

func short(data string) string { return photo(data).Hash()[:3] }

func (c *scene) send(st stanza.Stanza) {
	c.t.Helper()
	_, err := c.s.Send(c.ctx, st)
	require.NoError(c.t, err)
}

// arrive has presence arrive, whose content says what it says.
func (c *scene) arrive(from, typ, content string) error {
	c.t.Helper()
	if typ != "" {
		typ = " type='" + typ + "'"
	}
	st, err := stanza.Parse([]byte("<presence from='" + from + "'" + typ + ">" + content + "</presence>"))
	require.NoError(c.t, err)
	_, err = c.s.mux.HandleStanza(c.ctx, st)
	return err
}

// did checks what was sent since it was asked last.
func (c *scene) did(want ...string) {
	c.t.Helper()
	require.Equal(c.t, want, c.s.sent)
	c.s.sent = nil
}

func says(photo string) string { return "<x xmlns='vcard-temp:x:update'>" + photo + "</x>" }

func saysHash(data string) string { return says("<photo>" + photo(data).Hash() + "</photo>") }

// XEP-0153 §4.1, §4.2: what presence says before the vCard is known, and afterwards.
func TestXEP0153_4_1_Outgoing(t *testing.T) {
	c := newScene(t, nil)
	room := jid.MustParse("room@muc.example/juliet")
	c.send(stanza.Presence{})
	c.did("presence false ")
	c.s.card.Photo = photo("one")
	v, err := c.avatars.Load(c.ctx, c.s)
	require.NoError(t, err)
	require.Equal(t, photo("one"), v.Photo)
	c.did("get", "presence true "+short("one")+" ")
	c.send(stanza.Presence{To: room})
	c.send(stanza.Presence{Show: stanza.ShowAway})
	raw, err := stanza.Parse([]byte("<presence><show>xa</show></presence>"))
	require.NoError(t, err)
	c.send(raw)
	c.did("presence room@muc.example/juliet true "+short("one")+" ", "presence true "+short("one")+" away", "presence true "+short("one")+" xa")

	// What is no available presence says nothing; what the program says itself stays.
	c.send(stanza.Presence{To: room, Type: stanza.PresenceUnavailable})
	c.send(stanza.Message{})
	c.send(stanza.Presence{Payloads: stanza.Payloads{vcard.Update{}}})
	c.did("stanza.Presence", "stanza.Message", "stanza.Presence")
	require.NoError(t, c.avatars.Set(c.ctx, c.s, photo("two")))
	c.did("get", "set")

	// A new picture is announced at once, and the same one is not sent again (§4.2).
	c.send(stanza.Presence{Show: stanza.ShowDND})
	require.NoError(t, c.avatars.Set(c.ctx, c.s, photo("three")))
	require.NoError(t, c.avatars.Set(c.ctx, c.s, photo("three")))
	require.NoError(t, c.avatars.Set(c.ctx, c.s, nil))
	require.Nil(t, c.s.card.Photo)
	c.did("presence true "+short("two")+" dnd", "get", "set", "presence true "+short("three")+" dnd", "get", "set", "presence true dnd")

	// Nobody who is not available becomes so.
	c.send(stanza.Presence{Type: stanza.PresenceUnavailable})
	require.NoError(t, c.avatars.Set(c.ctx, c.s, photo("four")))
	c.did("stanza.Presence", "get", "set")

	lost := errors.New("lost")
	c.s.err = lost
	require.ErrorIs(t, c.avatars.Set(c.ctx, c.s, photo("five")), lost)
	_, err = c.avatars.Load(c.ctx, c.s)
	require.ErrorIs(t, err, lost)
	_, err = c.s.Send(c.ctx, stanza.Presence{Status: stanza.Plain("\x00")})
	require.Error(t, err)
}

// XEP-0153 §4.3, §4.4: what other devices of the account do to the picture.
func TestXEP0153_4_3_OtherDevices(t *testing.T) {
	c := newScene(t, nil)
	const chamber, orchard = "juliet@capulet.com/chamber", "juliet@capulet.com/orchard"
	require.NoError(t, c.arrive(chamber, "", saysHash("two")))
	c.did() // what is announced does not matter before there is something to announce
	c.s.card.Photo = photo("one")
	_, err := c.avatars.Load(c.ctx, c.s)
	require.NoError(t, err)
	c.send(stanza.Presence{})
	require.NoError(t, c.arrive("juliet@capulet.com/balcony", "", "")) // the echo
	c.did("get", "presence true "+short("one")+" ")

	// One without a picture of its own, or with the same one.
	require.NoError(t, c.arrive(chamber, "", says("")))
	require.NoError(t, c.arrive(chamber, "", saysHash("one")))
	require.NoError(t, c.arrive(chamber, "unavailable", ""))
	c.did()

	// Another picture: nothing is announced until the vCard is there, whatever it holds; and the same news is none.
	c.s.card.Photo = photo("two")
	require.NoError(t, c.arrive(chamber, "", saysHash("two")))
	c.did("presence false ", "get", "presence true "+short("two")+" ")
	require.NoError(t, c.arrive(chamber, "", saysHash("other")))
	c.did("presence false ", "get", "presence true "+short("two")+" ")
	require.NoError(t, c.arrive(chamber, "", saysHash("other")))
	c.did()

	// No picture: so the vCard says, or not.
	require.NoError(t, c.arrive(chamber, "", says("<photo/>")))
	c.did("get")
	c.s.card.Photo = nil
	require.NoError(t, c.arrive(orchard, "", says("<photo/>")))
	c.did("get", "presence true ")

	// One that does not know of pictures: who knows what it does.
	c.s.card.Photo = photo("three")
	require.NoError(t, c.arrive(orchard, "", saysHash("three")))
	c.s.sent = nil
	require.NoError(t, c.arrive("juliet@capulet.com/old", "", ""))
	c.did("presence false ")
	require.NoError(t, c.arrive("juliet@capulet.com/older", "", ""))
	require.NoError(t, c.arrive("juliet@capulet.com/old", "unavailable", ""))
	c.did()
	require.NoError(t, c.arrive("juliet@capulet.com/older", "unavailable", ""))
	c.did("get", "presence true "+short("three")+" ")

	// An answer that is out of date by the time it comes does not count.
	c.s.asks = func() {
		old := c.s.card
		require.NoError(t, c.avatars.Set(c.ctx, c.s, photo("four")))
		c.s.card = old
	}
	_, err = c.avatars.Load(c.ctx, c.s)
	require.NoError(t, err)
	c.did("get", "get", "set", "presence true "+short("four")+" ")

	lost := errors.New("lost")
	c.s.err = lost
	require.ErrorIs(t, c.arrive(chamber, "", saysHash("five")), lost)
	c.did("presence false ", "get")
}

// A new session knows nothing until the vCard is fetched again, once.
func TestAvatars_NewSession(t *testing.T) {
	c := newScene(t, nil)
	event := func(e xmpp.Event) { c.s.mux.HandleEvent(c.ctx, e) }
	event(xmpp.Event{Status: xmpp.Online})
	c.did()
	c.s.card.Photo = photo("one")
	_, err := c.avatars.Load(c.ctx, c.s)
	require.NoError(t, err)
	c.send(stanza.Presence{})
	c.did("get", "presence true "+short("one")+" ")
	event(xmpp.Event{Status: xmpp.Resumed})
	c.did()
	c.s.card.Photo = photo("two")
	event(xmpp.Event{Status: xmpp.Offline})
	event(xmpp.Event{Status: xmpp.Online}) // a client that connects again has sent the last presence by itself
	c.did("get", "presence true "+short("two")+" ")
	c.s.card.Photo = photo("three")
	event(xmpp.Event{Status: xmpp.Offline, Final: true})
	event(xmpp.Event{Status: xmpp.Online})
	c.did("get")
}

// XEP-0153 §3.2: whoever announces another picture than before is told of, by the address to ask.
func TestXEP0153_3_2_Changed(t *testing.T) {
	romeo := jid.MustParse("romeo@montague.net")
	c := newScene(t, map[jid.JID]string{romeo: photo("one").Hash()})
	muc := "<x xmlns='http://jabber.org/protocol/muc#user'/>"
	for _, tt := range []struct{ from, typ, content, want string }{
		{"romeo@montague.net/orchard", "", saysHash("one"), ""},
		{"romeo@montague.net/orchard", "", saysHash("two"), "romeo@montague.net " + short("two")},
		{"romeo@montague.net/street", "", saysHash("two"), ""},
		{"romeo@montague.net/street", "", "", ""},
		{"romeo@montague.net/street", "", says(""), ""},
		{"romeo@montague.net/street", "", says("<photo>none</photo>"), ""},
		{"romeo@montague.net/street", "unavailable", says("<photo/>"), ""},
		{"romeo@montague.net/street", "subscribe", says("<photo/>"), ""},
		{"romeo@montague.net/street", "error", says("<photo/>"), ""},
		{"romeo@montague.net/street", "", says("<photo/>"), "romeo@montague.net"},
		{"nurse@capulet.com/x", "", says("<photo/>"), ""},
		{"room@muc.example/romeo", "", muc + saysHash("one"), "room@muc.example/romeo " + short("one")},
		{"room@muc.example/nurse", "", muc + saysHash("one"), "room@muc.example/nurse " + short("one")},
		{"room@muc.example/nurse", "", muc + saysHash("one"), ""},
		{"room@muc.example/nurse", "unavailable", muc, ""},
		{"room@muc.example/nurse", "", muc + saysHash("one"), "room@muc.example/nurse " + short("one")},
		{"juliet@capulet.com/chamber", "", saysHash("one"), ""},
		{"juliet@capulet.com", "", saysHash("one"), ""},
	} {
		require.NoError(t, c.arrive(tt.from, tt.typ, tt.content))
		want := []string{tt.want}
		if tt.want == "" {
			want = nil
		}
		require.Equal(t, want, c.told, "%s %s %s", tt.from, tt.typ, tt.content)
		c.told = nil
	}
	c.did()
}

// However many announce pictures, not all of them are remembered.
func TestSec_AvatarsOfMany(t *testing.T) {
	c := newScene(t, nil)
	const many = 1<<14 + 10
	for i := range many {
		require.NoError(t, c.arrive(fmt.Sprintf("user%d@evil.example/x", i), "", saysHash("one")))
	}
	require.Len(t, c.told, many)
	c.told = nil
	for i := range many {
		require.NoError(t, c.arrive(fmt.Sprintf("user%d@evil.example/x", i), "", says("<photo/>")))
	}
	require.Len(t, c.told, 1<<14)
}
