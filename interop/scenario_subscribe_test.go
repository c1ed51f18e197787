//go:build unix

package interop

import "strings"

// subscription is a presence stanza that changes a subscription.
func subscription(typ, to string) string {
	return "<presence type='" + typ + "' to='" + to + "'/>"
}

var subscribeScenarios = []scenario{
	{"two people become contacts of each other", "3.1", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		w.says("romeo/orchard", "<presence type='subscribe' to='juliet@example.org' id='ask'><status>It is the east</status></presence>")
		w.expect("he asks", `
			romeo/orchard < iq from=romeo type=set [roster:query [item ask=subscribe jid=juliet subscription=none]]
			? romeo/orchard < presence from=juliet type=unavailable
			juliet/balcony < presence from=romeo id=ask type=subscribe [status "It is the east"]`)
		w.says("juliet/balcony", subscription("subscribed", "romeo@example.org"))
		w.expect("she agrees", `
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=from]]
			romeo/orchard < presence from=juliet type=subscribed
			romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=to]]
			romeo/orchard < presence from=juliet/balcony`)
		w.says("juliet/balcony", subscription("subscribe", "romeo@example.org"))
		w.expect("she asks", `
			juliet/balcony < iq from=juliet type=set [roster:query [item ask=subscribe jid=romeo subscription=from]]
			? juliet/balcony < presence from=romeo type=unavailable
			? romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=to]]
			romeo/orchard < presence from=juliet type=subscribe`)
		w.says("romeo/orchard", subscription("subscribed", "juliet@example.org"))
		w.expect("he agrees", `
			romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=both]]
			? romeo/orchard < presence from=juliet/balcony
			juliet/balcony < presence from=romeo type=subscribed
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=both]]
			juliet/balcony < presence from=romeo/orchard`)
	}},
	{"whoever asks is not in the roster of whom he asks", "3.1.3", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		w.says("romeo/orchard", subscription("subscribe", "juliet@example.org"))
		w.drain()
		w.says("juliet/balcony", getRoster)
		w.expect("get", "juliet/balcony < iq from=juliet id=get type=result [roster:query]")
	}},
	{"a request goes to all available resources, its push to all interested ones", "3.1.3", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony", "juliet/chamber")
		w.interested("romeo/window", "juliet/window")
		w.says("romeo/orchard", subscription("subscribe", "juliet@example.org"))
		w.expect("he asks", `
			romeo/orchard < iq from=romeo type=set [roster:query [item ask=subscribe jid=juliet subscription=none]]
			romeo/window < iq from=romeo type=set [roster:query [item ask=subscribe jid=juliet subscription=none]]
			? romeo/orchard < presence from=juliet type=unavailable
			juliet/balcony < presence from=romeo type=subscribe
			juliet/chamber < presence from=romeo type=subscribe`)
	}},
	{"an approval goes to all interested resources, with presence for the available ones", "3.1.6", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony", "juliet/chamber")
		w.interested("romeo/window", "juliet/window")
		w.says("romeo/orchard", subscription("subscribe", "juliet@example.org"))
		w.drain()
		w.says("juliet/balcony", subscription("subscribed", "romeo@example.org"))
		w.expect("she agrees", `
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=from]]
			juliet/chamber < iq from=juliet type=set [roster:query [item jid=romeo subscription=from]]
			juliet/window < iq from=juliet type=set [roster:query [item jid=romeo subscription=from]]
			romeo/orchard < presence from=juliet type=subscribed
			romeo/window < presence from=juliet type=subscribed
			romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=to]]
			romeo/window < iq from=romeo type=set [roster:query [item jid=juliet subscription=to]]
			romeo/orchard < presence from=juliet/balcony
			romeo/orchard < presence from=juliet/chamber`)
	}},
	{"a request to a full JID is one to the bare JID", "3.1.2", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony", "juliet/chamber")
		w.exactly = true
		w.says("romeo/orchard", subscription("subscribe", "juliet@example.org/balcony"))
		w.expect("he asks", `
			romeo/orchard < iq from=romeo type=set [roster:query [item ask=subscribe jid=juliet subscription=none]]
			? romeo/orchard < presence from=juliet to=romeo type=unavailable
			juliet/balcony < presence from=romeo to=juliet type=subscribe
			juliet/chamber < presence from=romeo to=juliet type=subscribe`)
	}},
	{"a request is stamped with the bare JID, whatever the client writes", "3", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		w.says("romeo/orchard", "<presence type='subscribe' from='romeo@example.org/orchard' to='juliet@example.org'/>")
		w.expect("he asks", `
			romeo/orchard < iq from=romeo type=set [roster:query [item ask=subscribe jid=juliet subscription=none]]
			? romeo/orchard < presence from=juliet type=unavailable
			juliet/balcony < presence from=romeo type=subscribe`)
	}},
	{"a request is denied", "3.2", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		w.says("romeo/orchard", subscription("subscribe", "juliet@example.org"))
		w.drain()
		w.says("juliet/balcony", subscription("unsubscribed", "romeo@example.org"))
		w.expect("she denies it", `
			romeo/orchard < presence from=juliet type=unsubscribed
			romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=none]]`)
		w.says("juliet/balcony", getRoster)
		w.expect("get", "juliet/balcony < iq from=juliet id=get type=result [roster:query]")
		w.available("juliet/balcony", "<show>away</show>")
		w.online("juliet/chamber")
		w.expect("it is not asked again", nothing)
	}},
	{"requests to somebody who is offline wait, whole, once, until they are answered", "3.1.3", func(w *world) {
		w.account("juliet")
		w.online("romeo/orchard")
		w.says("romeo/orchard", "<presence type='subscribe' to='juliet@example.org'><status>It is the east</status><x xmlns='urn:example:x'>y</x></presence>")
		w.says("romeo/orchard", "<presence type='subscribe' to='juliet@example.org'><status>It is the east</status><x xmlns='urn:example:x'>y</x></presence>")
		w.drain()
		asks := ` < presence from=romeo type=subscribe [status "It is the east"] [{urn:example:x}x "y"]`
		w.interested("juliet/balcony")
		w.says("juliet/balcony", "<presence/>")
		w.expect("she comes online", `
			juliet/balcony < presence from=juliet/balcony
			juliet/balcony`+asks)
		w.interested("juliet/chamber")
		w.says("juliet/chamber", "<presence/>")
		w.expect("she comes online elsewhere, too", `
			juliet/balcony < presence from=juliet/chamber
			juliet/chamber < presence from=juliet/chamber
			? juliet/chamber < presence from=juliet/balcony
			juliet/chamber`+asks)
		w.leaves("juliet/balcony", "juliet/chamber")
		w.interested("juliet/balcony")
		w.says("juliet/balcony", "<presence/>")
		w.expect("she comes back", `
			juliet/balcony < presence from=juliet/balcony
			juliet/balcony`+asks)
		w.says("juliet/balcony", subscription("subscribed", "romeo@example.org"))
		w.drain()
		w.interested("juliet/chamber")
		w.available("juliet/chamber", "")
		w.leaves("juliet/balcony", "juliet/chamber")
		w.interested("juliet/balcony")
		w.says("juliet/balcony", "<presence/>")
		w.expect("it was answered", `
			juliet/balcony < presence from=juliet/balcony
			romeo/orchard < presence from=juliet/balcony`)
	}},
	{"a request that was answered while somebody was offline is not asked again", "3.1.3", func(w *world) {
		w.account("juliet")
		w.online("romeo/orchard")
		w.says("romeo/orchard", subscription("subscribe", "juliet@example.org"))
		w.drain()
		w.interested("juliet/window")
		w.says("juliet/window", subscription("unsubscribed", "romeo@example.org"))
		w.drain()
		w.says("juliet/window", "<presence/>")
		w.expect("she comes online", "juliet/window < presence from=juliet/window")
	}},
	{"whoever withdraws a request has not asked", "3.3.3", func(w *world) {
		w.account("juliet")
		w.online("romeo/orchard")
		w.says("romeo/orchard", subscription("subscribe", "juliet@example.org"))
		w.drain()
		w.says("romeo/orchard", subscription("unsubscribe", "juliet@example.org"))
		w.expect("he withdraws it", "romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=none]]")
		w.interested("juliet/balcony")
		w.says("juliet/balcony", "<presence/>")
		w.expect("she comes online", "juliet/balcony < presence from=juliet/balcony")
	}},
	{"whoever is subscribed already is not asked about", "A.3.1", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony")
		w.says("romeo/orchard", subscription("subscribe", "juliet@example.org"))
		w.expect("he asks again", `
			? romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=both]]
			? romeo/orchard < presence from=juliet/balcony
			? romeo/orchard < presence from=juliet/balcony
			? juliet/balcony < presence from=romeo/orchard`) // none of that is asked for, nor hurts
		w.says("romeo/orchard", getRoster)
		w.expect("get", "romeo/orchard < iq from=romeo id=get type=result [roster:query [item jid=juliet subscription=both]]")
	}},
	{"an approval that nobody asked for does not arrive", "3.1.6", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		w.says("juliet/balcony", subscription("subscribed", "romeo@example.org"))
		w.expect("she approves", "? juliet/balcony < iq from=juliet type=set [roster:query [item approved=true jid=romeo subscription=none]]")
		w.says("romeo/orchard", getRoster)
		w.expect("get", "romeo/orchard < iq from=romeo id=get type=result [roster:query]")
		w.available("juliet/balcony", "<show>away</show>")
		w.expect("and shows him nothing", nothing)
	}},
	{"a cancellation of what is not there does not arrive", "3.2.2", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		w.says("juliet/balcony", subscription("unsubscribed", "romeo@example.org"))
		w.expect("she cancels", nothing)
		w.says("romeo/orchard", subscription("unsubscribe", "juliet@example.org"))
		w.expect("he unsubscribes", nothing)
	}},
	{"a request is approved in advance where that is offered", "3.4.2", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		if !strings.Contains(w.resource("juliet/balcony").features.String(), "urn:xmpp:features:pre-approval") {
			return // it is optional
		}
		w.says("juliet/balcony", subscription("subscribed", "romeo@example.org"))
		w.expect("she approves in advance", "juliet/balcony < iq from=juliet type=set [roster:query [item approved=true jid=romeo subscription=none]]")
		w.says("romeo/orchard", subscription("subscribe", "juliet@example.org"))
		romeo := `
			romeo/orchard < iq from=romeo type=set [roster:query [item ask=subscribe jid=juliet subscription=none]]
			romeo/orchard < presence from=juliet type=subscribed
			romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=to]]
			romeo/orchard < presence from=juliet/balcony`
		w.expect("he asks",
			romeo+"\njuliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=from]]",
			romeo+"\njuliet/balcony < iq from=juliet type=set [roster:query [item approved=true jid=romeo subscription=from]]")
	}},
	{"an approval in advance can be taken back", "3.2.2", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		if !strings.Contains(w.resource("juliet/balcony").features.String(), "urn:xmpp:features:pre-approval") {
			return
		}
		w.says("juliet/balcony", subscription("subscribed", "romeo@example.org"))
		w.drain()
		w.says("juliet/balcony", subscription("unsubscribed", "romeo@example.org"))
		w.expect("she takes it back", "juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=none]]")
		w.says("romeo/orchard", subscription("subscribe", "juliet@example.org"))
		w.expect("he asks", `
			romeo/orchard < iq from=romeo type=set [roster:query [item ask=subscribe jid=juliet subscription=none]]
			? romeo/orchard < presence from=juliet type=unavailable
			juliet/balcony < presence from=romeo type=subscribe`)
	}},
	{"whether there is an account cannot be told from a request", "8.5.1", func(w *world) {
		w.account("juliet")
		w.online("romeo/orchard")
		w.says("romeo/orchard", subscription("subscribe", "juliet@example.org"))
		w.expect("there is", `
			romeo/orchard < iq from=romeo type=set [roster:query [item ask=subscribe jid=juliet subscription=none]]
			? romeo/orchard < presence from=juliet type=unavailable`)
		// §3.1.2 asks for an error, §8.5.1 for silence.
		w.says("romeo/orchard", subscription("subscribe", "nobody@example.org"))
		w.expect("there is none", `
			? romeo/orchard < iq from=romeo type=set [roster:query [item ask=subscribe jid=nobody subscription=none]]
			? romeo/orchard < presence from=nobody type=unavailable
			? romeo/orchard < presence from=nobody type=error cancel/service-unavailable`)
		for _, typ := range []string{"subscribed", "unsubscribed"} {
			w.says("romeo/orchard", subscription(typ, "nobody@example.org"))
			w.expect(typ, "? romeo/orchard < iq from=romeo type=set [roster:query [item approved=true ask=subscribe jid=nobody subscription=none]]",
				"romeo/orchard < iq from=romeo type=set [roster:query [item ask=subscribe jid=nobody subscription=none]]",
				"romeo/orchard < iq from=romeo type=set [roster:query [item approved=true jid=nobody subscription=none]]")
		}
	}},
}

