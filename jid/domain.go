package jid

import (
	"errors"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/secure/bidirule"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// A domain label passes two sieves, because neither alone is IDNA2008.
//
// x/net/idna follows UTS #46, which lets symbols and emoji through, checks the
// contextual rules of RFC 5892 for the two joiners only, and, where it maps, maps
// what RFC 5892 disallows. PRECIS derives its IdentifierClass from the very
// categories of RFC 5892 (RFC 8264 §9) and checks all contextual rules, but knows
// nothing of DNS, hyphens and Punycode.
var (
	// registered maps nothing: it tells whether a label, which must be in NFC, could
	// be registered (RFC 5891 §4), and converts. Hyphens and lengths are counted here.
	registered = idna.New(
		idna.ValidateForRegistration(),
		idna.CheckHyphens(false),
		idna.VerifyDNSLength(false),
	)
	// identifier checks the base class; what it returns is not used.
	identifier = precis.NewIdentifier(precis.Norm(norm.NFC))

	// ignorableBlocks are disallowed in U-labels (RFC 5892 §2.4) and not in PRECIS.
	ignorableBlocks = &unicode.RangeTable{
		R16: []unicode.Range16{{Lo: 0x20D0, Hi: 0x20FF, Stride: 1}},
		R32: []unicode.Range32{{Lo: 0x1D100, Hi: 0x1D1FF, Stride: 1}, {Lo: 0x1D200, Hi: 0x1D24F, Stride: 1}},
	}
)

var (
	errEmptyLabel = errors.New("an empty label")
	errLDH        = errors.New("only letters, digits and hyphens inside labels are allowed")
	errHyphens    = errors.New("a hyphen where none is allowed")
	errALabel     = errors.New("an xn-- label that stands for nothing")
	errIgnorable  = errors.New("a character that IDNA disallows")
	errIPv6       = errors.New("brackets without an IPv6 address between them")
)

// prepareDomainpart applies RFC 7622 §3.2 to s.
func prepareDomainpart(s string) (string, error) {
	if ok, upper := scanDomain(s); ok {
		if upper {
			s = strings.ToLower(s)
		}
		return s, nil
	}
	switch {
	case len(s) > maxRaw:
		return "", fail(ErrTooLong, Domainpart, s, nil)
	case !utf8.ValidString(s):
		return "", fail(ErrInvalidDomainpart, Domainpart, s, errUTF8)
	}
	name := strings.TrimSuffix(dots.Replace(s), ".") // before anything else is mapped (§3.2)
	if name == "" {
		return "", fail(ErrNoDomain, Domainpart, s, nil)
	}
	prepare := prepareName
	if name[0] == '[' {
		prepare = prepareIPv6
	}
	out, err := prepare(name)
	switch {
	case errors.Is(err, ErrTooLong):
		return "", fail(ErrTooLong, Domainpart, s, nil)
	case err != nil:
		return "", fail(ErrInvalidDomainpart, Domainpart, s, err)
	}
	return out, nil
}

// dots turns into full stops what separates labels as a full stop does (RFC 5895
// §2, and the width mapping of the two others).
var dots = strings.NewReplacer("\u3002", ".", "\uff0e", ".", "\uff61", ".")

// prepareName returns a domain name with every label an NR-LDH label or a U-label.
func prepareName(s string) (string, error) {
	labels := strings.Split(s, ".")
	size, rtl := len(labels)-1, false // the dots count
	for i, label := range labels {
		label, n, err := prepareLabel(label)
		if err != nil {
			return "", err
		}
		if size += n; size > maxDomain {
			return "", ErrTooLong
		}
		rtl = rtl || isRTL(label)
		labels[i] = label
	}
	if rtl { // then the Bidi Rule is for all labels (RFC 5893 §2)
		for _, label := range labels {
			if !bidirule.ValidString(label) {
				return "", errBidi
			}
		}
	}
	return strings.Join(labels, "."), nil
}

// prepareLabel returns the NR-LDH label or U-label that s means, and its length
// in the DNS.
func prepareLabel(s string) (label string, size int, err error) {
	if s == "" {
		return "", 0, errEmptyLabel
	}
	if !isASCII(s) {
		if size, err := checkULabel(s); err == nil {
			return s, size, nil // most are; and one with Cherokee letters is so in upper case
		}
		if s, err = username.String(s); err != nil { // maps as RFC 5895 §2 does
			return "", 0, err
		}
		if !isASCII(s) {
			size, err := checkULabel(s)
			return s, size, err
		}
	}
	s = strings.ToLower(s)
	if strings.HasPrefix(s, "xn--") {
		return fromALabel(s)
	}
	return s, len(s), checkLDH(s)
}

// checkLDH returns why the ASCII label s is not an NR-LDH label. RFC 7622 §3.2.1
// leaves no room for more than letters, digits and hyphens, so the names with an
// underscore that the DNS itself can hold are no domainparts.
func checkLDH(s string) error {
	switch ok, _ := scan(s, inDomain); {
	case !ok:
		return errLDH
	case len(s) > maxLabel:
		return ErrTooLong
	case !isLDH(s):
		return errHyphens
	}
	return nil
}

// fromALabel returns the U-label of an A-label in lower case. Both must stand for
// each other (RFC 5891 §5.4): Punycode spells some things in several ways.
func fromALabel(s string) (label string, size int, err error) {
	if len(s) > maxLabel {
		return "", 0, ErrTooLong
	}
	u, err := registered.ToUnicode(s)
	if err != nil {
		return "", 0, err
	}
	if _, err := checkULabel(u); err != nil {
		return "", 0, err
	}
	if a, err := registered.ToASCII(u); err != nil || a != s {
		return "", 0, errALabel
	}
	return u, len(s), nil
}

// checkULabel returns the length of the A-label of s, or why s, which is not
// ASCII, is no U-label (RFC 5890 §2.3.2.1).
func checkULabel(s string) (size int, err error) {
	if utf8.RuneCountInString(s) > maxLabel {
		return 0, ErrTooLong // an A-label is never shorter than that
	}
	if _, err := identifier.String(s); err != nil {
		return 0, err
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(ignorableBlocks, r) }) {
		return 0, errIgnorable
	}
	if strings.HasPrefix(s, "-") || strings.HasSuffix(s, "-") || hasHyphens34(s) {
		return 0, errHyphens
	}
	a, err := registered.ToASCII(s)
	if err != nil {
		return 0, err
	}
	if len(a) > maxLabel {
		return 0, ErrTooLong
	}
	return len(a), nil
}

