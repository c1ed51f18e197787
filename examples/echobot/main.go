// Command echobot answers every chat message with the same message.
//
// Without flags it is a whole conversation in one process: it starts a server
// on loopback, logs in the bot and a demo user who talks to it, then stays up
// for any XMPP client to join. With -jid it is the same bot on any server:
//
//	echobot -jid bot@example.org -password-file secret.txt
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "echobot:", err)
		}
		stop()
		os.Exit(1)
	}
}

// run is main with its surroundings passed in, so that tests can call it.
func run(ctx context.Context, args []string, stdin *os.File, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("echobot", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var (
		account      = flags.String("jid", "", "log in as this `address`; without it, talk to a demo user on a server in this process")
		address      = flags.String("server", "", "connect to this `host:port` instead of asking DNS")
		direct       = flags.Bool("direct-tls", false, "with -server: TLS from the first byte, instead of STARTTLS")
		caFile       = flags.String("ca", "", "also trust the certificates in this PEM `file`")
		passwordFile = flags.String("password-file", "", "read the password from the first line of this `file`; otherwise from $XMPP_PASSWORD or a prompt")
		once         = flags.Bool("once", false, "end after the demo")
		trace        = flags.Bool("trace", false, "show the bot's stream on standard error, secrets removed")
	)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q; try -help", flags.Arg(0))
	}
	opts := client.Options{Address: *address, DirectTLS: *direct, Trace: &xmpp.Trace{}}
	if *trace {
		opts.Trace = traceTo(stderr)
	}
	if *account == "" {
		if *address != "" || *caFile != "" || *passwordFile != "" || *direct {
			return errors.New("-server, -direct-tls, -ca and -password-file need -jid")
		}
		return demo(ctx, opts.Trace, *once, stdout)
	}

	addr, err := jid.Parse(*account)
	if err != nil {
		return err
	}
	if *caFile != "" {
		if opts.TLS, err = trust(*caFile); err != nil {
			return err
		}
	}
	if opts.Password, err = password(addr, *passwordFile, stdin, stderr); err != nil {
		return err
	}
	tellOnline(opts.Trace, stdout)
	return echo(ctx, addr, opts)
}

// tellOnline adds a line to w once the bot has logged in.
func tellOnline(t *xmpp.Trace, w io.Writer) {
	next := t.Event
	t.Event = func(name, detail string) {
		if next != nil {
			next(name, detail)
		}
		if name == "bound" {
			fmt.Fprintf(w, "online as %s; interrupt to stop\n", detail)
		}
	}
}

// trust returns a configuration that trusts the system's certificates and
// those in a PEM file.
func trust(file string) (*tls.Config, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // none on this system
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate in PEM form", file)
	}
	return &tls.Config{RootCAs: roots}, nil
}

// traceTo shows a stream as it crosses the wire. What is sent and what is received is told
// by different goroutines.
func traceTo(w io.Writer) *xmpp.Trace {
	var mu sync.Mutex
	show := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(w, format, args...)
	}
	return &xmpp.Trace{
		Received: func(xml []byte) { show("S: %s\n", xml) },
		Sent:     func(xml []byte) { show("C: %s\n", xml) },
		Event:    func(name, detail string) { show("-- %s %s\n", name, detail) },
	}
}
