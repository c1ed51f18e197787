// Package xmpp is the contract that the packages of Parlance share: what a
// program holds of a stream ([Session]), what it hands to one ([Handler]), what
// becomes of a stanza it sends ([Receipt]) and how to look on ([Trace]). It does no I/O.
//
// # A bot
//
// Routes are registered on a muxer; client.Dial finds the server, logs in and
// keeps reading; handlers run one after another, in the order stanzas
// arrived:
//
//	mux := muxer.New()
//	mux.Message(stanza.MessageChat, func(ctx context.Context, m *stanza.Message) error {
//		_, err := xmpp.SessionFrom(ctx).Send(ctx, m.Reply(m.Body))
//		return err
//	})
//	bot, err := client.Dial(ctx, jid.MustParse("bot@example.org"), &client.Options{
//		Password: password,
//		Handler:  mux,
//	})
//	if err != nil {
//		return err
//	}
//	if _, err := bot.Send(ctx, stanza.Presence{}); err != nil { // now contacts see it, and messages arrive
//		return err
//	}
//	return bot.Wait(ctx)
//
// # A server
//
//	srv, err := server.New(&server.Options{Domains: []string{"localhost"}, TLS: tlsConfig})
//	if err != nil {
//		return err
//	}
//	if err := srv.CreateAccount(ctx, jid.MustParse("juliet@localhost"), password); err != nil {
//		return err
//	}
//	return srv.Serve(ctx, listener)
//
// # The packages
//
//	jid                addresses
//	stanza             messages, presence, queries, their errors and payloads
//	muxer              routes stanzas to handlers and answers service discovery
//	roster, presence   contacts and who of them is online
//	xep/...            one package for each family of extensions
//	client             a stream to a server, from the side of an account
//	server             hosts, accounts, routing; with server/storage below it
//	stream             negotiation, for those who build another role
//	sasl               authentication mechanisms; knows nothing of XMPP
//	xmpptest           servers, pipes and transcripts for tests
//
// Extensions depend on this package and never on a role, so they work on every
// Session and are tested without a socket. Roles know no extension. A program
// joins the two.
package xmpp
