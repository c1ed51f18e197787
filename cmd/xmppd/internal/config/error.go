package config

import (
	"fmt"
	"strings"
)

// An Error is something that is wrong in the file.
type Error struct {
	File    string
	Line    int    // zero if it is nowhere in particular
	Key     string // such as "listen.c2s" or "host[1].domain"; empty for what is no TOML
	Problem string
	Remedy  string // what to do about it
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Key != "" {
		fmt.Fprintf(&b, ": %s", e.Key)
	}
	fmt.Fprintf(&b, ": %s", e.Problem)
	if e.Remedy != "" {
		fmt.Fprintf(&b, "; %s", e.Remedy)
	}
	return b.String()
}

// Errors are all that are wrong, in the order of the file.
type Errors []*Error

// Error implements error: one a line.
func (all Errors) Error() string {
	texts := make([]string, len(all))
	for i, e := range all {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "\n")
}

// Problem is an error about a key of the file, for those who find one only when they use it.
func (c *Config) Problem(key, problem, remedy string) *Error {
	return &Error{File: c.File, Line: c.lines.of(key), Key: key, Problem: problem, Remedy: remedy}
}
