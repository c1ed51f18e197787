// Package stream negotiates XML streams and carries stanzas over them (RFC 6120
// §4 to §7), for both roles: the initiating entity, which connected, and the
// receiving entity. It is what clients, components and servers are built from.
//
// # Negotiation
//
// [Initiate] and [Accept] turn a connection into a [Conn]. What is negotiated on
// the way is a list of features, in the order in which the initiating entity uses
// them:
//
//	c, err := stream.Initiate(ctx, nc, &stream.Config{
//		Domain:  jid.MustParse("example.com"),
//		Account: jid.MustParse("juliet@example.com"),
//		Features: []stream.Feature{
//			stream.StartTLS{},
//			stream.ClientSASL{Credentials: credentials},
//			stream.Bind{Resource: "balcony"},
//		},
//	})
//
// The receiving entity lists its own, such as [ServerSASL]. A [Feature] is a
// small type that says what it offers, when it may run, and what its part is in
// either role; one of your own needs nothing that those of this package do not
// have. What has been agreed is a [State]: the stream is secure, authenticated,
// bound.
//
// # Security
//
// Without TLS, nothing but STARTTLS is offered or used, unless
// Config.InsecurePlaintext says otherwise; that is decided in one place. The
// certificate is verified against the domain of the service, not the host that
// was dialed ([TLSClient], [StartTLS]). What arrives before TLS never has an
// effect after it. A stream that has been authenticated for one domain cannot be
// restarted for another. Before authentication the [Limits] are narrow, and the
// context bounds all of negotiation in absolute time.
//
// # Stanzas
//
// [Conn.Next] returns what arrives, one first-level element at a time, checked
// and whole. [Conn.Send] queues what is to leave: many goroutines may, in one
// order; a stanza leaves whole; what has been queued meanwhile leaves in one
// write; the queue is bounded in bytes. An idle stream has no goroutine of its
// own.
//
// # Acknowledgements and resumption
//
// With [Management] both sides count stanzas (XEP-0198): receipts reach [xmpp.Acked], and what is not acknowledged is
// held, within bounds. A session whose transport is lost can be resumed on another stream: Config.Previous on the
// side that connects, [Resume] on the other. The queue goes on on it, also where a new session has to
// begin; [Conn.Lost] has what may not have arrived. [Conn.Save] and [Restore] do that across processes.
//
// [ClientSASL2] and [ServerSASL2] do in one exchange what takes several otherwise: authenticate (XEP-0388), with a
// token from before (XEP-0484), and resume, or bind and enable acknowledgements (XEP-0386).
//
// # The end
//
// [Conn.Close] closes a stream properly and waits for the peer to do so too;
// [Conn.Fail] ends it with an [Error]; [Conn.Abort] pulls the plug. Each is bounded
// in time and none waits behind a peer that has stopped reading. A peer that breaks
// the rules of XML or of streams is told so, with the condition that RFC 6120
// names, and [Conn.Next] returns the same [Error].
package stream
