package xmlwire

import "encoding/xml"

// nameTable remembers names, so that those which come again and again cost no
// allocation. What one peer sends can only make another's cost one.
type nameTable [64]xml.Name

// maxRemembered bounds the bytes of a remembered name.
const maxRemembered = 128

// of returns the name of these parts.
func (t *nameTable) of(local, space []byte) xml.Name {
	h := uint(len(local)) + 5*uint(len(space))
	if len(local) > 0 {
		h += 3*uint(local[0]) + 7*uint(local[len(local)-1])
	}
	if len(space) > 0 {
		h += 11 * uint(space[len(space)-1])
	}
	slot := &t[h%uint(len(t))]
	if slot.Local == string(local) && slot.Space == string(space) {
		return *slot
	}
	name := xml.Name{Space: intern(space), Local: intern(local)}
	if len(local)+len(space) <= maxRemembered {
		*slot = name
	}
	return name
}

// in is of for a namespace that is a string already.
func (t *nameTable) in(local []byte, space string) xml.Name {
	if known := known(local); known != "" {
		return xml.Name{Space: space, Local: known}
	}
	h := uint(len(local))
	if len(local) > 0 {
		h += 3*uint(local[0]) + 7*uint(local[len(local)-1])
	}
	slot := &t[h%uint(len(t))]
	if slot.Local != string(local) {
		if len(local) > maxRemembered {
			return xml.Name{Space: space, Local: string(local)}
		}
		*slot = xml.Name{Local: string(local)}
	}
	return xml.Name{Space: space, Local: slot.Local}
}
