package bench

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestMain prints what benchmarks have found, if any ran, as Markdown.
func TestMain(m *testing.M) {
	code := m.Run()
	results.print(os.Stdout)
	os.Exit(code)
}

// results is what the tables are made of.
var results tables

// tables collects results in the order in which they come.
type tables struct {
	mu      sync.Mutex // guards the fields below
	rows    []*row
	budgets []*budgetRow
}

// A row has the costs of every contestant at the same work, one for each run.
type row struct {
	group, name string
	costs       map[string][]cost
	turns       map[string]int // the b.N of the last cost
}

// add records a cost. A benchmark is called with growing b.N until it took long
// enough: only the last counts, and a smaller one begins another run (-count).
func (t *tables) add(b *testing.B, group, name, who string, c cost) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.rows, func(r *row) bool { return r.group == group && r.name == name })
	if i < 0 {
		i = len(t.rows)
		t.rows = append(t.rows, &row{group, name, map[string][]cost{}, map[string]int{}})
	}
	r := t.rows[i]
	if got := r.costs[who]; len(got) > 0 && b.N > r.turns[who] {
		got[len(got)-1] = c
	} else {
		r.costs[who] = append(got, c)
	}
	r.turns[who] = b.N
}

// A budgetRow is how a budget did, in every run.
type budgetRow struct {
	name, wanted string
	measured     []string
	missed       int // runs
	untested     string
}

// judge records a run of a budget.
func (t *tables) judge(name, wanted, measured string, held bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := slices.IndexFunc(t.budgets, func(r *budgetRow) bool { return r.name == name && r.wanted == wanted })
	if i < 0 {
		i = len(t.budgets)
		t.budgets = append(t.budgets, &budgetRow{name: name, wanted: wanted})
	}
	r := t.budgets[i]
	r.measured = append(r.measured, measured)
	if !held {
		r.missed++
	}
}

// skip records that a budget cannot be judged here.
func (t *tables) skip(name, wanted, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !slices.ContainsFunc(t.budgets, func(r *budgetRow) bool { return r.name == name && r.wanted == wanted }) {
		t.budgets = append(t.budgets, &budgetRow{name: name, wanted: wanted, untested: why})
	}
}

// print writes the tables.
func (t *tables) print(w io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rows) == 0 && len(t.budgets) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", machine())
	if len(t.budgets) > 0 {
		fmt.Fprint(w, "\n| budget | wanted | measured, run by run | |\n|---|---|---|---|\n")
		for _, r := range t.budgets {
			fmt.Fprintf(w, "| %s | %s | %s | %s |\n", r.name, r.wanted, cmp.Or(r.untested, strings.Join(r.measured, ", ")), r.verdict())
		}
	}
	if len(t.rows) > 0 {
		fmt.Fprint(w, "\n| | ours ns | B | allocs | encoding/xml ns | B | allocs | ratio | libexpat ns | ratio |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
		for _, r := range t.rows {
			r.print(w)
		}
	}
	fmt.Fprintln(w)
}

func (r *budgetRow) verdict() string {
	switch {
	case r.untested != "":
		return "not measured"
	case r.missed > 0:
		return "MISSED"
	}
	return "held"
}

// print writes a line of the large table: the median run of each contestant.
func (r *row) print(w io.Writer) {
	us, std, ex := r.median(ours), r.median(encodingXML), r.median(libexpat)
	fmt.Fprintf(w, "| %s/%s | %s |", r.group, r.name, us.cells())
	if std == nil {
		fmt.Fprint(w, " | | | |")
	} else {
		fmt.Fprintf(w, " %s | %s |", std.cells(), ratio(std, us))
	}
	if ex == nil {
		fmt.Fprint(w, " | |\n")
	} else {
		fmt.Fprintf(w, " %.0f | %s |\n", ex.ns, ratio(ex, us))
	}
}

func (c *cost) cells() string {
	if c == nil {
		return "| |"
	}
	return fmt.Sprintf("%.0f | %.0f | %.0f", c.ns, c.bytes, c.allocs)
}

// ratio is how much faster we are.
func ratio(them, us *cost) string {
	if us == nil {
		return ""
	}
	return fmt.Sprintf("%.1f×", them.ns/us.ns)
}

// median returns the run of a contestant that took the middle time, or nil.
func (r *row) median(who string) *cost {
	costs := slices.SortedFunc(slices.Values(r.costs[who]), func(x, y cost) int { return cmp.Compare(x.ns, y.ns) })
	if len(costs) == 0 {
		return nil
	}
	return &costs[len(costs)/2]
}

// machine says where all this was measured, as far as Linux tells.
func machine() string {
	s := fmt.Sprintf("%s, %d cores, %s, %s %s/%s", field("/proc/cpuinfo", "model name", ":"), runtime.NumCPU(),
		field("/etc/os-release", "PRETTY_NAME", "="), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if v := expatVersion(); v != "" {
		s += ", " + v
	}
	return s + "."
}

// field returns the value of the first line of a file that has the key.
func field(file, key, separator string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if k, value, ok := strings.Cut(line, separator); ok && strings.TrimSpace(k) == key {
			return strings.Trim(value, " \"\n")
		}
	}
	return "unknown"
}
