// Package jid implements the addresses of XMPP (RFC 7622), called JIDs: a
// domainpart, with an optional localpart before it and an optional resourcepart
// behind it, as in juliet@example.com/balcony.
//
// A [JID] is a small value: comparable with ==, usable as a map key, safe to
// share, printed by every fmt verb for strings. It holds the canonical form, so
// two spellings of one address are one value:
//
//	a := jid.MustParse("Juliet@EXAMPLE.com/balcony")
//	b := jid.MustParse("juliet@example.com/balcony")
//	a == b // true
//
// # Strict and lenient
//
// [Parse], [New], [JID.WithLocal] and [JID.WithResource] enforce the RFC: what
// can be mapped is mapped, what cannot is an error (§4). They are for addresses
// that this program makes, stores or serves.
//
// [ParseLenient] is for addresses received from others. Their software may follow
// older rules, or newer Unicode, and let people choose what RFC 7622 refuses here:
// a nickname with a joined emoji, or with a space in front. Such a part is kept as
// it came, so that a stanza from there can be shown and answered, but it equals
// nothing that [Parse] returns.
//
// # What preparation does
//
//   - Localpart (§3.3): the UsernameCaseMapped profile of PRECIS (RFC 8265 §3.3)
//     maps width and case; the eight characters "&'/:<>@ and all spaces are
//     refused. [EscapeLocalpart] writes them in another way (XEP-0106).
//   - Domainpart (§3.2): one trailing dot goes; case and width are mapped
//     (RFC 5895); an A-label (xn--…) becomes its U-label; labels must be valid
//     in IDNA2008 (RFC 5890 to 5893), so neither an underscore nor an emoji is
//     allowed. IPv4 addresses, IPv6 addresses in brackets and single labels such
//     as localhost are domainparts too.
//   - Resourcepart (§3.4): the OpaqueString profile of PRECIS (RFC 8265 §4.2)
//     keeps case and turns every space into U+0020.
//
// A part must not be empty and holds at most 1023 bytes, a domainpart at most
// what the DNS holds: 63 bytes in a label and 253 in all, counted as A-labels.
package jid

import (
	"cmp"
	"strings"
)

// A JID is a prepared XMPP address. The zero value is no address: it prints as
// the empty string and [JID.IsZero] reports it.
//
// JIDs are equal, in the sense of RFC 7622 §3.2.3 and of its profiles, exactly
// when == says so.
type JID struct {
	s      string // [localpart "@"] domainpart ["/" resourcepart]
	local  uint16 // length of the localpart in bytes; 0 when there is none
	domain uint16 // length of the domainpart in bytes; 0 only in the zero JID
}

// bareLen returns how many bytes of j.s come before the resourcepart and its
// separator.
func (j JID) bareLen() int { return j.domainStart() + int(j.domain) }

// domainStart returns where the domainpart begins in j.s.
func (j JID) domainStart() int {
	if j.local == 0 {
		return 0
	}
	return int(j.local) + 1
}

// Localpart returns the part before the @, or "" when there is none.
func (j JID) Localpart() string { return j.s[:j.local] }

// Domainpart returns the domain, with U-labels: a name for people and for XMPP.
// The DNS, TLS and certificates want A-labels, which [golang.org/x/net/idna]
// makes. It is "" only for the zero JID.
func (j JID) Domainpart() string { return j.s[j.domainStart():j.bareLen()] }

// Resourcepart returns the part behind the first /, or "" when there is none.
func (j JID) Resourcepart() string {
	if n := j.bareLen(); n < len(j.s) {
		return j.s[n+1:]
	}
	return ""
}

// Bare returns j without its resourcepart. It does not allocate.
func (j JID) Bare() JID {
	j.s = j.s[:j.bareLen()]
	return j
}

// Domain returns the address that is j's domainpart alone. It does not allocate.
func (j JID) Domain() JID {
	return JID{s: j.Domainpart(), domain: j.domain}
}

// WithResource returns j's bare JID with the resourcepart r, which is prepared
// strictly; "" removes the resourcepart. The zero JID has nothing to add it to:
// the error is [ErrNoDomain].
func (j JID) WithResource(r string) (JID, error) {
	if j.IsZero() {
		return JID{}, fail(ErrNoDomain, Domainpart, "", nil)
	}
	if r == "" {
		return j.Bare(), nil
	}
	r, err := prepareResourcepart(r)
	if err != nil {
		return JID{}, err
	}
	j.s = j.s[:j.bareLen()] + "/" + r
	return j, nil
}

// WithLocal returns j with the localpart l, which is prepared strictly; ""
// removes the localpart. The zero JID has nothing to add it to: the error is
// [ErrNoDomain].
func (j JID) WithLocal(l string) (JID, error) {
	if j.IsZero() {
		return JID{}, fail(ErrNoDomain, Domainpart, "", nil)
	}
	rest := j.s[j.domainStart():]
	if l == "" {
		return JID{s: rest, domain: j.domain}, nil
	}
	l, err := prepareLocalpart(l)
	if err != nil {
		return JID{}, err
	}
	return JID{s: l + "@" + rest, local: uint16(len(l)), domain: j.domain}, nil
}

// IsZero reports whether j is the zero value: no address at all.
func (j JID) IsZero() bool { return j.domain == 0 }

// IsBare reports whether j is an address without a resourcepart, such as
// juliet@example.com or example.com.
func (j JID) IsBare() bool { return j.domain != 0 && len(j.s) == j.bareLen() }

// IsFull reports whether j has a resourcepart. Its localpart may be absent, as
// in example.com/announce.
func (j JID) IsFull() bool { return len(j.s) > j.bareLen() }

// String returns the address as it goes on the wire, "" for the zero JID. It
// reads back as j: by [Parse] when that made j, by [ParseLenient] in any case.
func (j JID) String() string { return j.s }

// Compare orders addresses by domainpart, then localpart, then resourcepart,
// each by its bytes: the addresses of a host are neighbours, and those of an
// account follow its bare JID. It returns -1, 0 or +1, and 0 exactly when j == k.
func (j JID) Compare(k JID) int {
	return cmp.Or(
		strings.Compare(j.Domainpart(), k.Domainpart()),
		strings.Compare(j.Localpart(), k.Localpart()),
		strings.Compare(j.Resourcepart(), k.Resourcepart()),
	)
}
