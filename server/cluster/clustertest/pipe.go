package clustertest

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/parlance-xmpp/xmpp/server/cluster"
)

// A pipe brings what one node has for another, in order. It has a goroutine while there is something to bring.
type pipe struct {
	to *member

	mu      sync.Mutex // guards the fields below
	idle    *sync.Cond
	items   []item
	parcels int // in items
	held    bool
	closed  bool
	running bool
}

// An item is a parcel, or news of a session.
type item struct {
	parcel  []byte // encoded; nil if it is news
	verdict chan<- cluster.Verdict
	entry   cluster.Entry
	gone    bool
	lost    bool // with its node
}

func newPipe(to *member) *pipe {
	p := &pipe{to: to}
	p.idle = sync.NewCond(&p.mu)
	return p
}

// put adds an item; false if too much waits.
func (p *pipe) put(i item) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i.parcel != nil {
		if p.parcels == waitsAtMost {
			return false
		}
		p.parcels++
	}
	if !p.closed {
		p.items = append(p.items, i)
		p.run()
	}
	return true
}

// run starts the goroutine if there is something for it. It is called with mu held.
func (p *pipe) run() {
	if p.running || p.held || p.closed || len(p.items) == 0 {
		return
	}
	p.running = true
	go func() {
		for {
			i, ok := p.next()
			if !ok {
				return
			}
			p.bring(i)
		}
	}()
}

// next returns what is to be brought next.
func (p *pipe) next() (item, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held || p.closed || len(p.items) == 0 {
		p.running = false
		p.idle.Broadcast()
		return item{}, false
	}
	i := p.items[0]
	if p.items = p.items[1:]; i.parcel != nil {
		p.parcels--
	}
	return i, true
}

// bring brings an item.
func (p *pipe) bring(i item) {
	switch {
	case i.lost:
		p.to.receiver.Lost(p.to.ctx, i.entry)
		return
	case i.parcel == nil:
		p.to.see(i.entry, i.gone)
		return
	}
	var parcel cluster.Parcel
	if err := json.Unmarshal(i.parcel, &parcel); err != nil {
		panic(fmt.Sprintf("clustertest: %v", err)) // it was encoded here
	}
	v := p.to.receiver.Receive(p.to.ctx, parcel)
	if i.verdict != nil {
		i.verdict <- v // has room
	}
}

// hold stops the pipe, or lets it go on.
func (p *pipe) hold(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = on
	p.run()
}

// wait waits until the pipe is idle, and reports whether it was not.
func (p *pipe) wait() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	waited := false
	for p.running {
		waited = true
		p.idle.Wait()
	}
	return waited
}

// close drops what waits and returns when the pipe is idle.
func (p *pipe) close() {
	p.mu.Lock()
	p.closed, p.items = true, nil
	p.mu.Unlock()
	p.wait()
}
