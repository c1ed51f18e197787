package command_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

var (
	juliet  = jid.MustParse("juliet@capulet.example/balcony")
	romeo   = jid.MustParse("romeo@montague.example/orchard")
	service = jid.MustParse("apothecary.example")
)

func only(who jid.JID) func(context.Context, jid.JID) bool {
	return func(_ context.Context, from jid.JID) bool { return from.Bare() == who.Bare() }
}

func anybody(context.Context, jid.JID) bool { return true }

// config is the command of §2.4.2: a service is chosen, then how it runs.
func config(allow func(context.Context, jid.JID) bool) command.Offer {
	services := form.Form{Type: form.TypeForm, Title: "Configure Service", Fields: []form.Field{
		{Var: "service", Type: form.ListSingle, Required: true, Options: []form.Option{{Value: "httpd"}, {Value: "jabberd"}}},
		{Var: "secret", Type: form.TextPrivate},
	}}
	state := func(service string) form.Form {
		return form.Form{Type: form.TypeForm, Title: "Configure " + service, Fields: []form.Field{
			{Var: "state", Type: form.Boolean, Values: []string{"0"}},
			{Var: "owner", Type: form.JIDSingle},
		}}
	}
	run := func(context.Context, *command.Request) (command.Stage, error) {
		return command.Stage{Form: &services, Next: func(_ context.Context, r *command.Request) (command.Stage, error) {
			f := state(r.Form.Value("service"))
			return command.Stage{Form: &f, Complete: func(_ context.Context, r *command.Request) (command.Stage, error) {
				switch r.Form.Value("owner") {
				case "nobody@capulet.example":
					return command.Stage{}, stanza.ItemNotFound
				case "tybalt@capulet.example":
					return command.Stage{}, command.BadLocale
				case "paris@capulet.example":
					return command.Stage{}, errors.New("the disk is full of secrets")
				}
				return command.Done(f.Title + ": " + r.Form.Value("state")), nil
			}}, nil
		}}, nil
	}
	return command.Offer{Node: "config", Name: "Configure Service", Lang: "en", Allow: allow, Run: run}
}

// A desk is where commands are offered.
type desk struct {
	t    *testing.T
	mux  *muxer.Mux
	from jid.JID
	to   jid.JID
}

func newDesk(t *testing.T, opts *command.Options, offers ...command.Offer) *desk {
	r := command.NewResponder(opts)
	r.Add(offers...)
	d := &desk{t: t, mux: muxer.New(), from: juliet, to: service}
	r.Register(d.mux)
	r.Register(d.mux) // which changes nothing
	return d
}

// as is the desk with somebody else before it.
func (d *desk) as(who jid.JID) *desk { return &desk{d.t, d.mux, who, d.to} }

// ask sends a command, and returns the answer as it goes over the wire.
func (d *desk) ask(c command.Command) (answer command.Command, err error) {
	d.t.Helper()
	e, err := stanza.ElementOf(c)
	require.NoError(d.t, err)
	return d.askRaw(e)
}

func (d *desk) askRaw(e stanza.Element) (answer command.Command, err error) {
	d.t.Helper()
	p, err := d.mux.AnswerIQ(d.t.Context(), &stanza.IQ{Type: stanza.IQSet, From: d.from, To: d.to, ID: "1", Payload: &e})
	if err != nil {
		return answer, err
	}
	e, err = stanza.ElementOf(p)
	require.NoError(d.t, err)
	return answer, e.Decode(&answer)
}

// must is ask when that is to work.
func (d *desk) must(c command.Command) command.Command {
	d.t.Helper()
	answer, err := d.ask(c)
	require.NoError(d.t, err)
	return answer
}

// refused is what was refused, as it goes over the wire: type, condition, condition of the application.
func refused(t *testing.T, err error) string {
	t.Helper()
	e, ok := stanza.AsError(err)
	require.True(t, ok, "%v", err)
	el, err := stanza.ElementOf(e)
	require.NoError(t, err)
	words := []string{el.Attr("type")}
	for c := range el.Children() {
		if c.Name().Local != "text" {
			words = append(words, c.Name().Local)
		}
	}
	return strings.Join(words, " ")
}

func submit(fields ...string) stanza.Payloads {
	f := form.Form{Type: form.TypeSubmit}
	for i := 0; i < len(fields); i += 2 {
		f.Fields = append(f.Fields, form.Field{Var: fields[i], Values: []string{fields[i+1]}})
	}
	return stanza.Payloads{f}
}

