//go:build unix

package interop

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

//go:generate go test -run TestDeviationsDocument -update

var update = flag.Bool("update", false, "write docs/deviations.md")

const deviationsDocument = "../docs/deviations.md"

// TestDeviationsDocument: docs/deviations.md is what the tables say.
func TestDeviationsDocument(t *testing.T) {
	want := renderDeviations()
	if *update {
		require.NoError(t, os.WriteFile(deviationsDocument, want, 0o644))
	}
	got, err := os.ReadFile(deviationsDocument)
	require.NoError(t, err)
	if !bytes.Equal(got, want) {
		t.Error("docs/deviations.md is not up to date: go generate ./interop")
	}
}

const documentHead = `# Where servers deviate from RFC 6120 and RFC 6121

The same %d scenarios are played on Prosody 0.12.3, on ejabberd 23.01 (as Debian 12 has them) and on this server, which is seen
here as a black box like the others: streams over TCP and TLS, every stanza written by hand, and for every step all that every
resource gets. What each is to get is written down once, from the RFC
(` + "`interop/scenario_*_test.go`" + `); where the RFC leaves a choice, all the choices are. The three agree on everything but what is
listed below.

Each entry quotes the sentence that is not followed, and says what each server does instead and in which scenarios, at which
step, that is seen. An entry is part of the test: it fails when a server does something else than the RFC and the entry
say, and also when a server no longer does what its entry says. So this page is true of these versions, as they come
with the configuration in ` + "`interop/prosody_test.go` and `interop/ejabberd_test.go`" + `; it says nothing about later ones.

It is generated from the table in ` + "`interop/scenario_deviations_test.go`" + ` (` + "`go generate ./interop`" + `). To see for yourself, where
Prosody and ejabberd are installed:

    XMPP_INTEROP=1 go test ./interop -run Scenarios

## Deviations
`

// renderDeviations writes the document.
func renderDeviations() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, documentHead, len(scenarios()))
	count := map[string]int{ours: 0}
	for _, dev := range deviations {
		fmt.Fprintf(&b, "\n### %s (%s)\n\n> %s\n\n| server | does instead | seen in |\n|---|---|---|\n", rfc(dev.section), dev.level, inText(dev.quote))
		for _, d := range dev.departures {
			count[d.server]++
			instead := d.instead
			if d.sometimes {
				instead += " (at times)"
			}
			if d.reason != "" {
				instead += "; " + d.reason
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", d.server, inText(instead), inText(seen(d.at)))
		}
	}
	fmt.Fprintf(&b, "\nThat is %d for %s, %d for %s and %d for %s.\n", count[prosody], prosody, count[ejabberd], ejabberd, count[ours], ours)
	b.WriteString("\n## Scenarios\n\n| § | what holds |\n|---|---|\n")
	for _, sc := range scenarios() {
		fmt.Fprintf(&b, "| %s | %s |\n", rfc(sc.section), inText(sc.name))
	}
	return b.Bytes()
}

// rfc writes out a section.
func rfc(section string) string {
	if core, ok := strings.CutPrefix(section, "C"); ok {
		return "RFC 6120 §" + core
	}
	return "RFC 6121 §" + strings.ReplaceAll(section, ", ", ", §")
}

// seen lists occurrences, the steps of one scenario together.
func seen(at []occurrence) string {
	var b strings.Builder
	for i, o := range at {
		switch {
		case i > 0 && o.scenario == at[i-1].scenario:
			b.WriteString(", ")
		case i > 0:
			b.WriteString("; ")
			fallthrough
		default:
			b.WriteString(o.scenario + ": ")
		}
		b.WriteString(o.step)
	}
	return b.String()
}

// inText escapes what Markdown would take for markup.
func inText(s string) string {
	return strings.NewReplacer("<", "&lt;", "|", `\|`).Replace(s)
}
