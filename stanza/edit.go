package stanza

// Edit returns a copy of the stanza without the children that drop reports, nil
// for none, and with others added behind the rest. All that remains keeps its
// bytes.
func (r *Raw) Edit(drop func(Element) bool, add ...Payload) (*Raw, error) {
	w := NewWriter(nil)
	w.Start(NS, r.header.Kind.String())
	w.addressing(r.header)
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
	w.End()
	b, err := w.Bytes()
	if err != nil {
		return nil, err
	}
	e := NewElement(b)
	h := r.header
	h.Children = names(e)
	return &Raw{header: h, element: e}, nil
}
