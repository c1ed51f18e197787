package jid_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/parlance-xmpp/xmpp/jid"
)

// TestRFC7622_3_5_Table1 has every legal address of the RFC, by its number there.
func TestRFC7622_3_5_Table1(t *testing.T) {
	for _, tt := range []struct {
		n                       int
		in                      string
		local, domain, resource string
	}{
		{1, "juliet@example.com", "juliet", "example.com", ""},
		{2, "juliet@example.com/foo", "juliet", "example.com", "foo"},
		{3, "juliet@example.com/foo bar", "juliet", "example.com", "foo bar"},
		{4, "juliet@example.com/foo@bar", "juliet", "example.com", "foo@bar"},
		{5, `foo\20bar@example.com`, `foo\20bar`, "example.com", ""},
		{6, "fussball@example.com", "fussball", "example.com", ""},
		{7, "fu\u00DFball@example.com", "fu\u00DFball", "example.com", ""},
		{8, "\u03C0@example.com", "\u03C0", "example.com", ""},
		{9, "\u03A3@example.com/foo", "\u03C3", "example.com", "foo"},
		{10, "\u03C3@example.com/foo", "\u03C3", "example.com", "foo"},
		{11, "\u03C2@example.com/foo", "\u03C2", "example.com", "foo"},
		{12, "king@example.com/\u265A", "king", "example.com", "\u265A"},
		{13, "example.com", "", "example.com", ""},
		{14, "example.com/foobar", "", "example.com", "foobar"},
		{15, "a.example.com/b@example.net", "", "a.example.com", "b@example.net"},
	} {
		j, err := jid.Parse(tt.in)
		if err != nil {
			t.Errorf("%d: Parse(%q): %v", tt.n, tt.in, err)
			continue
		}
		if j.Localpart() != tt.local || j.Domainpart() != tt.domain || j.Resourcepart() != tt.resource {
			t.Errorf("%d: Parse(%q) = %q, %q, %q; want %q, %q, %q", tt.n, tt.in,
				j.Localpart(), j.Domainpart(), j.Resourcepart(), tt.local, tt.domain, tt.resource)
		}
	}
}

// TestRFC7622_3_5_Table1_Comparison is the text below the table.
func TestRFC7622_3_5_Table1_Comparison(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b string
		want bool
	}{
		{"6 and 7", "fussball@example.com", "fu\u00DFball@example.com", false},
		{"9 and 10", "\u03A3@example.com/foo", "\u03C3@example.com/foo", true},
		{"9 and 11", "\u03A3@example.com/foo", "\u03C2@example.com/foo", false},
		{"10 and 11", "\u03C3@example.com/foo", "\u03C2@example.com/foo", false},
	} {
		if got := jid.MustParse(tt.a) == jid.MustParse(tt.b); got != tt.want {
			t.Errorf("examples %s equal: %v; want %v", tt.name, got, tt.want)
		}
	}
}

// TestRFC7622_3_5_Table2 has every string that is no address, by its number, and
// what ParseLenient makes of it.
func TestRFC7622_3_5_Table2(t *testing.T) {
	for _, tt := range []struct {
		n    int
		in   string
		err  error
		kept bool
	}{
		{16, `"juliet"@example.com`, jid.ErrInvalidLocalpart, true},
		{17, "foo bar@example.com", jid.ErrInvalidLocalpart, true},
		{18, "juliet@example.com/ foo", jid.ErrInvalidResourcepart, true},
		{19, "@example.com/", jid.ErrEmpty, false},
		{20, "henry\u2163@example.com", jid.ErrInvalidLocalpart, true},
		{21, "\u265A@example.com", jid.ErrInvalidLocalpart, true},
		{22, "juliet@", jid.ErrNoDomain, false},
		{23, "/foobar", jid.ErrNoDomain, false},
	} {
		if got, err := jid.Parse(tt.in); !errors.Is(err, tt.err) || !got.IsZero() {
			t.Errorf("%d: Parse(%q) = %q, %v; want %v", tt.n, tt.in, got, err, tt.err)
		}
		got, err := jid.ParseLenient(tt.in)
		switch {
		case tt.kept && (err != nil || got.String() != tt.in):
			t.Errorf("%d: ParseLenient(%q) = %q, %v; want it as it came", tt.n, tt.in, got, err)
		case !tt.kept && !errors.Is(err, tt.err):
			t.Errorf("%d: ParseLenient(%q) = %q, %v; want %v", tt.n, tt.in, got, err, tt.err)
		}
	}
}

