package client

import (
	"cmp"
	"errors"
	"time"

	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stream"
)

// A Class says what kind of failure has kept a client from its server.
type Class uint8

// The classes of failures.
const (
	// ClassNetwork: the connection was lost, or none could be made.
	ClassNetwork Class = iota + 1
	// ClassServer: the server ended the stream, or refused one, for a reason of its own, such as
	// system-shutdown or policy-violation.
	ClassServer
	// ClassRedirect: the server has sent the client to another one (see-other-host). That is tried next,
	// and has to have the certificate of the account's domain too.
	ClassRedirect
	// ClassCertificate: who answered could not prove to be the server, or offered no TLS. Nothing was revealed.
	ClassCertificate
	// ClassCredentials: the server does not accept them any more.
	ClassCredentials
	// ClassPolicy: the server offers no way to log in that the options allow, or somebody on the way makes
	// it look so.
	ClassPolicy
	// ClassConflict: another client has taken the place of this one.
	ClassConflict
)

// String returns the name of the class.
func (c Class) String() string {
	names := [...]string{"", "network", "server", "redirect", "certificate", "credentials", "policy", "conflict"}
	if int(c) < len(names) {
		return names[c]
	}
	return "unknown"
}

// A Failure is a lost stream, or an attempt to get another one.
type Failure struct {
	Class Class
	Err   error
	// Attempt counts the failures in a row, from 1. A stream that lasted less than a minute is
	// part of the row.
	Attempt int
}

// A Policy decides whether a client whose stream is lost tries again. Its methods are called
// by one goroutine of each client.
type Policy interface {
	// Retry returns how long to wait before the next attempt, or false to end the session.
	Retry(f Failure) (wait time.Duration, again bool)
}

// A Backoff is the usual [Policy]: it waits longer after each failure, to a bound, and never
// exactly as long as others do (RFC 6120 §3.3). It gives up where trying again would do no good
// or harm: when the credentials are refused, when the options rule out what the server
// offers, and when another client has taken the place of this one.
type Backoff struct {
	// Min is about how long to wait after the first failure, Max after many. Zero means 1 s and 5 min.
	Min, Max time.Duration
	// Attempts is how many failures in a row are too many. Zero means no bound.
	Attempts int
}

// Retry implements [Policy].
func (b Backoff) Retry(f Failure) (time.Duration, bool) {
	switch f.Class {
	case ClassCredentials, ClassPolicy, ClassConflict:
		return 0, false
	}
	if b.Attempts > 0 && f.Attempt > b.Attempts {
		return 0, false
	}
	least, most := cmp.Or(b.Min, time.Second), cmp.Or(b.Max, 5*time.Minute)
	wait := most
	if n := f.Attempt - 1; n < 32 && least<<n < most && least<<n > 0 {
		wait = least << n
	}
	if f.Class == ClassRedirect && f.Attempt == 1 {
		return 0, true
	}
	return wait/2 + time.Duration(random(int(wait/2/time.Millisecond)))*time.Millisecond, true
}

// Never is the [Policy] that does not try again: a client whose stream is lost has ended.
var Never Policy = never{}

type never struct{}

func (never) Retry(Failure) (time.Duration, bool) { return 0, false }

// classOf tells the class of what ended a stream, or an attempt to get one.
func classOf(err error) Class {
	switch {
	case errors.Is(err, ErrCredentials):
		return ClassCredentials
	case errors.Is(err, ErrMechanism), errors.Is(err, sasl.ErrDowngrade), errors.Is(err, sasl.ErrServerNotProven),
		errors.Is(err, sasl.ErrIterations):
		return ClassPolicy
	case errors.Is(err, ErrCertificate), errors.Is(err, ErrNoTLS):
		return ClassCertificate
	case errors.Is(err, stream.Conflict):
		return ClassConflict
	case errors.Is(err, stream.SeeOtherHost):
		return ClassRedirect
	case is[*stream.Error](err), is[*stream.AuthError](err):
		return ClassServer
	}
	return ClassNetwork
}
