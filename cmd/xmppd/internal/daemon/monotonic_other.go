//go:build !unix

package daemon

// monotonic is for systemd.
func monotonic() string { return "" }
