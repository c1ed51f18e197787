package xmpptest

import (
	"io"
	"net"
	"sync"
	"time"
)

// A linkConn is a connection of a [Link].
type linkConn struct {
	net.Conn
	link   *Link
	number int
	second net.Conn // what goes up goes there as well; nil without
	reads  sync.WaitGroup

	fault Fault
	up    int64 // bytes that have passed; of whoever writes
	down  int64 // of whoever reads

	mu      sync.Mutex // guards the fields below
	severed bool       // it was cut
	stalled bool
}

// Write implements [net.Conn].
func (c *linkConn) Write(b []byte) (n int, err error) {
	for n < len(b) {
		piece, what := c.allow(b[n:], c.up, c.fault.CutUp, c.fault.StallUp)
		switch what {
		case sever:
			c.cut()
			return n, ErrCut
		case swallow:
			return len(b), nil
		}
		time.Sleep(c.fault.Delay)
		if c.second != nil {
			_, _ = c.second.Write(piece)
		}
		m, err := c.Conn.Write(piece)
		n += m
		c.up += int64(m)
		c.link.passed(c, int64(m), 0)
		if err != nil {
			return n, c.why(err)
		}
	}
	return n, nil
}

// Read implements [net.Conn].
func (c *linkConn) Read(b []byte) (int, error) {
	for {
		piece, what := c.allow(b, c.down, c.fault.CutDown, c.fault.StallDown)
		if what == sever {
			c.cut()
			return 0, ErrCut
		}
		n, err := c.Conn.Read(piece)
		if err == nil && (what == swallow || c.isStalled()) {
			continue
		}
		time.Sleep(c.fault.Delay)
		c.down += int64(n)
		c.link.passed(c, 0, int64(n))
		return n, c.why(err)
	}
}

// What is done about the next piece.
const (
	pass = iota
	sever
	swallow
)

// allow returns as much of b as may pass in a direction in which so much has passed.
func (c *linkConn) allow(b []byte, passed, cut, stall int64) (piece []byte, what int) {
	if c.fault.Chunk > 0 {
		b = b[:min(len(b), c.fault.Chunk)]
	}
	switch {
	case cut < 0 || cut > 0 && passed >= cut:
		return nil, sever
	case stall < 0 || stall > 0 && passed >= stall || c.isStalled():
		return b, swallow
	case cut > 0:
		b = b[:min(int64(len(b)), cut-passed)]
	}
	if stall > 0 {
		b = b[:min(int64(len(b)), stall-passed)]
	}
	return b, pass
}

// why is the error to report for one of the connection.
func (c *linkConn) why(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && c.severed {
		return ErrCut
	}
	return err
}

func (c *linkConn) isStalled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stalled
}

func (c *linkConn) stall() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stalled = true
}

// cut ends the connection for both sides.
func (c *linkConn) cut() {
	c.mu.Lock()
	c.severed = true
	c.mu.Unlock()
	c.end()
}

// Close implements [net.Conn].
func (c *linkConn) Close() error {
	err := c.end()
	c.reads.Wait()
	return err
}

func (c *linkConn) end() error {
	c.link.forget(c)
	if c.second != nil {
		c.second.Close()
	}
	return c.Conn.Close()
}

// drain reads what comes down on the second connection.
func (c *linkConn) drain() {
	c.reads.Go(func() { _, _ = io.Copy(io.Discard, c.second) })
}
