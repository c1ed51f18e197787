// Package conformance makes docs/conformance.md from the names of the tests: a
// test whose name carries a section of an RFC is what holds that section.
//
//	TestC4_7_1_ResponseFrom   RFC 6120 §4.7.1
//	TestI8_5_2_BareJID        RFC 6121 §8.5.2
//	TestRFC5802_5_Example     RFC 5802 §5
//	TestXEP0199_Pong          XEP-0199
//	TestSec_EntityBomb        a weakness once seen elsewhere
//	TestClientS1_RosterPush   the same, in clients
package conformance

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:generate go test -run TestDocument -update

// A held rule is a test whose name carries a section.
type held struct {
	document string // "RFC 6120"
	section  string // "4.7.1", or empty
	test     string
	folder   string
	what     string
}

var named = regexp.MustCompile(`^(?:Test|Fuzz)(ClientS|C|I|RFC\d+_|XEP\d{4}_?|Sec_)((?:\d+_)*\d*)_?(.*)$`)

var isTest = regexp.MustCompile(`^(?:Test|Fuzz)(?:[^a-z]|$)`)

// parseName reads a test's name.
func parseName(name string) (h held, ok bool) {
	m := named.FindStringSubmatch(name)
	if m == nil {
		return held{}, false
	}
	h = held{test: name, section: strings.ReplaceAll(strings.Trim(m[2], "_"), "_", "."), what: words(m[3])}
	switch kind := strings.TrimSuffix(m[1], "_"); {
	case kind == "C" || kind == "I":
		if h.section == "" {
			return held{}, false // an ordinary word that begins with C or I
		}
		h.document = map[string]string{"C": "RFC 6120", "I": "RFC 6121"}[kind]
	case kind == "Sec":
		h.document, h.section = "Weaknesses seen elsewhere", ""
	case kind == "ClientS":
		h.document, h.section = "Weaknesses seen in clients", "S"+h.section
	case strings.HasPrefix(kind, "RFC"):
		h.document = "RFC " + kind[3:]
	default:
		h.document = "XEP-" + kind[3:]
	}
	return h, true
}

// words spells out a name: ResponseFrom, response from.
func words(name string) string {
	var b strings.Builder
	runes := []rune(strings.ReplaceAll(name, "_", " "))
	for i, r := range runes {
		upper := r >= 'A' && r <= 'Z'
		begins := upper && i > 0 && (runes[i-1] >= 'a' && runes[i-1] <= 'z' || runes[i-1] >= '0' && runes[i-1] <= '9' ||
			runes[i-1] != ' ' && i+1 < len(runes) && runes[i+1] >= 'a' && runes[i+1] <= 'z')
		if begins {
			b.WriteByte(' ')
		}
		acronym := upper && (i+1 < len(runes) && runes[i+1] >= 'A' && runes[i+1] <= 'Z' || i > 0 && runes[i-1] >= 'A' && runes[i-1] <= 'Z')
		if upper && !acronym {
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// collect finds the tests below root that hold a rule, and the folders of all tests by their names.
func collect(root string) (all []held, tests map[string][]string, err error) {
	tests = make(map[string][]string)
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		src, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ParseComments)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil {
				continue
			}
			folder := path.Clean(filepath.ToSlash(folder))
			if isTest.MatchString(fn.Name.Name) {
				tests[fn.Name.Name] = append(tests[fn.Name.Name], folder)
			}
			if h, ok := parseName(fn.Name.Name); ok {
				h.folder = folder
				if said := sentence(fn.Doc.Text(), fn.Name.Name); said != "" {
					h.what = said
				}
				all = append(all, h)
			}
		}
		return nil
	})
	slices.SortFunc(all, func(a, b held) int {
		return cmp.Or(cmp.Compare(order(a.document), order(b.document)), compareSections(a.section, b.section),
			cmp.Compare(a.folder, b.folder), cmp.Compare(a.test, b.test))
	})
	return all, tests, err
}

// sentence returns the first sentence of a doc comment.
func sentence(doc, name string) string {
	doc = strings.Join(strings.Fields(doc), " ")
	for i := range len(doc) {
		if doc[i] == '.' && (i+1 == len(doc) || doc[i+1] == ' ' && i > 3) && !strings.HasSuffix(doc[:i], "e.g") && !strings.HasSuffix(doc[:i], "i.e") {
			doc = doc[:i]
			break
		}
	}
	return strings.TrimLeft(strings.TrimPrefix(doc, name), ": ")
}

// order puts the two RFCs this library is about first.
func order(document string) string {
	switch document {
	case "RFC 6120", "RFC 6121":
		return "0" + document
	case "Weaknesses seen elsewhere", "Weaknesses seen in clients":
		return "3" + document
	}
	if strings.HasPrefix(document, "RFC") {
		return "1" + document
	}
	return "2" + document
}

// compareSections orders section numbers as people count.
func compareSections(a, b string) int {
	number := func(s string) int {
		n, _ := strconv.Atoi(strings.TrimPrefix(s, "S"))
		return n
	}
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		return cmp.Compare(number(x), number(y))
	})
}

// render writes the document.
func render(all []held, rules []rule, tests map[string][]string) []byte {
	var b bytes.Buffer
	b.WriteString(`# Conformance

Which rule is held by which test. This page is generated from the tests (` + "`go generate ./internal/conformance`" + `);
` + "`go test -run NAME ./PACKAGE`" + ` runs one.
`)
	b.WriteString(renderRules(rules, tests))
	document := ""
	for _, h := range all {
		if h.document != document {
			document = h.document
			fmt.Fprintf(&b, "\n## %s\n\n| § | what | test |\n|---|---|---|\n", document)
		}
		fmt.Fprintf(&b, "| %s | %s | `%s` in %s |\n", h.section, strings.ReplaceAll(h.what, "|", "\\|"), h.test, h.folder)
	}
	return b.Bytes()
}
