package stream

import (
	"bytes"
	"encoding/xml"
	"slices"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// removed stands in a trace for what is secret.
const removed = "[removed]"

// secrets are the elements whose content is not shown, in each namespace.
var secrets = map[string][]string{
	nsSASL:                    {"auth", "challenge", "response", "success"},
	"urn:xmpp:sasl:2":         {"authenticate", "challenge", "response", "success", "continue", "next", "task-data"},
	"urn:xmpp:fast:0":         {"token"},
	"jabber:iq:auth":          {"password", "digest"},
	"jabber:iq:register":      {"password", "key"},
	"urn:xmpp:pars:0":         {"preauth"}, // XEP-0379: its token
	"jabber:component:accept": {"handshake"},
	"jabber:server:dialback":  {"result", "verify"},
	nsForms:                   {"field"}, // only those for passwords
}

const nsForms = "jabber:x:data"

// harmless are the attributes of a secret element that are shown.
var harmless = []string{"mechanism", "type", "var", "from", "to", "id"}

// redacted returns a part of a stream as it may be shown, without credentials.
// What can have none is returned as it is; so are headers, features and closing
// tags.
func redacted(part []byte) []byte {
	mentions := func(ns string) bool { return bytes.Contains(part, []byte(ns)) }
	if !slices.ContainsFunc(secretSpaces(), mentions) {
		return part
	}
	from, to := headerLen(part), featuresAt(part)
	if from >= to {
		return part
	}
	out := bytes.Clone(part[:from])
	tokens := xmlwire.NewNode(part[from:to], stanza.NS).Tokens()
	shown, err := xmlwire.AppendTokens(nil, &redactor{tokens: tokens}, stanza.NS)
	if err != nil {
		shown = []byte(removed)
	}
	return append(append(out, shown...), part[to:]...)
}

// headerLen is the length of the header that a part begins with, as this package writes it: what is said at
// once leaves together with it.
func headerLen(part []byte) int {
	if !bytes.HasPrefix(part, []byte(xmlDeclaration)) {
		return 0
	}
	quoted := false
	for i, b := range part[len(xmlDeclaration):] {
		switch {
		case b == '\'':
			quoted = !quoted
		case b == '>' && !quoted:
			return len(xmlDeclaration) + i + 1
		}
	}
	return len(part)
}

// featuresAt is where the features begin that a part ends with, else its length.
func featuresAt(part []byte) int {
	i := bytes.LastIndex(part, []byte("<stream:features"))
	if i < 0 || !bytes.HasSuffix(part, []byte("</stream:features>")) && !bytes.HasSuffix(part, []byte("<stream:features/>")) {
		return len(part)
	}
	return i
}

func secretSpaces() []string {
	spaces := make([]string, 0, len(secrets))
	for ns := range secrets {
		spaces = append(spaces, ns)
	}
	return spaces
}

// A redactor reads tokens and leaves out what is secret.
type redactor struct {
	tokens xml.TokenReader
	hidden int // open elements, from a secret one on
	marker bool
}

// Token implements [xml.TokenReader].
func (r *redactor) Token() (xml.Token, error) {
	if r.marker {
		r.marker = false
		return xml.CharData(removed), nil
	}
	for {
		t, err := r.tokens.Token()
		if err != nil {
			return t, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			switch {
			case r.hidden > 0:
				r.hidden++
				continue
			case isSecret(t):
				r.hidden, r.marker = 1, true
				t.Attr = slices.DeleteFunc(slices.Clone(t.Attr), func(a xml.Attr) bool {
					return !slices.Contains(harmless, a.Name.Local)
				})
				return t, nil
			}
		case xml.EndElement:
			if r.hidden > 0 {
				r.hidden--
				if r.hidden > 0 {
					continue
				}
			}
		default:
			if r.hidden > 0 {
				continue
			}
		}
		return t, nil
	}
}

func isSecret(e xml.StartElement) bool {
	if !slices.Contains(secrets[e.Name.Space], e.Name.Local) {
		return false
	}
	if e.Name.Space != nsForms {
		return true
	}
	return slices.ContainsFunc(e.Attr, func(a xml.Attr) bool {
		return a.Name.Local == "var" && a.Value == "password" || a.Name.Local == "type" && a.Value == "text-private"
	})
}
