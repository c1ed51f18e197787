package jid_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/parlance-xmpp/xmpp/jid"
)

// TestParseLenient_Kept has what others send although RFC 7622 refuses it.
func TestParseLenient_Kept(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"joined emoji", "room@chat.example/👩\u200D🚀", ""},
		{"variation selector", "room@chat.example/☃\uFE0F", ""},
		{"line separator", "room@chat.example/a\u2028b", ""},
		{"space in front", "room@chat.example/ juliet", ""},
		{"other space in front", "room@chat.example/\u00A0juliet", ""},
		{"more than 30 marks", "room@chat.example/a" + strings.Repeat("\u0301", 31), ""},
		{"excluded character", "d'artagnan@example.com/x", ""},
		{"case in a kept localpart", "D'Artagnan@example.com", ""},
		{"symbol", "♚@example.com", ""},
		{"underscore", "juliet@my_host.example", ""},
		{"case in a kept domainpart", "juliet@My_Host.example", ""},
		{"emoji domain", "💩.example", ""},
		{"empty label within", "a..b", ""},
		{"IPv6 of RFC 3920", "juliet@2001:db8::1/x", ""},

		// What can be prepared beside it is.
		{"localpart beside a kept resourcepart", "ROOM@Chat.Example/👩\u200D🚀", "room@chat.example/👩\u200D🚀"},
		{"resourcepart beside a kept localpart", "a'b@Example.com/e\u0301", "a'b@example.com/é"},
		{"localpart beside a kept domainpart", "ÉMILE@my_host", "émile@my_host"},
		{"dot behind a kept domainpart", "my_host./x", "my_host/x"},
	} {
		if tt.want == "" {
			tt.want = tt.in
		}
		if j, err := jid.Parse(tt.in); err == nil {
			t.Errorf("%s: Parse(%q) = %q; want an error", tt.name, tt.in, j)
		}
		if j, err := jid.ParseLenient(tt.in); err != nil || j.String() != tt.want {
			t.Errorf("%s: ParseLenient(%q) = %q, %v; want %q", tt.name, tt.in, j, err, tt.want)
		}
	}
}

// TestParseLenient_Refused has what cannot be told apart, or cannot be in XML.
func TestParseLenient_Refused(t *testing.T) {
	long := strings.Repeat("♚", 342) // 1026 bytes
	for _, tt := range []struct {
		name string
		in   string
		err  error
	}{
		{"nothing", "", jid.ErrNoDomain},
		{"no domainpart", "juliet@", jid.ErrNoDomain},
		{"a dot", "juliet@.", jid.ErrNoDomain},
		{"empty localpart", "@example.com", jid.ErrEmpty},
		{"empty resourcepart", "example.com/", jid.ErrEmpty},
		{"localpart too long", long + "@example.com", jid.ErrInvalidLocalpart},
		{"resourcepart too long", "example.com/" + long, jid.ErrTooLong},
		{"domainpart too long", long, jid.ErrInvalidDomainpart},
		{"localpart not UTF-8", "a\xff@example.com", jid.ErrInvalidLocalpart},
		{"domainpart not UTF-8", "a\xff", jid.ErrInvalidDomainpart},
		{"resourcepart not UTF-8", "example.com/a\xff", jid.ErrInvalidResourcepart},
		{"surrogate", "example.com/\xed\xa0\x80", jid.ErrInvalidResourcepart},
		{"NUL", "example.com/\x00", jid.ErrInvalidResourcepart},
		{"newline", "example.com/a\nb", jid.ErrInvalidResourcepart},
		{"delete", "a\x7f@example.com", jid.ErrInvalidLocalpart},
		{"C1 control", "example.com/\u0085", jid.ErrInvalidResourcepart},
		{"U+FFFE", "example.com/\uFFFE", jid.ErrInvalidResourcepart},
		{"U+FFFF", "\uFFFF@example.com", jid.ErrInvalidLocalpart},
		{"two @", "a@b@example.com", jid.ErrInvalidDomainpart},
		{"fullwidth @ in a domainpart", "juliet＠example.com", jid.ErrInvalidDomainpart},
		{"small @ in a domainpart", "juliet\uFE6Bexample.com", jid.ErrInvalidDomainpart},
		{"fullwidth / in a domainpart", "example.com／balcony", jid.ErrInvalidDomainpart},
		{"account of in a domainpart", "a\u2100b", jid.ErrInvalidDomainpart},
		{"space in a domainpart", "example.com balcony", jid.ErrInvalidDomainpart},
		{"other space in a domainpart", "example.com\u2003balcony", jid.ErrInvalidDomainpart},
		{"two dots behind a domainpart", "example.com..", jid.ErrInvalidDomainpart},
		{"two dots behind a kept domainpart", "my_host..", jid.ErrInvalidDomainpart},
		{"ideographic dot behind a kept domainpart", "my_host\u3002", jid.ErrInvalidDomainpart},
	} {
		if j, err := jid.ParseLenient(tt.in); !errors.Is(err, tt.err) || !j.IsZero() {
			t.Errorf("%s: ParseLenient(%q) = %q, %v; want %v", tt.name, tt.in, j, err, tt.err)
		}
	}
}

// TestSec_LenientLookAlikes: an address made to look like another, and refused by
// Parse, is not equal to it, in whole or in part.
func TestSec_LenientLookAlikes(t *testing.T) {
	for _, tt := range []struct{ name, honest, forged string }{
		{"zero width space", "juliet@example.com", "juliet\u200B@example.com"},
		{"soft hyphen", "juliet@example.com", "ju\u00ADliet@example.com"},
		{"word joiner in the domain", "juliet@example.com", "juliet@example\u2060.com"},
		{"direction override", "juliet@example.com", "juliet@example.\u202Dcom"},
		{"ligature", "fish@example.com", "ﬁsh@example.com"},
		{"superscript in the domain", "a2.example", "a².example"},
		{"A-label of ASCII", "example.com", "xn--example-.com"},
		{"A-label that is not normalized", "bücher.example", "xn--bucher-xyd.example"},
		{"space in front of the resourcepart", "juliet@example.com/a", "juliet@example.com/ a"},
		{"ignorable in the resourcepart", "juliet@example.com/a", "juliet@example.com/a\uFE0F"},
		{"combining grapheme joiner", "juliet@example.com/a", "juliet@example.com/a\u034F"},
		{"percent-encoded", "juliet@example.com", "juliet@example%2Ecom"},
	} {
		honest := jid.MustParse(tt.honest)
		if j, err := jid.Parse(tt.forged); err == nil {
			t.Errorf("%s: Parse(%q) = %q; want an error", tt.name, tt.forged, j)
		}
		forged, err := jid.ParseLenient(tt.forged)
		if err != nil {
			continue // refused altogether
		}
		if forged == honest || forged.Compare(honest) == 0 || forged.String() == honest.String() {
			t.Errorf("%s: ParseLenient(%q) equals %q", tt.name, tt.forged, tt.honest)
		}
	}
}
