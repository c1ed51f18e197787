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
	all, tests, err := collect("../..")
	require.NoError(t, err)
	require.NotEmpty(t, all)
	rules, err := readRules(rulesText, tests)
	require.NoError(t, err)
	want := render(all, rules, tests)
	if *update {
		require.NoError(t, os.WriteFile(document, want, 0o644))
	}
	got, err := os.ReadFile(document)
	require.NoError(t, err)
	if !bytes.Equal(got, want) {
		t.Error("docs/conformance.md is not up to date: go generate ./internal/conformance")
	}
}

// A rule has a level and tests that exist, or says why it has none.
func TestReadRules(t *testing.T) {
	tests := map[string][]string{"TestC4_4_Close": {"stream"}, "TestNext": {"stream"}}
	const chapter = "# notes\n\nRFC 6120 §4 Streams\n"
	rules, err := readRules(chapter+"4.4 MUST Who closes waits. | TestC4_4_Close TestNext\n4.8.5 SHOULD It ends. | open: it goes on", tests)
	require.NoError(t, err)
	require.Equal(t, []rule{
		{chapter: "RFC 6120 §4 Streams", section: "4.4", level: "MUST", text: "Who closes waits.", tests: []string{"TestC4_4_Close", "TestNext"}},
		{chapter: "RFC 6120 §4 Streams", section: "4.8.5", level: "SHOULD", text: "It ends.", open: "it goes on"},
	}, rules)
	page := renderRules(rules, tests)
	require.Contains(t, page, "| 4.4 | MUST | Who closes waits. | `TestC4_4_Close`, `TestNext` in stream |\n")
	require.Contains(t, page, "| 4.8.5 | SHOULD | It ends. | **open**: it goes on |\n")
	for text, want := range map[string]string{
		chapter + "4.4 MUST Who closes waits. | TestC4_4_Clothes": "line 4: there is no test TestC4_4_Clothes",
		chapter + "4.4 MUST Who closes waits.":                    "has no test",
		chapter + "4.4 MUST Who closes waits. | open:":            "there is no test open:",
		chapter + "4.4 Who closes waits. | TestC4_4_Close":        "is no rule with a level",
		chapter + "4.4 MUST | TestC4_4_Close":                     "is no rule with a level",
		"4.4 MUST Who closes waits. | TestC4_4_Close":             "no chapter",
	} {
		_, err := readRules(text, tests)
		require.ErrorContains(t, err, want, text)
	}
}

// The rules stand in the order of their sections, in chapters of their RFC.
func TestRulesInOrder(t *testing.T) {
	_, tests, err := collect("../..")
	require.NoError(t, err)
	rules, err := readRules(rulesText, tests)
	require.NoError(t, err)
	for i, r := range rules[1:] {
		if before := rules[i]; before.chapter[:8] == r.chapter[:8] && compareSections(before.section, r.section) > 0 {
			t.Errorf("§%s (%s) stands behind §%s", r.section, r.text, before.section)
		}
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
