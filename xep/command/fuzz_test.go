package command_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

const fuzzNS = " xmlns='http://jabber.org/protocol/commands'"

// FuzzResponder: whatever somebody asks, at whatever stage, the answer can be written, and nobody who may not gets another one than forbidden.
// A session id of SID is that of the execution.
func FuzzResponder(f *testing.F) {
	f.Add("<command"+fuzzNS+" node='config' sessionid='SID' action='next'><x xmlns='jabber:x:data' type='submit'><field var='service'><value>httpd</value></field></x></command>",
		"<command"+fuzzNS+" node='config' sessionid='SID' action='complete'><x xmlns='jabber:x:data' type='cancel'/></command>")
	f.Add("<command"+fuzzNS+" node='config' sessionid='SID' action='prev'/>", "<command"+fuzzNS+" node='config' sessionid='SID' action='cancel'/>")
	f.Fuzz(func(t *testing.T, first, second string) {
		d := newDesk(t, nil, config(only(juliet)))
		id := d.must(command.Command{Node: "config"}).SessionID
		for _, in := range []string{first, second} {
			e, err := stanza.ParseElement([]byte(in))
			if err != nil {
				continue
			}
			var c command.Command
			if e.Decode(&c) == nil && c.SessionID == "SID" {
				c.SessionID = id
				if again, err := stanza.ElementOf(c); err == nil {
					e = again
				}
			}
			for _, who := range []jid.JID{romeo, juliet} {
				_, err := d.as(who).askRaw(e)
				refusal, decided := stanza.AsError(err)
				if err == nil || !decided {
					require.Equal(t, juliet, who)
					continue
				}
				_, err = stanza.ElementOf(refusal)
				require.NoError(t, err)
				if refusal.Request != nil {
					_, err = stanza.ElementOf(refusal.Request)
					require.NoError(t, err)
				}
				if who == romeo && c.Node == "config" {
					require.Equal(t, stanza.Forbidden, refusal.Condition)
				}
			}
		}
	})
}

// answering is a session whose queries all get one answer.
type answering struct {
	xmpp.Session
	answer stanza.Element
}

func (s answering) Query(_ context.Context, iq stanza.IQ) (stanza.IQ, error) {
	return iq.Result(s.answer), nil
}

func (s answering) LocalAddr() jid.JID { return juliet }

// FuzzExecution: whatever an entity answers, an execution is executing, completed or canceled, or there is an error.
func FuzzExecution(f *testing.F) {
	f.Add("<command"+fuzzNS+" node='config' sessionid='1' status='executing'><actions execute='complete'><complete/></actions><x xmlns='jabber:x:data' type='form'><field var='a' type='hidden'/></x></command>", "a")
	f.Add("<command"+fuzzNS+" node='config' status='completed'><note type='error'>no</note></command>", "")
	f.Fuzz(func(t *testing.T, in, value string) {
		e, err := stanza.ParseElement([]byte(in))
		if err != nil {
			return
		}
		s := answering{answer: e}
		x, err := command.Start(t.Context(), s, service, "config")
		if err != nil {
			return
		}
		for _, step := range []func() error{
			func() error { return x.Next(t.Context(), form.Field{Var: "a", Values: []string{value}}) },
			func() error { return x.Prev(t.Context()) },
			func() error { return x.Complete(t.Context(), form.Field{Var: "a", Values: []string{value}}) },
			func() error { return x.Cancel(t.Context()) },
		} {
			_ = step()
			_ = x.Err()
			require.Contains(t, []command.Status{command.Executing, command.Completed, command.Canceled}, x.Status)
		}
		_, _ = command.List(t.Context(), s, service)
		_, _ = command.Describe(t.Context(), s, service, "config")
	})
}