// title is that of the form that is shown.
func title(t *testing.T, c command.Command) string {
	t.Helper()
	f, err := c.Form()
	require.NoError(t, err)
	require.NotNil(t, f)
	return f.Title
}

// §2.4.2: from stage to stage, back, and to the end, by each word that means it.
func TestXEP0050_2_4_2_Stages(t *testing.T) {
	d := newDesk(t, nil, config(anybody))
	first := d.must(command.Command{Node: "config"})
	require.Equal(t, command.Executing, first.Status)
	require.Equal(t, &command.Actions{Next: true, Execute: command.Next}, first.Actions)
	require.Equal(t, "en", first.Lang)
	require.Equal(t, "Configure Service", title(t, first))
	id := first.SessionID
	require.NotEmpty(t, id)

	second := d.must(command.Command{Node: "config", SessionID: id, Payloads: submit("service", "httpd", "secret", "s3cret")})
	require.Equal(t, id, second.SessionID)
	require.Equal(t, &command.Actions{Prev: true, Complete: true, Execute: command.Complete}, second.Actions)
	require.Equal(t, "Configure httpd", title(t, second))

	back := d.must(command.Command{Node: "config", SessionID: id, Action: command.Prev})
	require.Equal(t, first.Actions, back.Actions)
	f, err := back.Form()
	require.NoError(t, err)
	require.Equal(t, "httpd", f.Value("service"), "it is remembered")
	require.Empty(t, f.Value("secret"), "passwords are not sent again")

	again := d.must(command.Command{Node: "config", SessionID: id, Action: command.Next, Payloads: submit("service", "jabberd")})
	require.Equal(t, "Configure jabberd", title(t, again))
	last := d.must(command.Command{Node: "config", SessionID: id, Action: command.Complete, Payloads: submit("state", "1")})
	require.Equal(t, command.Completed, last.Status)
	require.Nil(t, last.Actions)
	require.Equal(t, []command.Note{{Type: command.Info, Text: "Configure jabberd: 1"}}, last.Notes)
}

// §2.4.3: who cancels is told so, and it has ended.
func TestXEP0050_2_4_3_Cancel(t *testing.T) {
	d := newDesk(t, nil, config(anybody))
	id := d.must(command.Command{Node: "config"}).SessionID
	require.Equal(t, command.Canceled, d.must(command.Command{Node: "config", SessionID: id, Action: command.Cancel}).Status)
	_, err := d.ask(command.Command{Node: "config", SessionID: id, Action: command.Cancel})
	require.Equal(t, "cancel not-allowed session-expired", refused(t, err))
}

// §4.4: each error, and that nothing changes by it.
func TestXEP0050_4_4_Errors(t *testing.T) {
	d := newDesk(t, nil, config(only(juliet)), command.Offer{Node: "nobody's", Run: func(context.Context, *command.Request) (command.Stage, error) {
		t.Error("it was run")
		return command.Stage{}, nil
	}})
	id := d.must(command.Command{Node: "config"}).SessionID
	in := func(c command.Command) command.Command {
		c.Node, c.SessionID = "config", id
		return c
	}
	for _, tt := range []struct {
		name string
		c    command.Command
		want string
	}{
		{"no such command", command.Command{Node: "list"}, "cancel item-not-found"},
		{"a command for nobody", command.Command{Node: "nobody's"}, "auth forbidden"},
		{"an action before it has begun", command.Command{Node: "config", Action: command.Next}, "modify bad-request bad-action"},
		{"nothing to cancel", command.Command{Node: "config", Action: command.Cancel}, "modify bad-request bad-action"},
		{"an id out of the air", command.Command{Node: "config", SessionID: "config:1"}, "modify bad-request bad-sessionid"},
		{"an id that was changed", command.Command{Node: "config", SessionID: strings.ToLower(id)}, "modify bad-request bad-sessionid"},
		{"no way back from the first stage", in(command.Command{Action: command.Prev}), "modify bad-request bad-action"},
		{"it cannot be completed yet", in(command.Command{Action: command.Complete, Payloads: submit("service", "httpd")}), "modify bad-request bad-action"},
		{"without a form", in(command.Command{Action: command.Next}), "modify bad-request bad-payload"},
		{"without what is required", in(command.Command{Action: command.Next, Payloads: submit("secret", "x")}), "modify bad-request bad-payload"},
		{"with what is no option", in(command.Command{Action: command.Next, Payloads: submit("service", "inetd")}), "modify bad-request bad-payload"},
		{"with a form that is no answer", in(command.Command{Action: command.Next, Payloads: stanza.Payloads{form.Form{Type: form.TypeResult}}}), "modify bad-request bad-payload"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := d.ask(tt.c)
			require.Equal(t, tt.want, refused(t, err))
		})
	}
	leap := stanza.NewElement([]byte("<command xmlns='" + command.NS + "' node='config' action='leap'/>"))
	_, err := d.askRaw(leap)
	require.Equal(t, "modify bad-request malformed-action", refused(t, err))
	nameless := stanza.NewElement([]byte("<command xmlns='" + command.NS + "'/>"))
	_, err = d.askRaw(nameless)
	require.Equal(t, "modify bad-request", refused(t, err))

	second := d.must(in(command.Command{Payloads: submit("service", "httpd")}))
	require.Equal(t, "Configure httpd", title(t, second))
	for owner, want := range map[string]string{
		"@": "modify bad-request bad-payload", "nobody@capulet.example": "cancel item-not-found", "tybalt@capulet.example": "modify bad-request bad-locale",
	} {
		_, err := d.ask(in(command.Command{Payloads: submit("owner", owner)}))
		require.Equal(t, want, refused(t, err), owner)
	}
	_, err = d.ask(in(command.Command{Payloads: submit("owner", "paris@capulet.example")}))
	_, told := stanza.AsError(err)
	require.False(t, told, "what went wrong inside is nobody's business")
	require.Equal(t, command.Completed, d.must(in(command.Command{Payloads: submit("owner", "romeo@montague.example")})).Status)
}

