package xmpp_test

import (
	"testing"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
)

func addr(s string) jid.JID {
	if s == "" {
		return jid.JID{}
	}
	return jid.MustParse(s)
}

// TestI2_1_6_OriginOf: only the own account, or nobody named, speaks for the
// account.
func TestI2_1_6_OriginOf(t *testing.T) {
	for _, tt := range []struct {
		local, from string
		want        xmpp.Origin
	}{
		{"juliet@example.com/balcony", "", xmpp.FromAccount},
		{"juliet@example.com/balcony", "juliet@example.com", xmpp.FromAccount},
		{"juliet@example.com/balcony", "juliet@example.com/balcony", xmpp.FromDevice},
		{"juliet@example.com/balcony", "juliet@example.com/chamber", xmpp.FromDevice},
		{"juliet@example.com/balcony", "example.com", xmpp.FromServer},
		{"juliet@example.com/balcony", "example.com/resource", xmpp.FromOther},
		{"juliet@example.com/balcony", "romeo@example.com", xmpp.FromOther},
		{"juliet@example.com/balcony", "juliet@example.net", xmpp.FromOther},
		{"juliet@example.com/balcony", "juliet@chat.example.com", xmpp.FromOther},
		{"juliet@example.com/balcony", "com", xmpp.FromOther},
		{"", "", xmpp.FromOther},
		{"", "juliet@example.com", xmpp.FromOther},
	} {
		if got := xmpp.OriginOf(addr(tt.local), addr(tt.from)); got != tt.want {
			t.Errorf("OriginOf(%q, %q) = %d; want %d", tt.local, tt.from, got, tt.want)
		}
	}
}

// TestClientS4_AnswersFor: a reply counts only from whom was asked.
func TestClientS4_AnswersFor(t *testing.T) {
	for _, tt := range []struct {
		to, from string
		want     bool
	}{
		{"bank@example.net", "bank@example.net", true},
		{"bank@example.net", "mallory@example.net", false},
		{"bank@example.net", "bank@example.net/desk", false},
		{"bank@example.net", "example.net", false},
		{"bank@example.net", "", false},
		{"example.com", "example.com", true},
		{"example.com", "", false},
		{"", "", true},
		{"", "juliet@example.com", true},
		{"", "juliet@example.com/balcony", true},
		{"", "example.com", true},
		{"", "juliet@example.com/chamber", false},
		{"", "romeo@example.com", false},
		{"juliet@example.com", "", true},
		{"juliet@example.com", "example.com", true},
		{"juliet@example.com", "juliet@example.com/chamber", false},
		{"juliet@example.com/chamber", "juliet@example.com/chamber", true},
		{"juliet@example.com/chamber", "", false},
		{"juliet@example.com/chamber", "juliet@example.com", false},
	} {
		if got := xmpp.AnswersFor(addr("juliet@example.com/balcony"), addr(tt.to), addr(tt.from)); got != tt.want {
			t.Errorf("AnswersFor(to %q, from %q) = %v; want %v", tt.to, tt.from, got, tt.want)
		}
	}
}
