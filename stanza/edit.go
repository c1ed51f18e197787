package stanza

import (
	"fmt"

	"github.com/parlance-xmpp/xmpp/jid"
)

// Edit returns a copy of the stanza without the children that drop reports, nil
// for none, and with others added behind the rest. All that remains keeps its
// bytes.
func (r *Raw) Edit(drop func(Element) bool, add ...Payload) (*Raw, error) {
	w := NewWriter(nil)
	w.begins(&r.header)
	r.appendOtherAttrs(w)
	if drop == nil {
		r.appendContent(w)
	} else {
		for c := range r.element.Children() {
			if !drop(c) {
				w.Payload(c)
			}
		}
	}
	for _, p := range add {
		w.Payload(p)
	}
	b, err := w.ends(r.header.Kind)
	if err != nil {
		return nil, err
	}
	out := new(Raw)
	if err := out.read(b, unlimited, jid.ParseLenient); err != nil {
		return nil, fmt.Errorf("stanza: edit: %w", err)
	}
	return out, nil
}
