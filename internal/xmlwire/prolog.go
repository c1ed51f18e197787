package xmlwire

import (
	"bytes"
	"strings"
)

// maxDeclaration bounds an XML declaration; the longest one with any sense has
// under 60 bytes.
const maxDeclaration = 256

// prolog reads an XML declaration, if the document has one. It leaves r.phase as
// it is when bytes are missing.
func (r *Reader) prolog() {
	if r.again {
		r.skipBlanks()
		r.win.offset = 0 // they are not of this document
	}
	b := r.win.bytes()
	if len(b) == 0 {
		return
	}
	if b[0] == 0 {
		r.fail(&Error{Condition: unsupportedEncoding, Detail: "UTF-16 or UTF-32 (RFC 6120 §11.6)"})
		return
	}
	const start = "<?xml"
	n := min(len(b), len(start))
	switch {
	case string(b[:n]) != start[:n], len(b) > n && !is(b[n], charBlank) && b[n] != '?':
		r.phase = atRoot // whatever it is, it is no declaration
	case len(b) <= len(start):
	default:
		window, capped := head(b, maxDeclaration)
		end := bytes.Index(window, []byte("?>"))
		switch {
		case end < 0 && capped:
			r.fail(&Error{Condition: policyViolation, Detail: "XML declaration too long", Offset: maxDeclaration})
		case end < 0:
		default:
			if condition, detail := checkDeclaration(string(b[n:end])); condition != "" {
				r.fail(&Error{Condition: condition, Detail: detail})
				return
			}
			r.win.consume(end + len("?>"))
			r.phase = atRoot
		}
	}
}

// checkDeclaration judges what stands between "<?xml" and "?>" (XML §2.8). It
// returns an empty condition if all is well.
func checkDeclaration(decl string) (condition, detail string) {
	const blanks = " \t\r\n"
	order := []string{"version", "encoding", "standalone"}
	for versionSeen := false; ; versionSeen = true {
		rest := strings.TrimLeft(decl, blanks)
		if rest == "" && versionSeen {
			return "", ""
		}
		name, after, ok := strings.Cut(rest, "=")
		name, after = strings.TrimRight(name, blanks), strings.TrimLeft(after, blanks)
		for len(order) > 0 && order[0] != name && versionSeen {
			order = order[1:] // encoding and standalone may be missing
		}
		if !ok || rest == decl || len(order) == 0 || order[0] != name || after == "" || after[0] != '"' && after[0] != '\'' {
			return notWellFormed, "malformed XML declaration (XML §2.8)"
		}
		value, tail, ok := strings.Cut(after[1:], after[:1])
		if !ok || !validDeclared(name, value) {
			return notWellFormed, "malformed XML declaration (XML §2.8)"
		}
		if name == "encoding" && !strings.EqualFold(value, "UTF-8") {
			return unsupportedEncoding, "encoding other than UTF-8 (RFC 6120 §11.6)"
		}
		order, decl = order[1:], tail
	}
}

// validDeclared reports whether value is one that name may have in an XML declaration.
func validDeclared(name, value string) bool {
	switch name {
	case "version": // 1.x is read as 1.0
		minor, ok := strings.CutPrefix(value, "1.")
		return ok && minor != "" && strings.Trim(minor, "0123456789") == ""
	case "encoding":
		for i := range len(value) {
			if !is(value[i], charName) || i == 0 && (!is(value[i], charNameStart) || value[i] == '_') {
				return false
			}
		}
		return value != ""
	default:
		return value == "yes" || value == "no"
	}
}
