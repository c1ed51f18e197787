package server

import (
	"context"
	"sync"
)

// A room has place for so many bytes. The zero value is an empty one.
type room struct {
	mu    sync.Mutex // guards the fields below
	items int
	bytes int
	more  chan struct{} // closed when something has left; nil when nobody waits
}

// enter takes n of the bytes that there are, waiting for them as long as ctx allows. What is larger than all of
// them gets in alone.
func (r *room) enter(ctx context.Context, n, limit int) error {
	for {
		more := r.try(n, limit)
		if more == nil {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// try is enter without waiting: it returns what is closed when there may be room.
func (r *room) try(n, limit int) (more <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bytes > 0 && r.bytes+n > limit {
		if r.more == nil {
			r.more = make(chan struct{})
		}
		return r.more
	}
	r.items++
	r.bytes += n
	return nil
}

// leave gives back what some items have taken.
func (r *room) leave(items, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items -= items
	r.bytes -= n
	if r.more != nil {
		close(r.more)
		r.more = nil
	}
}

// count is how many items are in it.
func (r *room) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.items
}
