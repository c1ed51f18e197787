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
	held  room        // of the jobs, and of the one being done

	mu      sync.Mutex // guards the fields below
	jobs    []job
	running bool
}

// A job is something to do that holds so many bytes until it is done.
type job struct {
	do    func()
	bytes int
}

// put adds a job, waiting for room as long as ctx allows.
func (w *worker) put(ctx context.Context, j job) error {
	if err := w.held.enter(ctx, j.bytes, w.limit); err != nil {
		return err
	}
	if !w.add(j) {
		return errShutDown
	}
	return nil
}

// offer adds a job if there is room, and reports whether it did. It does not wait.
func (w *worker) offer(j job) bool { return w.held.try(j.bytes, w.limit) == nil && w.add(j) }

// add adds a job that has its room, and gives that back if it is too late.
func (w *worker) add(j job) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.running {
		if !w.begin() {
			w.held.leave(1, j.bytes)
			return false
		}
		w.running = true
		go w.run()
	}
	w.jobs = append(w.jobs, j)
	return true
}

// run does jobs until there are none.
func (w *worker) run() {
	defer w.end()
	for j, ok := w.next(); ok; j, ok = w.next() {
		j.do()
		w.held.leave(1, j.bytes)
	}
}

// next returns the next job.
func (w *worker) next() (job, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.jobs) == 0 {
		w.running, w.jobs = false, nil
		return job{}, false
	}
	j := w.jobs[0]
	w.jobs[0] = job{}
	w.jobs = w.jobs[1:]
	return j, true
}
