package conformance

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed rules.txt
var rulesText string

// A rule is one of those that a server keeps.
type rule struct {
	document, section, text string
	tests                   []string // that hold it, found by name or by section
}

// readRules reads rules.txt, and finds the tests of each among all.
func readRules(text string, all []held) (rules []rule, err error) {
	document := ""
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		case strings.HasPrefix(line, "RFC "):
			document = line
			continue
		}
		section, rest, ok := strings.Cut(line, " ")
		if !ok || document == "" {
			return nil, fmt.Errorf("rules.txt: line %d is no rule", n+1)
		}
		said, named, hasNamed := strings.Cut(rest, " | ")
		for name := range strings.FieldsSeq(named) {
			if !slices.ContainsFunc(all, func(h held) bool { return h.test == name }) {
				return nil, fmt.Errorf("rules.txt: line %d: there is no test %s", n+1, name)
			}
		}
		r := rule{document: document, section: section, text: said}
		for _, h := range all {
			byName := hasNamed && slices.Contains(strings.Fields(named), h.test)
			bySection := !hasNamed && h.document == document && (h.section == section || strings.HasPrefix(h.section, section+"."))
			if (byName || bySection) && !slices.Contains(r.tests, h.test) {
				r.tests = append(r.tests, h.test)
			}
		}
		rules = append(rules, r)
	}
	return rules, nil
}

// renderRules writes the part of the document about them.
func renderRules(rules []rule) string {
	var b strings.Builder
	missing := 0
	for _, r := range rules {
		if len(r.tests) == 0 {
			missing++
		}
	}
	fmt.Fprintf(&b, "\n## What a server of RFC 6120 and RFC 6121 must do\n\n%d rules, in our own words (internal/conformance/rules.txt); %d of them have no test yet.\n", len(rules), missing)
	document := ""
	for _, r := range rules {
		if r.document != document {
			document = r.document
			fmt.Fprintf(&b, "\n### %s\n\n| § | rule | held by |\n|---|---|---|\n", document)
		}
		by := "**no test yet**"
		if len(r.tests) > 0 {
			by = "`" + strings.Join(r.tests, "`, `") + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.section, r.text, by)
	}
	return b.String()
}
