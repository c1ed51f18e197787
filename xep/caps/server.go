package caps

import "github.com/parlance-xmpp/xmpp/module"

// Server is the server's half: the domains say in the features of a stream what they can do (§6.3), to clients that have
// logged in, and answer who asks for it. node is a URI of the software, or of the service.
func Server(node string) module.Module {
	return module.Func(func(h module.Host) error {
		h.Feature(true, offer{register(h.Domain(), node)})
		return nil
	})
}

// An offer is the stream feature: what the domains can do when it is written.
type offer struct{ of *announcer }

// AppendXML implements [stanza.Payload].
func (o offer) AppendXML(dst []byte) ([]byte, error) { return o.of.caps().AppendXML(dst) }
