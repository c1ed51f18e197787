// Package muxer routes the stanzas of a session to handlers and answers service
// discovery with what was registered.
//
// # A bot
//
//	mux := muxer.New()
//	mux.Message(stanza.MessageChat, func(ctx context.Context, m *stanza.Message) error {
//		_, err := xmpp.SessionFrom(ctx).Send(ctx, m.Reply(m.Body))
//		return err
//	})
//	ping.Register(mux) // extensions register themselves
//	bot, err := client.Dial(ctx, account, &client.Options{Password: password, Handler: mux})
//	if err != nil {
//		return err
//	}
//	if _, err := bot.Send(ctx, stanza.Presence{}); err != nil { // now messages arrive
//		return err
//	}
//	return bot.Wait(ctx)
//
// Register before the mux is used, or at any time later: both are safe, from
// every goroutine, a handler included. One mux may serve many sessions;
// [xmpp.SessionFrom] tells them apart.
//
// # Queries
//
// A request goes to exactly one handler, which returns the answer: a payload,
// nil for an empty result, or an error. A [*stanza.Error] or [stanza.Condition]
// is sent as it is; of any other error the peer learns only that there was one.
//
//	mux.IQ(stanza.IQGet, "urn:example:dice", "roll", func(ctx context.Context, iq *stanza.IQ) (stanza.Payload, error) {
//		return Roll{Value: 4}, nil
//	})
//
// [IQ], the function, decodes the payload first; what does not decode is
// answered with bad-request, without asking the handler:
//
//	muxer.IQ(mux, stanza.IQGet, func(ctx context.Context, iq *stanza.IQ, q *Roll) (Roll, error) {
//		return Roll{Value: rand.IntN(q.Sides) + 1}, nil
//	})
//
// [Any] stands for every namespace or every name, [AnyIQ] for get and set. The
// most specific route wins: an exact namespace before Any, then an exact name
// before Any, then an exact type before AnyIQ. To register one pattern twice is
// a slip of the programmer and panics.
//
// What no route fits is answered with service-unavailable (RFC 6120 §8.4), or,
// when some route has its namespace, with feature-not-implemented: the
// namespace is understood, this use of it is not (§8.3.3.3).
//
// # Messages and presence
//
// A message or presence goes to every route that fits, in the order in which
// they were registered, to each once. Delivery receipts and a bot both see the
// message.
//
//	mux.Message(stanza.MessageChat, h)               // by type
//	mux.Message(muxer.AnyMessage, h)                 // every type but error
//	mux.MessagePayload(muxer.AnyMessage, ns, "x", h) // those with such a child
//	muxer.Message(mux, muxer.AnyMessage, func(ctx context.Context, m *stanza.Message, i *Invite) error {
//		… // those with an Invite, decoded
//	})
//
// and likewise for presence. AnyMessage and AnyPresence leave errors out, for
// to answer an error is how loops start; register for [stanza.MessageError] or
// [stanza.PresenceError] to see them. What handlers return is joined
// (errors.Join), for the session to log. An error of one handler keeps nothing
// from the next, and ends nothing.
//
// # Middleware
//
// [Mux.Use] puts a layer around everything that arrives, [Mux.UseOutgoing] one
// around everything that is sent. The layer registered first is nearest to the
// wire, both ways: a layer that decrypts and encrypts is registered before one
// that looks at what is said.
//
// # Service discovery
//
// The mux answers disco#info and disco#items (XEP-0030) from what was
// registered. A route for the requests of a namespace advertises it;
// [Mux.Feature] advertises what has no such route, [Mux.Identity] says what the
// entity is ("client/bot" until then), [Mux.Form] adds a data form, [Mux.Node],
// [Mux.Nodes] and [Mux.Items] describe what lies below. [Mux.Info] is the
// answer as data, for a server that varies it.
//
// # Extensions
//
// A package that speaks a protocol offers Register, which takes the mux and
// what else it needs:
//
//	func Register(mux *muxer.Mux, h func(ctx context.Context, from jid.JID, i Invite) error) {
//		mux.Feature(NS)
//		muxer.Message(mux, muxer.AnyMessage, func(ctx context.Context, m *stanza.Message, i *Invite) error {
//			return h(ctx, m.From, *i)
//		})
//	}
package muxer
