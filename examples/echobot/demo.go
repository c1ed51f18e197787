package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/devcert"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// The accounts of the demo's server.
var (
	botAddr  = jid.MustParse("bot@localhost")
	demoAddr = jid.MustParse("demo@localhost")
	yourAddr = jid.MustParse("you@localhost")
)

// said is what the demo user says.
var said = []string{
	"hello",
	"🎈 <&>\"'",
	strings.Repeat("ten kilobytes of text, ", 446)[:10_240],
}

// demo starts a server, the bot and a user who talks to it. Unless once is
// set, it then waits for ctx, for other clients to join.
func demo(ctx context.Context, trace *xmpp.Trace, once bool, out io.Writer) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	h, err := newHouse(ctx, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()

	opts := h.options(botAddr)
	opts.Trace = trace
	bot := make(chan error, 1)
	go func() { bot <- echo(ctx, botAddr, opts) }()
	defer func() {
		cancel()
		err = errors.Join(err, <-bot)
	}()

	echoed, err := converse(ctx, h)
	if err == nil && echoed != len(said) {
		err = fmt.Errorf("%d of %d messages came back intact", echoed, len(said))
	}
	if err == nil && !once {
		err = h.stayUp(ctx)
	}
	if once {
		fmt.Fprintf(out, "echoed %d/%d\n", echoed, len(said))
	}
	return err
}

// converse logs in the demo user, says everything and counts what comes back
// as it was.
func converse(ctx context.Context, h *house) (echoed int, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("the bot took longer than 30 s"))
	defer cancel()
	online := make(chan struct{}, 1)
	heard := make(chan *stanza.Message, len(said))
	mux := muxer.New()
	mux.Presence(stanza.PresenceAvailable, func(_ context.Context, p *stanza.Presence) error {
		if p.From.Bare() == botAddr {
			select {
			case online <- struct{}{}:
			default:
			}
		}
		return nil
	})
	mux.Message(stanza.MessageChat, func(ctx context.Context, m *stanza.Message) error {
		select {
		case heard <- m:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	opts := h.options(demoAddr)
	opts.Handler = mux
	user, err := client.Dial(ctx, demoAddr, &opts)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, user.Close(context.WithoutCancel(ctx))) }()
	if _, err := user.Send(ctx, stanza.Presence{}); err != nil {
		return 0, err
	}
	select {
	case <-online:
		h.log("bot is online")
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	for _, text := range said {
		h.log("demo → bot   %s", short(text))
		m := stanza.Message{To: botAddr, Type: stanza.MessageChat, Body: stanza.Plain(text)}
		if _, err := user.Send(ctx, m); err != nil {
			return echoed, err
		}
		select {
		case m := <-heard:
			h.log("bot → demo   %s", short(m.Body.String()))
			if m.From.Bare() == botAddr && m.Body.String() == text {
				echoed++
			}
		case <-ctx.Done():
			return echoed, context.Cause(ctx)
		}
	}
	return echoed, nil
}

// short cuts a long text for display.
func short(s string) string {
	if len(s) <= 60 {
		return s
	}
	return fmt.Sprintf("%s… (%d bytes)", s[:46], len(s))
}

// A house is a server on loopback with three accounts.
type house struct {
	srv       *server.Server
	address   string
	ca        *devcert.Authority
	passwords map[jid.JID]string
	served    chan error
	out       io.Writer
}

// newHouse starts the server; bot is in the roster of the two others.
func newHouse(ctx context.Context, out io.Writer) (*house, error) {
	ca, err := devcert.New("localhost")
	if err != nil {
		return nil, err
	}
	srv, err := server.New(&server.Options{Domains: []string{"localhost"}, TLS: ca.ServerConfig()})
	if err != nil {
		return nil, err
	}
	h := &house{srv: srv, ca: ca, passwords: make(map[jid.JID]string), served: make(chan error, 1), out: out}
	for _, account := range []jid.JID{botAddr, demoAddr, yourAddr} {
		h.passwords[account] = rand.Text()
		if err := srv.CreateAccount(ctx, account, h.passwords[account]); err != nil {
			return nil, err
		}
	}
	for _, account := range []jid.JID{demoAddr, yourAddr} {
		if err := srv.AddContact(ctx, account, botAddr); err != nil {
			return nil, err
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:5222") // where clients look first
	if err != nil {
		if ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return nil, err
		}
	}
	h.address = ln.Addr().String()
	go func() { h.served <- srv.Serve(context.WithoutCancel(ctx), ln) }()
	h.log("server for localhost on %s", h.address)
	return h, nil
}

// options is how to reach the server as one of its accounts.
func (h *house) options(account jid.JID) client.Options {
	return client.Options{Address: h.address, TLS: h.ca.ClientConfig(), Password: h.passwords[account]}
}

// stayUp says how to join, and waits.
func (h *house) stayUp(ctx context.Context) error {
	file, err := h.ca.WriteFile()
	if err != nil {
		return err
	}
	defer os.Remove(file)
	fmt.Fprintf(h.out, `
Join with any XMPP client and write to %s:

  account    %s
  password   %s
  server     %s (STARTTLS)
  trust      %s

Interrupt to stop.
`, botAddr, yourAddr, h.passwords[yourAddr], h.address, file)
	<-ctx.Done()
	return nil
}

// close shuts the server down and waits for it.
func (h *house) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(h.srv.Shutdown(ctx), <-h.served)
}

func (h *house) log(format string, args ...any) {
	fmt.Fprintf(h.out, "%s  %s\n", time.Now().Format("15:04:05.000"), fmt.Sprintf(format, args...))
}
