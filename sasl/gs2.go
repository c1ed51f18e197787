package sasl

import (
	"errors"
	"strings"
)

// gs2 is the header that SCRAM and OAUTHBEARER messages begin with (RFC 5801
// §4): what the client thinks of channel binding, and its authzid.
type gs2 struct {
	raw     string // with its last comma
	flag    byte   // 'n', 'y' or 'p'
	binding string // with 'p': the channel binding type
	authzid string
}

// gs2Header makes a header. The flag is "n", "y", or "p=" and a type.
func gs2Header(flag, authzid string) (string, error) {
	if !isText(authzid) {
		return "", errors.New("sasl: authzid holds NUL or is not UTF-8")
	}
	if authzid != "" {
		authzid = "a=" + escapeName(authzid)
	}
	return flag + "," + authzid + ",", nil
}

// cutGS2 splits the header off a message, all of which must be text.
func cutGS2(msg string) (header gs2, rest string, err error) {
	if !isText(msg) {
		return gs2{}, "", fail(ErrMalformed, "message holds NUL or is not UTF-8")
	}
	flag, rest, ok := strings.Cut(msg, ",")
	authzid, rest, ok2 := strings.Cut(rest, ",")
	if !ok || !ok2 {
		return gs2{}, "", fail(ErrMalformed, "message without GS2 header")
	}
	header.raw = msg[:len(msg)-len(rest)]
	switch binding, isBinding := strings.CutPrefix(flag, "p="); {
	case isBinding && binding != "" && !strings.ContainsFunc(binding, notInBinding):
		header.flag, header.binding = 'p', binding
	case flag == "n", flag == "y":
		header.flag = flag[0]
	default:
		return gs2{}, "", fail(ErrMalformed, "unknown channel binding flag")
	}
	if authzid == "" {
		return header, rest, nil
	}
	name, ok := strings.CutPrefix(authzid, "a=")
	if !ok {
		return gs2{}, "", fail(ErrMalformed, "authzid expected in GS2 header")
	}
	header.authzid, err = unescapeName(name)
	return header, rest, err
}

func notInBinding(r rune) bool {
	return notAlpha(r) && (r < '0' || r > '9') && r != '.' && r != '-'
}

// escapeName makes a saslname (RFC 5802 §5.1 "n").
func escapeName(s string) string {
	return strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s)
}

// unescapeName is its inverse. Any "=" not followed by 2C or 3D is an error, and
// so is a name of no characters.
func unescapeName(s string) (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "=")
		b.WriteString(before)
		if !found {
			break
		}
		switch {
		case strings.HasPrefix(after, "2C"):
			b.WriteByte(',')
		case strings.HasPrefix(after, "3D"):
			b.WriteByte('=')
		default:
			return "", fail(ErrMalformed, "name with a wrong escape")
		}
		s = after[2:]
	}
	if b.Len() == 0 {
		return "", fail(ErrMalformed, "empty name")
	}
	return b.String(), nil
}
