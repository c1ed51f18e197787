//go:build linux

package main

import (
	"context"
	"net"
	"sync/atomic"
)

// A stall is a dialer of connections that can be made to give nothing more to read, and to swallow what is written.
type stall struct{ stop atomic.Bool }

// DialContext connects.
func (s *stall) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, network, address)
	return &stalled{nc, s}, err
}

type stalled struct {
	net.Conn
	s *stall
}

// Read waits for the end of the connection if it is to stall.
func (c *stalled) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err != nil || !c.s.stop.Load() {
			return n, err
		}
	}
}

// Write swallows if it is to stall.
func (c *stalled) Write(b []byte) (int, error) {
	if c.s.stop.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}
