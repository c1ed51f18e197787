package vcard

import (
	"context"
	"maps"
	"sync"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// nsMUCUser marks the presence of somebody in a room (XEP-0045), who is not the room.
const nsMUCUser = "http://jabber.org/protocol/muc#user"

// maxKnown is how many pictures are remembered of others. Beyond it some are forgotten, and told of again.
const maxKnown = 1 << 14

// Avatars announces the picture of the own account in the presence of one client, and follows those that others announce
// (XEP-0153). Make one with [NewAvatars]. Its methods may be called from any goroutine.
//
// Nothing is announced before [Avatars.Load], and while another device is online that does not announce pictures: it may change the
// vCard without a word (§4.3). When one announces another picture, the vCard is fetched again. If what is announced changes,
// the presence that was broadcast last is broadcast once more.
type Avatars struct {
	changed func(context.Context, jid.JID, string)

	mu     sync.Mutex // guards the fields below; not held over I/O or changed
	own    Update     // what the vCard holds; zero while that is not known
	loads  uint64     // how often own was set or asked for: an answer that is not the last one does not count
	wanted bool       // to be loaded, and again in each session
	last   *stanza.Raw
	said   Update               // in last
	others map[jid.JID]Update   // what the account's other devices announce
	silent map[jid.JID]struct{} // those of them that announce nothing
	known  map[jid.JID]string   // the hashes that others announce; none for none
}

// AvatarOptions adjusts [NewAvatars]. Nil and the zero value are ready to use.
type AvatarOptions struct {
	// Known are the hashes of pictures that the program has kept, by whom they show.
	Known map[jid.JID]string
	// Changed, if not nil, is called when somebody announces another picture than before: a contact, by the bare JID, or
	// somebody in a room, by the full one. That is whom to ask for the vCard ([Get]), whose picture may be yet another one
	// and has to be checked ([Photo.Hash]). An empty hash is no picture. Calls come from the session's handlers.
	Changed func(ctx context.Context, who jid.JID, hash string)
}

// NewAvatars returns an Avatars, to be registered and then loaded.
func NewAvatars(opts *AvatarOptions) *Avatars {
	a := &Avatars{known: make(map[jid.JID]string), changed: func(context.Context, jid.JID, string) {}}
	if opts != nil {
		maps.Copy(a.known, opts.Known)
		if opts.Changed != nil {
			a.changed = opts.Changed
		}
	}
	a.forget()
	return a
}

// forget forgets what belongs to a session. It is called with mu held.
func (a *Avatars) forget() {
	a.own, a.loads = Update{}, a.loads+1
	a.others, a.silent = make(map[jid.JID]Update), make(map[jid.JID]struct{})
}

// Register has the presence that the mux's session sends completed, unless it has an update already, and that of others looked at.
func (a *Avatars) Register(mux *muxer.Mux) {
	mux.UseOutgoing(a.outgoing)
	mux.Presence(muxer.AnyPresence, a.receive)
	mux.Event(func(ctx context.Context, e xmpp.Event) error {
		switch {
		case e.Status == xmpp.Offline && e.Final:
			a.mu.Lock()
			a.last = nil
			a.mu.Unlock()
		case e.Status == xmpp.Online:
			a.mu.Lock()
			a.forget()
			wanted := a.wanted
			a.mu.Unlock()
			if wanted {
				_, err := a.Load(ctx, xmpp.SessionFrom(ctx))
				return err
			}
		}
		return nil
	})
}

// Load fetches the own vCard and announces its picture, or that there is none, from now on. It does so again in each new session.
func (a *Avatars) Load(ctx context.Context, s xmpp.Session) (VCard, error) {
	a.mu.Lock()
	a.wanted = true
	a.loads++
	load := a.loads
	a.mu.Unlock()

	v, err := Get(ctx, s, jid.JID{})
	if err != nil {
		return VCard{}, err
	}
	a.mu.Lock()
	if a.loads == load {
		a.own = Update{Known: true, Hash: v.Photo.Hash()}
	}
	a.mu.Unlock()
	return v, a.announce(ctx, s)
}

// Set puts a picture into the own vCard, nil for none, and announces it. One that is there already is not sent again (§4.2).
func (a *Avatars) Set(ctx context.Context, s xmpp.Session, p *Photo) error {
	now := Update{Known: true, Hash: p.Hash()}
	a.mu.Lock()
	same := a.own == now
	a.mu.Unlock()
	if same {
		return nil
	}
	if err := Change(ctx, s, func(v *VCard) { v.Photo = p }); err != nil {
		return err
	}
	a.mu.Lock()
	a.own, a.wanted, a.loads = now, true, a.loads+1
	a.mu.Unlock()
	return a.announce(ctx, s)
}

// current is what is to be announced. It is called with mu held.
func (a *Avatars) current() Update {
	if len(a.silent) > 0 {
		return Update{}
	}
	return a.own
}

// announce broadcasts the last presence again if it has said something else.
func (a *Avatars) announce(ctx context.Context, s xmpp.Session) error {
	a.mu.Lock()
	p := a.last
	if a.said == a.current() {
		p = nil
	}
	a.mu.Unlock()
	if p == nil {
		return nil
	}
	_, err := s.Send(ctx, p)
	return err
}

// outgoing completes available presence.
func (a *Avatars) outgoing(_ context.Context, st stanza.Stanza) (stanza.Stanza, error) {
	h := st.Header()
	switch {
	case h.Kind == stanza.KindPresence && h.To.IsZero() && h.Type == string(stanza.PresenceUnavailable):
		a.mu.Lock()
		a.last = nil
		a.mu.Unlock()
		return st, nil
	case h.Kind != stanza.KindPresence || h.Type != "":
		return st, nil
	}
	raw, err := rawOf(st)
	if err != nil {
		return nil, err
	}
	full := raw.Header()
	given := full.Has(NSUpdate, "x")
	a.mu.Lock()
	now := a.current()
	if h.To.IsZero() {
		a.last, a.said = raw, now
		if given { // the program's own affair
			a.last = nil
		}
	}
	a.mu.Unlock()
	if given {
		return st, nil
	}
	return raw.Edit(nil, now)
}

// rawOf returns a stanza as one that lasts.
func rawOf(st stanza.Stanza) (*stanza.Raw, error) {
	if raw, ok := st.(*stanza.Raw); ok {
		return raw.Clone(), nil
	}
	b, err := st.AppendXML(nil)
	if err != nil {
		return nil, err
	}
	return stanza.NewRaw(stanza.NewElement(b), jid.ParseLenient)
}

// receive looks at what presence says about pictures.
func (a *Avatars) receive(ctx context.Context, p *stanza.Presence) error {
	s := xmpp.SessionFrom(ctx)
	available := p.Type == stanza.PresenceAvailable
	if s == nil || !available && p.Type != stanza.PresenceUnavailable {
		return nil
	}
	var u Update
	says, err := p.Payloads.Decode(&u)
	if err != nil {
		return err
	}
	switch xmpp.OriginOf(s.LocalAddr(), p.From) {
	case xmpp.FromDevice:
		if p.From == s.LocalAddr() {
			return nil
		}
		return a.device(ctx, s, p.From, available, says, u)
	case xmpp.FromAccount:
		return nil
	}
	who := p.From.Bare()
	_, inRoom := p.Payloads.Element(nsMUCUser, "x")
	if inRoom {
		who = p.From
	}
	switch {
	case available && u.Known && a.remember(who, u.Hash):
		a.changed(ctx, who, u.Hash)
	case !available && inRoom:
		a.remember(who, "") // the name may be another's next time
	}
	return nil
}

// remember notes what somebody announces, and reports whether it is something else than before.
func (a *Avatars) remember(who jid.JID, hash string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	before, had := a.known[who]
	switch {
	case before == hash:
		return false
	case hash == "":
		delete(a.known, who)
		return true
	}
	if !had && len(a.known) >= maxKnown {
		for someone := range a.known {
			delete(a.known, someone)
			break
		}
	}
	a.known[who] = hash
	return true
}

// device takes in the presence of another device of the account (§4.3).
func (a *Avatars) device(ctx context.Context, s xmpp.Session, from jid.JID, available, says bool, u Update) error {
	a.mu.Lock()
	if !a.wanted {
		a.mu.Unlock()
		return nil
	}
	wasSilent, before := len(a.silent) > 0, a.others[from]
	delete(a.silent, from)
	delete(a.others, from)
	switch {
	case available && says:
		a.others[from] = u
	case available:
		a.silent[from] = struct{}{}
	}
	relieved := wasSilent && len(a.silent) == 0 // who knows what they have done
	news := u.Known && available && u != before && u != a.own
	if relieved || news && u.Hash != "" { // §4.4
		a.own = Update{}
	}
	a.mu.Unlock()

	if err := a.announce(ctx, s); err != nil || !relieved && !news {
		return err
	}
	_, err := a.Load(ctx, s)
	return err
}
