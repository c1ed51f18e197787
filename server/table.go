package server

import "github.com/parlance-xmpp/xmpp/stanza"

// A condition is what is known of the account a message is for: a row of RFC
// 6121 §8.5.4.
type condition uint8

const (
	noAccount    condition = iota // there is no such account
	noResource                    // no resource is available
	onlyNegative                  // those available have a negative priority
	oneResource                   // one is available with a non-negative priority
	manyResource                  // several are
	conditions   = iota
)

// A form is the form of the address of a message.
type form uint8

const (
	bareJID   form = iota // no resourcepart
	fullMatch             // the full JID of a session, available or not
	fullOther             // a full JID that no session has
	forms     = iota
)

// A class is a type of message as the table has them.
type class uint8

const (
	normal class = iota
	chat
	groupchat
	headline
	failure // of type error
	classes = iota
)

// classOf returns the class of a type on the wire; one that is not known is normal (§5.2.2).
func classOf(t string) class {
	switch stanza.MessageType(t) {
	case stanza.MessageChat:
		return chat
	case stanza.MessageGroupchat:
		return groupchat
	case stanza.MessageHeadline:
		return headline
	case stanza.MessageError:
		return failure
	}
	return normal
}

// A placement is what becomes of a message: a cell of the table.
type placement uint8

const (
	silent  placement = iota // S: ignored
	refuse                   // E: returned with service-unavailable
	discern                  // S/E: returned to those who may know that nobody is there, ignored for others (§8.1)
	keep                     // O: kept until somebody comes online
	exactly                  // D: to the session that is named
	best                     // M: to the available sessions of the highest priority
	every                    // A: to all available sessions whose priority is not negative
)

// placements is the table of RFC 6121 §8.5.4, where that leaves a choice with these:
//
//   - What could be kept is kept, and what is for several goes to the best of them. Several
//     may be the best.
//   - What is neither kept nor delivered comes back only to senders who may
//     see the account's presence. Nobody else shall learn that an account or a
//     resource exists (RFC 6120 §13.10.2, §13.11).
//
// A message of type error is never returned, stored or redirected (§8.5.2.1.1,
// §8.5.2.2.1, §8.5.3.2.1).
var placements = [conditions][forms][classes]placement{
	noAccount: {
		bareJID:   {normal: silent, chat: silent, groupchat: refuse, headline: silent, failure: silent},
		fullMatch: {normal: discern, chat: silent, groupchat: discern, headline: discern, failure: silent}, // cannot be
		fullOther: {normal: discern, chat: silent, groupchat: discern, headline: discern, failure: silent},
	},
	noResource: {
		bareJID:   {normal: keep, chat: keep, groupchat: refuse, headline: silent, failure: silent},
		fullMatch: {normal: exactly, chat: exactly, groupchat: exactly, headline: exactly, failure: exactly},
		fullOther: {normal: discern, chat: keep, groupchat: discern, headline: discern, failure: silent},
	},
	onlyNegative: {
		bareJID:   {normal: keep, chat: keep, groupchat: refuse, headline: silent, failure: silent},
		fullMatch: {normal: exactly, chat: exactly, groupchat: exactly, headline: exactly, failure: exactly},
		fullOther: {normal: discern, chat: keep, groupchat: discern, headline: discern, failure: silent},
	},
	oneResource: {
		bareJID:   {normal: best, chat: best, groupchat: refuse, headline: every, failure: silent},
		fullMatch: {normal: exactly, chat: exactly, groupchat: exactly, headline: exactly, failure: exactly},
		fullOther: {normal: discern, chat: best, groupchat: discern, headline: discern, failure: silent},
	},
	manyResource: {
		bareJID:   {normal: best, chat: best, groupchat: refuse, headline: every, failure: silent},
		fullMatch: {normal: exactly, chat: exactly, groupchat: exactly, headline: exactly, failure: exactly},
		fullOther: {normal: discern, chat: best, groupchat: discern, headline: discern, failure: silent},
	},
}
