package jid_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/parlance-xmpp/xmpp/jid"
)

// seeds are addresses that have been, or look like, trouble.
var seeds = []string{
	"", ".", "@", "/", "a", "a@b", "a@b/c", "a/b@c", "juliet@example.com/ foo",
	"Juliet@EXAMPLE.com./Balcony", "\u03A3@example.com", "\u0130\u0323@b", "\u13A0@\u13A0.b",
	"ＡＢ@ｘn--bcher-kva.b/\u3000a", "\u212A@\u212A/\u212A", "a\u0307\u0323\u0345@b", "\uFF76\uFF9E@\uFF76\uFF9E",
	"xn--bcher-kva.example", "xn--n3h", "xn--", "xn--a-", "xn--58dc", "a_b.", "a_b..", "a_b\u3002", "a\u3002.",
	"juliet＠example.com", "a@b@c", "☃/\u0301", "👩\u200D🚀@b/👩\u200D🚀", "\u1100\u1161\u11A8@b/\u1100\u1161\u11A8",
	"l\u00B7l@l\u00B7l", "\u30A2\u30FB@\u30FB\u30A2", "\u0915\u094D\u200D@b", "\u05D0\u05F3@\u05D0\u05F3.b", "\u0375\u03B1@b",
	"a\u05D0@b", "1\u05D0@1.\u05D0", "\u0627\u0660.\u0627\u06F0", "127.0.0.1", "[::1]", "[0:0::FFFF:1.2.3.4].", "[fe80::1%25a]", "[",
	"a@b/\x00", "a@b/\xff", "a@b/\uFFFE", "a\xed\xa0\x80@b", `"&'/:<>@`, "b/" + strings.Repeat("a\u0301", 20),
}

// checkPrepared asks of j what holds for every address, kept parts included.
func checkPrepared(t *testing.T, j jid.JID) {
	t.Helper()
	s := j.String()
	if !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\t\r\n\x7f\uFFFE\uFFFF") {
		t.Errorf("%q cannot be in XML", s)
	}
	local, domain, resource := j.Localpart(), j.Domainpart(), j.Resourcepart()
	if max(len(local), len(domain), len(resource)) > 1023 || domain == "" {
		t.Errorf("%q has parts of %d, %d and %d bytes", s, len(local), len(domain), len(resource))
	}
	if strings.ContainsAny(local, "@/") || strings.ContainsAny(domain, "@/") {
		t.Errorf("%q has a separator inside the localpart %q or the domainpart %q", s, local, domain)
	}
	want := domain
	if local != "" {
		want = local + "@" + want
	}
	if bare := j.Bare(); bare.String() != want || !bare.IsBare() || bare.IsFull() || bare.Bare() != bare {
		t.Errorf("%q: Bare is %q; want %q", s, bare, want)
	}
	if d := j.Domain(); d.String() != domain || d != j.Bare().Domain() || d.Domain() != d {
		t.Errorf("%q: Domain is %q; want %q", s, d, domain)
	}
	if resource != "" {
		want += "/" + resource
	}
	if s != want || j.IsFull() != (resource != "") || j.IsZero() {
		t.Errorf("%q: the parts make %q", s, want)
	}
	if j.Compare(j) != 0 || j.Bare().Compare(j) > 0 || j.Domain().Compare(j) > 0 {
		t.Errorf("%q does not sort behind its bare JID and its domain", s)
	}
}

// checkStrict asks of j what holds for an address that Parse or New returned.
func checkStrict(t *testing.T, j jid.JID) {
	t.Helper()
	checkPrepared(t, j)
	if k, err := jid.Parse(j.String()); k != j {
		t.Errorf("%q parses as %q, %v", j, k, err)
	}
	if k, err := jid.New(j.Localpart(), j.Domainpart(), j.Resourcepart()); k != j {
		t.Errorf("New of the parts of %q: %q, %v", j, k, err)
	}
	if k, err := j.Domain().WithLocal(j.Localpart()); k != j.Bare() {
		t.Errorf("%q.Domain().WithLocal: %q, %v", j, k, err)
	}
	if k, err := j.Bare().WithResource(j.Resourcepart()); k != j {
		t.Errorf("%q.Bare().WithResource: %q, %v", j, k, err)
	}
	if !norm.NFC.IsNormalString(j.Localpart()) || !norm.NFC.IsNormalString(j.Domainpart()) || !norm.NFC.IsNormalString(j.Resourcepart()) {
		t.Errorf("%q is not in NFC", j)
	}
	if strings.ContainsAny(j.Localpart(), "\"&'/:<>@ ") || strings.HasPrefix(j.Resourcepart(), " ") {
		t.Errorf("%q has a character that is not allowed", j)
	}
	for label := range strings.SplitSeq(j.Domainpart(), ".") {
		if strings.HasPrefix(label, "xn--") || label == "" {
			t.Errorf("%q has the label %q", j, label)
		}
	}
}

