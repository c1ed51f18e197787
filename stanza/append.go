package stanza

import (
	"fmt"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
)

// AppendWith appends s with the start tag that h describes in place of its
// own: this is how a stream gives a stanza its id and a server stamps the
// sender. The kind and the content stay those of s, as do attributes other than
// the five of RFC 6120 §8.1.
func AppendWith(dst []byte, s Stanza, h Header) ([]byte, error) {
	w := NewWriter(dst)
	// Calls through the interface would send the writer to the heap.
	switch s := s.(type) {
	case Message:
		h.Kind = KindMessage
		w.begins(&h)
		s.children(w)
	case Presence:
		h.Kind = KindPresence
		w.begins(&h)
		s.children(w)
	case IQ:
		h.Kind = KindIQ
		w.begins(&h)
		s.children(w)
	case *Raw:
		h.Kind = s.header.Kind
		w.begins(&h)
		w.dst = s.element.node.AppendRest(w.dst, commonAttrs[:]...)
		return w.Bytes()
	default:
		return appendEmbedded(dst, s, h)
	}
	return w.ends(h.Kind)
}

// appendEmbedded is AppendWith for what is a stanza by pointing to one or by
// embedding it.
func appendEmbedded(dst []byte, s Stanza, h Header) ([]byte, error) {
	w := NewWriter(dst)
	if h.Kind = s.Header().Kind; h.Kind.String() == "unknown" {
		return dst, fmt.Errorf("stanza: %T has no kind of stanza", s)
	}
	w.begins(&h)
	if raw, ok := s.(interface{ appendOtherAttrs(w *Writer) }); ok {
		raw.appendOtherAttrs(w)
	}
	s.appendContent(w)
	return w.ends(h.Kind)
}

// begins opens the stanza that h describes, with the attributes common to all
// (RFC 6120 §8.1). That is spelled out, as Start and Attr take twice the time and
// every stanza goes this way. The stanza is none of the open elements, which are
// those inside of it.
func (w *Writer) begins(h *Header) {
	w.opens(h.Kind, h.Type, h.ID, &h.To, &h.From)
	w.Lang(h.Lang)
}

// usualType is the attribute for the types that most stanzas have, empty for others.
func usualType(typ string) string {
	switch typ {
	case "chat":
		return " type='chat'"
	case "groupchat":
		return " type='groupchat'"
	case "get":
		return " type='get'"
	case "set":
		return " type='set'"
	case "result":
		return " type='result'"
	case "error":
		return " type='error'"
	}
	return ""
}

// opens is begins, given the fields, except for the language.
func (w *Writer) opens(k Kind, typ, id string, to, from *jid.JID) {
	dst, err := append(w.dst, startTags[k]...), error(nil)
	if usual := usualType(typ); usual != "" {
		dst = append(dst, usual...)
	} else if typ != "" {
		if dst, err = xmlwire.AppendQuoted(append(dst, " type='"...), typ); err != nil {
			w.fail("attribute type: %w", err)
		}
	}
	if id != "" {
		if dst, err = xmlwire.AppendQuoted(append(dst, " id='"...), id); err != nil {
			w.fail("attribute id: %w", err)
		}
	}
	if to := to.String(); to != "" {
		if dst, err = xmlwire.AppendQuoted(append(dst, " to='"...), to); err != nil {
			w.fail("attribute to: %w", err)
		}
	}
	if from := from.String(); from != "" {
		if dst, err = xmlwire.AppendQuoted(append(dst, " from='"...), from); err != nil {
			w.fail("attribute from: %w", err)
		}
	}
	w.dst, w.tag = dst, true
}

// commonAttrs are the attributes that begins writes.
var commonAttrs = [...]string{"type", "id", "to", "from", "xml:lang"}

// ends closes a stanza, as the last thing.
func (w *Writer) ends(k Kind) ([]byte, error) {
	dst := w.dst
	if w.tag {
		dst = append(dst, "/>"...)
	} else {
		dst = append(dst, endTags[k]...)
	}
	if w.err != nil || w.depth > 0 {
		return w.failed()
	}
	return dst, nil
}

var (
	startTags = [...]string{KindMessage: "<message", KindPresence: "<presence", KindIQ: "<iq"} // short of their attributes
	endTags   = [...]string{KindMessage: "</message>", KindPresence: "</presence>", KindIQ: "</iq>"}
)
