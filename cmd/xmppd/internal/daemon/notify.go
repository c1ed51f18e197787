package daemon

import (
	"net"
	"os"
	"strings"
)

// Notify tells systemd how the service is, as sd_notify(3) does, if it has started the process as one of Type=notify; else it does nothing.
func Notify(state ...string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	nc, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"}) // "@…" is an abstract one
	if err != nil {
		return
	}
	defer nc.Close()
	_, _ = nc.Write([]byte(strings.Join(state, "\n"))) // nobody could do anything about it
}
