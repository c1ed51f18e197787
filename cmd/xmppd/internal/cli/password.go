package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/control"
	"github.com/parlance-xmpp/xmpp/jid"
)

// password asks for one, twice and without showing it; from what is no terminal it is the first line.
func (p *program) password(ctx context.Context, addr jid.JID) (string, error) {
	if !isTerminal(p.stdin) {
		line, err := p.line(ctx)
		if err == nil && line == "" {
			err = control.Invalid("the password is to be the first line of the standard input, and that is empty")
		}
		return line, err
	}
	first, err := p.ask(ctx, fmt.Sprintf("Password of %s: ", addr))
	if err != nil {
		return "", err
	}
	if first == "" {
		return "", control.Invalid("the password is empty")
	}
	second, err := p.ask(ctx, "Once more: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", control.Invalid("the two are not the same")
	}
	return first, nil
}

// ask asks for something secret.
func (p *program) ask(ctx context.Context, question string) (string, error) {
	fmt.Fprint(p.stderr, question)
	defer fmt.Fprintln(p.stderr)
	terminal := int(p.stdin.Fd())
	before, err := term.GetState(terminal)
	if err != nil {
		return "", err
	}
	answer, err := interruptible(ctx, func() (string, error) {
		b, err := term.ReadPassword(terminal)
		return string(b), err
	})
	if errors.Is(err, errInterrupted) {
		_ = term.Restore(terminal, before) // or what is typed would not be seen any more
	}
	return answer, err
}

// sure asks before what cannot be undone, if somebody is there to answer.
func (p *program) sure(ctx context.Context, question string) error {
	if !isTerminal(p.stdin) {
		return nil
	}
	fmt.Fprintf(p.stderr, "%s Type yes: ", question)
	line, err := p.line(ctx)
	if err == nil && strings.TrimSpace(line) != "yes" {
		err = errors.New("nothing was done")
	}
	return err
}

// line reads one, without its end; what is there of it if there is no end.
func (p *program) line(ctx context.Context) (string, error) {
	return interruptible(ctx, func() (string, error) {
		line, err := bufio.NewReader(p.stdin).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return strings.TrimRight(line, "\r\n"), err
	})
}

var errInterrupted = errors.New("interrupted; nothing was done")

// interruptible waits for what somebody types, but not longer than for ctx. A read that nobody waits for any more ends with the process, which is at
// its end then: there is no other way to end one.
func interruptible(ctx context.Context, read func() (string, error)) (string, error) {
	type typed struct {
		text string
		err  error
	}
	done := make(chan typed, 1)
	go func() {
		text, err := read()
		done <- typed{text, err}
	}()
	select {
	case t := <-done:
		return t.text, t.err
	case <-ctx.Done():
		return "", errInterrupted
	}
}
