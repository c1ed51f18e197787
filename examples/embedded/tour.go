package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// tour is what users do, from outside: with a browser and with a client.
func tour(ctx context.Context, p *program, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	say := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	for _, name := range []string{"juliet", "romeo"} {
		if err := p.users.add(name, name+"'s password"); err != nil {
			return err
		}
	}

	// juliet begins on the web page.
	if status, _, err := p.post(ctx, "/login", "juliet", "a guess"); err != nil || status != http.StatusUnauthorized {
		return fmt.Errorf("login with a wrong password: status %d, %v", status, err)
	}
	status, token, err := p.post(ctx, "/login", "juliet", "juliet's password")
	if err != nil || status != http.StatusOK {
		return fmt.Errorf("login: status %d, %v", status, err)
	}
	say("juliet has logged in to the web page and got a token")
	juliet, err := p.join(ctx, "juliet", client.Options{Token: token})
	if err != nil {
		return err
	}
	defer juliet.Close(ctx)
	say("juliet's token logs in to the chat, by %s", juliet.mechanism)
	again, err := p.join(ctx, "juliet", client.Options{Password: "juliet's password"})
	if err != nil {
		return err
	}
	defer again.Close(ctx)
	say("juliet's password does too, by %s", again.mechanism)

	// romeo has never seen the page.
	for range 2 {
		romeo, err := p.join(ctx, "romeo", client.Options{Password: "romeo's password", AllowPlain: true})
		if err != nil {
			return err
		}
		say("romeo's password logs in, by %s", romeo.mechanism)
		if err := romeo.Close(ctx); err != nil {
			return err
		}
	}

	// A part of the program is in the chat, too.
	answer, err := juliet.ask(ctx, "concierge", "Who is here?")
	if err != nil {
		return err
	}
	say("the concierge tells juliet: %s", answer)

	// Out of one is out of both.
	if status, text, err := p.post(ctx, "/ban", "juliet", ""); err != nil || status != http.StatusOK {
		return fmt.Errorf("ban: status %d, %s, %v", status, text, err)
	}
	for _, c := range []*guest{juliet, again} {
		select {
		case <-c.Done():
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	say("juliet was banned, and her clients are out")
	if _, err := p.join(ctx, "juliet", client.Options{Token: token}); !errors.Is(err, sasl.ErrAccountDisabled) {
		return fmt.Errorf("a banned user's token: %v", err)
	}
	say("juliet's token does not log in any more")
	return nil
}

// post sends a form, and returns what the page says.
func (p *program) post(ctx context.Context, page, name, password string) (status int, text string, err error) {
	form := url.Values{"name": {name}, "password": {password}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.web.Addr().String()+page, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Close = true
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(b), err
}

// A guest is a client of the chat, on the network.
type guest struct {
	*client.Client
	mechanism string // by which it has logged in
	hears     chan string
}

// join logs in with what opts has to prove oneself.
func (p *program) join(ctx context.Context, name string, opts client.Options) (*guest, error) {
	addr, err := address(name)
	if err != nil {
		return nil, err
	}
	g := &guest{hears: make(chan string, 16)}
	mux := muxer.New()
	mux.Message(stanza.MessageChat, func(_ context.Context, m *stanza.Message) error {
		g.hears <- m.Body.String()
		return nil
	})
	opts.Handler, opts.Reconnect = mux, client.Never
	opts.Address, opts.TLS = p.clients.Addr().String(), p.certificates.ClientConfig()
	opts.Trace = &xmpp.Trace{Event: func(name, detail string) {
		if name == "sasl" {
			g.mechanism = detail
		}
	}}
	g.Client, err = client.Dial(ctx, addr, &opts)
	return g, err
}

// ask says something to somebody, and returns what comes next.
func (g *guest) ask(ctx context.Context, name, text string) (string, error) {
	to, err := address(name)
	if err != nil {
		return "", err
	}
	if _, err := g.Send(ctx, stanza.Message{To: to, Type: stanza.MessageChat, Body: stanza.Plain(text)}); err != nil {
		return "", err
	}
	select {
	case answer := <-g.hears:
		return answer, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
