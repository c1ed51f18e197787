//go:build unix

package interop

import (
	"slices"
	"testing"
)

// A deviation is a sentence of the RFC that a server does not follow.
type deviation struct {
	section    string // as in scenario
	level      string // of its requirement
	quote      string // the RFC's words
	departures []departure
}

// A departure is what a server does instead, and where that is seen.
type departure struct {
	server    string
	instead   string
	reason    string // why; of ours, always
	sometimes bool   // it is a matter of chance
	at        []occurrence
}

// An occurrence is a step of a scenario, with the lines that the server gives there.
type occurrence struct {
	scenario, step, got string
}

// departs reports whether lines are what the table says that the server does.
func (w *world) departs(step string, got []string) bool {
	for _, dev := range deviations {
		for i := range dev.departures {
			d := &dev.departures[i]
			if d.server != w.subject.name {
				continue
			}
			for j := range d.at {
				o := &d.at[j]
				if o.scenario == w.scenario && o.step == step && fits(got, o.got) {
					w.departed = append(w.departed, o)
					return true
				}
			}
		}
	}
	return false
}

// stillDeparts fails where the table says what a server has not done, in scenarios that were played.
func stillDeparts(t *testing.T, s *subject, met map[*occurrence]bool, played map[string]bool) {
	t.Helper()
	for _, dev := range deviations {
		for i := range dev.departures {
			d := &dev.departures[i]
			if d.server != s.name || d.sometimes {
				continue
			}
			for j := range d.at {
				if o := &d.at[j]; played[o.scenario] && !met[o] {
					t.Errorf("%s follows §%s in %q, at %q: the table says that it does not", s.name, dev.section, o.scenario, o.step)
				}
			}
		}
	}
}

// Every entry is of a scenario that there is, and what ours does has a reason.
func TestDeviations(t *testing.T) {
	for _, dev := range deviations {
		for _, d := range dev.departures {
			if d.server == ours && d.reason == "" {
				t.Errorf("§%s: ours departs without a reason", dev.section)
			}
			for _, o := range d.at {
				if !slices.ContainsFunc(scenarios(), func(sc scenario) bool { return sc.name == o.scenario }) {
					t.Errorf("§%s: there is no scenario %q", dev.section, o.scenario)
				}
			}
		}
	}
}

