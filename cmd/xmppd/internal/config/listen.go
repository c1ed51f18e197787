package config

import (
	"errors"
	"io/fs"
	"net"
	"syscall"
)

// ListenRemedy says what to do when an address of [Listen] cannot be had.
func ListenRemedy(err error) string {
	_, unknown := errors.AsType[*net.DNSError](err)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "write a port from 1024 on, or give xmppd the capability CAP_NET_BIND_SERVICE"
	case errors.Is(err, syscall.EADDRNOTAVAIL), unknown:
		return "write an address that this machine has (ip address says which), or none before the colon for all"
	}
	return "stop what uses it (ss -ltnp says what), or write another address"
}
