package caps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
)

// The reasons why a cache does not say what an entity can do.
var (
	// ErrUnknown is about an entity that has announced nothing, or is not available. It is to be taken for one that
	// does not know XEP-0115 (§8.3); [disco.GetInfo] asks it.
	ErrUnknown = errors.New("caps: nothing was announced")
	// ErrMismatch is about an entity that has not the capabilities that it announces.
	ErrMismatch = errors.New("caps: the answer has another hash")
)

// A Cache knows what entities can do, by their hashes, and asks for what it does not know: one of those who announce a hash, once.
// Make one with [NewCache]; it may serve many sessions. Its methods may be called from any goroutine.
//
// An answer is used for all who announce its hash if it has that hash. One that has not is an error, and the next
// entity that announces the hash is asked (§5.4). One that cannot be verified, as its hash function is not known
// here or as it might be a reading of somebody else's answer, is used for that one entity. Nobody can thus make the cache believe
// something of others, or fill it: it forgets what was not used for long. Nor can anybody delay others by not answering, for more
// than a few seconds.
type Cache struct {
	mu       sync.Mutex // guards the fields below; not held over I/O
	verified *lru[hashed, disco.Info]
	own      *lru[entity, answer]
	heard    *lru[entity, Caps]
	asking   map[asked]chan struct{} // closed when there is an answer, or none
}

// A hashed is what a hash is of.
type hashed struct{ hash, ver string }

// An entity is one that a session knows.
type entity struct{ local, who jid.JID }

// An asked is a question under way: about a hash, or, if that cannot be verified, about what one entity says.
type asked struct {
	hashed
	entity
}

// An answer is what one entity said when it announced caps. Others may not.
type answer struct {
	caps Caps
	info disco.Info
	err  error
}

// CacheOptions adjusts [NewCache]. Nil and the zero value are ready to use.
type CacheOptions struct {
	// Bytes bounds what verified answers take, and as much again those that are good for one entity only. Zero means
	// 4 MiB.
	Bytes int
	// Entities bounds of how many it is remembered what they have announced. Zero means 10 000.
	Entities int
}

// NewCache returns a cache that knows nothing. Options that are negative panic.
func NewCache(opts *CacheOptions) *Cache {
	var o CacheOptions
	if opts != nil {
		o = *opts
	}
	if o.Bytes < 0 || o.Entities < 0 {
		panic("caps: a negative bound")
	}
	o.Bytes, o.Entities = cmp.Or(o.Bytes, 4<<20), cmp.Or(o.Entities, 10_000)
	return &Cache{
		verified: newLRU[hashed, disco.Info](o.Bytes),
		own:      newLRU[entity, answer](o.Bytes),
		heard:    newLRU[entity, Caps](o.Entities),
		asking:   make(map[asked]chan struct{}),
	}
}

// Register has the cache follow what the presence that the mux's sessions get announces. It asks nobody.
func (c *Cache) Register(mux *muxer.Mux) {
	mux.Presence(stanza.PresenceAvailable, func(ctx context.Context, p *stanza.Presence) error {
		c.available(xmpp.SessionFrom(ctx), p)
		return nil
	})
	mux.Presence(stanza.PresenceUnavailable, func(ctx context.Context, p *stanza.Presence) error {
		if s := xmpp.SessionFrom(ctx); s != nil {
			c.forget(entity{s.LocalAddr(), p.From})
		}
		return nil
	})
	mux.Event(func(ctx context.Context, e xmpp.Event) error {
		s := xmpp.SessionFrom(ctx)
		if s != nil && (e.Status == xmpp.Online || e.Status == xmpp.Offline) { // presence is told anew
			c.forgetAll(s.LocalAddr())
		}
		return nil
	})
}

// available notes what an entity announces. A presence that says nothing changes nothing: a server may leave out
// what it has passed on before (§8.4).
func (c *Cache) available(s xmpp.Session, p *stanza.Presence) {
	if s == nil || p.From.IsZero() {
		return
	}
	who := entity{s.LocalAddr(), p.From}
	for _, payload := range p.Payloads {
		e, err := stanza.ElementOf(payload)
		if err != nil || !e.Is(NS, "c") {
			continue
		}
		var caps Caps
		err = caps.ParseXML(e)
		caps = Caps{strings.Clone(caps.Hash), strings.Clone(caps.Node), strings.Clone(caps.Ver)} // not the whole stanza
		c.mu.Lock()
		defer c.mu.Unlock()
		if err != nil { // what it announced before does not hold, and this says nothing
			c.heard.remove(who)
			return
		}
		c.heard.put(who, caps, 1)
		return
	}
}

// forget forgets what an entity has announced.
func (c *Cache) forget(e entity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard.remove(e)
	c.own.remove(e)
}

// forgetAll forgets what was announced to a session.
func (c *Cache) forgetAll(local jid.JID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := range c.heard.entries {
		if e.local == local {
			c.heard.remove(e)
		}
	}
	for e := range c.own.entries {
		if e.local == local {
			c.own.remove(e)
		}
	}
}

// Get returns what an entity can do that has announced it to s: a client by its full JID, an occupant of a room by that in the
// room. It asks it if nobody has said it before. The error is [ErrUnknown], [ErrMismatch], [ErrIllFormed] or one of
// [disco.GetInfo].
func (c *Cache) Get(ctx context.Context, s xmpp.Session, who jid.JID) (disco.Info, error) {
	c.mu.Lock()
	caps, ok := c.heard.get(entity{s.LocalAddr(), who})
	c.mu.Unlock()
	if !ok {
		return disco.Info{}, fmt.Errorf("%w: %s", ErrUnknown, who)
	}
	return c.Ask(ctx, s, who, caps)
}