// deviations are all that are known, in the order of the RFCs: of Prosody 0.12.3 and ejabberd 23.01, as Debian 12 has them, and
// of ours, which has none.
var deviations = []deviation{
	{"C4.3.5", "MUST", "Even if the initiating entity does attempt to do so, the receiving entity MUST NOT accept such stanzas and MUST close the stream with a <not-authorized/> stream error", []departure{
		{server: prosody, instead: "returns the stanza with service-unavailable and leaves the stream open", at: []occurrence{
			{"nobody sends stanzas before authentication", "a message", `
				a < message from=juliet type=error cancel/service-unavailable
				a < /stream`},
			{"nobody sends stanzas to others before there is a resource", "a message", `
				a < message from=juliet type=error cancel/service-unavailable
				a < /stream`},
		}},
		{server: ejabberd, instead: "drops the stanza without a word, and leaves the stream open", at: []occurrence{
			{"nobody sends stanzas to others before there is a resource", "a message", "a < /stream"},
		}},
	}},
	{"C4.8.3", "MUST", "If an entity receives a first-level child element qualified by a content namespace it does not support, it MUST close the stream with an <invalid-namespace/> stream error", []departure{
		{server: prosody, instead: "closes the stream with unsupported-stanza-type", at: []occurrence{
			{"stanzas in another content namespace are invalid", "the answer", `
				a < header
				a < stream-error unsupported-stanza-type
				a < /stream`},
			{"a stanza in another content namespace is invalid", "the answer", `
				juliet/balcony < stream-error unsupported-stanza-type
				juliet/balcony < /stream`},
		}},
		{server: ejabberd, instead: "closes the stream with invalid-xml where the header names another namespace", at: []occurrence{
			{"stanzas in another content namespace are invalid", "the answer", `
				a < header
				a < stream-error invalid-xml
				a < /stream`},
		}},
		{server: ejabberd, instead: "ignores the stanza", at: []occurrence{
			{"a stanza in another content namespace is invalid", "the answer", "juliet/balcony < /stream"},
		}},
	}},
	{"C4.9.1.1", "MUST", "if an error occurs at the level of the stream, the entity that detects the error MUST send an <error/> element with an appropriate child element specifying the error condition and then immediately close the stream", []departure{
		{server: ejabberd, instead: "ignores an element of the content namespace that is no stanza", at: []occurrence{
			{"a stanza is a message, a presence or an iq", "the answer", "juliet/balcony < /stream"},
		}},
		{server: ejabberd, instead: "answers an element of an unknown namespace by the same with an error in it, and leaves the stream open", at: []occurrence{
			{"an element of an unknown namespace is no stanza", "the answer", `
				juliet/balcony < {urn:example:unknown}message type=error [error type=modify [bad-request] [text "Unknown tag <message/> qualified by name"]]
				juliet/balcony < /stream`},
		}},
	}},
	{"C4.9.1.3", "MUST", "the value of the 'from' attribute returned by the receiving entity in the stream header sent before closing the stream MUST be either an authoritative FQDN for the receiving entity or the empty string", []departure{
		{server: prosody, instead: "puts in the unknown domain that the client asked for", at: []occurrence{
			{"a domain that is not served is unknown", "the header", "a < header from=unknown.example.com id=* version=1.0 lang=en"},
		}},
		{server: ejabberd, instead: "puts in the unknown domain that the client asked for", at: []occurrence{
			{"a domain that is not served is unknown", "the header", "a < header from=unknown.example.com id=* version=1.0 lang=en"},
		}},
	}},
	{"C6.3.8", "MUST", "the receiving entity is responsible for verifying that the initiating entity is in fact allowed to assume the specified authorization identity; if not, the receiving entity MUST return an <invalid-authzid/> SASL error", []departure{
		{server: prosody, instead: "does as if the client had asked to be who it has proven to be", at: []occurrence{
			{"an authorization identity of somebody else is refused", "auth", `
				a < success
				a < bound romeo`},
		}},
		{server: ejabberd, instead: "lets the client be whom it asked to be: with PLAIN, whoever has a password can be anybody", at: []occurrence{
			{"an authorization identity of somebody else is refused", "auth", `
				a < success
				a < bound juliet`},
		}},
	}},
	{"C8.1.1.1", "MUST NOT", "If the server has received the stanza from another connected client or from a peer server, the server MUST NOT modify the 'to' address before delivering the stanza to the client.", []departure{
		{server: prosody, instead: "takes the address of a message to the sender's own bare JID away", at: []occurrence{
			{"a message without an address is one to the own account", "to the bare JID", `juliet/balcony < message from=juliet/window type=chat [body "to me"]`},
		}},
		{server: ejabberd, instead: "puts the resource to which it delivers a chat message in place of the one that is not there", at: []occurrence{
			{"where messages go: one resource, another full JID", "chat", `juliet/balcony < message from=romeo/orchard to=juliet/balcony id=chat type=chat [body "chat"]`},
			{"where messages go: one resource, another full JID, a friend's message", "chat", `juliet/balcony < message from=romeo/orchard to=juliet/balcony id=chat type=chat [body "chat"]`},
			{"where messages go: several resources, another full JID", "chat", `juliet/chamber < message from=romeo/orchard to=juliet/chamber id=chat type=chat [body "chat"]`},
		}},
	}},
	{"C8.1.2.1", "MUST", "When a server receives an XML stanza from a connected client, the server MUST add a 'from' attribute to the stanza or override the 'from' attribute specified by the client", []departure{
		{server: ejabberd, instead: "closes the stream with invalid-from", at: []occurrence{
			{"a server says who has sent a message, whatever the client says", "romeo@example.org/garden", `
				romeo/orchard < stream-error invalid-from
				romeo/orchard < /stream`},
			{"a server says who has sent a message, whatever the client says", "tybalt@example.org/street", `
				romeo/orchard < stream-error invalid-from
				romeo/orchard < /stream`},
			{"a server says who has sent a message, whatever the client says", "example.org", `
				romeo/orchard < stream-error invalid-from
				romeo/orchard < /stream`},
			{"a server says who has sent a request, whatever the client says", "another account", `
				juliet/balcony < presence from=romeo/orchard type=unavailable
				romeo/orchard < stream-error invalid-from
				romeo/orchard < /stream`},
		}},
	}},
	{"C10.1", "MUST", "The server MUST ensure that it delivers stanzas addressed to the intended recipient in the order it receives them over the input stream from the sending client", []departure{
		{server: ejabberd, instead: "delivers what is sent at that moment before the offline messages that were sent earlier", sometimes: true, at: []occurrence{
			{"what comes after offline messages comes after them", "all", "juliet/balcony < ..."},
		}},
	}},
	{"C11.1", "MUST, SHOULD", "If an XMPP implementation receives characters matching such features over an XML stream, it MUST close the stream with a stream error, which SHOULD be <restricted-xml/>", []departure{
		{server: prosody, instead: "closes the stream with not-well-formed", at: []occurrence{
			{"a document type is restricted", "the answer", `
				a < header
				a < stream-error not-well-formed
				a < /stream`},
			{"a comment is restricted", "the answer", `
				juliet/balcony < stream-error not-well-formed
				juliet/balcony < /stream`},
			{"a processing instruction is restricted", "the answer", `
				juliet/balcony < stream-error not-well-formed
				juliet/balcony < /stream`},
		}},
		{server: ejabberd, instead: "reads on as if comments and processing instructions were not there", at: []occurrence{
			{"a comment is restricted", "the answer", "juliet/balcony < /stream"},
			{"a processing instruction is restricted", "the answer", "juliet/balcony < /stream"},
		}},
		{server: ejabberd, instead: "closes the stream with not-well-formed", at: []occurrence{
			{"a document type is restricted", "the answer", `
				a < header
				a < stream-error not-well-formed
				a < /stream`},
		}},
	}},
	{"C11.6", "MUST, SHOULD", "If one party to an XML stream detects that the other party has attempted to send XML data with an encoding other than UTF-8, it MUST close the stream with a stream error, which SHOULD be <unsupported-encoding/>", []departure{
		{server: prosody, instead: "closes the stream with not-well-formed", at: []occurrence{
			{"another encoding is not supported", "the answer", `
				a < header
				a < stream-error not-well-formed
				a < /stream`},
		}},
		{server: ejabberd, instead: "takes ISO-8859-1, too", at: []occurrence{
			{"another encoding is not supported", "the answer", `
				a < header
				a < /stream`},
		}},
	}},
	{"2.1.2.1", "SHOULD", "A server SHOULD include the 'approved' attribute to inform the client of subscription pre-approvals.", []departure{
		{server: prosody, instead: "has the approval in mind and the attribute not in the push", at: []occurrence{
			{"an approval that nobody asked for does not arrive", "she approves", "juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=none]]"},
			{"a request is approved in advance where that is offered", "she approves in advance", "juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=none]]"},
		}},
	}},
	{"2.2", "MUST", "if a resource wishes to receive both subscription requests and roster pushes, it MUST both send initial presence and request the roster.", []departure{
		{server: ejabberd, instead: "sends pushes to all resources, whether they have asked for the roster or not", at: []occurrence{
			{"a new item is pushed to all interested resources and to no others", "set", `
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=nurse name=Nurse subscription=none [group "Servants"]]]
				juliet/balcony < iq from=juliet id=s type=result
				juliet/chamber < iq from=juliet type=set [roster:query [item jid=nurse name=Nurse subscription=none [group "Servants"]]]
				juliet/door < iq from=juliet type=set [roster:query [item jid=nurse name=Nurse subscription=none [group "Servants"]]]
				juliet/window < iq from=juliet type=set [roster:query [item jid=nurse name=Nurse subscription=none [group "Servants"]]]`},
			{"a resource need not be interested to change the roster", "set", `
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=nurse subscription=none]]
				juliet/door < iq from=juliet type=set [roster:query [item jid=nurse subscription=none]]
				juliet/door < iq from=juliet id=s type=result`},
		}},
	}},
	{"2.3.3", "MUST", "The server MUST return a <forbidden/> stanza error to the client if the sender of the roster set is not authorized to update the roster", []departure{
		{server: prosody, instead: "returns service-unavailable", at: []occurrence{
			{"nobody changes the roster of another account", "set", "romeo/orchard < iq from=juliet id=s type=error cancel/service-unavailable"},
		}},
	}},
	{"2.3.3", "MUST", "The server MUST return a <bad-request/> stanza error to the client if the roster set contains any of the following violations: […] The <item/> element contains more than one <group/> element, but there are duplicate groups", []departure{
		{server: prosody, instead: "takes the item, with the group once", at: []occurrence{
			{"a group twice is refused", "set", `
				juliet/balcony < iq from=juliet id=s type=result
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=nurse subscription=none [group "Servants"]]]`},
			{"a group twice is refused", "get", `juliet/balcony < iq from=juliet id=get type=result [roster:query [item jid=nurse subscription=none [group "Servants"]]]`},
		}},
	}},
	{"2.3.3", "MUST", "The server MUST return a <not-acceptable/> stanza error to the client if the roster set contains any of the following violations: […] The XML character data of the <group/> element is of zero length", []departure{
		{server: prosody, instead: "takes the item, with a group that has no name", at: []occurrence{
			{"a group without a name is refused", "set", `
				juliet/balcony < iq from=juliet id=s type=result
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=nurse subscription=none [group]]]`},
			{"a group without a name is refused", "get", "juliet/balcony < iq from=juliet id=get type=result [roster:query [item jid=nurse subscription=none [group]]]"},
		}},
		{server: ejabberd, instead: "returns bad-request", at: []occurrence{
			{"a group without a name is refused", "set", "juliet/balcony < iq from=juliet id=s type=error modify/bad-request"},
		}},
	}},
	{"2.5.3", "MUST", "If the value of the 'jid' attribute specifies an item that is not in the roster, then the server MUST return an <item-not-found/> stanza error.", []departure{
		{server: ejabberd, instead: "returns a result and pushes a removal", at: []occurrence{
			{"what is not in the roster cannot be removed", "remove", `
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=nurse subscription=remove]]
				juliet/balcony < iq from=juliet id=r type=result`},
		}},
	}},
	{"2.6.3", "MUST", "Roster pushes MUST occur in order of modification and the version contained in a roster push MUST be unique.", []departure{
		{server: prosody, instead: "gives the first push the version that the empty roster had", at: []occurrence{
			{"a server that can do with versions of rosters says so and numbers them", "every push has a version of its own", `juliet/balcony < versions that are not unique: ["1" "1" "2"]`},
		}},
	}},
	{"3.1.3", "MUST", "the contact's server MUST keep a record of the complete presence stanza comprising the subscription request, including any extended content contained therein", []departure{
		{server: ejabberd, instead: "keeps the status and nothing else", at: []occurrence{
			{"requests to somebody who is offline wait, whole, once, until they are answered", "she comes online", `
				juliet/balcony < presence from=romeo type=subscribe [status "It is the east"]
				juliet/balcony < presence from=juliet/balcony`},
			{"requests to somebody who is offline wait, whole, once, until they are answered", "she comes online elsewhere, too", `
				juliet/balcony < presence from=juliet/chamber
				juliet/chamber < presence from=romeo type=subscribe [status "It is the east"]
				juliet/chamber < presence from=juliet/chamber
				juliet/chamber < presence from=juliet/balcony`},
			{"requests to somebody who is offline wait, whole, once, until they are answered", "she comes back", `
				juliet/balcony < presence from=romeo type=subscribe [status "It is the east"]
				juliet/balcony < presence from=juliet/balcony`},
		}},
	}},
	{"3.1.6", "MUST", "Deliver the inbound subscription approval to all of the user's interested resources", []departure{
		{server: ejabberd, instead: "delivers it to available resources only (and behind the roster push)", at: []occurrence{
			{"an approval goes to all interested resources, with presence for the available ones", "she agrees", `
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=from]]
				juliet/chamber < iq from=juliet type=set [roster:query [item jid=romeo subscription=from]]
				juliet/window < iq from=juliet type=set [roster:query [item jid=romeo subscription=from]]
				romeo/orchard < presence from=juliet/chamber
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=to]]
				romeo/orchard < presence from=juliet type=subscribed
				romeo/orchard < presence from=juliet/balcony
				romeo/window < iq from=romeo type=set [roster:query [item jid=juliet subscription=to]]`},
		}},
	}},
	{"3.1.6, 3.2.3, 3.3.3", "MUST", "This MUST occur before sending the roster push described in the next step.", []departure{
		{server: ejabberd, instead: "sends the roster push first", at: []occurrence{
			{"two people become contacts of each other", "she agrees", `
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=from]]
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=to]]
				romeo/orchard < presence from=juliet type=subscribed
				romeo/orchard < presence from=juliet/balcony`},
			{"two people become contacts of each other", "he agrees", `
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=both]]
				juliet/balcony < presence from=romeo type=subscribed
				juliet/balcony < presence from=romeo/orchard
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=both]]`},
			{"a request is denied", "she denies it", `
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=none]]
				romeo/orchard < presence from=juliet type=unsubscribed`},
			{"a contact cancels a subscription", "she cancels", `
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=to]]
				juliet/chamber < iq from=juliet type=set [roster:query [item jid=romeo subscription=to]]
				romeo/orchard < presence from=juliet/chamber type=unavailable
				romeo/orchard < presence from=juliet/balcony type=unavailable
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=from]]
				romeo/orchard < presence from=juliet type=unsubscribed`},
			{"a contact cancels the only subscription there was", "she cancels", `
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=none]]
				romeo/orchard < presence from=juliet/balcony type=unavailable
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=none]]
				romeo/orchard < presence from=juliet type=unsubscribed`},
			{"a subscriber unsubscribes", "he unsubscribes", `
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=to]]
				juliet/balcony < presence from=romeo type=unsubscribe
				juliet/chamber < iq from=juliet type=set [roster:query [item jid=romeo subscription=to]]
				juliet/chamber < presence from=romeo type=unsubscribe
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=from]]
				romeo/orchard < presence from=juliet/chamber type=unavailable
				romeo/orchard < presence from=juliet/balcony type=unavailable`},
			{"removing a friend ends both subscriptions", "remove", `
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=remove]]
				juliet/balcony < presence from=romeo/orchard type=unavailable
				juliet/balcony < iq from=juliet id=r type=result
				romeo/orchard < presence from=juliet/balcony type=unavailable
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=to]]
				romeo/orchard < presence from=juliet type=unsubscribe
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=none]]
				romeo/orchard < presence from=juliet type=unsubscribed`},
			{"removing a contact whom one sees unsubscribes", "remove", `
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=remove]]
				juliet/balcony < presence from=romeo/orchard type=unavailable
				juliet/balcony < iq from=juliet id=r type=result
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=none]]
				romeo/orchard < presence from=juliet type=unsubscribe`},
			{"removing a contact by whom one is seen cancels that", "remove", `
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=remove]]
				juliet/balcony < iq from=juliet id=r type=result
				romeo/orchard < presence from=juliet/balcony type=unavailable
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=none]]
				romeo/orchard < presence from=juliet type=unsubscribed`},
		}},
	}},
	{"3.2.2", "MUST", `the contact's server MUST remove the pre-approval and MUST NOT route or deliver the presence stanza of type "unsubscribed" to the user`, []departure{
		{server: prosody, instead: "keeps the approval, and the request that comes is approved", at: []occurrence{
			{"an approval in advance can be taken back", "she takes it back", nothing},
			{"an approval in advance can be taken back", "he asks", `
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=from]]
				romeo/orchard < iq from=romeo type=set [roster:query [item ask=subscribe jid=juliet subscription=none]]
				romeo/orchard < presence from=juliet type=subscribed
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=to]]
				romeo/orchard < presence from=juliet/balcony`},
		}},
	}},
	{"3.2.2", "MUST", `While the user is still subscribed to the contact's presence (i.e., before the contact's server routes or delivers the presence stanza of type "unsubscribed" to the user), the contact's server MUST send a presence stanza of type "unavailable" from all of the contact's online resources to the user.`, []departure{
		{server: prosody, instead: "sends unavailable presence behind the cancellation", at: []occurrence{
			{"a contact cancels a subscription", "she cancels", `
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=to]]
				juliet/chamber < iq from=juliet type=set [roster:query [item jid=romeo subscription=to]]
				romeo/orchard < presence from=juliet type=unsubscribed
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=from]]
				romeo/orchard < presence from=juliet/chamber type=unavailable
				romeo/orchard < presence from=juliet/balcony type=unavailable`},
			{"a contact cancels the only subscription there was", "she cancels", `
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=none]]
				romeo/orchard < presence from=juliet type=unsubscribed
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=none]]
				romeo/orchard < presence from=juliet/balcony type=unavailable`},
		}},
		{server: prosody, instead: "sends none where the subscription ends with the roster item", at: []occurrence{
			{"removing a contact by whom one is seen cancels that", "remove", `
				juliet/balcony < iq from=juliet id=r type=result
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=remove]]
				romeo/orchard < presence from=juliet type=unsubscribed
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=none]]`},
		}},
	}},
	{"3.3.3", "MUST", `Generate an outbound presence stanza of type "unavailable" from each of the contact's available resources to the user.`, []departure{
		{server: prosody, instead: "sends none", at: []occurrence{
			{"a subscriber unsubscribes", "he unsubscribes", `
				juliet/balcony < presence from=romeo type=unsubscribe
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=to]]
				juliet/chamber < presence from=romeo type=unsubscribe
				juliet/chamber < iq from=juliet type=set [roster:query [item jid=romeo subscription=to]]
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=from]]`},
		}},
		{server: prosody, instead: "sends none to whom removes a contact, but that of the one who removes to the contact, behind the cancellation or though there was no subscription", at: []occurrence{
			{"removing a friend ends both subscriptions", "remove", `
				juliet/balcony < iq from=juliet id=r type=result
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=remove]]
				romeo/orchard < presence from=juliet type=unsubscribed
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=from]]
				romeo/orchard < presence from=juliet/balcony type=unavailable
				romeo/orchard < presence from=juliet type=unsubscribe
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=none]]`},
			{"removing a contact whom one sees unsubscribes", "remove", `
				juliet/balcony < iq from=juliet id=r type=result
				juliet/balcony < iq from=juliet type=set [roster:query [item jid=romeo subscription=remove]]
				romeo/orchard < presence from=juliet/balcony type=unavailable
				romeo/orchard < presence from=juliet type=unsubscribe
				romeo/orchard < iq from=romeo type=set [roster:query [item jid=juliet subscription=none]]`},
		}},
	}},
	{"4.5.2", "MUST", "The user's server MUST also send the unavailable notification to all of the user's available resources (as well as to the resource that generated the unavailable presence in the first place).", []departure{
		{server: ejabberd, instead: "does not send it to the resource that has generated it", at: []occurrence{
			{"presence goes to those who are subscribed to it, and only to them", "she goes", "romeo/orchard < presence from=juliet/balcony type=unavailable"},
			{"a resource sees the account's others", "and goes", "juliet/balcony < presence from=juliet/chamber type=unavailable"},
			{"the last presence has a reason", "she goes", `
				juliet/chamber < presence from=juliet/balcony type=unavailable [status "going on vacation"]
				romeo/orchard < presence from=juliet/balcony type=unavailable [status "going on vacation"]`},
			{"directed presence reaches a stranger, and the unavailable that follows does once", "he goes", `juliet/balcony < presence from=romeo/orchard type=unavailable [status "bye"]`},
			{"whoever was told already is not told again", "he is gone for all", nothing},
		}},
	}},
	{"4.6.1", "SHOULD", "The server MUST remove from the directed presence list (or its functional equivalent) any entity to which the user sends directed unavailable presence and SHOULD remove any entity that sends unavailable presence to the user.", []departure{
		{server: prosody, instead: "tells whoever has gone that the user goes", at: []occurrence{
			{"who says that he is gone is not told so himself", "he is gone for all", `
				juliet/balcony < presence from=romeo/orchard type=unavailable
				romeo/orchard < presence from=romeo/orchard type=unavailable`},
		}},
		{server: ejabberd, instead: "tells whoever has gone that the user goes", at: []occurrence{
			{"who says that he is gone is not told so himself", "he is gone for all", "juliet/balcony < presence from=romeo/orchard type=unavailable"},
		}},
	}},
	{"4.6.6", "SHOULD", `the server SHOULD answer the probe with only mere presence of type "available" or "unavailable" (i.e., not including child elements) and only for that full JID`, []departure{
		{server: prosody, instead: "does not answer who has directed presence only", at: []occurrence{
			{"whoever got directed presence may ask for it, of that resource", "she asks", nothing},
		}},
		{server: ejabberd, instead: "does not answer who has directed presence only", at: []occurrence{
			{"whoever got directed presence may ask for it, of that resource", "she asks", nothing},
		}},
	}},
	{"8.1", "SHOULD", "a server SHOULD return an error if the originating entity is in the user's roster (when the error would reveal whether the user's account exists) or is authorized to receive presence from the user", []departure{
		{server: prosody, instead: "ignores the message", at: []occurrence{
			{"where messages go: no resource, full JID, a friend's message", "headline", nothing},
			{"where messages go: one resource, another full JID, a friend's message", "headline", nothing},
		}},
		{server: ejabberd, instead: "ignores the message", at: []occurrence{
			{"where messages go: no resource, full JID, a friend's message", "headline", nothing},
			{"where messages go: one resource, another full JID, a friend's message", "headline", nothing},
		}},
	}},
	{"8.5.2.1.2", "MUST NOT", "In all cases, the server MUST NOT rewrite the 'to' attribute (i.e., it MUST leave it as <localpart@domainpart> rather than change it to <localpart@domainpart/resourcepart>).", []departure{
		{server: ejabberd, instead: "puts in the full JID of the resource", at: []occurrence{
			{"the to of presence stays as it is", "to a bare JID", "juliet/balcony < presence from=romeo/orchard to=juliet/balcony"},
			{"a request to a full JID is one to the bare JID", "he asks", `
				juliet/balcony < presence from=romeo to=juliet/balcony type=subscribe
				juliet/chamber < presence from=romeo to=juliet/chamber type=subscribe
				romeo/orchard < iq from=romeo type=set [roster:query [item ask=subscribe jid=juliet subscription=none]]`},
		}},
	}},
	{"8.5.3.1", "SHOULD NOT", `if the intended recipient does not share presence with the requesting entity either by means of a presence subscription of type "both" or "from" or by means of directed presence, then the server SHOULD NOT deliver the IQ stanza but instead SHOULD return a <service-unavailable/> stanza error`, []departure{
		{server: prosody, instead: "delivers the request, and so shows that the resource is there", at: []occurrence{
			{"a stranger's request is not delivered", "get", "juliet/balcony < iq from=romeo/orchard id=get type=get [{urn:example:unknown}query]"},
			{"a stranger's request is not delivered", "set", "juliet/balcony < iq from=romeo/orchard id=set type=set [{urn:example:unknown}query]"},
			{"whether a resource or an account is there cannot be told from a request", "juliet@example.org/balcony", "juliet/balcony < iq from=romeo/orchard id=q type=get [{urn:example:unknown}query]"},
		}},
		{server: ejabberd, instead: "delivers the request, and so shows that the resource is there", at: []occurrence{
			{"a stranger's request is not delivered", "get", "juliet/balcony < iq from=romeo/orchard id=get type=get [{urn:example:unknown}query]"},
			{"a stranger's request is not delivered", "set", "juliet/balcony < iq from=romeo/orchard id=set type=set [{urn:example:unknown}query]"},
			{"whether a resource or an account is there cannot be told from a request", "juliet@example.org/balcony", "juliet/balcony < iq from=romeo/orchard id=q type=get [{urn:example:unknown}query]"},
		}},
	}},
	{"8.5.3.2.1", "MUST", `For a message stanza of type "normal", "groupchat", or "headline", the server MUST either (a) silently ignore the stanza or (b) return an error stanza to the sender`, []departure{
		{server: prosody, instead: "treats one of type normal as one of type chat: delivers it to another resource, or keeps it", at: []occurrence{
			{"where messages go: no resource, full JID", "what was kept", `
				juliet/late < presence from=juliet/late
				juliet/late < message from=romeo/orchard to=juliet/balcony id=normal [body "normal"] [delay]
				juliet/late < message from=romeo/orchard to=juliet/balcony id=chat type=chat [body "chat"] [delay]`},
			{"where messages go: no resource, full JID, a friend's message", "normal", nothing},
			{"where messages go: no resource, full JID, a friend's message", "what was kept", `
				juliet/late < presence from=juliet/late
				juliet/late < presence from=romeo type=unavailable
				juliet/late < message from=romeo/orchard to=juliet/balcony id=normal [body "normal"] [delay]
				juliet/late < message from=romeo/orchard to=juliet/balcony id=chat type=chat [body "chat"] [delay]`},
			{"where messages go: only a negative priority, another full JID", "what was kept", `
				juliet/late < presence from=juliet/late
				juliet/late < message from=romeo/orchard to=juliet/door id=normal [body "normal"] [delay]
				juliet/late < message from=romeo/orchard to=juliet/door id=chat type=chat [body "chat"] [delay]`},
			{"where messages go: one resource, another full JID", "normal", `juliet/balcony < message from=romeo/orchard to=juliet/door id=normal [body "normal"]`},
			{"where messages go: one resource, another full JID, a friend's message", "normal", `juliet/balcony < message from=romeo/orchard to=juliet/door id=normal [body "normal"]`},
			{"where messages go: several resources, another full JID", "normal", `juliet/chamber < message from=romeo/orchard to=juliet/door id=normal [body "normal"]`},
		}},
		{server: ejabberd, instead: "treats one of type normal as one of type chat: delivers it to another resource, or keeps it, in either case under the address of the resource that gets it", at: []occurrence{
			{"where messages go: no resource, full JID", "what was kept", `
				juliet/late < message from=romeo/orchard to=juliet/late id=normal [body "normal"] [delay]
				juliet/late < message from=romeo/orchard to=juliet/late id=chat type=chat [body "chat"] [delay]
				juliet/late < presence from=juliet/late`},
			{"where messages go: no resource, full JID, a friend's message", "normal", nothing},
			{"where messages go: no resource, full JID, a friend's message", "what was kept", `
				juliet/late < message from=romeo/orchard to=juliet/late id=normal [body "normal"] [delay]
				juliet/late < message from=romeo/orchard to=juliet/late id=chat type=chat [body "chat"] [delay]
				juliet/late < presence from=juliet/late`},
			{"where messages go: only a negative priority, another full JID", "what was kept", `
				juliet/late < message from=romeo/orchard to=juliet/late id=normal [body "normal"] [delay]
				juliet/late < message from=romeo/orchard to=juliet/late id=chat type=chat [body "chat"] [delay]
				juliet/late < presence from=juliet/late`},
			{"where messages go: one resource, another full JID", "normal", `juliet/balcony < message from=romeo/orchard to=juliet/balcony id=normal [body "normal"]`},
			{"where messages go: one resource, another full JID, a friend's message", "normal", `juliet/balcony < message from=romeo/orchard to=juliet/balcony id=normal [body "normal"]`},
			{"where messages go: several resources, another full JID", "normal", `juliet/chamber < message from=romeo/orchard to=juliet/chamber id=normal [body "normal"]`},
		}},
	}},
}
