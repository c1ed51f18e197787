//go:build unix

package interop

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A process is a program that a test started; it ends with the test.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	done  chan struct{} // closed when it has ended

	mu     sync.Mutex // guards the fields below
	output bytes.Buffer
	lines  *sync.Cond
}

// start runs a program in the background, in a process group of its own.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.lines = sync.NewCond(&p.mu)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.stdin, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	p.cmd.Stderr = p.cmd.Stdout
	require.NoError(t, p.cmd.Start())
	go p.read(out)
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("output of %s:\n%s", filepath.Base(name), p.text())
		}
	})
	return p
}

func (p *process) read(out io.Reader) {
	defer close(p.done)
	for s := bufio.NewScanner(out); s.Scan(); {
		p.mu.Lock()
		p.output.WriteString(s.Text() + "\n")
		p.lines.Broadcast()
		p.mu.Unlock()
	}
	_ = p.cmd.Wait()
	p.lines.Broadcast()
}

// stop interrupts the process, and kills its group if that does not end it.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

func (p *process) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// await returns the output once it holds want.
func (p *process) await(t *testing.T, want string) string {
	t.Helper()
	return p.until(t, want, func(output string) bool { return strings.Contains(output, want) })
}

// until returns the output once there is in it what has to be; what is that for people.
func (p *process) until(t *testing.T, what string, there func(output string) bool) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, p.lines.Broadcast)()
	p.mu.Lock()
	defer p.mu.Unlock()
	for !there(p.output.String()) {
		select {
		case <-p.done:
			t.Fatalf("ended without saying %q:\n%s", what, p.output.String())
		default:
		}
		if ctx.Err() != nil {
			t.Fatalf("does not say %q:\n%s", what, p.output.String())
		}
		p.lines.Wait()
	}
	return p.output.String()
}

// command runs a program to its end. Tests may call it while they clean up.
func command(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	require.NoError(t, err, "%s %q:\n%s", name, args, out)
}

// echobot builds the example and returns the name of the program.
func echobot(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "echobot")
	command(t, "go", "build", "-o", name, "../examples/echobot")
	return name
}
