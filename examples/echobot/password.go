package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/parlance-xmpp/xmpp/jid"
)

// password gets the password for account from the first line of a file, from
// $XMPP_PASSWORD, or from a prompt.
func password(account jid.JID, file string, stdin *os.File, prompt io.Writer) (string, error) {
	if file != "" {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		return firstLine(f)
	}
	if p := os.Getenv("XMPP_PASSWORD"); p != "" {
		return p, nil
	}
	fmt.Fprintf(prompt, "Password for %s: ", account)
	echo := quiet(stdin)
	defer func() {
		echo()
		fmt.Fprintln(prompt)
	}()
	return firstLine(stdin)
}

// quiet keeps a terminal from showing what is typed, and returns what undoes
// it. Where there is no stty the typing stays visible.
func quiet(terminal *os.File) (restore func()) {
	if stty(terminal, "-echo") != nil {
		return func() {}
	}
	return func() { _ = stty(terminal, "echo") }
}

func stty(terminal *os.File, arg string) error {
	cmd := exec.Command("stty", arg)
	cmd.Stdin = terminal
	return cmd.Run()
}

func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(r).ReadString('\n')
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		if err != nil && err != io.EOF {
			return "", err
		}
		return "", errors.New("the password is empty")
	}
	return line, nil
}
