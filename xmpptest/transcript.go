package xmpptest

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/parlance-xmpp/xmpp/jid"
)

// A transcript is a conversation read from a file.
type transcript struct {
	name          string
	preamble      string // lines before the first label
	local, remote jid.JID
	turns         []turn
}

// A turn is one element that one side sends.
type turn struct {
	client  bool   // the side under test sends it
	xml     string // as written, over lines
	line    int    // where it begins
	comment string // lines that follow it: comments and blank ones
}

// readTranscript reads a file.
func readTranscript(name string) (*transcript, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	t := &transcript{name: name, local: jid.MustParse("juliet@example.org/balcony"), remote: jid.MustParse("example.org")}
	scanner := bufio.NewScanner(bytes.NewReader(b))
	scanner.Buffer(nil, 1<<20)
	for n := 1; scanner.Scan(); n++ {
		if err := t.add(scanner.Text(), n); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	return t, scanner.Err()
}

// add takes in one line.
func (t *transcript) add(line string, n int) error {
	trimmed := strings.TrimSpace(line)
	label, rest, labelled := strings.Cut(line, ":")
	switch {
	case labelled && (label == "C" || label == "S"):
		t.turns = append(t.turns, turn{client: label == "C", xml: strings.TrimSpace(rest), line: n})
	case trimmed == "" || strings.HasPrefix(trimmed, "#"):
		if len(t.turns) == 0 {
			t.preamble += line + "\n"
		} else {
			t.turns[len(t.turns)-1].comment += line + "\n"
		}
	case len(t.turns) > 0:
		t.turns[len(t.turns)-1].xml += "\n" + line
	default:
		t.preamble += line + "\n"
		return t.setting(label, strings.TrimSpace(rest))
	}
	return nil
}

// setting takes in a line before the first label.
func (t *transcript) setting(name, value string) error {
	addr, err := jid.Parse(value)
	if err != nil {
		return err
	}
	switch name {
	case "local":
		t.local = addr
	case "remote":
		t.remote = addr
	default:
		return fmt.Errorf("unknown setting %q", name)
	}
	return nil
}

// write writes the file anew.
func (t *transcript) write() error {
	var b strings.Builder
	b.WriteString(t.preamble)
	for _, turn := range t.turns {
		label := "S: "
		if turn.client {
			label = "C: "
		}
		b.WriteString(label + turn.xml + "\n" + turn.comment)
	}
	return os.WriteFile(t.name, []byte(b.String()), 0o644)
}
