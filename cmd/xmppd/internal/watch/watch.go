// Package watch shows what goes on on the streams of one account, while somebody asks for it and no longer.
//
// Every connection has a tap, which costs next to nothing while nobody watches. SASL payloads, passwords and tokens never reach it (see
// [xmpp.Trace]); what people write to each other is shown only to those who ask for contents.
package watch

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A Line is something that happened on a stream.
type Line struct {
	Time time.Time
	Addr jid.JID // of the session
	// Way is "in" for what came from the client, "out" for what went to it, else "event".
	Way  string
	Text string
	// Missed is how many lines were left out before this one, because they were not taken in time.
	Missed int `json:",omitempty"`
}

// A Board is where those who watch are. The zero value is ready to use; its methods may be called from any goroutine.
type Board struct {
	watched atomic.Bool // by anybody

	mu       sync.Mutex // guards the field below
	watchers map[*Watcher]struct{}
}

// A Watcher watches an account, or one session of it.
type Watcher struct {
	board   *Board
	addr    jid.JID
	content bool
	lines   chan Line

	mu     sync.Mutex // guards the field below
	missed int
}

// room is how many lines wait for a watcher. A stream waits for nobody.
const room = 1024

// Watch begins to watch a bare or a full JID. With content, lines are XML as it is on the wire, without credentials; else they say what sort
// of stanza it was. Close ends it.
func (b *Board) Watch(addr jid.JID, content bool) *Watcher {
	w := &Watcher{board: b, addr: addr, content: content, lines: make(chan Line, room)}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.watchers == nil {
		b.watchers = make(map[*Watcher]struct{})
	}
	b.watchers[w] = struct{}{}
	b.watched.Store(true)
	return w
}

// Lines is where lines come. It is never closed.
func (w *Watcher) Lines() <-chan Line { return w.lines }

// Close ends watching. It may be called twice.
func (w *Watcher) Close() {
	w.board.mu.Lock()
	defer w.board.mu.Unlock()
	delete(w.board.watchers, w)
	w.board.watched.Store(len(w.board.watchers) > 0)
}

// Trace is for server.Options.
func (b *Board) Trace(net.Addr) *xmpp.Trace {
	t := &tap{board: b}
	return &xmpp.Trace{
		Received: func(part []byte) { t.show("in", part) },
		Sent:     func(part []byte) { t.show("out", part) },
		Active:   b.watched.Load,
		Event:    t.event,
	}
}

// A tap is a connection as the board sees it.
type tap struct {
	board *Board
	addr  atomic.Pointer[jid.JID] // nil before the login; bare before a resource is bound
}

// event notes whose stream it is, and shows the event.
func (t *tap) event(name, detail string) {
	switch name {
	case "authenticated", "bound", "resumed":
		if addr, err := jid.Parse(detail); err == nil {
			t.addr.Store(&addr)
		}
	}
	t.each(func(w *Watcher, addr jid.JID) string { return strings.TrimSpace(name + " " + detail) }, "event")
}

func (t *tap) show(way string, part []byte) {
	t.each(func(w *Watcher, addr jid.JID) string {
		if w.content {
			return string(part)
		}
		return summary(part)
	}, way)
}

// each gives a line to those who watch.
func (t *tap) each(text func(*Watcher, jid.JID) string, way string) {
	if !t.board.watched.Load() {
		return
	}
	p := t.addr.Load()
	if p == nil {
		return
	}
	addr, now := *p, time.Now()
	t.board.mu.Lock()
	defer t.board.mu.Unlock()
	for w := range t.board.watchers {
		if w.addr == addr || w.addr == addr.Bare() {
			w.add(Line{Time: now, Addr: addr, Way: way, Text: text(w, addr)})
		}
	}
}

func (w *Watcher) add(l Line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l.Missed = w.missed
	select {
	case w.lines <- l:
		w.missed = 0
	default:
		w.missed++
	}
}

// summary says what sort of thing a part of a stream is: of a stanza its addresses, type, id and the names of what is in it.
func summary(part []byte) string {
	e, err := stanza.ParseElement(part)
	if err != nil {
		return "the stream begins or ends, or its features are told" // a header or an end tag, alone or with something
	}
	var b strings.Builder
	b.WriteString(e.Name().Local)
	if e.Name().Space != stanza.NS {
		b.WriteString(" of " + e.Name().Space)
	} else {
		for _, name := range []string{"type", "id", "from", "to"} {
			if v := e.Attr(name); v != "" {
				b.WriteString(" " + name + "=" + v)
			}
		}
	}
	between := " ("
	for c := range e.Children() {
		b.WriteString(between + c.Name().Local)
		if c.Name().Space != e.Name().Space {
			b.WriteString(" of " + c.Name().Space)
		}
		between = ", "
	}
	if between == ", " {
		b.WriteString(")")
	}
	return b.String()
}
