package conformance

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write docs/conformance.md")

const document = "../../docs/conformance.md"

// TestDocument: docs/conformance.md is what the tests say.
func TestDocument(t *testing.T) {
	all, err := collect("../..")
	require.NoError(t, err)
	require.NotEmpty(t, all)
	rules, err := readRules(rulesText, all)
	require.NoError(t, err)
	want := render(all, rules)
	if *update {
		require.NoError(t, os.WriteFile(document, want, 0o644))
	}
	got, err := os.ReadFile(document)
	require.NoError(t, err)
	if !bytes.Equal(got, want) {
		t.Error("docs/conformance.md is not up to date: go generate ./internal/conformance")
	}
}

func TestParseName(t *testing.T) {
	for _, tt := range []struct{ name, document, section, what string }{
		{"TestC4_7_1_ResponseFrom", "RFC 6120", "4.7.1", "response from"},
		{"TestI8_5_2_1_1_BareJID", "RFC 6121", "8.5.2.1.1", "bare JID"},
		{"TestRFC5802_5_Example", "RFC 5802", "5", "example"},
		{"TestXEP0199_Pong", "XEP-0199", "", "pong"},
		{"TestSec_EntityBomb", "Weaknesses seen elsewhere", "", "entity bomb"},
		{"TestClientS1_RosterPush", "Weaknesses seen in clients", "S1", "roster push"},
		{"FuzzC11_Reader", "RFC 6120", "11", "reader"},
		{"TestCloseTwice", "", "", ""},
		{"TestIQ", "", "", ""},
	} {
		h, _ := parseName(tt.name)
		if h.document != tt.document || h.section != tt.section || h.what != tt.what {
			t.Errorf("%s is %q §%q %q; want %q §%q %q", tt.name, h.document, h.section, h.what, tt.document, tt.section, tt.what)
		}
	}
}
