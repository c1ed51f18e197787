//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A terminal is a screen and a keyboard, with profanity on it.
type terminal struct {
	r      *reader
	socket string
}

// shows is what the screen shows when a line that begins like this was typed and has done its work.
var shows = map[string]string{
	"/connect":    "Use '/tls always'",
	"/tls always": "logged in successfully",
	"/msg":        "me: ",
}

// types types lines into somebody's profanity. It is left out where there is none.
func (r *reader) types(who string, lines []string) {
	r.Helper()
	for _, program := range []string{"profanity", "tmux"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("XMPP_INTEROP") != "" {
				r.Fatal(err)
			}
			r.Logf("%s does not chat: %v", who, err)
			return
		}
	}
	p := r.profs[who]
	if p == nil {
		p = &terminal{r, filepath.Join(r.TempDir(), "tmux")}
		home := r.TempDir()
		p.tmux("-f", os.DevNull, "new-session", "-d", "-x", "120", "-y", "50",
			fmt.Sprintf("HOME=%[1]s XDG_CONFIG_HOME=%[1]s/config XDG_DATA_HOME=%[1]s/data LANG=C.UTF-8 profanity", home))
		p.await("Type /help")
		r.profs[who] = p
	}
	for _, line := range lines {
		r.Logf("%s types %s", who, line)
		p.enter(line)
		if strings.HasPrefix(line, "/connect") {
			p.await("Enter password")
			p.enter(password)
		}
		for prefix, sign := range shows {
			if strings.HasPrefix(line, prefix) {
				p.await(sign)
			}
		}
		if to, said, ok := strings.Cut(line, "@localhost "); ok && strings.HasPrefix(to, "/msg ") {
			p.await(said)
			other := r.profs[strings.TrimPrefix(to, "/msg ")]
			other.await("(win 2)", ": "+said) // there is a window for it, or it is open
			other.enter("/win 2")
			other.await(": " + said)
		}
	}
}

func (p *terminal) tmux(args ...string) string {
	p.r.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", p.socket}, args...)...).CombinedOutput()
	if err != nil {
		p.r.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func (p *terminal) enter(line string) {
	p.tmux("send-keys", "-l", line)
	p.tmux("send-keys", "Enter")
}

// await waits until the screen shows one of some texts.
func (p *terminal) await(texts ...string) {
	p.r.Helper()
	what := func() string { return fmt.Sprintf("%q on the screen:\n%s", texts, p.tmux("capture-pane", "-p")) }
	p.r.await("profanity", what, func() bool {
		screen := p.tmux("capture-pane", "-p")
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(screen, text) })
	})
}

func (p *terminal) close() { p.tmux("kill-server") }
