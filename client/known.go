package client

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"

	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stream"
)

// Known is what a client has learned from logging in, for the next time: by itself when it connects
// again, and for another process if the program keeps it (see [Options.Keep]). Who has it can log in as
// the account. It can be written as JSON. Printing or logging a value shows nothing of it.
type Known struct {
	// Agent is a random UUID by which the server knows the client again (XEP-0388).
	Agent string
	// Ticket lets the client log in without a password, and at once (XEP-0484); nil without.
	Ticket *stream.Ticket
	// Mechanism is the best one by which the password was proven. Weaker ones are refused from then
	// on: who offers less than before may be somebody else.
	Mechanism string
}

// Format prints a placeholder, whatever the verb.
func (Known) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("client.Known{...}")) }

// LogValue implements [slog.LogValuer] with a placeholder.
func (Known) LogValue() slog.Value { return slog.StringValue("client.Known{...}") }

// newAgent makes a UUID of version 4 (RFC 9562 §5.4).
func newAgent() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// learn notes something, and has the program keep it.
func (d *dialing) learn(change func(*Known)) {
	change(&d.known)
	if d.opts.Keep != nil {
		d.opts.Keep(d.known)
	}
}

// pin notes by which mechanism a stream was authenticated, if that is better than what is known.
func (d *dialing) pin(conn *stream.Conn) {
	order := d.opts.policy().Mechanisms
	if order == nil {
		order = sasl.Mechanisms()
	}
	now, before := slices.Index(order, conn.Mechanism()), slices.Index(order, d.known.Mechanism)
	if now >= 0 && (before < 0 || now < before) {
		d.learn(func(k *Known) { k.Mechanism = conn.Mechanism() })
	}
}

// features is what a stream negotiates.
func (d *dialing) features() []stream.Feature {
	o, creds, policy := d.opts, d.opts.credentials(d.account), d.opts.policy()
	policy.Pinned = d.known.Mechanism
	management := stream.Management{ResumeFor: resumeFor}
	sasl2 := stream.ClientSASL2{
		Credentials: creds,
		Policy:      policy,
		Agent:       stream.UserAgent{ID: d.known.Agent, Software: o.Software, Device: o.Device},
		Ticket:      func() *stream.Ticket { return d.known.Ticket },
		Keep:        func(t *stream.Ticket) { d.learn(func(k *Known) { k.Ticket = t }) },
	}
	if creds.Username == "" || o.Anonymous {
		sasl2.Keep, sasl2.Ticket = nil, nil
	}
	if d.account.Resourcepart() == "" { // one that is wished for can only be had the old way
		sasl2.Bind = &stream.Bind2{Tag: o.Software, Management: &management}
	}
	if d.prepares() {
		sasl2.Ticket = nil // that would log in at once
	}
	features := append([]stream.Feature{stream.StartTLS{Config: o.TLS}}, d.before()...)
	return append(features,
		sasl2,
		stream.ClientSASL{Credentials: creds, Policy: policy},
		stream.Resume{},
		stream.Bind{Resource: d.account.Resourcepart()},
		stream.Session{},
		management,
	)
}
