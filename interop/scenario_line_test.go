//go:build unix

package interop

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Namespaces that lines name by a word, or not at all.
var namespaceWords = map[string]string{
	"jabber:client":                          "",
	"urn:ietf:params:xml:ns:xmpp-stanzas":    "",
	"urn:ietf:params:xml:ns:xmpp-streams":    "",
	"urn:ietf:params:xml:ns:xmpp-sasl":       "sasl:",
	"urn:ietf:params:xml:ns:xmpp-tls":        "tls:",
	"urn:ietf:params:xml:ns:xmpp-bind":       "bind:",
	"jabber:iq:roster":                       "roster:",
	"http://jabber.org/protocol/disco#info":  "disco:",
	"http://jabber.org/protocol/disco#items": "items:",
	"urn:xmpp:ping":                          "ping:",
	xmlwire.NSStreams:                        "stream:",
}

// Namespaces of what servers add to what they deliver. The RFC lets them (RFC 6120 §8.4 asks that nothing is taken away).
var additions = []string{"urn:xmpp:sid:0", "http://jabber.org/protocol/caps", "vcard-temp:x:update", "jabber:x:delay", "urn:xmpp:mam:tmp"}

// line is what a resource got, in a form in which servers that do the same are the same. It leaves out:
//
//   - ids that no scenario has given, and the language of the stream;
//   - a missing from, which is the account's bare JID (RFC 6120 §8.1.2.1), and, of an IQ or an error, a to that is the resource itself, which is meant without it (§8.1.1.1);
//   - of a presence, a to that is the account or the resource, unless world.exactly: whether it may be changed is a scenario of its own;
//   - defaults: type normal, priority 0, subscription none and an empty name are what is meant without them;
//   - what an error has beside its type and condition: text, conditions of applications, the stanza that failed;
//   - what servers may add (see additions), versions of rosters, and when a message was delayed;
//   - the order of attributes, roster items, groups, and of the children of a stanza.
func (w *world) line(r *resource, e stanza.Element) string {
	return r.name + " < " + w.first(r, e)
}

// first describes a first-level element.
func (w *world) first(r *resource, e stanza.Element) string {
	name := e.Name()
	if name.Space != "jabber:client" {
		if name.Space == xmlwire.NSStreams && name.Local == "error" {
			return "stream-error " + condition(e)
		}
		return w.describe(e, "")
	}
	attrs := w.attrs(e)
	me, _, _ := strings.Cut(r.name, "/")
	isIQ := name.Local == "iq"
	if _, has := attrs["from"]; !has {
		attrs["from"] = me
	}
	if (isIQ || attrs["type"] == "error") && attrs["to"] == r.name {
		delete(attrs, "to")
	}
	if !w.ids[attrs["id"]] {
		delete(attrs, "id")
	}
	if attrs["type"] == "normal" && name.Local == "message" {
		delete(attrs, "type")
	}
	if name.Local == "presence" && (attrs["to"] == me || attrs["to"] == r.name) && !w.exactly {
		delete(attrs, "to")
	}
	out := name.Local + render(attrs, "from", "to", "id", "type")
	if attrs["type"] == "error" {
		failure := e.Child("jabber:client", "error")
		return out + " " + failure.Attr("type") + "/" + condition(failure)
	}
	children := w.children(e, name.Space)
	slices.Sort(children)
	return out + strings.Join(children, "")
}

// condition is the defined condition of a stanza or stream error.
func condition(e stanza.Element) string {
	for c := range e.Children() {
		ns := c.Name().Space
		if (ns == "urn:ietf:params:xml:ns:xmpp-stanzas" || ns == "urn:ietf:params:xml:ns:xmpp-streams") && c.Name().Local != "text" {
			return c.Name().Local
		}
	}
	return "without condition"
}

// describe writes an element whose parent has that namespace.
func (w *world) describe(e stanza.Element, parent string) string {
	name := e.Name()
	out := name.Local
	if name.Space != parent {
		word, ok := namespaceWords[name.Space]
		if !ok {
			word = "{" + name.Space + "}"
		}
		out = word + out
	}
	attrs := w.attrs(e)
	if name.Space == "jabber:iq:roster" {
		delete(attrs, "ver")
		if name.Local == "item" {
			attrs["subscription"] = cmp.Or(attrs["subscription"], "none")
			if attrs["name"] == "" {
				delete(attrs, "name")
			}
		}
	}
	out += render(attrs)
	children := w.children(e, name.Space)
	if name.Space == "jabber:iq:roster" {
		slices.Sort(children)
	}
	if text := plain(strings.TrimSpace(e.Text())); text != "" {
		out += fmt.Sprintf(" %.40q", text)
	}
	return out + strings.Join(children, "")
}

// children describes what is in an element.
func (w *world) children(e stanza.Element, parent string) (out []string) {
	for c := range e.Children() {
		name := c.Name()
		switch {
		case slices.Contains(additions, name.Space):
		case name.Space == "urn:xmpp:delay":
			if e.Name().Local == "message" {
				out = append(out, " [delay]")
			}
		case name.Local == "priority" && c.Text() == "0":
		default:
			out = append(out, " ["+w.describe(c, parent)+"]")
		}
	}
	return out
}

func (w *world) attrs(e stanza.Element) map[string]string {
	attrs := make(map[string]string)
	for name, value := range e.Attrs() {
		if name.Local == "lang" && value == "en" || name.Space == xmlwire.NSXMLNS || name.Local == "xmlns" {
			continue
		}
		attrs[name.Local] = plain(value)
	}
	return attrs
}

// render writes attributes, those named first and the others in order.
func render(attrs map[string]string, first ...string) string {
	names := make([]string, 0, len(attrs))
	for name := range attrs {
		if !slices.Contains(first, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range append(first, names...) {
		if value, ok := attrs[name]; ok {
			fmt.Fprintf(&b, " %s=%.60s", name, value)
		}
	}
	return b.String()
}
