//go:build unix

package daemon

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// monotonic tells systemd when a reload began (Type=notify-reload).
func monotonic() string {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // it never fails for this clock
	return fmt.Sprintf("MONOTONIC_USEC=%d", t.Nano()/1000)
}
