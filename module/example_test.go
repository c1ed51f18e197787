package module_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/cluster/clustertest"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// Nobody sends links.
func ExampleHooks_outbound() {
	noLinks := func(_ context.Context, s module.Session, t *module.Transit) error {
		raw, err := t.Raw()
		if err != nil {
			return err
		}
		if m, err := raw.Message(); err == nil && strings.Contains(m.Body.String(), "://") {
			return stanza.PolicyViolation
		}
		return nil
	}
	s := open(module.Hooks{Outbound: noLinks})
	defer s.close()
	romeo, juliet := s.join("romeo"), s.join("juliet")
	romeo.say("juliet@example.org", "https://example.com/")
	fmt.Println("romeo:", romeo.hears())
	romeo.say("juliet@example.org", "hello")
	fmt.Println("juliet:", juliet.hears())
	// Output:
	// romeo: policy-violation
	// juliet: hello
}

// Two people have nothing to do with each other.
func ExampleHooks_permit() {
	feud := func(_ context.Context, a module.Account, with jid.JID, _ module.Direction, _ stanza.Header) error {
		if pair := a.Addr.Localpart() + " and " + with.Localpart(); pair == "romeo and tybalt" || pair == "tybalt and romeo" {
			return stanza.NotAcceptable
		}
		return nil
	}
	s := open(module.Hooks{Permit: feud})
	defer s.close()
	romeo, _ := s.join("romeo"), s.join("tybalt")
	romeo.say("tybalt@example.org", "I love thee better than thou canst devise")
	fmt.Println("romeo:", romeo.hears())
	// Output: romeo: not-acceptable
}

// What comes from strangers says so.
func ExampleHooks_inbound() {
	var host module.Host
	warn := func(ctx context.Context, a module.Account, t *module.Transit) error {
		if host.MaySee(ctx, a, t.Header().From) {
			return nil
		}
		return t.Edit(nil, stanza.Marshal(stranger{}))
	}
	s := open(module.Hooks{Inbound: warn}, func(h module.Host) { host = h })
	defer s.close()
	tybalt, juliet := s.join("tybalt"), s.join("juliet")
	tybalt.say("juliet@example.org", "peace? I hate the word")
	h := (<-juliet.got).Header()
	fmt.Println(h.Has("urn:example:stranger", "stranger"))
	// Output: true
}

// Whoever belongs to the same family may see who is there.
func ExampleHooks_requested() {
	family := map[string]string{"juliet": "capulet", "tybalt": "capulet"}
	grant := func(_ context.Context, a module.Account, t *module.Transit) (bool, error) {
		of := family[a.Addr.Localpart()]
		return of != "" && of == family[t.Header().From.Localpart()], nil
	}
	s := open(module.Hooks{Requested: grant})
	defer s.close()
	s.join("juliet")
	tybalt := s.join("tybalt")
	_, err := tybalt.Send(s.ctx, stanza.Presence{To: jid.MustParse("juliet@example.org"), Type: stanza.PresenceSubscribe})
	if err != nil {
		fmt.Println(err)
	}
	tybalt.sync()
	r, err := roster.Get(s.ctx, tybalt)
	fmt.Println(r.Items[0].JID, r.Items[0].Subscription, err)
	// Output: juliet@example.org to <nil>
}

// A server counts what its people write.
func ExampleHooks_sent() {
	count := map[string]int{}
	s := open(module.Hooks{Sent: func(_ context.Context, s module.Session, t *module.Transit) {
		count[s.Account().Addr.String()]++ // a lock belongs here: hooks run for different clients at the same time
	}})
	defer s.close()
	romeo := s.join("romeo")
	romeo.say("juliet@example.org", "one")
	romeo.say("juliet@example.org", "two")
	fmt.Println(count)
	// Output: map[romeo@example.org:2]
}

// Somebody who is not there is told by other means that a message waits.
func ExampleHooks_placed() {
	waits := make(chan string, 1)
	s := open(module.Hooks{Placed: func(_ context.Context, a module.Account, t *module.Transit, to []module.Session, kept bool) {
		if kept {
			waits <- fmt.Sprintf("for %s, from %s", a.Addr, t.Header().From.Bare())
		}
	}})
	defer s.close()
	s.account("juliet")
	s.join("romeo").say("juliet@example.org", "wilt thou leave me so unsatisfied?")
	fmt.Println(<-waits)
	// Output: for juliet@example.org, from romeo@example.org
}

// A server greets whoever comes, and notes who leaves.
func ExampleHooks_opened() {
	left := make(chan jid.JID, 1)
	s := open(module.Hooks{
		Opened: func(_ context.Context, s module.Session) {
			s.Send(stanza.Message{From: s.Addr().Domain(), To: s.Addr(), Body: stanza.Plain("welcome, " + s.Addr().Localpart())})
		},
		Closed: func(_ context.Context, s module.Session) { left <- s.Addr().Bare() },
	})
	defer s.close()
	romeo := s.join("romeo")
	fmt.Println(romeo.hears())
	_ = romeo.Close(s.ctx)
	fmt.Println("left:", <-left)
	// Output:
	// welcome, romeo
	// left: romeo@example.org
}

