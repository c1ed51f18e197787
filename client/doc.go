// Package client connects an account to its server.
//
//	c, err := client.Dial(ctx, jid.MustParse("juliet@example.org"), &client.Options{
//		Password: password,
//		Handler:  mux,
//	})
//
// [Dial] finds the server of the account's domain in the DNS, connects, secures
// the stream, logs in and binds a resource. The [Client] that it returns is an
// [xmpp.Session], and reads on its own: handlers run as stanzas arrive, and
// nothing has to be pumped. The bot in the documentation of package xmpp is a
// whole program; its last line,
//
//	return c.Wait(ctx)
//
// is the life of most: until the stream ends, or until ctx does and the stream
// is closed in good order.
//
// # The first presence
//
// To be sent messages, a client has to say that it is there: contacts see it
// and the server delivers what is addressed to the bare JID only after
//
//	c.Send(ctx, stanza.Presence{})
//
// # Finding the server
//
// The SRV records _xmpps-client (TLS from the first byte, XEP-0368) and
// _xmpp-client (STARTTLS, RFC 6120 §3.2) of the domain are merged and tried in the
// order of their priorities and weights until one works. A domain without
// either is tried at port 5222. [Options.Address] does without the DNS.
//
// # Security
//
// Without TLS nothing is revealed, not even the account. The certificate is
// verified against the domain of the account, whatever host the DNS names: who
// controls the DNS cannot read along. Passwords are proven by SCRAM and never
// sent, and the server has to prove that it knows them too. Each of these can be
// given up only by an option that says so.
//
// # Errors
//
// Dial says which server was tried, at what step it failed and why, in one line;
// errors.Is tells the kinds apart that a program may want to treat differently:
// [ErrCredentials], [ErrCertificate], [ErrHostNotFound] and their neighbours.
// Later, what the end of the stream cuts short gives errors that match
// [xmpp.ErrClosed], and [Client.Wait] has the reason.
package client