var cancelScenarios = []scenario{
	{"a contact cancels a subscription", "3.2.2", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony", "juliet/chamber")
		w.says("juliet/balcony", subscription("unsubscribed", "romeo@example.org"))
		w.expect("she cancels", `
			romeo/orchard < presence from=juliet/balcony type=unavailable
			romeo/orchard < presence from=juliet/chamber type=unavailable
			romeo/orchard < presence from=juliet type=unsubscribed
			romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=from]]
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=to]]
			juliet/chamber < iq from=juliet type=set [roster:query [item jid=romeo subscription=to]]`)
		w.available("juliet/balcony", "<show>away</show>")
		w.expect("and shows him nothing any more", nothing)
		w.says("romeo/orchard", "<presence><show>dnd</show></presence>")
		w.expect("he still shows her", `
			romeo/orchard < presence from=romeo/orchard [show "dnd"]
			juliet/balcony < presence from=romeo/orchard [show "dnd"]
			juliet/chamber < presence from=romeo/orchard [show "dnd"]`)
	}},
	{"a contact cancels the only subscription there was", "3.2.2", func(w *world) {
		w.subscribed("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony")
		w.says("juliet/balcony", subscription("unsubscribed", "romeo@example.org"))
		w.expect("she cancels", `
			romeo/orchard < presence from=juliet/balcony type=unavailable
			romeo/orchard < presence from=juliet type=unsubscribed
			romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=none]]
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=none]]`)
	}},
	{"a subscriber unsubscribes", "3.3.3", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony", "juliet/chamber")
		w.says("romeo/orchard", subscription("unsubscribe", "juliet@example.org"))
		w.expect("he unsubscribes", `
			romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=from]]
			romeo/orchard < presence from=juliet/balcony type=unavailable
			romeo/orchard < presence from=juliet/chamber type=unavailable
			juliet/balcony < presence from=romeo type=unsubscribe
			juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=to]]
			juliet/chamber < presence from=romeo type=unsubscribe
			juliet/chamber < iq from=juliet type=set [roster:query [item jid=romeo subscription=to]]`)
		w.available("juliet/balcony", "<show>away</show>")
		w.expect("and sees nothing any more", nothing)
	}},
	{"a subscription ends while the other one is offline", "3.2.3", func(w *world) {
		w.friends("romeo", "juliet")
		w.interested("juliet/balcony")
		w.says("juliet/balcony", subscription("unsubscribed", "romeo@example.org"))
		w.expect("she cancels", "juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=to]]")
		w.login("romeo/orchard")
		w.says("romeo/orchard", getRoster)
		w.expect("he looks", "romeo/orchard < iq from=romeo id=get type=result [roster:query [item jid=juliet subscription=from]]")
	}},
}
