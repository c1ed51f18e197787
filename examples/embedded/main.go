// Command embedded is a web application with a chat server beside it: one process, one table of users.
//
// Who logs in to the web page gets a token, which logs in to the chat as well; the password of the page is
// that of the chat, and who is banned from one is out of both.
//
//	go run ./examples/embedded -once
//
// shows all of that and ends. docs/embedding.md explains the pieces.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/devcert"
)

// domain is what stands behind the @ of every user.
const domain = "app.example"

// A program is the web application and its chat.
type program struct {
	users        *users
	chat         *server.Server
	certificates *devcert.Authority // yours has those of the web server: autocert, or files
	web          net.Listener       // where the pages are
	clients      net.Listener       // where the clients of the chat connect
}

// newProgram starts nothing yet.
func newProgram() (p *program, err error) {
	p = &program{users: newUsers()}
	if err := p.users.add("concierge", ""); err != nil {
		return nil, err
	}
	if p.certificates, err = devcert.New(domain); err != nil {
		return nil, err
	}
	p.chat, err = server.New(&server.Options{
		Domains: []string{domain},
		TLS:     p.certificates.ServerConfig(),
		Users:   p.users,
	})
	if err != nil {
		return nil, err
	}
	if p.web, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if p.clients, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, errors.Join(err, p.web.Close())
	}
	return p, nil
}

// serve runs the pages, the chat and the concierge until ctx is done, or one of them fails.
func (p *program) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pages := &http.Server{Handler: p.pages(), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 2)
	go func() {
		defer cancel()
		served <- p.chat.Serve(ctx, p.clients)
	}()
	go func() {
		defer cancel()
		served <- pages.Serve(p.web)
	}()
	err := concierge(ctx, p)
	soon, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()
	err = errors.Join(err, pages.Shutdown(soon), p.chat.Shutdown(soon))
	for range cap(served) {
		if why := <-served; !errors.Is(why, http.ErrServerClosed) {
			err = errors.Join(err, why)
		}
	}
	return err
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "embedded:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("embedded", flag.ContinueOnError)
	flags.SetOutput(out)
	once := flags.Bool("once", false, "end after the tour")
	if err := flags.Parse(args); err != nil {
		return err
	}
	p, err := newProgram()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- p.serve(ctx) }()
	err = tour(ctx, p, out)
	if err == nil && !*once {
		fmt.Fprintf(out, "\nThe pages are at http://%s, the chat at %s. Interrupt to stop.\n", p.web.Addr(), p.clients.Addr())
		<-ctx.Done()
	}
	cancel()
	return errors.Join(err, <-served)
}
