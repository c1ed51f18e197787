// Package sasl proves who is at the other end of a channel, with the mechanisms
// of the Simple Authentication and Security Layer (RFC 4422), on both sides.
//
// It deals in the bytes of exchanges. Whatever carries them, such as base64 in
// XML, belongs to the protocol, and no protocol is known here.
//
// # The mechanisms
//
//	SCRAM-SHA-512, -256, -1          the password is proven and never sent; the server is proven too
//	the same with -PLUS              and bound to the TLS channel: nobody sits between
//	EXTERNAL                         the certificate shown in TLS
//	OAUTHBEARER                      a bearer token
//	PLAIN                            the password itself
//	ANONYMOUS                        nothing
//
// That is the order in which [Select] prefers them; [Policy] and [Options]
// change it. PLAIN and OAUTHBEARER run on confidential channels only, and PLAIN
// and ANONYMOUS only where somebody asked for them.
//
// # A client
//
// Select looks at what the server offers and what the user has:
//
//	channel := sasl.ClientChannel(conn.ConnectionState())
//	client, err := sasl.Select(offer, &sasl.Credentials{Username: "juliet", Password: password}, channel, nil)
//	if err != nil {
//		return err
//	}
//	response, err := client.Start() // send client.Name() and the response
//	for challenge := range challenges {
//		if response, err = client.Next(challenge); err != nil {
//			return err // abort the exchange
//		}
//		// send the response
//	}
//	return client.Finish(additional) // the server says that all is well: is it the server?
//
// Success is what Finish says, not what the server says. A server that cannot
// prove that it knows the account, that claims success too early or proves
// nothing at all, is [ErrServerNotProven].
//
// # A server
//
// An [Authenticator] looks at what the store of accounts can do. A store that
// keeps [Secrets], made by [NewSecrets] when a password is set, keeps nothing
// that lets a thief log in:
//
//	auth, err := sasl.NewAuthenticator(store, nil) // once
//	...
//	channel := sasl.ServerChannel(conn.ConnectionState(), certificate)
//	offer := auth.Offer(channel) // advertise it
//	exchange, err := auth.Start(mechanism, offer, channel)
//	if err != nil {
//		return err
//	}
//	for response := range responses {
//		challenge, done, err := exchange.Next(ctx, response)
//		switch {
//		case err != nil:
//			return err // wraps a Condition to tell the client
//		case done:
//			return success(exchange.Identity(), challenge)
//		}
//		// send the challenge
//	}
//
// A stranger learns nothing about which accounts exist: an unknown one is asked
// for its proof like any other, with a salt that stays the same, and fails where
// a wrong password fails. Who asks to act as somebody else is refused unless
// [Options.Authorize] agrees.
//
// # Channel binding
//
// A man in the middle with a forged or stolen certificate can relay a password
// proof. One that is bound to the channel is worth nothing on another. The types
// are tls-exporter (RFC 9266; TLS 1.3, or 1.2 with the extended master secret)
// and tls-server-end-point (RFC 5929; not with a certificate signed by Ed25519,
// for which that document names no hash function). A [Channel] without either
// simply has no -PLUS mechanisms.
//
// The attacker may try to make both sides believe that the other cannot bind, or
// to shorten the list of mechanisms. The first is in the message that SCRAM
// protects (RFC 5802 §6), the second in attributes that a server adds
// (XEP-0474, XEP-0515). Both need the whole [Offer], as it was sent and as it
// arrived.
//
// # Passwords
//
// SCRAM prepares usernames and passwords with SASLprep (RFC 4013) rather than
// with its successor PRECIS, whose result differs for some characters, because
// that is what the peer does. Characters younger than Unicode 3.2 are let through
// and the rule for right-to-left text is not applied, as in PRECIS; so everything
// that SASLprep accepts comes out the same, and more is accepted.
package sasl