// TestRFC7622_3_1_SplitBeforeMapping: a character that maps to a separator is none.
func TestRFC7622_3_1_SplitBeforeMapping(t *testing.T) {
	for _, tt := range []struct {
		in  string
		err error
	}{
		{"juliet\uFF20example.com", jid.ErrInvalidDomainpart}, // ＠
		{"a\uFF20b@example.com", jid.ErrInvalidLocalpart},
		{"a\uFF0Fb@example.com", jid.ErrInvalidLocalpart}, // ／
		{"example.com\uFF0Ffoo", jid.ErrInvalidDomainpart},
		{"example.\u2100.com", jid.ErrInvalidDomainpart}, // ℀, in NFKC "a/c"
		{"a@b@example.com", jid.ErrInvalidDomainpart},
	} {
		if got, err := jid.Parse(tt.in); !errors.Is(err, tt.err) {
			t.Errorf("Parse(%q) = %q, %v; want %v", tt.in, got, err, tt.err)
		}
	}
	if got := jid.MustParse("example.com/a\uFF20b\uFF0Fc").Resourcepart(); got != "a\uFF20b\uFF0Fc" {
		t.Errorf("resourcepart %q; want fullwidth characters kept", got)
	}
}

// TestRFC7622_3_Lengths: 1023 bytes after mapping (§3.3, §3.4), and the limits of
// the DNS for a domain (§3.2).
func TestRFC7622_3_Lengths(t *testing.T) {
	x := strings.Repeat
	domain253 := x(x("a", 49)+".", 5) + "aaa"
	for _, tt := range []struct {
		name string
		in   string
		err  error
	}{
		{"localpart of 1023", x("a", 1023) + "@b", nil},
		{"localpart of 1024", x("a", 1024) + "@b", jid.ErrTooLong},
		{"localpart of 3069 that maps to 1023", x("ａ", 1023) + "@b", nil},
		{"localpart of 3072 that maps to 1024", x("ａ", 1024) + "@b", jid.ErrTooLong},
		{"localpart of 1022 that maps to 1533", x("\u023a", 511) + "@b", jid.ErrTooLong}, // Ⱥ, two bytes, to ⱥ, three
		{"localpart of a megabyte", x("é", 1<<19) + "@b", jid.ErrTooLong},
		{"resourcepart of 1023", "b/" + x("a", 1023), nil},
		{"resourcepart of 1024", "b/" + x("a", 1024), jid.ErrTooLong},
		{"resourcepart of 3069 that maps to 1023", "b/a" + x("\u3000", 1022), nil},
		{"everything at its limit", x("a", 1023) + "@" + domain253 + "/" + x("A", 1023), nil},
		{"label of 63", x("a", 63) + ".b", nil},
		{"label of 64", x("a", 64) + ".b", jid.ErrTooLong},
		{"A-label of 63", x("a", 55) + "é.b", nil},
		{"A-label of 64", x("a", 56) + "é.b", jid.ErrTooLong},
		{"U-label of 1001, and not valid", "\u0301" + x("é", 1000), jid.ErrTooLong}, // before idna quotes it
		{"domain of 253", domain253, nil},
		{"domain of 253 and a dot", domain253 + ".", nil},
		{"domain of 254", domain253 + "a", jid.ErrTooLong},
		{"domain of 253 that is longer in A-labels", "é" + domain253[2:], jid.ErrTooLong},
		{"domain of a megabyte", x("a.", 1<<19), jid.ErrTooLong},
	} {
		if got, err := jid.Parse(tt.in); !errors.Is(err, tt.err) {
			t.Errorf("%s: %d bytes, %v; want %v", tt.name, len(got.String()), err, tt.err)
		}
	}
}

