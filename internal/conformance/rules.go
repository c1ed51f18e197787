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
	chapter              string // "RFC 6120 §4 Streams"
	section, level, text string
	tests                []string // that hold it
	open                 string   // why nothing does
}

// readRules reads rules.txt. Each rule has a level, and either tests, which must be among those that exist, or a reason for
// having none. tests has the folders of each.
func readRules(text string, tests map[string][]string) (rules []rule, err error) {
	chapter := ""
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, "RFC ") {
			chapter = line
			continue
		}
		r, err := parseRule(line)
		if err == nil && chapter == "" {
			err = fmt.Errorf("no chapter")
		}
		for _, name := range r.tests {
			if len(tests[name]) == 0 {
				err = fmt.Errorf("there is no test %s", name)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("rules.txt: line %d: %w", n+1, err)
		}
		r.chapter = chapter
		rules = append(rules, r)
	}
	return rules, nil
}

// parseRule reads a line: section, level, what is said, and behind a bar the tests, or what is open.
func parseRule(line string) (r rule, err error) {
	said, by, _ := strings.Cut(line, " | ")
	r.section, r.text, _ = strings.Cut(said, " ")
	r.level, r.text, _ = strings.Cut(r.text, " ")
	if !slices.Contains([]string{"MUST", "SHOULD", "MAY"}, r.level) || r.text == "" {
		return rule{}, fmt.Errorf("%q is no rule with a level", said)
	}
	if reason, ok := strings.CutPrefix(by, "open: "); ok {
		r.open = reason
		return r, nil
	}
	r.tests = strings.Fields(by)
	if len(r.tests) == 0 {
		return rule{}, fmt.Errorf("%q has no test", said)
	}
	return r, nil
}

// renderRules writes the part of the document about them.
func renderRules(rules []rule, tests map[string][]string) string {
	var b strings.Builder
	open := slices.Clone(rules)
	open = slices.DeleteFunc(open, func(r rule) bool { return r.open == "" })
	fmt.Fprintf(&b, "\n## What RFC 6120 and RFC 6121 ask of the server of a client\n\n"+
		"%d rules, in our own words (internal/conformance/rules.txt), each with the tests that hold it. %d of them are open: not kept, on purpose or not "+
		"yet, or not held by a test. Rules between servers are for when there is federation.\n", len(rules), len(open))
	chapter := ""
	for _, r := range rules {
		if r.chapter != chapter {
			chapter = r.chapter
			fmt.Fprintf(&b, "\n### %s\n\n| § | level | rule | held by |\n|---|---|---|---|\n", chapter)
		}
		by := "**open**: " + r.open
		if r.open == "" {
			by = strings.Join(places(r.tests, tests), ", ")
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.section, r.level, r.text, by)
	}
	return b.String()
}

// places names tests, and the folders of those whose own name does not lead to them in the rest of the document.
func places(names []string, tests map[string][]string) (out []string) {
	for _, name := range names {
		place := "`" + name + "`"
		if _, ok := parseName(name); !ok {
			place += " in " + strings.Join(tests[name], " and ")
		}
		out = append(out, place)
	}
	return out
}
