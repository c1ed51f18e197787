// Package presence manages who may see whose presence (RFC 6121 §3) and knows
// who is there (§4).
//
// # Being there
//
// To become available, to change and to leave is to send a presence; that needs
// no help:
//
//	s.Send(ctx, stanza.Presence{})
//	s.Send(ctx, stanza.Presence{Show: stanza.ShowAway, Status: stanza.Plain("lunch")})
//	s.Send(ctx, stanza.Presence{Type: stanza.PresenceUnavailable})
//
// # Subscriptions
//
// [Subscribe] asks a contact, [Approve] lets one see the account, [Cancel]
// withdraws or denies that, [Unsubscribe] ends one's own. Each returns once the
// request is on its way; what becomes of it, perhaps days later, arrives as a
// push of the roster.
//
// Requests of others are decided by a [Policy]:
//
//	presence.Register(mux, presence.Mutual)
//	presence.Register(mux, presence.OwnDomain(presence.Accept, presence.Refuse)) // instead: for one's own people
//
// Without a policy they stay open: a person decides, in this program or on
// another device.
//
// # Who is there
//
// A [Tracker] keeps, for each contact, the resources that are available:
//
//	online := presence.NewTracker(&presence.Options{Known: contacts.Contains}) // contacts is a *roster.List
//	online.Register(mux)
//	…
//	if best, ok := online.Best(juliet); ok {
//		fmt.Println(best.JID, best.Show, best.Status)
//	}
//	…
//	online.Reset(ctx) // the stream has ended
//
// # Payloads
//
// A program may put data of its own into presence, as long as it is small and
// changes seldom. Its type implements [stanza.Payload] and [stanza.Decoder]:
//
//	s.Send(ctx, stanza.Presence{Payloads: stanza.Payloads{game.State{Level: 3}}})
//
// and is read with muxer.Presence, or from what a Tracker holds:
//
//	var state game.State
//	found, err := best.Payloads.Decode(&state)
package presence