// §3.7: an error says which command it is about, as it was asked for, and nothing of what was filled in.
func TestXEP0050_3_7_ErrorsRepeatTheRequest(t *testing.T) {
	gone := &stanza.Error{Condition: stanza.Gone}
	asked := command.Offer{Node: "a&b", Allow: anybody, Run: func(context.Context, *command.Request) (command.Stage, error) {
		return command.Stage{Complete: func(context.Context, *command.Request) (command.Stage, error) { return command.Stage{}, gone }}, nil
	}}
	d := newDesk(t, nil, config(only(juliet)), asked)
	id := d.must(command.Command{Node: "a&b"}).SessionID
	attrs := " xmlns='" + command.NS + "'"
	for _, tt := range []struct{ name, in, want string }{
		{"no such command", "<command" + attrs + " node='list' xml:lang='fr-ca'/>", "<command" + attrs + " xml:lang='fr-ca' node='list'/>"},
		{"a payload", "<command" + attrs + " node='config' sessionid='1'><x xmlns='jabber:x:data' type='submit'><field var='secret'><value>s3cret</value></field></x></command>",
			"<command" + attrs + " node='config' sessionid='1'/>"},
		{"an action that is none", "<command" + attrs + " node='config' action='le&lt;ap'/>", "<command" + attrs + " node='config' action='le&lt;ap'/>"},
		{"an error of the handler", "<command" + attrs + " node='a&amp;b' action='execute' sessionid='" + id + "'/>", "<command" + attrs + " node='a&amp;b' sessionid='" + id + "' action='execute'/>"},
	} {
		_, err := d.askRaw(stanza.NewElement([]byte(tt.in)))
		e, ok := stanza.AsError(err)
		require.True(t, ok, "%s: %v", tt.name, err)
		require.NotNil(t, e.Request, tt.name)
		got, err := stanza.ElementOf(e.Request)
		require.NoError(t, err, tt.name)
		require.Equal(t, tt.want, got.String(), tt.name)
	}
	require.Nil(t, gone.Request, "an error is the handler's")
	_, err := d.askRaw(stanza.NewElement([]byte("<command" + attrs + "/>")))
	e, ok := stanza.AsError(err)
	require.True(t, ok)
	require.Nil(t, e.Request, "a command without a node is none")
}

