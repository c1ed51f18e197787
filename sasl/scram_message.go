package sasl

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// The messages of SCRAM (RFC 5802 §7). Each keeps the text that goes into
// AuthMessage, for what is hashed is what was sent.
type (
	clientFirst struct {
		gs2
		bare     string // the message without its GS2 header
		username string // as sent, unescaped
		nonce    string
	}
	serverFirst struct {
		nonce      string
		salt       []byte
		iterations int
		offerHash  string // "h" of XEP-0474, "" if absent
		tlsVersion string // "t" of XEP-0515, "" if absent
	}
	clientFinal struct {
		withoutProof string
		binding      []byte // cbind-input
		nonce        string
		proof        []byte
	}
	serverFinal struct {
		verifier []byte
		err      string // "" or a server-error-value
	}
)

// attribute is one attr-val.
type attribute struct {
	name  byte
	value string
}

// parseAttributes splits a message. An attribute that comes twice is an error.
func parseAttributes(msg string) ([]attribute, error) {
	if !isText(msg) {
		return nil, fail(ErrMalformed, "SCRAM: message holds NUL or is not UTF-8")
	}
	var attrs []attribute
	var seen [256]bool
	for part := range strings.SplitSeq(msg, ",") {
		if len(part) < len("a=b") || notAlpha(rune(part[0])) || part[1] != '=' {
			return nil, fail(ErrMalformed, "SCRAM: not an attribute")
		}
		name := part[0]
		if seen[name] {
			return nil, fail(ErrMalformed, "SCRAM: attribute %q comes twice", name)
		}
		seen[name] = true
		attrs = append(attrs, attribute{name, part[2:]})
	}
	return attrs, nil
}

// expect checks that attributes begin with those named, in order, and returns
// the others: extensions, which must not be named like what §5.1 defines. That
// includes "m", by which a peer demands an extension we do not have.
func expect(attrs []attribute, names string) (extensions []attribute, err error) {
	if len(attrs) < len(names) {
		return nil, fail(ErrMalformed, "SCRAM: attributes %q expected", names)
	}
	for i := range len(names) {
		if attrs[i].name != names[i] {
			return nil, fail(ErrMalformed, "SCRAM: attribute %q expected, not %q", names[i], attrs[i].name)
		}
	}
	extensions = attrs[len(names):]
	for _, a := range extensions {
		if strings.IndexByte("anmrcsipve", a.name) >= 0 {
			return nil, fail(ErrMalformed, "SCRAM: attribute %q out of order", a.name)
		}
	}
	return extensions, nil
}

func parseClientFirst(msg string) (m clientFirst, err error) {
	if m.gs2, m.bare, err = cutGS2(msg); err != nil {
		return m, err
	}
	attrs, err := parseAttributes(m.bare)
	if err != nil {
		return m, err
	}
	if _, err = expect(attrs, "nr"); err != nil {
		return m, err
	}
	if m.username, err = unescapeName(attrs[0].value); err != nil {
		return m, err
	}
	m.nonce, err = parseNonce(attrs[1].value)
	return m, err
}

func parseServerFirst(msg string) (m serverFirst, err error) {
	attrs, err := parseAttributes(msg)
	if err != nil {
		return m, err
	}
	if attrs[0].name == 'e' { // too early (§7), and understood all the same
		return m, remoteError(attrs[0].value)
	}
	extensions, err := expect(attrs, "rsi")
	if err != nil {
		return m, err
	}
	if m.nonce, err = parseNonce(attrs[0].value); err != nil {
		return m, err
	}
	if m.salt, err = decodeBase64(attrs[1].value); err != nil {
		return m, err
	}
	if m.iterations, err = parseCount(attrs[2].value); err != nil {
		return m, err
	}
	for _, a := range extensions {
		switch a.name {
		case 'h':
			m.offerHash = a.value
		case 't':
			m.tlsVersion = a.value
		}
	}
	return m, nil
}

func parseClientFinal(msg string) (m clientFinal, err error) {
	attrs, err := parseAttributes(msg)
	if err != nil {
		return m, err
	}
	last := attrs[len(attrs)-1]
	if last.name != 'p' {
		return m, fail(ErrMalformed, "SCRAM: proof is not last")
	}
	if _, err = expect(attrs[:len(attrs)-1], "cr"); err != nil {
		return m, err
	}
	m.withoutProof = msg[:len(msg)-len(",p=")-len(last.value)]
	if m.binding, err = decodeBase64(attrs[0].value); err != nil {
		return m, err
	}
	if m.nonce, err = parseNonce(attrs[1].value); err != nil {
		return m, err
	}
	m.proof, err = decodeBase64(last.value)
	return m, err
}

func parseServerFinal(msg string) (m serverFinal, err error) {
	attrs, err := parseAttributes(msg)
	if err != nil {
		return m, err
	}
	if attrs[0].name == 'e' {
		_, err = expect(attrs, "e")
		m.err = attrs[0].value
		return m, err
	}
	if _, err = expect(attrs, "v"); err != nil {
		return m, err
	}
	m.verifier, err = decodeBase64(attrs[0].value)
	return m, err
}

// parseNonce checks that a nonce is printable ASCII. That it has no comma is
// known by then.
func parseNonce(s string) (string, error) {
	for i := range len(s) {
		if s[i] < '!' || s[i] > '~' {
			return "", fail(ErrMalformed, "SCRAM: nonce is not printable")
		}
	}
	return s, nil
}

// parseCount parses a posit-number. One too large for an int is out of any
// bounds.
func parseCount(s string) (int, error) {
	if s[0] == '0' || strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
		return 0, fail(ErrMalformed, "SCRAM: iteration count is not a positive number")
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0, fail(ErrIterations, "SCRAM: iteration count of %d digits", len(s))
	}
	return int(n), nil
}

// decodeBase64 decodes the canonical form only (§2.1). The decoder of the
// standard library would skip line breaks.
func decodeBase64(s string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return nil, fail(ErrIncorrectEncoding, "SCRAM: base64 is not canonical")
	}
	return b, nil
}

func encodeBase64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// remoteError turns a server-error-value into an error of the matching kind.
func remoteError(value string) error {
	kind := ErrNotAuthorized
	switch value {
	case "invalid-encoding":
		kind = ErrIncorrectEncoding
	case "extensions-not-supported", "invalid-username-encoding":
		kind = ErrMalformed
	case "no-resources":
		kind = ErrTemporary
	}
	return fail(kind, "SCRAM: the server reports %.60q", value)
}