// Server returns what the server of s can do, without asking it if it says that in the features of the stream and that is known
// (§6.3). Errors are as for [Cache.Get], but for ErrUnknown: a server that announces nothing is asked.
func (c *Cache) Server(ctx context.Context, s xmpp.Session) (disco.Info, error) {
	var caps Caps
	if stream, ok := s.(xmpp.ElementSender); ok {
		if e := stream.Features().Child(NS, "c"); !e.IsZero() && e.Decode(&caps) == nil {
			return c.Ask(ctx, s, s.RemoteAddr(), caps)
		}
	}
	return disco.GetInfo(ctx, s, s.RemoteAddr(), "")
}

// patience is how long an answer to somebody else is waited for.
const patience = 3 * time.Second

// Ask is [Cache.Get] for an entity that has announced caps in another way than to the sessions of a registered mux.
func (c *Cache) Ask(ctx context.Context, s xmpp.Session, who jid.JID, caps Caps) (disco.Info, error) {
	e := entity{s.LocalAddr(), who}
	known, wait, done := c.begin(e, caps)
	if wait != nil {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		for wait != nil {
			select {
			case <-wait:
				known, wait, done = c.begin(e, caps)
			case <-timer.C:
				wait = nil
			case <-ctx.Done():
				return disco.Info{}, fmt.Errorf("caps: of %s: %w", who, context.Cause(ctx))
			}
		}
	}
	if known != nil {
		return clone(known.info), known.err
	}
	if done != nil {
		defer done()
	}
	info, err := disco.GetInfo(ctx, s, who, caps.node())
	if err != nil {
		return disco.Info{}, fmt.Errorf("caps: %w", err)
	}
	a := c.judge(e, caps, info)
	return clone(a.info), a.err
}

// begin returns what is known, or what to wait for as somebody else asks already, or what to call when the question has been
// answered that the caller is to ask.
func (c *Cache) begin(e entity, caps Caps) (known *answer, wait <-chan struct{}, done func()) {
	q := asked{hashed: hashed{caps.Hash, caps.Ver}}
	if functions[caps.Hash] == nil {
		q.entity = e
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if info, ok := c.verified.get(q.hashed); ok {
		return &answer{info: info}, nil, nil
	}
	if a, ok := c.own.get(e); ok && a.caps == caps {
		return &a, nil, nil
	}
	if wait := c.asking[q]; wait != nil {
		return nil, wait, nil
	}
	answered := make(chan struct{})
	c.asking[q] = answered
	return nil, nil, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.asking, q)
		close(answered)
	}
}

// judge keeps what an entity has answered, for whom it is good (§5.4).
func (c *Cache) judge(e entity, caps Caps, info disco.Info) answer {
	arranged := arrange(info)
	err := arranged.check()
	switch {
	case functions[caps.Hash] == nil:
		err = nil
	case err == nil && arranged.ver(caps.Hash) != caps.Ver:
		err = ErrMismatch
	case err == nil && !arranged.ambiguous():
		if shared, err := arranged.info(); err == nil {
			return answer{caps: caps, info: c.share(hashed{caps.Hash, caps.Ver}, shared)}
		}
	}
	a := answer{caps: caps}
	cost := overhead
	if err != nil {
		a.err = fmt.Errorf("%w: %s", err, e.who)
	} else {
		info.Node = ""
		var n int
		a.info, n = compact(info)
		cost += n
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.own.put(e, a, cost)
	return a
}

// share keeps a verified answer for all who announce its hash.
func (c *Cache) share(h hashed, info disco.Info) disco.Info {
	info, n := compact(info)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.verified.put(h, info, n+overhead)
	return info
}

// Add tells the cache an answer and returns what it is known by, so that a program can keep between two runs what
// [Cache.All] yields. It fails with [ErrHash] or [ErrIllFormed], or if the answer is good for one entity only.
func (c *Cache) Add(hash string, info disco.Info) (ver string, err error) {
	if ver, err = Ver(info, hash); err != nil {
		return "", err
	}
	arranged := arrange(info)
	if arranged.ambiguous() {
		return "", errAmbiguous
	}
	shared, err := arranged.info()
	if err != nil {
		return "", err
	}
	c.share(hashed{hash, ver}, shared)
	return ver, nil
}

var errAmbiguous = errors.New("caps: other answers have the same hash")

// All yields the answers that are good for all who announce their hash, and the hash function.
func (c *Cache) All() iter.Seq2[string, disco.Info] {
	return func(yield func(string, disco.Info) bool) {
		c.mu.Lock()
		var all []*entry[hashed, disco.Info]
		for e := c.verified.order.Back(); e != nil; e = e.Prev() {
			all = append(all, e.Value.(*entry[hashed, disco.Info]))
		}
		c.mu.Unlock()
		for _, e := range all {
			if !yield(e.key.hash, clone(e.value)) {
				return
			}
		}
	}
}

// overhead is what an answer takes beside its bytes, with the caps and addresses of whom it is.
const overhead = 1024

// compact returns an answer in memory of its own, and the size of it. What was received holds on to the whole stanza.
func compact(info disco.Info) (disco.Info, int) {
	b, err := info.AppendXML(nil)
	if err != nil {
		return info, 0 // what was read can be written
	}
	var own disco.Info
	_ = own.ParseXML(stanza.NewElement(b)) // never fails
	return own, 2 * len(b)                 // the bytes, and what points to them
}

// clone returns an answer that the caller may change.
func clone(info disco.Info) disco.Info {
	info.Identities = slices.Clone(info.Identities)
	info.Features = slices.Clone(info.Features)
	info.Forms = slices.Clone(info.Forms)
	return info
}
