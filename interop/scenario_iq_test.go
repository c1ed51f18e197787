//go:build unix

package interop

// An unknown request, which nobody understands.
const unknown = "<query xmlns='urn:example:unknown'/>"

func request(typ, id, to, payload string) string {
	if to != "" {
		to = " to='" + to + "'"
	}
	return "<iq type='" + typ + "' id='" + id + "'" + to + ">" + payload + "</iq>"
}

var iqScenarios = []scenario{
	{"a request to a full JID is delivered and answered", "8.5.3.1", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony", "juliet/chamber")
		w.says("romeo/orchard", request("get", "q", "juliet@example.org/balcony", unknown))
		w.expect("it is delivered", "juliet/balcony < iq from=romeo/orchard id=q type=get [{urn:example:unknown}query]")
		w.says("juliet/balcony", request("result", "q", "romeo@example.org/orchard", "<x xmlns='urn:example:x'/>"))
		w.expect("and answered", "romeo/orchard < iq from=juliet/balcony id=q type=result [{urn:example:x}x]")
		w.says("romeo/orchard", request("set", "q2", "juliet@example.org/balcony", unknown))
		w.expect("so is another one", "juliet/balcony < iq from=romeo/orchard id=q2 type=set [{urn:example:unknown}query]")
		w.says("juliet/balcony", request("error", "q2", "romeo@example.org/orchard", "<error type='cancel'><feature-not-implemented xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"))
		w.expect("and refused", "romeo/orchard < iq from=juliet/balcony id=q2 type=error cancel/feature-not-implemented")
	}},
	{"resources of an account can ask each other", "C10.5.4", func(w *world) {
		w.login("juliet/balcony", "juliet/chamber")
		w.says("juliet/balcony", request("get", "q", "juliet@example.org/chamber", unknown))
		w.expect("it is delivered", "juliet/chamber < iq from=juliet/balcony id=q type=get [{urn:example:unknown}query]")
	}},
	{"a stranger's request is not delivered", "8.5.3.1", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		for _, typ := range []string{"get", "set"} {
			w.says("romeo/orchard", request(typ, typ, "juliet@example.org/balcony", unknown))
			w.expect(typ, "romeo/orchard < iq from=juliet/balcony id="+typ+" type=error cancel/service-unavailable")
		}
	}},
	{"who was shown a resource by directed presence may ask it", "8.5.3.1", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		w.says("juliet/balcony", "<presence to='romeo@example.org/orchard'/>")
		w.drain()
		w.says("romeo/orchard", request("get", "q", "juliet@example.org/balcony", unknown))
		w.expect("it is delivered", "juliet/balcony < iq from=romeo/orchard id=q type=get [{urn:example:unknown}query]")
	}},
	{"answers are delivered, whoever sends them", "8.5.3.1", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		w.says("romeo/orchard", request("result", "r", "juliet@example.org/balcony", ""))
		w.expect("a result", "juliet/balcony < iq from=romeo/orchard id=r type=result")
		w.says("romeo/orchard", request("error", "e", "juliet@example.org/balcony", "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"))
		w.expect("an error", "juliet/balcony < iq from=romeo/orchard id=e type=error cancel/gone")
	}},
	{"whether a resource or an account is there cannot be told from a request", "C13.10.2", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		w.account("tybalt")
		for _, to := range []string{"juliet@example.org/balcony", "juliet@example.org/nowhere", "juliet@example.org", "tybalt@example.org", "tybalt@example.org/street", "nobody@example.org", "nobody@example.org/here"} {
			w.says("romeo/orchard", request("get", "q", to, unknown))
			w.expect(to, "romeo/orchard < iq from="+plainTo(to)+" id=q type=error cancel/service-unavailable")
		}
	}},
	{"a friend's request to a resource that is not there is refused", "8.5.3.2.3", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony")
		w.says("romeo/orchard", request("get", "q", "juliet@example.org/nowhere", unknown))
		w.expect("it is refused", "romeo/orchard < iq from=juliet/nowhere id=q type=error cancel/service-unavailable")
	}},
	{"a request to an account is the server's to answer", "8.5.2.1.3", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony")
		for _, typ := range []string{"get", "set"} {
			w.says("romeo/orchard", request(typ, typ, "juliet@example.org", unknown))
			w.expect(typ, "romeo/orchard < iq from=juliet id="+typ+" type=error cancel/service-unavailable")
		}
		w.leaves("juliet/balcony")
		w.says("romeo/orchard", request("get", "q", "juliet@example.org", unknown))
		w.expect("while she is offline", "romeo/orchard < iq from=juliet id=q type=error cancel/service-unavailable")
	}},
	{"a request to one's own account is the server's to answer", "C10.3.3", func(w *world) {
		w.online("juliet/balcony", "juliet/chamber")
		for _, typ := range []string{"get", "set"} {
			w.says("juliet/balcony", request(typ, typ, "", unknown))
			w.expect(typ+" without to", "juliet/balcony < iq from=juliet id="+typ+" type=error cancel/service-unavailable")
			w.says("juliet/balcony", request(typ, typ, "juliet@example.org", unknown))
			w.expect(typ+" to the bare JID", "juliet/balcony < iq from=juliet id="+typ+" type=error cancel/service-unavailable")
		}
	}},
	{"a request that a server does not understand is refused", "C8.4", func(w *world) {
		w.login("romeo/orchard")
		for _, typ := range []string{"get", "set"} {
			w.says("romeo/orchard", request(typ, typ, "example.org", unknown))
			w.expect(typ, "romeo/orchard < iq from=example.org id="+typ+" type=error cancel/service-unavailable")
		}
	}},
	{"answers that nobody asked for are ignored", "C8.2.3", func(w *world) {
		w.online("romeo/orchard", "juliet/balcony")
		for _, to := range []string{"", "example.org", "romeo@example.org", "juliet@example.org", "juliet@example.org/nowhere", "nobody@example.org"} {
			w.says("romeo/orchard", request("result", "r", to, ""), request("error", "e", to, "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"))
			w.expect("to "+to, nothing)
		}
	}},
	{"a request has one child", "C8.2.3", func(w *world) { // whether who only delivers it looks is not said
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony")
		for _, to := range []string{"", "example.org", "juliet@example.org", "juliet@example.org/balcony"} {
			from := plainTo(to)
			if to == "" {
				from = "romeo"
			}
			w.says("romeo/orchard", request("get", "none", to, ""))
			refused := func(id string) string {
				return "romeo/orchard < iq from=" + from + " id=" + id + " type=error modify/bad-request"
			}
			w.expect("none, to "+to, refused("none"), "juliet/balcony < iq from=romeo/orchard id=none type=get")
			w.says("romeo/orchard", request("get", "two", to, unknown+unknown))
			w.expect("two, to "+to, refused("two"), "juliet/balcony < iq from=romeo/orchard id=two type=get [{urn:example:unknown}query] [{urn:example:unknown}query]")
		}
	}},
	{"a type of request that there is not is refused", "C8.2.3", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony")
		for _, to := range []string{"", "example.org", "juliet@example.org", "juliet@example.org/balcony"} {
			from := plainTo(to)
			if to == "" {
				from = "romeo"
			}
			w.says("romeo/orchard", request("subscribe", "odd", to, unknown))
			w.expect("to "+to, "romeo/orchard < iq from="+from+" id=odd type=error modify/bad-request")
		}
		w.says("romeo/orchard", "<iq id='missing'>"+unknown+"</iq>")
		w.expect("no type", "romeo/orchard < iq from=romeo id=missing type=error modify/bad-request")
	}},
	{"a request has an id", "C8.2.3", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("romeo/orchard", "juliet/balcony")
		// What is to be done about one without is said only by the name of the condition (§8.3.3.1); it is answered in any case.
		for _, to := range []string{"example.org", "juliet@example.org/balcony"} {
			w.says("romeo/orchard", "<iq type='get' to='"+to+"'>"+unknown+"</iq>")
			w.expect("to "+to, "romeo/orchard < iq from="+plainTo(to)+" type=error modify/bad-request",
				"romeo/orchard < iq from="+plainTo(to)+" type=error cancel/service-unavailable")
		}
	}},
	{"an address that is none is refused", "C8.3.3.8", func(w *world) {
		w.login("romeo/orchard")
		for _, to := range []string{"@example.org", "juliet@", "juliet@example.org/", "a b@example.org"} {
			// jid-malformed is for that, and bad-request for what does not conform to a schema (§8.3.3.1). The error need not come
			// from what is no address (§8.3.1).
			either := func(kind string) (all []string) {
				for _, from := range []string{"romeo", "example.org", plain(w.real(to))} {
					for _, condition := range []string{"jid-malformed", "bad-request"} {
						all = append(all, "romeo/orchard < "+kind+" from="+from+" id=m type=error modify/"+condition)
					}
				}
				return all
			}
			w.says("romeo/orchard", request("get", "m", to, unknown))
			w.expect("a request to "+to, either("iq")...)
			w.says("romeo/orchard", "<message id='m' to='"+to+"'><body>hello</body></message>")
			w.expect("a message to "+to, either("message")...)
			w.says("romeo/orchard", "<presence id='m' to='"+to+"'/>")
			w.expect("presence to "+to, either("presence")...)
		}
	}},
	{"a server says who has sent a request, whatever the client says", "C8.1.2.1", func(w *world) {
		w.friends("romeo", "juliet")
		w.online("juliet/balcony", "romeo/orchard")
		w.says("romeo/orchard", "<iq type='get' id='q' to='juliet@example.org/balcony' from='tybalt@example.org/street'>"+unknown+"</iq>")
		w.expect("another account", "juliet/balcony < iq from=romeo/orchard id=q type=get [{urn:example:unknown}query]")
	}},
	{"a ping is answered", "C8.2.3", func(w *world) {
		w.login("romeo/orchard")
		w.says("romeo/orchard", request("get", "p", "example.org", "<ping xmlns='urn:xmpp:ping'/>"))
		w.expect("by the server", "romeo/orchard < iq from=example.org id=p type=result")
	}},
}
