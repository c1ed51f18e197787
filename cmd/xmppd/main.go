// Command xmppd is the server as a program. docs/server.md says how to use it.
package main

import (
	"os"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
