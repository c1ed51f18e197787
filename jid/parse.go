package jid

import "strings"

// Parse reads an address and prepares its parts as RFC 7622 says. The error is an
// [*Error].
//
// An ASCII address in canonical form costs no allocation: the JID then shares the
// memory of s. Give it a [strings.Clone] when s is a piece of something large that
// the JID outlives.
func Parse(s string) (JID, error) {
	if j, ok := parseASCII(s); ok {
		return j, nil
	}
	return parse(s, false)
}

// ParseLenient reads an address received from others. Whatever [Parse] accepts
// gives the same value here. In any other address, each part that can be prepared
// is prepared, and each that is refused is kept byte for byte. Such a part equals
// only its own bytes: no mapping of case or width has been applied, and no
// address that Parse returns is equal to it, however much it looks like one.
//
// The error is an [*Error], and it remains an error
//
//   - when a part is missing, empty, or longer than 1023 bytes;
//   - when a part is not UTF-8, or has a control character or one that XML 1.0
//     cannot carry: it could not have come from an XML stream;
//   - when a domainpart that would be kept cannot be told from another address:
//     it contains a space, an @ or a / (a fullwidth or other character that
//     normalizes to one counts), or ends with a second label separator.
//
// What is refused depends on the Unicode version of the tables compiled in: a
// character that is newer is kept by an old program and prepared by a new one.
//
// A domainpart kept this way, such as my_host or ☃.example, names no host that
// the DNS or a certificate could vouch for. Do not connect to it.
func ParseLenient(s string) (JID, error) {
	if j, ok := parseASCII(s); ok {
		return j, nil
	}
	return parse(s, true)
}

// MustParse is [Parse] for constants and tests: it panics where Parse returns an
// error.
func MustParse(s string) JID {
	j, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return j
}

// New joins parts into an address, preparing each strictly. An empty localpart or
// resourcepart means that the address has none; the domainpart is required. No
// part can end another early: an @ in localpart is an error, not a separator. The
// error is an [*Error].
func New(localpart, domainpart, resourcepart string) (JID, error) {
	p := parts{
		local: localpart, hasLocal: localpart != "",
		domain:   domainpart,
		resource: resourcepart, hasResource: resourcepart != "",
	}
	p, err := p.prepare(false)
	if err != nil {
		return JID{}, err
	}
	return p.join(), nil
}

// parse is the way of every address that [parseASCII] does not settle.
func parse(s string, lenient bool) (JID, error) {
	p := split(s)
	switch {
	case p.domain == "":
		return JID{}, fail(ErrNoDomain, Domainpart, s, nil)
	case p.hasLocal && p.local == "":
		return JID{}, fail(ErrEmpty, Localpart, s, nil)
	case p.hasResource && p.resource == "":
		return JID{}, fail(ErrEmpty, Resourcepart, s, nil)
	}
	q, err := p.prepare(lenient)
	if err != nil {
		return JID{}, err
	}
	if q == p {
		return JID{s: s, local: uint16(len(q.local)), domain: uint16(len(q.domain))}, nil
	}
	return q.join(), nil
}

// parts is an address taken apart.
type parts struct {
	local, domain, resource string
	hasLocal, hasResource   bool
}

// split divides s at its separators, before anything is mapped (RFC 7622 §3.1).
// The order is that of §3.2: the first / ends the domainpart, and only an @ in
// front of it ends a localpart.
func split(s string) (p parts) {
	p.domain, p.resource, p.hasResource = strings.Cut(s, "/")
	if local, domain, ok := strings.Cut(p.domain, "@"); ok {
		p.local, p.domain, p.hasLocal = local, domain, true
	}
	return p
}

// prepare returns p with every part prepared, or kept where lenient allows it.
func (p parts) prepare(lenient bool) (_ parts, err error) {
	if p.domain, err = settle(Domainpart, p.domain, lenient); err != nil {
		return parts{}, err
	}
	if p.hasLocal {
		if p.local, err = settle(Localpart, p.local, lenient); err != nil {
			return parts{}, err
		}
	}
	if p.hasResource {
		if p.resource, err = settle(Resourcepart, p.resource, lenient); err != nil {
			return parts{}, err
		}
	}
	return p, nil
}

// settle prepares one part. Where that fails and lenient is set it returns what
// may be kept.
func settle(part Part, s string, lenient bool) (string, error) {
	var (
		out string
		err error
	)
	switch part {
	case Localpart:
		out, err = prepareLocalpart(s)
	case Domainpart:
		out, err = prepareDomainpart(s)
	case Resourcepart:
		out, err = prepareResourcepart(s)
	}
	if err == nil || !lenient {
		return out, err
	}
	kept, ok := keep(part, s)
	if !ok {
		return "", err
	}
	return kept, nil
}

// join returns the JID of parts that have been prepared.
func (p parts) join() JID {
	j := JID{local: uint16(len(p.local)), domain: uint16(len(p.domain))}
	switch {
	case p.hasLocal && p.hasResource:
		j.s = p.local + "@" + p.domain + "/" + p.resource
	case p.hasLocal:
		j.s = p.local + "@" + p.domain
	case p.hasResource:
		j.s = p.domain + "/" + p.resource
	default:
		j.s = p.domain
	}
	return j
}

// The limits of RFC 7622 §3.2 to §3.4 and of RFC 1034 §3.1, in bytes.
const (
	maxPart   = 1023 // each part, prepared
	maxDomain = 253  // a domain name in A-labels, without the dot of the root
	maxLabel  = 63   // one label of it

	// maxRaw bounds what is looked at, so that a megabyte of nickname is refused
	// before it is normalized. No mapping makes a part shorter than a third: the
	// steepest are a fullwidth letter (three bytes to one) and Hangul (nine to three).
	maxRaw = 4 * maxPart
)