// hasHyphens34 reports whether the third and fourth characters of s are hyphens;
// for a U-label they are characters, not bytes (RFC 5891 §4.2.3.1).
func hasHyphens34(s string) bool {
	i := 0
	for range 2 {
		_, n := utf8.DecodeRuneInString(s[i:])
		i += n
	}
	return strings.HasPrefix(s[i:], "--")
}

// prepareIPv6 returns an IPv6 literal as RFC 5952 writes it, so that one address
// has one spelling, brackets included. A zone, after %25 as in RFC 6874, is kept:
// it has a meaning on one machine only. IPvFuture, which the grammar of RFC 3986
// would allow, is not among the domainparts of RFC 7622 §3.2.
func prepareIPv6(s string) (string, error) {
	if len(s) < 2 || s[len(s)-1] != ']' {
		return "", errIPv6
	}
	host, zone, hasZone := strings.Cut(s[1:len(s)-1], "%25")
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.Is6() || ip.Zone() != "" || hasZone && !isZone(zone) {
		return "", errIPv6
	}
	if hasZone {
		zone = "%25" + zone
	}
	return "[" + ip.String() + zone + "]", nil
}

// isZone reports whether s is a ZoneID of RFC 6874 §2: unreserved characters and
// percent-encoded bytes. The limit is there because nothing else bounds it.
func isZone(s string) bool {
	if s == "" || len(s) > maxLabel {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case class[c]&inDomain != 0, c == '_', c == '~':
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			i += 2
		default:
			return false
		}
	}
	return true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
