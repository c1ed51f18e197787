package jid_test

import (
	"strings"
	"testing"

	"github.com/parlance-xmpp/xmpp/jid"
)

// TestXEP0106_Examples has every pair of localparts in XEP-0106, in its order.
// The spaces that its table 3 prints as no-break spaces are typed as spaces.
func TestXEP0106_Examples(t *testing.T) {
	for _, tt := range []struct{ where, unescaped, escaped string }{
		{"3.1", `d'artagnan`, `d\27artagnan`},
		{"example 2", `tréville@musketeers.lit`, `tréville\40musketeers.lit`},
		{"4.2", `\3and\2is\5cool`, `\5c3and\2is\5c5cool`},
		{"example 3", `\2plus\2is\4`, `\2plus\2is\4`},
		{"example 4", `foo\bar`, `foo\bar`},
		{"example 5", `foob\41r`, `foob\41r`},
		{"4.3", `c:\5commas`, `c\3a\5c5commas`},
		{"table 3, 1", `space cadet`, `space\20cadet`},
		{"table 3, 2", `call me "ishmael"`, `call\20me\20\22ishmael\22`},
		{"table 3, 3", `at&t guy`, `at\26t\20guy`},
		{"table 3, 4", `d'artagnan`, `d\27artagnan`},
		{"table 3, 5", `/.fanboy`, `\2f.fanboy`},
		{"table 3, 6", `::foo::`, `\3a\3afoo\3a\3a`},
		{"table 3, 7", `<foo>`, `\3cfoo\3e`},
		{"table 3, 8", `user@host`, `user\40host`},
		{"table 3, 9", `c:\net`, `c\3a\net`},
		{"table 3, 10", `c:\\net`, `c\3a\\net`},
		{"table 3, 11", `c:\cool stuff`, `c\3a\cool\20stuff`},
		{"table 3, 12", `c:\5commas`, `c\3a\5c5commas`},
		{"email, sip, im", `here's_a_wild_&_/cr%zy/_address`, `here\27s_a_wild_\26_\2fcr%zy\2f_address`},
		{"wv", `here's_a_wild_&_/cr%zy/_address_for:<wv>("IMPS")`,
			`here\27s_a_wild_\26_\2fcr%zy\2f_address_for\3a\3cwv\3e(\22IMPS\22)`},
		{"LDAP", `CN=D'Artagnan Saint-Andr\E9,O=Example & Company, Inc.,DC=example,DC=com`,
			`CN=D\27Artagnan\20Saint-Andr\E9,O=Example\20\26\20Company,\20Inc.,DC=example,DC=com`},
		{"IRC", `somenick!user"&'/:<>\3address`, `somenick!user\22\26\27\2f\3a\3c\3e\5c3address`},
	} {
		if got := jid.EscapeLocalpart(tt.unescaped); got != tt.escaped {
			t.Errorf("%s: EscapeLocalpart(%q) = %q; want %q", tt.where, tt.unescaped, got, tt.escaped)
		}
		if got := jid.UnescapeLocalpart(tt.escaped); got != tt.unescaped {
			t.Errorf("%s: UnescapeLocalpart(%q) = %q; want %q", tt.where, tt.escaped, got, tt.unescaped)
		}
		j, err := jid.New(tt.escaped, "example.com", "")
		if want := strings.ToLower(tt.escaped); err != nil || j.Localpart() != want {
			t.Errorf("%s: as a localpart %q is %q, %v; want %q", tt.where, tt.escaped, j.Localpart(), err, want)
		}
	}
}

// TestXEP0106_Backslash: it is escaped where an escape would be read, and nowhere else.
func TestXEP0106_Backslash(t *testing.T) {
	for _, tt := range []struct{ unescaped, escaped string }{
		{``, ``},
		{`\`, `\`},
		{`\\`, `\\`},
		{`a\2`, `a\2`},
		{`\5c`, `\5c5c`},
		{`\\5c`, `\\5c5c`},
		{`\5c5c`, `\5c5c5c`},
		{`\20`, `\5c20`},
		{`\5c20`, `\5c5c20`},
		{`\2f\40`, `\5c2f\5c40`},
		{`\2F\5C`, `\5c2F\5c5C`}, // lower case would make escapes of them
		{`\21\5d`, `\21\5d`},
		{`\2 `, `\2 `},
		{`\2:`, `\2\3a`},
	} {
		if got := jid.EscapeLocalpart(tt.unescaped); got != tt.escaped {
			t.Errorf("EscapeLocalpart(%q) = %q; want %q", tt.unescaped, got, tt.escaped)
		}
		if got := jid.UnescapeLocalpart(tt.escaped); got != tt.unescaped {
			t.Errorf("UnescapeLocalpart(%q) = %q; want %q", tt.escaped, got, tt.unescaped)
		}
	}
	for _, s := range []string{`\2F`, `\3A\3C`, `\5C`, `\4`, `\g0`, `\2é`} { // digits in upper case, or none
		if got := jid.UnescapeLocalpart(s); got != s {
			t.Errorf("UnescapeLocalpart(%q) = %q; want it unchanged", s, got)
		}
	}
}

// TestXEP0106_SpaceAtTheEdge: \20 is neither the first nor the last of an escaped
// localpart (§3.2, §4.1 rule 6).
func TestXEP0106_SpaceAtTheEdge(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{" foo", " foo"},
		{"foo ", "foo "},
		{"  a b  ", `  a\20b  `},
		{" ", " "},
		{"  ", "  "},
		{" '", ` \27`},
	} {
		got := jid.EscapeLocalpart(tt.in)
		if got != tt.want {
			t.Errorf("EscapeLocalpart(%q) = %q; want %q", tt.in, got, tt.want)
		}
		if j, err := jid.New(got, "example.com", ""); err == nil {
			t.Errorf("New(%q) = %q; want an error: the name without the spaces is another's", got, j)
		}
	}
	for _, tt := range []struct{ in, want string }{
		{`\20foo`, `\20foo`},
		{`foo\20`, `foo\20`},
		{`\20`, `\20`},
		{`a\20b`, `a b`},
		{`\27\20\27`, `' '`},
	} {
		if got := jid.UnescapeLocalpart(tt.in); got != tt.want {
			t.Errorf("UnescapeLocalpart(%q) = %q; want %q", tt.in, got, tt.want)
		}
	}
}
