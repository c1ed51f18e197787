package cluster

import (
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/server/storage"
)

// A Parcel is something for a node to do. It is plain data: engines may encode it as they like.
type Parcel struct {
	Way  Way
	From jid.JID // whose doing it is: the bare JID of an account, or a domain. It decides on order.
	To   jid.JID // whom it is for: an account or one of its sessions, or a domain

	Stanza  []byte            // as XML in the content namespace of clients, with its addresses
	Targets []Target          // of a Message: the sessions that it is for
	With    jid.JID           // somebody else whom it is about; see the ways
	List    []jid.JID         // more of them
	Account storage.AccountID // of an Expel or a Changed: the account that it is about, and not another one of the address
	Name    string            // of a Changed: what has changed
	Must    bool              // a session that has no room even for this is ended
}

// A Target is a session as its entry names it.
type Target struct {
	Addr     jid.JID
	Revision uint64
}

// A Way says what is to be done with a parcel.
type Way uint8

// The ways. Sessions are always those of the node that receives.
const (
	_ Way = iota
	// Message hands a message to Targets. The verdict is [Taken] if one of them took it.
	Message
	// Presence tells available sessions of To of a presence, or the one that To names; not those in List, which know.
	Presence
	// Subscription delivers a subscription stanza to the sessions of To that get those (RFC 6121 §3).
	Subscription
	// Push tells interested sessions of To of a changed roster item: the stanza is a roster push, whose addresses and id the
	// receiver makes for each.
	Push
	// Query delivers an IQ to the session To, or refuses it in its name.
	Query
	// Answer delivers a stanza to the session To, or to the domain To if a query there waits for it: it comes of something that they sent.
	Answer
	// Probe tells the sender of a presence probe which sessions of To are available; only the session With, if that is given. Whether he may
	// know was decided.
	Probe
	// Show tells the subscriber With which sessions of To are available, as far as he may get to know.
	Show
	// Hide tells With, if it is in List, that sessions of To are not available, and also if one of them has sent it directed presence.
	Hide
	// HideBelow is Hide for all addresses that With covers, and for all in List.
	HideBelow
	// Drain says that messages are stored for To, which has a session that may get them.
	Drain
	// Knows asks whether a session of To has sent directed presence to With: [Taken] if so.
	Knows
	// Expel ends all sessions of the account To. The verdict comes when they have ended.
	Expel
	// Changed says that what the stores hold of the account To under Name has changed. The verdict comes when it is no longer remembered otherwise.
	Changed
)

// A Verdict says what has come of a parcel.
type Verdict uint8

// The verdicts.
const (
	Taken  Verdict = iota + 1
	Behind         // older messages for the account are on their way from the store: it belongs behind those
	Full           // there was no room for it in time
	Gone           // nobody is there any more
)
