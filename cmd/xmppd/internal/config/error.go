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
	// Outside means that the file makes sense, but what it names cannot be had: a port that is taken, a database that is away.
	Outside bool

	cause error
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	if where := e.Where(); where != "" {
		b.WriteString(where + ": ")
	}
	b.WriteString(e.Problem)
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// Where is the file, the line and the key, as far as there are such.
func (e *Error) Where() string {
	where := e.File
	if e.Line > 0 {
		where += fmt.Sprintf(":%d", e.Line)
	}
	if e.Key != "" && where != "" {
		where += ": "
	}
	return where + e.Key
}

// Unwrap returns what was wrong outside of the file, if anything was.
func (e *Error) Unwrap() error { return e.cause }

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

// Unwrap returns them.
func (all Errors) Unwrap() []error {
	errs := make([]error, len(all))
	for i, e := range all {
		errs[i] = e
	}
	return errs
}

// Problem is an error about a key of the file, for those who find one only when they use it.
func (c *Config) Problem(key, problem, remedy string) *Error {
	return &Error{File: c.File, Line: c.lines.of(key), Key: key, Problem: problem, Remedy: remedy}
}

// Outside is an error about what a key names: the file makes sense, but that cannot be had.
func (c *Config) Outside(key string, err error, remedy string) *Error {
	e := c.Problem(key, err.Error(), remedy)
	e.Outside, e.cause = true, err
	return e
}
