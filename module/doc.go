// Package module is the contract between a server and the extensions that run in it. Both know this
// package, and neither the other: an extension opens no socket, and is tested without one.
//
//	func (m *motd) Install(h module.Host) error {
//		h.Domain().IQ(stanza.IQGet, ns, "query", m.answer)
//		h.Hook(module.Hooks{Opened: m.greet})
//		return nil
//	}
//
//	srv, err := server.New(&server.Options{Modules: []module.Module{&motd{text: "…"}}, …})
//
// A [Module] is installed once, before the server serves anybody. It registers handlers for
// requests, on the muxes that also clients use, and functions for the few points of a stanza's way
// where something may be decided: see [Hooks]. What it wants kept it keeps in [Host.Stores], under the
// id of an account: an id never comes back, an address does.
//
// # Who may ask
//
// What is addressed to a domain anybody may ask. What is addressed to an account only its own
// sessions may, unless [Host.Open] says otherwise: nothing is given away by forgetting. Those
// who may not ask, and those who ask an account that does not exist, get the same answer. A handler that answers later, by [Session.Send], returns
// [ErrDrop].
//
// # Where it runs
//
// Handlers of an account and hooks run on the goroutine that reads the client they serve: what takes
// long holds up that client, and nobody else. [Hooks].Placed of a message that was, or was to be, kept for later is told
// by who stored it, in the order of the account: what takes long there holds up what is stored for the account next, and the
// acknowledgement. Handlers of a domain run beside it, in order for each
// client. A panic in any of them is logged, and answered like an error.
package module