// §3.3: what has ended does not go on, and nobody goes on with what is somebody else's.
func TestSec_SessionsOfOthers(t *testing.T) {
	d := newDesk(t, nil, config(anybody), func() command.Offer {
		other := config(anybody)
		other.Node = "other"
		return other
	}())
	id := d.must(command.Command{Node: "config"}).SessionID
	for name, o := range map[string]*desk{
		"somebody else":   d.as(romeo),
		"another session": d.as(jid.MustParse("juliet@capulet.example/chamber")),
		"no session":      d.as(juliet.Bare()),
		"another address": {t, d.mux, juliet, jid.MustParse("other.example")},
	} {
		for _, action := range []command.Action{command.Next, command.Cancel} {
			_, err := o.ask(command.Command{Node: "config", SessionID: id, Action: action, Payloads: submit("service", "httpd")})
			require.Equal(t, "modify bad-request bad-sessionid", refused(t, err), name)
		}
	}
	_, err := d.ask(command.Command{Node: "other", SessionID: id, Payloads: submit("service", "httpd")})
	require.Equal(t, "modify bad-request bad-sessionid", refused(t, err))

	d.must(command.Command{Node: "config", SessionID: id, Payloads: submit("service", "httpd")})
	d.must(command.Command{Node: "config", SessionID: id, Payloads: submit()})
	for range 2 { // a replay
		_, err = d.ask(command.Command{Node: "config", SessionID: id, Payloads: submit()})
		require.Equal(t, "cancel not-allowed session-expired", refused(t, err))
	}
}

// Who may no longer use a command does not go on with it either.
func TestSec_NoLongerAllowed(t *testing.T) {
	allowed := true
	d := newDesk(t, nil, config(func(context.Context, jid.JID) bool { return allowed }))
	id := d.must(command.Command{Node: "config"}).SessionID
	allowed = false
	_, err := d.ask(command.Command{Node: "config", SessionID: id, Payloads: submit("service", "httpd")})
	require.Equal(t, "auth forbidden", refused(t, err))
}

// What waits is bounded: in time, for each account and for all together.
func TestSec_SessionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, &command.Options{Sessions: 5, PerRequester: 2, Lifetime: time.Minute}, config(anybody))
		begin := func(d *desk) (string, error) {
			c, err := d.ask(command.Command{Node: "config"})
			time.Sleep(time.Second)
			return c.SessionID, err
		}
		goOn := func(d *desk, id string) string {
			_, err := d.ask(command.Command{Node: "config", SessionID: id, Payloads: submit("service", "httpd")})
			if err == nil {
				return "ok"
			}
			return refused(t, err)
		}
		const expired = "cancel not-allowed session-expired"
		first, err := begin(d)
		require.NoError(t, err)
		second, err := begin(d.as(juliet))
		require.NoError(t, err)
		require.Equal(t, "ok", goOn(d, first), "so that the second has waited longest")
		third, err := begin(d.as(jid.MustParse("juliet@capulet.example/balcony")))
		require.NoError(t, err)
		require.Equal(t, expired, goOn(d, second))
		require.Equal(t, "ok", goOn(d, third))

		for _, name := range []string{"a@x.example/1", "b@x.example/1", "c@x.example/1"} {
			_, err := begin(d.as(jid.MustParse(name)))
			require.NoError(t, err)
		}
		_, err = begin(d.as(romeo))
		require.Equal(t, "wait resource-constraint", refused(t, err))
		_, err = begin(d)
		require.NoError(t, err, "one's own may always be replaced")
		time.Sleep(time.Minute)
		require.Equal(t, expired, goOn(d, third))
		_, err = begin(d.as(romeo))
		require.NoError(t, err, "what has expired takes no room")
	})
}

// One step after another, also for those who do not wait for the answers.
func TestStepsAtTheSameTime(t *testing.T) {
	entered, leave := make(chan bool), make(chan bool)
	slow := func(context.Context, *command.Request) (command.Stage, error) {
		entered <- true
		<-leave
		return command.Done(""), nil
	}
	d := newDesk(t, &command.Options{PerRequester: 1}, command.Offer{Node: "slow", Allow: anybody, Run: func(context.Context, *command.Request) (command.Stage, error) {
		return command.Stage{Complete: slow}, nil
	}})
	id := d.must(command.Command{Node: "slow"}).SessionID
	var wg sync.WaitGroup
	wg.Go(func() {
		c, err := d.ask(command.Command{Node: "slow", SessionID: id})
		if err != nil || c.Status != command.Completed {
			t.Errorf("%v, %v", c, err)
		}
	})
	<-entered
	_, err := d.ask(command.Command{Node: "slow", SessionID: id})
	require.Equal(t, "wait unexpected-request", refused(t, err))
	_, err = d.ask(command.Command{Node: "slow"})
	require.Equal(t, "wait resource-constraint", refused(t, err), "what runs is not ended for another one")
	leave <- true
	wg.Wait()
	d.must(command.Command{Node: "slow"})
}

