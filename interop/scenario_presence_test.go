//go:build unix

package interop

import "strings"

var presenceScenarios = []scenario{
	{"initial presence reaches contacts and oneself, and brings theirs", "4.2.2", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "romeo/garden")
		w.interested("juliet/balcony")
		w.says("juliet/balcony", "<presence/>")
		w.expect("she comes online", `
			juliet/balcony < presence from=juliet/balcony
			juliet/balcony < presence from=romeo/orchard
			juliet/balcony < presence from=romeo/garden
			romeo/orchard < presence from=juliet/balcony
			romeo/garden < presence from=juliet/balcony`)
	}},
	{"presence goes to those who are subscribed to it, and only to them", "4.2.2", func(w *world) {
		w.subscribed("romeo", "juliet")
		w.account("tybalt")
		w.online("romeo/orchard", "tybalt/street")
		w.interested("juliet/balcony")
		w.says("juliet/balcony", "<presence/>")
		w.expect("she comes online", `
			juliet/balcony < presence from=juliet/balcony
			romeo/orchard < presence from=juliet/balcony`)
		w.says("romeo/orchard", "<presence><show>dnd</show></presence>")
		w.expect("he, whom she does not see, is busy", `romeo/orchard < presence from=romeo/orchard [show "dnd"]`)
		w.says("juliet/balcony", "<presence type='unavailable'/>")
		w.expect("she goes", `
			juliet/balcony < presence from=juliet/balcony type=unavailable
			romeo/orchard < presence from=juliet/balcony type=unavailable`)
	}},
	{"a contact who is not there sends no presence", "4.3.2", func(w *world) {
		w.friends("romeo", "juliet")
		w.login("romeo/orchard")
		w.interested("juliet/balcony")
		w.says("juliet/balcony", "<presence/>")
		w.expect("she comes online", `
			juliet/balcony < presence from=juliet/balcony
			? juliet/balcony < presence from=romeo type=unavailable`)
	}},
	{"a resource sees the account's others", "4.2.2", func(w *world) {
		w.online("juliet/balcony")
		w.interested("juliet/chamber")
		w.says("juliet/chamber", "<presence><show>away</show></presence>")
		chamber := `
			juliet/balcony < presence from=juliet/chamber [show "away"]
			juliet/chamber < presence from=juliet/chamber [show "away"]`
		w.expect("another one comes online", chamber+"\n? juliet/chamber < presence from=juliet/balcony")
		w.says("juliet/chamber", "<presence type='unavailable'/>")
		w.expect("and goes", `
			juliet/balcony < presence from=juliet/chamber type=unavailable
			juliet/chamber < presence from=juliet/chamber type=unavailable`)
	}},
	{"presence without initial presence is none: a connected resource sees nobody", "4.2.3", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("juliet/balcony")
		w.interested("juliet/chamber", "romeo/orchard")
		w.says("romeo/orchard", "<presence/>")
		w.expect("he comes online", `
			romeo/orchard < presence from=romeo/orchard
			romeo/orchard < presence from=juliet/balcony
			juliet/balcony < presence from=romeo/orchard`)
	}},
	{"a change of presence is broadcast whole", "4.4.2", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony", "juliet/chamber")
		w.says("juliet/balcony", `<presence id='p'><show>xa</show><status xml:lang='it'>dormo</status><status>asleep</status><priority>5</priority><x xmlns='urn:example:x' a='b'><y/></x></presence>`)
		whole := ` < presence from=juliet/balcony id=p [priority "5"] [show "xa"] [status "asleep"] [status lang=it "dormo"] [{urn:example:x}x a=b [y]]`
		w.expect("she sleeps", "romeo/orchard"+whole+"\njuliet/balcony"+whole+"\njuliet/chamber"+whole)
	}},
	{"whoever comes later sees the last presence, whole", "4.3.2", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("juliet/balcony")
		w.available("juliet/balcony", `<show>xa</show><status>asleep</status><x xmlns='urn:example:x'>y</x>`)
		w.interested("romeo/orchard")
		w.says("romeo/orchard", "<presence/>")
		w.expect("he comes online", `
			romeo/orchard < presence from=romeo/orchard
			romeo/orchard < presence from=juliet/balcony [show "xa"] [status "asleep"] [{urn:example:x}x "y"]
			juliet/balcony < presence from=romeo/orchard`)
	}},
	{"the last presence has a reason", "4.5.2", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony", "juliet/chamber")
		w.says("juliet/balcony", "<presence type='unavailable'><status>going on vacation</status></presence>")
		gone := ` < presence from=juliet/balcony type=unavailable [status "going on vacation"]`
		w.expect("she goes", "romeo/orchard"+gone+"\njuliet/balcony"+gone+"\njuliet/chamber"+gone)
		w.closes("juliet/balcony")
		w.expect("and closes the stream", `
			juliet/balcony < /stream
			? juliet/chamber < presence from=juliet/balcony type=unavailable`)
	}},
	{"whoever was unavailable and shows himself again begins anew", "4.5.2", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony")
		w.says("juliet/balcony", "<presence type='unavailable'/>")
		w.drain()
		w.says("romeo/orchard", "<presence><show>dnd</show></presence>")
		w.expect("he is busy, and she is not there", `romeo/orchard < presence from=romeo/orchard [show "dnd"]`)
		w.says("juliet/balcony", "<presence/>")
		w.expect("she comes back", `
			juliet/balcony < presence from=juliet/balcony
			juliet/balcony < presence from=romeo/orchard [show "dnd"]
			romeo/orchard < presence from=juliet/balcony`)
	}},
	{"a stream that is closed without a word makes its resource unavailable", "4.5.2", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony", "juliet/chamber")
		w.closes("juliet/balcony")
		w.expect("the stream is closed", `
			juliet/balcony < /stream
			juliet/chamber < presence from=juliet/balcony type=unavailable ...
			romeo/orchard < presence from=juliet/balcony type=unavailable ...`)
	}},
	{"a connection that is lost makes its resource unavailable", "4.5.2", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony", "juliet/chamber")
		w.cuts("juliet/balcony")
		w.expect("the connection is lost", `
			juliet/chamber < presence from=juliet/balcony type=unavailable ...
			romeo/orchard < presence from=juliet/balcony type=unavailable ...`)
	}},
	{"a stream that ends with an error makes its resource unavailable", "4.5.2", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony")
		w.says("juliet/balcony", "<message></presence>")
		w.isOver(w.resource("juliet/balcony"))
		w.expect("the stream ends", `
			juliet/balcony < stream-error not-well-formed
			juliet/balcony < /stream
			romeo/orchard < presence from=juliet/balcony type=unavailable ...`)
	}},
	{"a priority is a number from -128 to 127", "4.7.2.3", func(w *world) {
		w.online("juliet/balcony")
		w.says("juliet/balcony", "<presence><priority>-128</priority></presence>")
		w.expect("-128", `juliet/balcony < presence from=juliet/balcony [priority "-128"]`)
		w.says("juliet/balcony", "<presence><priority>127</priority></presence>")
		w.expect("127", `juliet/balcony < presence from=juliet/balcony [priority "127"]`)
		for _, priority := range []string{"128", "high"} { // what is to be done about others is not said
			w.says("juliet/balcony", "<presence><priority>"+priority+"</priority></presence>")
			w.expect(priority, `juliet/balcony < presence from=juliet/balcony [priority "`+priority+`"]`,
				"juliet/balcony < presence from=juliet/balcony",
				`juliet/balcony < presence from=juliet/balcony [priority "127"]`,
				"juliet/balcony < presence from=juliet type=error modify/bad-request",
				"juliet/balcony < presence from=juliet/balcony type=error modify/bad-request")
		}
	}},
	{"a type of presence that there is not is refused", "4.7.1", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony")
		w.says("romeo/orchard", "<presence id='odd' type='invisible' to='juliet@example.org'/>")
		w.expect("to a contact", "romeo/orchard < presence from=juliet id=odd type=error modify/bad-request")
		w.says("romeo/orchard", "<presence id='odd' type='invisible'/>")
		w.expect("to all", "romeo/orchard < presence from=romeo id=odd type=error modify/bad-request")
	}},
	{"an error is never answered", "8.3.1", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		for _, to := range []string{"juliet@example.org/balcony", "juliet@example.org/nowhere", "juliet@example.org", "nobody@example.org", "example.org"} {
			w.says("romeo/orchard", "<presence id='e' type='error' to='"+to+"'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>")
			w.expect(to, "? juliet/balcony < presence from=romeo/orchard id=e type=error cancel/gone")
		}
	}},
	{"presence to a resource that is not there is ignored", "8.5.3.2.2", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		w.says("romeo/orchard", "<presence to='juliet@example.org/nowhere'/>", "<presence to='juliet@example.org/nowhere' type='unavailable'/>")
		w.expect("a resource", nothing)
		w.says("romeo/orchard", "<presence to='nobody@example.org'/>", "<presence to='nobody@example.org' type='unavailable'/>")
		w.expect("an account", nothing)
		w.account("tybalt")
		w.says("romeo/orchard", "<presence to='tybalt@example.org'/>", "<presence to='tybalt@example.org' type='unavailable'/>")
		w.expect("an account that is offline", nothing)
		w.online("tybalt/street")
		w.expect("nor is it kept", nothing)
	}},
	{"the to of presence stays as it is", "8.5.2.1.2", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony")
		w.exactly = true
		w.says("romeo/orchard", "<presence to='juliet@example.org/balcony'/>")
		w.expect("to a full JID", "juliet/balcony < presence from=romeo/orchard to=juliet/balcony")
		w.says("romeo/orchard", "<presence to='juliet@example.org'/>")
		w.expect("to a bare JID", "juliet/balcony < presence from=romeo/orchard to=juliet")
	}},
	{"a client's probe shows a contact's presence", "4.3", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony")
		w.says("romeo/orchard", "<presence type='probe' to='juliet@example.org'/>")
		w.expect("a contact", "romeo/orchard < presence from=juliet/balcony")
	}},
	{"a stranger's probe shows nothing", "4.3.2", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		for _, to := range []string{"juliet@example.org", "juliet@example.org/balcony", "juliet@example.org/nowhere", "nobody@example.org"} {
			w.says("romeo/orchard", "<presence type='probe' to='"+to+"'/>")
			person, _, _ := strings.Cut(to, "@")
			w.expect(to, "? romeo/orchard < presence from="+person+" type=unsubscribed")
		}
	}},
}