func checkError(t *testing.T, j jid.JID, err error) {
	t.Helper()
	e, ok := errors.AsType[*jid.Error](err)
	if !ok || e.Part == 0 || !errors.Is(err, e.Kind) || !j.IsZero() {
		t.Fatalf("%q, %#v; want the zero JID and an *Error", j, err)
	}
	if msg := err.Error(); !strings.HasPrefix(msg, "jid: ") || len(msg) > 2048 || !utf8.ValidString(msg) {
		t.Errorf("message of %d bytes: %.100q", len(msg), msg)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		strict, err := jid.Parse(s)
		lenient, lenientErr := jid.ParseLenient(s)
		if err == nil {
			checkStrict(t, strict)
			if lenient != strict {
				t.Errorf("ParseLenient(%q) = %q, %v; Parse gives %q", s, lenient, lenientErr, strict)
			}
			return
		}
		checkError(t, strict, err)
		if lenientErr != nil {
			checkError(t, lenient, lenientErr)
			return
		}
		checkPrepared(t, lenient)
		if again, err := jid.ParseLenient(lenient.String()); again != lenient {
			t.Errorf("ParseLenient(%q) = %q; again %q, %v", s, lenient, again, err)
		}
		// Were it accepted, one value would be both kept and prepared.
		if forged, err := jid.Parse(lenient.String()); err == nil {
			t.Errorf("Parse refuses %q and accepts what is kept of it, %q, as %q", s, lenient, forged)
		}
	})
}

func FuzzNew(f *testing.F) {
	for _, s := range seeds {
		local, rest, _ := strings.Cut(s, "@")
		domain, resource, _ := strings.Cut(rest, "/")
		f.Add(local, domain, resource)
		f.Add(s, "b", s)
	}
	f.Fuzz(func(t *testing.T, local, domain, resource string) {
		j, err := jid.New(local, domain, resource)
		if err != nil {
			checkError(t, j, err)
			return
		}
		checkStrict(t, j)
		if (j.Localpart() == "") != (local == "") || (j.Resourcepart() == "") != (resource == "") {
			t.Errorf("New(%q, %q, %q) = %q: a part came or went", local, domain, resource, j)
		}
	})
}

func FuzzEscapeLocalpart(f *testing.F) {
	for _, s := range []string{
		"", " ", `\`, `\20`, `\5c20`, `\\5c`, `\2F`, " a b ", "d'artagnan", `c:\5commas`, `"&'/:<>@\`, `\é`, "\xff'",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		escaped := jid.EscapeLocalpart(s)
		if got := jid.UnescapeLocalpart(escaped); got != s {
			t.Errorf("%q escapes to %q and back to %q", s, escaped, got)
		}
		if strings.ContainsAny(escaped, `"&'/:<>@`) || strings.Contains(strings.Trim(escaped, " "), " ") {
			t.Errorf("%q escapes to %q", s, escaped)
		}
		if strings.HasPrefix(escaped, `\20`) || strings.HasSuffix(escaped, `\20`) {
			t.Errorf("%q escapes to %q: \\20 at the edge", s, escaped)
		}
		jid.UnescapeLocalpart(s)

		// As an address it is shown as what was typed, in the case of an address.
		if j, err := jid.New(escaped, "example.com", ""); err == nil && isASCII(s) {
			if got := jid.UnescapeLocalpart(j.Localpart()); got != strings.ToLower(s) {
				t.Errorf("%q becomes %q, shown as %q", s, j, got)
			}
		}
	})
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
