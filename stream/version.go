package stream

import (
	"strconv"
	"strings"
)

// A version of XMPP (RFC 6120 §4.7.5): two numbers, not a decimal.
type version struct{ major, minor int }

// ours is the version of RFC 6120. A header without one means version 0.9.
var (
	ours = version{1, 0}
	old  = version{0, 9}
)

func (v version) less(w version) bool {
	return v.major < w.major || v.major == w.major && v.minor < w.minor
}

func (v version) String() string { return strconv.Itoa(v.major) + "." + strconv.Itoa(v.minor) }

// parseVersion reads a version; leading zeros do not matter.
func parseVersion(s string) (v version, ok bool) {
	major, minor, ok := strings.Cut(s, ".")
	if !ok {
		return version{}, false
	}
	if v.major, ok = parseNumber(major); !ok {
		return version{}, false
	}
	v.minor, ok = parseNumber(minor)
	return v, ok
}

// parseNumber reads digits and nothing else. What is too large to matter counts
// as the largest number.
func parseNumber(s string) (int, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	const most = 1 << 30
	n, err := strconv.Atoi(s)
	if err != nil || n > most {
		return most, true
	}
	return n, true
}
