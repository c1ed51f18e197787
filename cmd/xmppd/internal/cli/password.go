package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/term"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/control"
	"github.com/parlance-xmpp/xmpp/jid"
)

// password asks for one, twice and without showing it; from what is no terminal it is the first line.
func (p *program) password(addr jid.JID) (string, error) {
	if !isTerminal(p.stdin) {
		line, err := bufio.NewReader(p.stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			return "", control.Invalid("the password is to be the first line of the standard input, and that is empty")
		}
		return line, nil
	}
	first, err := p.ask(fmt.Sprintf("Password of %s: ", addr))
	if err != nil {
		return "", err
	}
	if first == "" {
		return "", control.Invalid("the password is empty")
	}
	second, err := p.ask("Once more: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", control.Invalid("the two are not the same")
	}
	return first, nil
}

// ask asks for something secret.
func (p *program) ask(question string) (string, error) {
	fmt.Fprint(p.stderr, question)
	b, err := term.ReadPassword(int(p.stdin.Fd()))
	fmt.Fprintln(p.stderr)
	return string(b), err
}

// sure asks before what cannot be undone, if somebody is there to answer.
func (p *program) sure(question string) error {
	if !isTerminal(p.stdin) {
		return nil
	}
	fmt.Fprintf(p.stderr, "%s Type yes: ", question)
	line, err := bufio.NewReader(p.stdin).ReadString('\n')
	if err == nil && strings.TrimSpace(line) != "yes" {
		err = errors.New("nothing was done")
	}
	return err
}
