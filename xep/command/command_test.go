package command_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/form"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

func parse(t testing.TB, s string) (c command.Command, err error) {
	t.Helper()
	e, err := stanza.ParseElement([]byte(s))
	require.NoError(t, err)
	return c, e.Decode(&c)
}

// written is a command with its payloads as they are written.
func written(t testing.TB, c command.Command) command.Command {
	t.Helper()
	for i, p := range c.Payloads {
		e, err := stanza.ElementOf(p)
		require.NoError(t, err)
		c.Payloads[i] = stanza.NewElement([]byte(e.String()))
	}
	return c
}

// What §2.4 shows is read, and written again.
func TestXEP0050_4_Commands(t *testing.T) {
	const open = "<command xmlns='http://jabber.org/protocol/commands'"
	submit := form.Form{Type: form.TypeSubmit, Fields: []form.Field{{Var: "service", Values: []string{"httpd"}}}}
	for _, tt := range []struct {
		name, in string
		want     command.Command
		again    string // empty means as in
	}{
		{name: "begin", in: open + " node='list' action='execute'/>", want: command.Command{Node: "list", Action: command.Execute}},
		{name: "begin in French", in: open + " xml:lang='fr-ca' node='list'/>", want: command.Command{Node: "list", Lang: "fr-ca"}},
		{name: "go on", in: open + " node='config' sessionid='config:1'><x xmlns='jabber:x:data' type='submit'><field var='service'><value>httpd</value></field></x></command>",
			want: command.Command{Node: "config", SessionID: "config:1", Payloads: stanza.Payloads{submit}}},
		{name: "the first stage", in: open + " node='config' sessionid='config:1' status='executing'><actions execute='next'><next/></actions></command>",
			want: command.Command{Node: "config", SessionID: "config:1", Status: command.Executing, Actions: &command.Actions{Next: true, Execute: command.Next}}},
		{name: "the second", in: open + " node='config' sessionid='config:1' status='executing'><actions execute='complete'><prev/><complete/></actions></command>",
			want: command.Command{Node: "config", SessionID: "config:1", Status: command.Executing, Actions: &command.Actions{Prev: true, Complete: true, Execute: command.Complete}}},
		{name: "the end", in: open + " node='config' sessionid='config:1' status='completed'><note type='info'>Service 'httpd' has been configured.</note></command>",
			want:  command.Command{Node: "config", SessionID: "config:1", Status: command.Completed, Notes: []command.Note{{Type: command.Info, Text: "Service 'httpd' has been configured."}}},
			again: open + " node='config' sessionid='config:1' status='completed'><note type='info'>Service 'httpd' has been configured.</note></command>"},
		{name: "given up", in: open + " node='config' sessionid='config:1' status='canceled'/>", want: command.Command{Node: "config", SessionID: "config:1", Status: command.Canceled}},
		{name: "nobody's status and note", in: open + " node='a' status='paused'><note type='fatal'>x</note><z/></command>", want: command.Command{Node: "a", Notes: []command.Note{{Text: "x"}}},
			again: open + " node='a'><note>x</note></command>"},
		{name: "actions that do not go together (§3.4)", in: open + " node='a'><actions><complete/></actions></command>", want: command.Command{Node: "a", Actions: &command.Actions{Complete: true}}, again: "-"},
		{name: "no actions at all", in: open + " node='a'><actions execute='next'/></command>", want: command.Command{Node: "a"}, again: open + " node='a'/>"},
		{name: "next goes without saying", in: open + " node='a'><actions execute='leap'><next/></actions></command>", want: command.Command{Node: "a", Actions: &command.Actions{Next: true}},
			again: open + " node='a'><actions><next/></actions></command>"},
		{name: "an action of nobody", in: open + " node='a' action='leap'/>", want: command.Command{Node: "a", Action: "leap"}, again: "-"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse(t, tt.in)
			require.NoError(t, err)
			require.Equal(t, written(t, tt.want), written(t, got))
			out, err := got.AppendXML(nil)
			switch tt.again {
			case "-":
				require.Error(t, err)
				return
			case "":
				tt.again = tt.in
			}
			require.NoError(t, err)
			require.Equal(t, tt.again, string(out))
		})
	}
	_, err := parse(t, open+"/>")
	require.Error(t, err)
}

// What the XEP forbids is not written.
func TestXEP0050_4_Forbidden(t *testing.T) {
	for name, c := range map[string]command.Command{
		"no node":                     {},
		"no such action":              {Node: "a", Action: "leap"},
		"no such status":              {Node: "a", Status: "paused"},
		"no such note":                {Node: "a", Notes: []command.Note{{Type: "fatal"}}},
		"execute means nothing":       {Node: "a", Actions: &command.Actions{Complete: true}},
		"execute means what is none":  {Node: "a", Actions: &command.Actions{Next: true, Execute: command.Cancel}},
		"a payload that is no good":   {Node: "a", Payloads: stanza.Payloads{form.Form{}}},
		"a text that cannot be there": {Node: "a", Notes: []command.Note{{Text: "\x00"}}},
	} {
		out, err := c.AppendXML([]byte("before"))
		require.Error(t, err, name)
		require.Equal(t, "before", string(out), name)
	}
}

// FuzzCommand: what is read as a command, and breaks no rule, writes itself and reads back as the same.
func FuzzCommand(f *testing.F) {
	f.Add("<command xmlns='http://jabber.org/protocol/commands' node='n' sessionid='s' status='executing' xml:lang='en'><actions execute='next'><prev/><next/></actions>" +
		"<x xmlns='jabber:x:data' type='form'><field var='a'/></x><note type='warn'>&lt;</note></command>")
	f.Add("<command xmlns='http://jabber.org/protocol/commands' node='n' action='cancel'><actions><next/></actions><y xmlns='urn:y'/><note/></command>")
	f.Add("<p:command xmlns:p='http://jabber.org/protocol/commands' node='&#13;'><p:note>]]&gt;</p:note></p:command>")
	f.Fuzz(func(t *testing.T, in string) {
		if read, again := xmpptest.RoundTrip[command.Command](t, in); again != nil {
			require.Equal(t, written(t, *read), written(t, *again))
		}
	})
}

func TestCondition_RoundTrip(t *testing.T) {
	for _, c := range []command.Condition{command.MalformedAction, command.BadAction, command.BadLocale, command.BadPayload, command.BadSessionID, command.SessionExpired} {
		e, err := stanza.ElementOf(&stanza.Error{Condition: stanza.BadRequest, App: c})
		require.NoError(t, err)
		require.False(t, e.Child(command.NS, string(c)).IsZero())
	}
	_, err := command.Condition("<").AppendXML(nil)
	require.Error(t, err)
}