// TestRFC7622_3_2_Domainpart covers names and addresses, and what is made of each.
func TestRFC7622_3_2_Domainpart(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"unqualified", "localhost", "localhost"},
		{"under an unqualified one", "conference.localhost", "conference.localhost"},
		{"case", "EXAMPLE.Com", "example.com"},
		{"digits", "3com.example", "3com.example"},
		{"all digits", "123.456", "123.456"},
		{"hyphens", "a-b--c.d", "a-b--c.d"},
		{"one character", "a", "a"},

		// §3.2: a final dot is stripped, before anything else.
		{"dot", "example.com.", "example.com"},
		{"dot and case", "Example.COM.", "example.com"},
		{"ideographic dots", "example\u3002com\uFF61", "example.com"},
		{"fullwidth dots", "ex\uFF0Eample\uFF0E", "ex.ample"},

		// §3.2.1: A-labels become U-labels.
		{"U-label", "bücher.example", "bücher.example"},
		{"A-label", "xn--bcher-kva.example", "bücher.example"},
		{"A-label, upper case", "XN--BCHER-KVA.example", "bücher.example"},
		{"A-label, fullwidth", "ｘn--bcher-kva.example", "bücher.example"},
		{"both", "xn--bcher-kva.bücher.example", "bücher.bücher.example"},

		// §3.2.2: case, width, normalization.
		{"U-label, upper case", "BÜCHER.example", "bücher.example"},
		{"not composed", "bu\u0308cher.example", "bücher.example"},
		{"fullwidth", "ＥＸＡＭＰＬＥ.com", "example.com"},
		{"halfwidth", "\uFF76\uFF9E.example", "\u30AC.example"}, // ｶﾞ to ガ

		// RFC 5892 §2.6, where IDNA2008 differs from its predecessor.
		{"sharp s", "faß.example", "faß.example"},
		{"capital sharp s", "FA\u1E9E.example", "faß.example"},
		{"final sigma", "βόλος.example", "βόλος.example"},
		{"sigma", "ΣΣ.example", "σσ.example"},
		{"Cherokee", "\u13A0\u13A1.example", "\u13A0\u13A1.example"},
		{"Cherokee A-label", "xn--58dc.example", "\u13A0\u13A1.example"},

		// RFC 5892 appendix A, contexts that allow.
		{"middle dot", "l\u00B7l.example", "l\u00B7l.example"},
		{"joiner", "\u0915\u094D\u200D\u0937.example", "\u0915\u094D\u200D\u0937.example"},
		{"katakana dot", "\u30A2\u30FB\u30A2.example", "\u30A2\u30FB\u30A2.example"},
		{"digits of two scripts, two labels", "\u0627\u0660.\u0627\u06F0", "\u0627\u0660.\u0627\u06F0"},

		// RFC 5893.
		{"right to left", "אב.example", "אב.example"},
		{"hyphens behind two-byte letters", "é--x.example", "é--x.example"},

		// §3.2, the alternatives of the grammar in §3.1.
		{"IPv4", "192.0.2.1", "192.0.2.1"},
		{"IPv4 and a dot", "192.0.2.1.", "192.0.2.1"},
		{"IPv4, fullwidth", "１９２.0.2.1", "192.0.2.1"},
		{"IPv6", "[2001:db8::1]", "[2001:db8::1]"},
		{"IPv6, spelled out", "[2001:0DB8:0:0:0:0:0:1]", "[2001:db8::1]"},
		{"IPv6 and a dot", "[::1].", "[::1]"},
		{"IPv6 with IPv4", "[::FFFF:192.0.2.1]", "[::ffff:192.0.2.1]"},
		{"IPv6 with a zone", "[FE80::1%25eth0]", "[fe80::1%25eth0]"},
		{"IPv6 with a zone in escapes", "[fe80::1%25a%2Fb]", "[fe80::1%25a%2Fb]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j, err := jid.Parse("juliet@" + tt.in + "/balcony")
			if err != nil || j.Domainpart() != tt.want {
				t.Fatalf("%q: %q, %v; want %q", tt.in, j.Domainpart(), err, tt.want)
			}
			if alone, err := jid.Parse(tt.in); alone != j.Domain() {
				t.Errorf("alone: %q, %v; want %q", alone, err, j.Domain())
			}
		})
	}
}