var directedScenarios = []scenario{
	{"directed presence reaches a stranger, and the unavailable that follows does once", "4.6.3", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		w.says("romeo/orchard", "<presence to='juliet@example.org'><status>hark</status></presence>")
		w.expect("he shows himself", `juliet/balcony < presence from=romeo/orchard [status "hark"]`)
		w.says("romeo/orchard", "<presence><show>away</show></presence>")
		w.expect("a broadcast is not for her", `romeo/orchard < presence from=romeo/orchard [show "away"]`)
		w.says("romeo/orchard", "<presence type='unavailable'><status>bye</status></presence>")
		w.expect("he goes", `
			romeo/orchard < presence from=romeo/orchard type=unavailable [status "bye"]
			juliet/balcony < presence from=romeo/orchard type=unavailable [status "bye"]`,
			`
			romeo/orchard < presence from=romeo/orchard type=unavailable [status "bye"]
			juliet/balcony < presence from=romeo/orchard type=unavailable`)
		w.closes("romeo/orchard")
		w.expect("and closes the stream", "romeo/orchard < /stream")
	}},
	{"directed presence to a full JID reaches that resource alone, as the end of the stream does", "4.6.3", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony", "juliet/chamber")
		w.says("romeo/orchard", "<presence to='juliet@example.org/balcony'/>")
		w.expect("he shows himself", "juliet/balcony < presence from=romeo/orchard")
		w.closes("romeo/orchard")
		w.expect("he closes the stream", `
			romeo/orchard < /stream
			juliet/balcony < presence from=romeo/orchard type=unavailable ...`)
	}},
	{"a lost connection ends directed presence", "4.6.3", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		w.says("romeo/orchard", "<presence to='juliet@example.org'/>")
		w.drain()
		w.cuts("romeo/orchard")
		w.expect("the connection is lost", "juliet/balcony < presence from=romeo/orchard type=unavailable ...")
	}},
	{"whoever was told already is not told again", "4.6.3", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		w.says("romeo/orchard", "<presence to='juliet@example.org'/>")
		w.drain()
		w.says("romeo/orchard", "<presence to='juliet@example.org' type='unavailable'/>")
		w.expect("he is gone for her", "juliet/balcony < presence from=romeo/orchard type=unavailable")
		w.says("romeo/orchard", "<presence type='unavailable'/>")
		w.expect("he is gone for all", "romeo/orchard < presence from=romeo/orchard type=unavailable")
	}},
	{"who says that he is gone is not told so himself", "4.6.1", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		w.says("romeo/orchard", "<presence to='juliet@example.org/balcony'/>")
		w.drain()
		w.says("juliet/balcony", "<presence to='romeo@example.org/orchard' type='unavailable'/>")
		w.expect("she is gone for him", "romeo/orchard < presence from=juliet/balcony type=unavailable")
		w.says("romeo/orchard", "<presence type='unavailable'/>")
		w.expect("he is gone for all", "romeo/orchard < presence from=romeo/orchard type=unavailable")
	}},
	{"directed presence without initial presence ends, too", "4.6.3", func(w *world) {
		w.online("juliet/balcony")
		w.login("romeo/orchard")
		w.says("romeo/orchard", "<presence to='juliet@example.org'/>")
		w.expect("he shows himself to her alone", "juliet/balcony < presence from=romeo/orchard")
		w.closes("romeo/orchard")
		w.expect("he closes the stream", `
			romeo/orchard < /stream
			juliet/balcony < presence from=romeo/orchard type=unavailable ...`)
	}},
	{"a subscriber to whom presence was directed is told once", "4.6.3", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony")
		w.says("romeo/orchard", "<presence to='juliet@example.org'><show>chat</show></presence>")
		w.expect("he shows her more", `juliet/balcony < presence from=romeo/orchard [show "chat"]`)
		w.says("romeo/orchard", "<presence><show>away</show></presence>")
		w.expect("a broadcast is for her, too", `
			romeo/orchard < presence from=romeo/orchard [show "away"]
			juliet/balcony < presence from=romeo/orchard [show "away"]`)
		w.closes("romeo/orchard")
		w.expect("he closes the stream", `
			romeo/orchard < /stream
			juliet/balcony < presence from=romeo/orchard type=unavailable ...`)
	}},
	{"whoever got directed presence may ask for it, of that resource", "4.6.6", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		w.says("romeo/orchard", "<presence to='juliet@example.org/balcony'><status>hark</status></presence>")
		w.drain()
		w.says("juliet/balcony", "<presence type='probe' to='romeo@example.org/orchard'/>")
		w.expect("she asks", "juliet/balcony < presence from=romeo/orchard")
	}},
}
