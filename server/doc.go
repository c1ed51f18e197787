// Package server serves accounts: it is the XMPP server that a program embeds, in a
// game, an internal tool or a test. It speaks RFC 6120 and RFC 6121 with clients;
// other servers it does not reach yet, and says so (remote-server-not-found).
//
// # A server
//
//	srv, err := server.New(&server.Options{Domains: []string{"example.org"}, TLS: tlsConfig})
//	if err != nil {
//		return err
//	}
//	if err := srv.CreateAccount(ctx, jid.MustParse("juliet@example.org"), password); err != nil {
//		return err
//	}
//	return srv.Serve(ctx, listener)
//
// [Server.Serve] is for the port where TLS is agreed on by STARTTLS, usually 5222;
// [Server.ServeTLS] for one where it comes first (XEP-0368), usually 5223;
// [Server.ServeConn] for a connection that is already there, such as one end of a
// [net.Pipe] in a test. Any number of them may run at once. [Server.Shutdown]
// ends them all politely; the end of the context given to one ends that one.
// Package devcert makes certificates for first steps.
//
// TLS is required, and of passwords nothing is kept but SCRAM secrets. Clients may
// use SCRAM with or without channel binding, or PLAIN over TLS; with [Users], the program's tokens too. A program itself needs neither a network nor a
// password to be one of its clients: see [Server.DialAccount].
//
// # Accounts and contacts
//
// [Server.CreateAccount], [Server.SetPassword] and [Server.DeleteAccount] may be called at
// any time; [Server.AddContact], [Server.SetContact] and [Server.RemoveContact] change rosters, and clients that are online see it
// happen. A program that has users of its own gives the server their table, see [Users]; docs/embedding.md is a guide:
//
//	server.Options{Users: table, …}
//
// Whatever is not given is kept in memory; packages sqlite and postgres keep it on disk.
//
// # Several servers
//
// Servers with the same domains and the same stores act as one if [Options].Cluster joins them: see package cluster. A
// server without it is alone.
//
// # What it does with stanzas
//
// Every stanza of a client is stamped with the client's address. A message to a
// full JID goes to that session; one to a bare JID to the available sessions
// with the highest priority, of which there may be several; if there is none it
// waits, with a note of the delay (XEP-0160, XEP-0203), for the first session that
// becomes available with a priority that is not negative. Chat states alone do not
// wait. The table of RFC 6121 §8.5.4 is in the code as a table.
//
// Rosters, subscriptions (with approval ahead of a request, §3.4), presence, probes and
// directed presence follow RFC 6121. Requests to a bare JID are answered for the
// account: its roster to its own sessions, service discovery and pings to those
// who may see its presence. Requests to a full JID are delivered if whoever sends
// them may know that it is there. Everybody else gets the same answer whether or not the
// account or the session exists: service-unavailable, or none.
//
// A resource that is taken is given to the new session with something random
// behind it (RFC 6120 §7.7.2.2, the first of three ways): nobody is thrown out.
//
// Whatever is acknowledged has been stored before: a roster change before its
// result, an offline message before the count that a client is told by stream management
// (XEP-0198). Who sends many messages to somebody offline is read on meanwhile, and they are stored together.
//
// # Clients that are cut off
//
// A client with stream management (XEP-0198) that loses its connection can resume its session for
// [Limits].ResumeFor. Meanwhile others reach it: what they send waits in its queue, and in the store when that is
// full. Then, or when the client comes back without its session, what it has not acknowledged goes where it
// goes when nobody is there: messages to the store, requests back as errors. SASL2, Bind 2 and FAST (XEP-0388,
// 0386, 0484) make coming back one exchange; tokens end with the password.
//
// # Extensions
//
// [Options].Modules adds extensions; package module says what they may do, and package usual has those that people's clients ask
// for. Without any, the server does what RFC 6120 and RFC 6121 ask for, and nothing else.
//
// # Answering for a domain
//
// What is addressed to a domain is handled by [Options.Mux]:
//
//	mux := muxer.New()
//	mux.Identity("server", "im", "Our server")
//	ping.Register(mux)
//	muxer.IQ(mux, stanza.IQGet, func(ctx context.Context, iq *stanza.IQ, q *motd.Query) (motd.Text, error) { … })
//	srv, err := server.New(&server.Options{Mux: mux, …})
//
// Its handlers run one after another for each client, concurrently for different
// ones. They find in their context the [xmpp.Session] of the domain, which
// [Server.Session] returns to other code as well: it sends and queries as the
// domain. Other than handlers, no code of the program runs where stanzas are routed.
//
// # Limits and slow clients
//
// All that clients can make the server hold is bounded by [Limits], which have safe
// defaults; [Server.Stats] counts what they have done. Connections are bounded by address and network, and every one must have
// logged in within a time that nothing extends, and within so many bytes. What a client then causes is counted, what it sends and
// what the server sends to its contacts: beyond its rate it is not read for a while.
// What a client is sent waits in a queue of bounded size. When that is full, those
// who write to the client wait with it, so that nobody is read faster than his
// recipient reads; after a second their messages are kept as if the client were offline, and
// follow when there is room. A session ends when its transport takes nothing for
// [Limits].WriteTimeout; messages that it has not been sent are kept for the next one.
// Answers to the client's own requests are another matter: until it has read
// some, nothing more is read from it.
//
// # How it is built
//
// One goroutine reads a session. It routes inline: it parses a stanza, applies the
// rules, looks up the recipient and appends to the recipient's queue. Only a message or
// query waits for room there, and a second at most. What is to be kept for somebody is left to a goroutine that
// exists for the account only as long as it has something to store. What changes a roster or tells of presence happens in turns, one at
// a time for each account; so nobody gets presence out of order, nor after the
// subscription was cancelled. A turn waits for the store and for nothing else; no lock
// is held while anything is waited for.
package server