// TestRFC7622_3_2_NoDomainpart covers what is no domainpart.
func TestRFC7622_3_2_NoDomainpart(t *testing.T) {
	for _, tt := range []struct{ name, in string }{
		{"empty label", "a..b"},
		{"label in front", ".a"},
		{"two final dots", "a.."},
		{"two final dots, one ideographic", "a\u3002."},
		{"space", "exa mple.com"},
		{"space at the end", "example.com "},
		{"tab", "example.com\t"},
		{"control", "example\x00.com"},
		{"not UTF-8", "example\xff.com"},
		{"port", "example.com:5222"},
		{"percent", "example%2ecom"},

		// RFC 5890 §2.3.1: letters, digits and hyphens inside, nothing else.
		{"underscore", "my_host.example"},
		{"underscore in front", "_xmpp.example"},
		{"underscore in a U-label", "bü_cher.example"},
		{"hyphen in front", "-a.example"},
		{"hyphen at the end", "a-.example"},
		{"hyphen alone", "-"},
		{"hyphens in third and fourth place", "ab--cd.example"},
		{"hyphen in front of a U-label", "-ü.example"},
		{"hyphen behind a U-label", "ü-.example"},
		{"hyphens in third and fourth place of a U-label", "éa--x.example"},

		// RFC 5892: disallowed although UTS #46 allows or maps them.
		{"snowman", "☃.example"},
		{"snowman, A-label", "xn--n3h.example"},
		{"emoji", "💩.example"},
		{"roman numeral", "henryⅣ.example"},
		{"double-struck", "ℂ.example"},
		{"ligature", "ﬃ.example"},
		{"soft hyphen", "exam\u00ADple.com"},
		{"zero width space", "exam\u200Bple.com"},
		{"variation selector", "a\uFE0F.example"},
		{"mark in an ignorable block", "a\u20D0.example"},
		{"musical symbol", "a\U0001D165.example"},
		{"unassigned", "\u0378.example"},
		{"private use", "\uE000.example"},
		{"mark in front", "\u0301a.example"},

		// RFC 5892 appendix A, contexts that forbid.
		{"middle dot", "a\u00B7b.example"},
		{"joiner", "a\u200Db.example"},
		{"non-joiner", "a\u200Cb.example"},
		{"katakana dot", "a\u30FBa.example"},
		{"katakana dot, kana in the next label", "a\u30FBa.\u30A2"},
		{"digits of two scripts", "\u0627\u0660\u06F0.example"},

		// RFC 5891 §5.4: an A-label that is none.
		{"nothing behind xn--", "xn--.example"},
		{"ASCII in Punycode", "xn--a-.example"},
		{"ASCII domain in Punycode", "xn--example-.com"},
		{"delimiter in front", "xn---zca.example"},
		{"delimiter at the end", "xn--zca-.example"},
		{"not Punycode", "xn--0.example"},
		{"overflow in Punycode", "xn--99999999999.example"},
		{"Punycode of Punycode", "xn--xn--bcher-kva-.example"},
		{"xn-- in a U-label", "xn--ü.example"},
		{"not normalized in Punycode", "xn--u-ccb.example"}, // u and U+0308

		// RFC 5893 §2.
		{"both directions", "אa.example"},
		{"digit in front", "1א.example"},
		{"digit in front of another label", "1.א"},

		// RFC 3986 §3.2.2 and RFC 6874.
		{"IPv6 without brackets", "2001:db8::1"},
		{"IPv4 in brackets", "[192.0.2.1]"},
		{"open bracket", "[::1"},
		{"closed bracket", "::1]"},
		{"a bracket", "["},
		{"no address", "[]"},
		{"a name", "[example.com]"},
		{"port behind brackets", "[::1]:5222"},
		{"zone without escape", "[fe80::1%eth0]"},
		{"empty zone", "[fe80::1%25]"},
		{"zone with odd characters", "[fe80::1%25a b]"},
		{"zone with half an escape", "[fe80::1%25a%4]"},
		{"IPvFuture", "[v1.a]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if j, err := jid.Parse("juliet@" + tt.in + "/balcony"); !errors.Is(err, jid.ErrInvalidDomainpart) {
				t.Errorf("%q: %q, %v; want %v", tt.in, j, err, jid.ErrInvalidDomainpart)
			}
		})
	}
	for _, in := range []string{"", ".", "@", "/", "a@", "a@/b", "a@.", "\u3002"} {
		if j, err := jid.Parse(in); !errors.Is(err, jid.ErrNoDomain) {
			t.Errorf("%q: %q, %v; want %v", in, j, err, jid.ErrNoDomain)
		}
	}
}

