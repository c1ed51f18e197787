package server

import (
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A state is one of the nine of a subscription (RFC 6121 Appendix A.1).
type state uint8

const (
	sNone state = iota
	sNoneOut
	sNoneIn
	sNoneOutIn
	sTo
	sToIn
	sFrom
	sFromOut
	sBoth
	states = iota
)

// flags are the states as they are stored.
var flags = [states]storage.Subscription{
	sNone:      0,
	sNoneOut:   storage.PendingOut,
	sNoneIn:    storage.PendingIn,
	sNoneOutIn: storage.PendingOut | storage.PendingIn,
	sTo:        storage.To,
	sToIn:      storage.To | storage.PendingIn,
	sFrom:      storage.From,
	sFromOut:   storage.From | storage.PendingOut,
	sBoth:      storage.To | storage.From,
}

// stateOf reads a stored state. What a store should never hold is [sNone].
func stateOf(s storage.Subscription) state {
	for st, f := range flags {
		if f == s {
			return state(st)
		}
	}
	return sNone
}

// An event is a subscription stanza that leaves the account or arrives at it.
type event uint8

const (
	outSubscribe event = iota
	outUnsubscribe
	outSubscribed
	outUnsubscribed
	inSubscribe
	inUnsubscribe
	inSubscribed
	inUnsubscribed
	events = iota
)

// outgoing and incoming are the events that subscription stanzas are.
var (
	outgoing = map[stanza.PresenceType]event{
		stanza.PresenceSubscribe:    outSubscribe,
		stanza.PresenceUnsubscribe:  outUnsubscribe,
		stanza.PresenceSubscribed:   outSubscribed,
		stanza.PresenceUnsubscribed: outUnsubscribed,
	}
	incoming = map[stanza.PresenceType]event{
		stanza.PresenceSubscribe:    inSubscribe,
		stanza.PresenceUnsubscribe:  inUnsubscribe,
		stanza.PresenceSubscribed:   inSubscribed,
		stanza.PresenceUnsubscribed: inUnsubscribed,
	}
)

// isSubscription reports whether a presence manages a subscription.
func isSubscription(t stanza.PresenceType) bool {
	_, ok := outgoing[t]
	return ok
}

// An action is what to do with the stanza of an event. It is a set.
type action uint8

const (
	pass    action = 1 << iota // route it to the contact, or deliver it to the account
	reply                      // answer for the account: that the contact is, or no longer is, subscribed
	approve                    // keep it as an approval ahead of the request (§3.4)
)

func (a action) has(b action) bool { return a&b == b }

// A step is one cell of the tables.
type step struct {
	next state
	do   action
}

// machine holds tables 2 to 9 of RFC 6121 Appendix A. An approval given ahead of
// the request is on top of it: see [advance].
var machine = [events][states]step{
	outSubscribe: { // table 2
		sNone:      {sNoneOut, pass},
		sNoneOut:   {sNoneOut, pass},
		sNoneIn:    {sNoneOutIn, pass},
		sNoneOutIn: {sNoneOutIn, pass},
		sTo:        {sTo, pass},
		sToIn:      {sToIn, pass},
		sFrom:      {sFromOut, pass},
		sFromOut:   {sFromOut, pass},
		sBoth:      {sBoth, pass},
	},
	outUnsubscribe: { // table 3
		sNone:      {sNone, pass},
		sNoneOut:   {sNone, pass},
		sNoneIn:    {sNoneIn, pass},
		sNoneOutIn: {sNoneIn, pass},
		sTo:        {sNone, pass},
		sToIn:      {sNoneIn, pass},
		sFrom:      {sFrom, pass},
		sFromOut:   {sFrom, pass},
		sBoth:      {sFrom, pass},
	},
	outSubscribed: { // table 4
		sNone:      {sNone, approve},
		sNoneOut:   {sNoneOut, approve},
		sNoneIn:    {sFrom, pass},
		sNoneOutIn: {sFromOut, pass},
		sTo:        {sTo, approve},
		sToIn:      {sBoth, pass},
		sFrom:      {sFrom, 0},
		sFromOut:   {sFromOut, 0},
		sBoth:      {sBoth, 0},
	},
	outUnsubscribed: { // table 5
		sNone:      {sNone, 0},
		sNoneOut:   {sNoneOut, 0},
		sNoneIn:    {sNone, pass},
		sNoneOutIn: {sNoneOut, pass},
		sTo:        {sTo, 0},
		sToIn:      {sTo, pass},
		sFrom:      {sNone, pass},
		sFromOut:   {sNoneOut, pass},
		sBoth:      {sTo, pass},
	},
	inSubscribe: { // table 6
		sNone:      {sNoneIn, pass},
		sNoneOut:   {sNoneOutIn, pass},
		sNoneIn:    {sNoneIn, 0},
		sNoneOutIn: {sNoneOutIn, 0},
		sTo:        {sToIn, pass},
		sToIn:      {sToIn, 0},
		sFrom:      {sFrom, reply},
		sFromOut:   {sFromOut, reply},
		sBoth:      {sBoth, reply},
	},
	inUnsubscribe: { // table 7
		sNone:      {sNone, 0},
		sNoneOut:   {sNoneOut, 0},
		sNoneIn:    {sNone, pass | reply},
		sNoneOutIn: {sNoneOut, pass | reply},
		sTo:        {sTo, 0},
		sToIn:      {sTo, pass | reply},
		sFrom:      {sNone, pass | reply},
		sFromOut:   {sNoneOut, pass | reply},
		sBoth:      {sTo, pass | reply},
	},
	inSubscribed: { // table 8
		sNone:      {sNone, 0},
		sNoneOut:   {sTo, pass},
		sNoneIn:    {sNoneIn, 0},
		sNoneOutIn: {sToIn, pass},
		sTo:        {sTo, 0},
		sToIn:      {sToIn, 0},
		sFrom:      {sFrom, 0},
		sFromOut:   {sBoth, pass},
		sBoth:      {sBoth, 0},
	},
	inUnsubscribed: { // table 9
		sNone:      {sNone, 0},
		sNoneOut:   {sNone, pass},
		sNoneIn:    {sNoneIn, 0},
		sNoneOutIn: {sNoneIn, pass},
		sTo:        {sNone, pass},
		sToIn:      {sNoneIn, pass},
		sFrom:      {sFrom, 0},
		sFromOut:   {sFrom, pass},
		sBoth:      {sFrom, pass},
	},
}

// advance applies an event to a contact and returns what follows from it.
// Request is the stanza, kept while the contact waits for an answer.
func advance(c storage.Contact, e event, request []byte) (storage.Contact, action) {
	now := stateOf(c.Subscription)
	next := machine[e][now]
	if e == inSubscribe && c.Approved && (next.do.has(pass) || c.Subscription.Has(storage.PendingIn)) {
		// Not delivered but granted (§3.4.2), as if the account had answered the request.
		next = step{machine[outSubscribed][next.next].next, reply}
	}
	switch {
	case e == outSubscribe, next.do.has(approve), e == outSubscribed && next.do.has(pass):
		c.Listed = true
	}
	if next.do.has(approve) {
		c.Approved = true
	}
	if e == outUnsubscribed {
		c.Approved = false
	}
	c.Subscription = flags[next.next]
	switch {
	case !c.Subscription.Has(storage.PendingIn):
		c.Request = nil
	case e == inSubscribe && next.do.has(pass):
		c.Request = request
	}
	return c, next.do
}
