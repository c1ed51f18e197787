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
// is the life of most: until ctx ends and the stream is closed in good order, or until
// there is no point in going on.
//
// # When the stream is lost
//
// The client dials again, as [Options.Reconnect] says, and resumes its session (XEP-0198): nothing is lost
// or doubled, queries go on to wait, nobody notices. Where the server has given the session up, another one begins: the
// client sends the presence again that was broadcast last, and the messages that had not left; all else of the
// old session is over. A handler that is an [xmpp.Observer], as a muxer is, is told: suspended,
// resumed, offline (with what may not have arrived), online. [xmpp.Receipt] says it of each stanza.
//
// A connection that is dead without saying so is noticed within [Options].IdleTimeout and ProbeTimeout;
// [Client.Poke] is for programs that know sooner. What a client has learned from logging in, such as a token that
// makes the next login one exchange, it uses by itself, and tells [Options.Keep] for other processes.
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
// either is tried at port 5222. Servers of the same priority, and their IPv6 and
// IPv4 addresses, are tried a quarter of a second apart, and the first that accepts the connection is
// taken (RFC 8305, XEP-0495). [Options.Address] does without the DNS, and
// [Options.Proxy] leaves the network to a proxy.
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