// A command that panics can be tried again, and a long one does not grow.
func TestOddCommands(t *testing.T) {
	n := 0
	var loop command.Handler
	loop = func(_ context.Context, r *command.Request) (command.Stage, error) {
		if n++; n == 3 {
			panic("three")
		}
		return command.Stage{Notes: []command.Note{{Text: fmt.Sprint(n)}}, Next: loop}, nil
	}
	d := newDesk(t, nil, command.Offer{Node: "loop", Allow: anybody, Run: loop})
	id := d.must(command.Command{Node: "loop"}).SessionID
	next := command.Command{Node: "loop", SessionID: id, Action: command.Next}
	d.must(next)
	require.Panics(t, func() { _, _ = d.ask(next) })
	for range 200 {
		d.must(next)
	}
	back := 0
	for {
		if _, err := d.ask(command.Command{Node: "loop", SessionID: id, Action: command.Prev}); err != nil {
			break
		}
		back++
	}
	require.Equal(t, 31, back)
}

// §2.1, §2.2: the feature, the list and each command, to those who may use them.
func TestXEP0050_2_2_Discovery(t *testing.T) {
	d := newDesk(t, nil, config(only(juliet)), command.Offer{Node: "list", Name: "List Services", Allow: anybody, Run: func(context.Context, *command.Request) (command.Stage, error) {
		return command.Done("none"), nil
	}})
	ask := func(from jid.JID, question stanza.Payload, answer stanza.Decoder) error {
		e, err := stanza.ElementOf(question)
		require.NoError(t, err)
		p, err := d.mux.AnswerIQ(t.Context(), &stanza.IQ{Type: stanza.IQGet, From: from, To: service, ID: "1", Payload: &e})
		if err != nil {
			return err
		}
		e, err = stanza.ElementOf(p)
		require.NoError(t, err)
		return e.Decode(answer)
	}
	require.True(t, d.mux.Info().Has(command.NS))
	var info disco.Info
	var items disco.Items
	require.NoError(t, ask(juliet, disco.Items{Node: command.NS}, &items))
	require.Equal(t, []disco.Item{{JID: service, Node: "config", Name: "Configure Service"}, {JID: service, Node: "list", Name: "List Services"}}, items.Items)
	require.NoError(t, ask(romeo, disco.Items{Node: command.NS}, &items))
	require.Equal(t, []disco.Item{{JID: service, Node: "list", Name: "List Services"}}, items.Items)
	require.NoError(t, ask(juliet, disco.Items{}, &items))
	require.Empty(t, items.Items)

	require.NoError(t, ask(juliet, disco.Info{Node: command.NS}, &info))
	require.True(t, info.Is("automation", "command-list"))
	require.NoError(t, ask(juliet, disco.Info{Node: "config"}, &info))
	require.Equal(t, []disco.Identity{{Category: "automation", Type: "command-node", Name: "Configure Service", Lang: "en"}}, info.Identities)
	require.True(t, info.Has(command.NS) && info.Has(form.NS))
	require.NoError(t, ask(juliet, disco.Items{Node: "config"}, &items))
	require.ErrorIs(t, ask(romeo, disco.Info{Node: "config"}, &info), stanza.Forbidden)
	require.ErrorIs(t, ask(romeo, disco.Items{Node: "config"}, &items), stanza.Forbidden)
	require.ErrorIs(t, ask(juliet, disco.Info{Node: "stop"}, &info), stanza.ItemNotFound)
}

// §3.7: a requester speaks one language in an execution.
func TestXEP0050_3_7_Language(t *testing.T) {
	var langs []string
	step := func(_ context.Context, r *command.Request) (command.Stage, error) {
		langs = append(langs, r.Lang)
		return command.Done(""), nil
	}
	d := newDesk(t, nil, command.Offer{Node: "n", Allow: anybody, Run: func(ctx context.Context, r *command.Request) (command.Stage, error) {
		_, err := step(ctx, r)
		return command.Stage{Complete: step}, err
	}})
	id := d.must(command.Command{Node: "n", Lang: "fr-ca"}).SessionID
	d.must(command.Command{Node: "n", Lang: "de", SessionID: id})
	require.Equal(t, []string{"fr-ca", "fr-ca"}, langs)
}

func TestOfferTwice(t *testing.T) {
	r := command.NewResponder(nil)
	r.Add(config(nil))
	require.Panics(t, func() { r.Add(config(nil)) })
	require.Panics(t, func() { r.Add(command.Offer{Node: "x"}) })
	require.Panics(t, func() { r.Add(command.Offer{Run: config(nil).Run}) })
}
