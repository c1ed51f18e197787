package server

import (
	"context"
	"sync"
)

// A worker runs jobs one after another, on a goroutine that exists only while there
// is something to do. What waits is bounded.
type worker struct {
	limit int         // bytes that may wait; a job alone may be larger
	begin func() bool // asked before a goroutine is started; false means that it is too late
	end   func()      // told when it has ended

	mu      sync.Mutex // guards the fields below
	jobs    []job
	bytes   int // of the jobs, and of the one being done
	running bool
	room    chan struct{} // closed when there is more room; nil when nobody waits
}

// A job is something to do that holds so many bytes until it is done.
type job struct {
	do    func()
	bytes int
}

// put adds a job, waiting for room as long as ctx allows.
func (w *worker) put(ctx context.Context, j job) error {
	for {
		room, err := w.try(j)
		if room == nil || err != nil {
			return err
		}
		select {
		case <-room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// offer adds a job if there is room, and reports whether it did. It does not wait.
func (w *worker) offer(j job) bool {
	room, err := w.try(j)
	return room == nil && err == nil
}

// try adds a job, or returns what is closed when there may be room.
func (w *worker) try(j job) (room <-chan struct{}, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bytes > 0 && w.bytes+j.bytes > w.limit {
		if w.room == nil {
			w.room = make(chan struct{})
		}
		return w.room, nil
	}
	if !w.running {
		if !w.begin() {
			return nil, errShutDown
		}
		w.running = true
		go w.run()
	}
	w.jobs = append(w.jobs, j)
	w.bytes += j.bytes
	return nil, nil
}

// run does jobs until there are none.
func (w *worker) run() {
	defer w.end()
	for done := 0; ; {
		j, ok := w.next(done)
		if !ok {
			return
		}
		j.do()
		done = j.bytes
	}
}

// next returns the next job, given the bytes of the one that is done.
func (w *worker) next(done int) (job, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bytes -= done
	if w.room != nil {
		close(w.room)
		w.room = nil
	}
	if len(w.jobs) == 0 {
		w.running, w.jobs = false, nil
		return job{}, false
	}
	j := w.jobs[0]
	w.jobs[0] = job{}
	w.jobs = w.jobs[1:]
	return j, true
}