// TestRFC7622_3_3_Localpart covers UsernameCaseMapped and the characters that XMPP
// excludes from it.
func TestRFC7622_3_3_Localpart(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"case", "JULIET", "juliet"},
		{"punctuation", "a!#$%()*+,-.;=?[\\]^_`{|}~", "a!#$%()*+,-.;=?[\\]^_`{|}~"},
		{"width", "ＪＵＬＩＥＴ", "juliet"},
		{"halfwidth", "\uFF76\uFF9E", "\u30AC"},
		{"not composed", "e\u0301", "é"},
		{"marks out of order", "a\u0307\u0323", "ạ\u0307"},
		{"capital with a mark that lower case reveals", "\u0130\u0323", "ị\u0307"},
		{"final sigma does not depend on its place", "ΣΑΣ", "σασ"},
		{"sharp s", "\u1E9E", "ß"},
		{"Kelvin", "\u212A", "k"}, // mapped where possible, §4
		{"Cherokee", "\u13A0", "\uAB70"},
		{"titlecase", "\u1F88", "\u1F80"},
		{"right to left", "יוליה", "יוליה"},
		{"right to left and digits", "א1", "א1"},

		// RFC 8265 §3.3.1: no Bidi Rule without a right-to-left character.
		{"digit in front", "1ü", "1ü"},
		{"symbol behind", "ü_", "ü_"},
		{"symbol in front", "_ü", "_ü"},
		{"digits and kana", "3・ア", "3・ア"},
	} {
		if j, err := jid.New(tt.in, "example.com", ""); err != nil || j.Localpart() != tt.want {
			t.Errorf("%s: %q: %q, %v; want %q", tt.name, tt.in, j.Localpart(), err, tt.want)
		}
	}

	for _, tt := range []struct{ name, in string }{
		{"space", "a b"},
		{"no-break space", "a\u00A0b"},
		{"control", "a\x7fb"},
		{"newline", "a\n"},
		{"not UTF-8", "a\x80"},
		{"surrogate", "a\xed\xa0\x80"},
		{"symbol", "a♚"},
		{"compatibility", "ﬀ"},
		{"unassigned", "\u0378"},
		{"noncharacter", "\uFFFE"},
		{"joiner", "a\u200Db"},
		{"ignorable", "a\u00ADb"},
		{"direction override", "a\u202Eb"},
		{"old Hangul", "\u1100"},
		{"both directions", "aא"},
		{"digit in front of right to left", "1א"},
		{"Arabic digits of two kinds", "\u0627\u0660\u06F0"},
		{"more than 30 marks", "a" + strings.Repeat("\u0301", 31)}, // beyond what x/text normalizes (UAX #15 D5)
	} {
		if j, err := jid.New(tt.in, "example.com", ""); !errors.Is(err, jid.ErrInvalidLocalpart) {
			t.Errorf("%s: %q: %q, %v; want %v", tt.name, tt.in, j, err, jid.ErrInvalidLocalpart)
		}
	}
}

// TestRFC7622_3_3_1_Excluded: the eight characters, as they are and fullwidth.
func TestRFC7622_3_3_1_Excluded(t *testing.T) {
	for _, c := range `"&'/:<>@` {
		for _, in := range []string{string(c), "a" + string(c), "é" + string(c), string(c - '!' + '\uFF01')} {
			if j, err := jid.New(in, "example.com", ""); !errors.Is(err, jid.ErrInvalidLocalpart) {
				t.Errorf("%q: %q, %v; want %v", in, j, err, jid.ErrInvalidLocalpart)
			}
		}
	}
}

// TestRFC7622_3_4_Resourcepart covers OpaqueString, and example 18.
func TestRFC7622_3_4_Resourcepart(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"case stays", "Balcony", "Balcony"},
		{"every printable byte", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ "},
		{"spaces within and at the end", "a  b ", "a  b "},
		{"other spaces", "a\u00A0\u2003\u3000b", "a   b"},
		{"width stays", "Ｂ", "Ｂ"},
		{"compatibility stays", "ⅣﬀK", "ⅣﬀK"},
		{"not composed", "e\u0301", "é"},
		{"composed to something else", "\u212B", "Å"},
		{"symbols", "♚💩", "♚💩"},
		{"both directions", "aא1", "aא1"},
	} {
		if j, err := jid.New("", "example.com", tt.in); err != nil || j.Resourcepart() != tt.want {
			t.Errorf("%s: %q: %q, %v; want %q", tt.name, tt.in, j.Resourcepart(), err, tt.want)
		}
	}

	for _, tt := range []struct{ name, in string }{
		{"space in front", " a"},
		{"other space in front", "\u00A0a"},
		{"space alone", "\u2003"},
		{"control", "a\x1f"},
		{"C1 control", "a\u0085"},
		{"newline", "a\nb"},
		{"not UTF-8", "a\x80"},
		{"unassigned", "\u0378"},
		{"noncharacter", "\uFFFF"},
		{"private use", "\uE000"},
		{"joined emoji", "👩\u200D🚀"},
		{"emoji with a variation selector", "☃\uFE0F"},
		{"line separator", "a\u2028"},
		{"direction override", "a\u202Eb"},
		{"byte order mark", "\uFEFFa"},
	} {
		if j, err := jid.New("", "example.com", tt.in); !errors.Is(err, jid.ErrInvalidResourcepart) {
			t.Errorf("%s: %q: %q, %v; want %v", tt.name, tt.in, j, err, jid.ErrInvalidResourcepart)
		}
	}
}