// A server shows who is there.
func ExampleHooks_presence() {
	shown := make(chan string, 2)
	s := open(module.Hooks{Presence: func(_ context.Context, s module.Session, p *stanza.Raw) {
		if p == nil {
			shown <- s.Addr().Localpart() + " is gone"
			return
		}
		shown <- s.Addr().Localpart() + " is there"
	}})
	defer s.close()
	romeo := s.join("romeo")
	fmt.Println(<-shown)
	_ = romeo.Close(s.ctx)
	fmt.Println(<-shown)
	// Output:
	// romeo is there
	// romeo is gone
}

// Two servers act as one, and each remembers how somebody wants to be greeted.
func ExampleHooks_changed() {
	const ns = "urn:example:greeting"
	network, stores := clustertest.New(), memory.New()
	var hosts []module.Host
	node := func(name string) *stage {
		m := module.Func(func(h module.Host) error {
			hosts = append(hosts, h)
			h.Hook(module.Hooks{Changed: func(_ context.Context, a module.Account, what string) {
				fmt.Println(name, "looks again:", a.Addr, what == ns)
			}})
			return nil
		})
		return serve(&server.Options{Modules: []module.Module{m}, Storage: stores, Cluster: network})
	}
	here, there := node("here"), node("there")
	defer here.close()
	defer there.close()
	romeo := there.join("romeo")
	network.Settle()
	a, err := hosts[0].Lookup(here.ctx, romeo.LocalAddr().Bare())
	if err != nil {
		fmt.Println(err)
	}
	hosts[0].Changed(here.ctx, a, ns)
	// Output: there looks again: romeo@example.org true
}

// What a program keeps elsewhere goes with the account.
func ExampleHooks_deleted() {
	s := open(module.Hooks{Deleted: func(_ context.Context, a module.Account) { fmt.Println("gone:", a.Addr) }})
	defer s.close()
	if err := s.DeleteAccount(s.ctx, s.account("romeo")); err != nil {
		fmt.Println(err)
	}
	// Output: gone: romeo@example.org
}

// stranger is a payload.
type stranger struct {
	XMLName xml.Name `xml:"urn:example:stranger stranger"`
}

// A stage is a server with some hooks.
type stage struct {
	*xmpptest.Server
	ctx context.Context
	all []*actor
}

// open starts a server with hooks. More of its installation may be looked at.
func open(hooks module.Hooks, more ...func(module.Host)) *stage {
	m := module.Func(func(h module.Host) error {
		h.Hook(hooks)
		for _, f := range more {
			f(h)
		}
		return nil
	})
	return serve(&server.Options{Modules: []module.Module{m}})
}

func serve(opts *server.Options) *stage {
	srv, err := xmpptest.Start(opts)
	if err != nil {
		panic(err)
	}
	return &stage{Server: srv, ctx: context.Background()}
}

func (s *stage) close() {
	for _, a := range s.all {
		_ = a.Close(s.ctx)
		_ = a.Wait(s.ctx)
	}
	s.Stop()
}

// account returns the address of an account.
func (s *stage) account(name string) jid.JID {
	addr, err := s.Account(name)
	if err != nil {
		panic(err)
	}
	return addr
}

// An actor is a client that is available.
type actor struct {
	*client.Client
	stage *stage
	got   chan *stanza.Raw // messages
}

func (s *stage) join(name string) *actor {
	a := &actor{stage: s, got: make(chan *stanza.Raw, 10)}
	opts := s.Options(s.account(name))
	opts.Reconnect = client.Never
	opts.Handler = xmpp.HandlerFunc(func(_ context.Context, st *stanza.Raw) (stanza.Payload, error) {
		if st.Header().Kind == stanza.KindMessage {
			a.got <- st
		}
		return nil, nil
	})
	var err error
	if a.Client, err = client.Dial(s.ctx, s.account(name), opts); err != nil {
		panic(err)
	}
	s.all = append(s.all, a)
	if _, err := a.Send(s.ctx, stanza.Presence{}); err != nil {
		panic(err)
	}
	a.sync()
	return a
}

// sync returns when the server has handled what was sent.
func (a *actor) sync() {
	if _, err := roster.Get(a.stage.ctx, a); err != nil {
		panic(err)
	}
}

// say sends a message and returns when the server has handled it.
func (a *actor) say(to, body string) {
	if _, err := a.Send(a.stage.ctx, stanza.Message{To: jid.MustParse(to), Type: stanza.MessageChat, Body: stanza.Plain(body)}); err != nil {
		panic(err)
	}
	a.sync()
}

// hears returns what the next message says, or why one came back.
func (a *actor) hears() string {
	m, err := (<-a.got).Message()
	switch {
	case err != nil:
		return err.Error()
	case m.Error != nil:
		return string(m.Error.Condition)
	}
	return m.Body.String()
}
