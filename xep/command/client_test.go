package command_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xep/form"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// The calls of a client, as an entity sees them.
func TestXEP0050_2_4_Transcripts(t *testing.T) {
	bot := jid.MustParse("responder@domain.example/bot")
	field := func(name string, values ...string) form.Field { return form.Field{Var: name, Values: values} }
	xmpptest.Play(t, "testdata/*.xmpp", func(ctx context.Context, s xmpp.Session) error {
		all, err := command.List(ctx, s, bot)
		if err != nil || len(all) != 2 || all[0].Node != "config" || all[1].Node != "list" {
			return fmt.Errorf("%v, %w", all, err)
		}
		if _, err = command.Describe(ctx, s, bot, "config"); err != nil {
			return err
		}
		if _, err = command.Describe(ctx, s, bot, "reset"); !errors.Is(err, stanza.Forbidden) {
			return fmt.Errorf("want forbidden, got %w", err)
		}
		e, err := command.Start(ctx, s, bot, "config")
		if err != nil {
			return err
		}
		if err := e.Complete(ctx); !errors.Is(err, command.BadAction) {
			return fmt.Errorf("what is not possible was sent: %w", err)
		}
		if err := e.Next(ctx, field("service", "httpd")); err != nil || !e.Actions.Has(command.Prev) || len(e.Form.Fields) != 2 {
			return fmt.Errorf("%+v, %w", e, err)
		}
		if err := e.Prev(ctx); !errors.Is(err, command.BadAction) || !errors.Is(err, stanza.BadRequest) || e.Status != command.Executing {
			return fmt.Errorf("want bad-action, got %w", err)
		}
		if err := e.Complete(ctx, field("state", "on")); err != nil || e.Status != command.Completed || e.Notes[0].Text != "Service 'httpd' has been configured." {
			return fmt.Errorf("%+v, %w", e, err)
		}
		if err := e.Cancel(ctx); !errors.Is(err, command.ErrEnded) {
			return fmt.Errorf("want that it has ended, got %w", err)
		}
		_, err = command.Run(ctx, s, bot, "start", field("service", "httpd"))
		if !errors.Is(err, command.SessionExpired) || err.Error() != "command: start of responder@domain.example/bot: not-allowed (session-expired)" {
			return fmt.Errorf("want session-expired, got %w", err)
		}
		return nil
	})
}

// Both halves together, as a bot and somebody who writes to it.
func TestBothHalves(t *testing.T) {
	r := command.NewResponder(nil)
	r.Add(config(only(juliet)),
		command.Offer{Node: "fails", Allow: anybody, Run: func(context.Context, *command.Request) (command.Stage, error) {
			return command.Stage{Notes: []command.Note{{Type: command.Error, Text: "a plague o' both your houses"}}}, nil
		}},
		command.Offer{Node: "shows", Allow: anybody, Run: func(context.Context, *command.Request) (command.Stage, error) {
			s := command.Result(form.New(form.TypeResult, "urn:x", form.Field{Var: "a", Values: []string{"1"}}))
			s.Payloads = stanza.Payloads{stanza.NewElement([]byte("<y xmlns='urn:y'/>"))}
			return s, nil
		}})
	mux := muxer.New()
	r.Register(mux)
	s, _ := xmpptest.Pipe(t, xmpptest.End{Addr: juliet}, xmpptest.End{Addr: service, Handler: mux})
	all, err := command.List(t.Context(), s, service)
	require.NoError(t, err)
	require.Len(t, all, 3)

	_, err = command.Run(t.Context(), s, service, "config", form.Field{Var: "service", Values: []string{"httpd"}})
	require.ErrorIs(t, err, command.BadAction, "it has more stages")
	e, err := command.Start(t.Context(), s, service, "config")
	require.NoError(t, err)
	err = e.Next(t.Context(), form.Field{Var: "service", Values: []string{"inetd"}})
	require.ErrorIs(t, err, command.BadPayload)
	require.ErrorContains(t, err, `"inetd" is no option`)
	require.NoError(t, e.Next(t.Context(), form.Field{Var: "service", Values: []string{"httpd"}}), "again")
	require.NoError(t, e.Prev(t.Context()))
	require.Equal(t, "httpd", e.Form.Value("service"))
	require.NoError(t, e.Cancel(t.Context()))
	require.Equal(t, command.Canceled, e.Status)

	_, err = command.Run(t.Context(), s, service, "fails")
	require.ErrorIs(t, err, command.ErrFailed)
	require.ErrorContains(t, err, "a plague")
	e, err = command.Run(t.Context(), s, service, "shows")
	require.NoError(t, err)
	require.Equal(t, "1", e.Form.Value("a"))
	_, found := e.Payloads.Element("urn:y", "y")
	require.True(t, found)
	_, err = command.Start(t.Context(), s, service, "hides")
	require.ErrorIs(t, err, stanza.ItemNotFound)
}

// An answer that makes no sense is an error.
func TestOddAnswers(t *testing.T) {
	open := "<command xmlns='" + command.NS + "' "
	for name, answer := range map[string]string{
		"another command":   open + "node='other' status='completed'/>",
		"no command":        "<x xmlns='urn:x'/>",
		"a form of no type": open + "node='n' sessionid='1' status='executing'><x xmlns='jabber:x:data'/></command>",
	} {
		mux := muxer.New()
		mux.IQ(stanza.IQSet, command.NS, "command", func(context.Context, *stanza.IQ) (stanza.Payload, error) {
			return stanza.NewElement([]byte(answer)), nil
		})
		s, _ := xmpptest.Pipe(t, xmpptest.End{Addr: juliet}, xmpptest.End{Addr: service, Handler: mux})
		_, err := command.Start(t.Context(), s, service, "n")
		require.Error(t, err, name)
	}
}

// §2.3, §5: commands that are announced, and only the sender's own.
func TestXEP0050_2_3_Announcement(t *testing.T) {
	type told struct {
		from     jid.JID
		commands []disco.Item
	}
	got := make(chan told, 1)
	mux := muxer.New()
	command.Register(mux, func(_ context.Context, from jid.JID, commands []disco.Item) { got <- told{from, commands} })
	_, bot := xmpptest.Pipe(t, xmpptest.End{Addr: juliet, Handler: mux}, xmpptest.End{Addr: service})
	r := command.NewResponder(nil)
	r.Add(config(only(juliet)), command.Offer{Node: "other", Allow: only(romeo), Run: config(nil).Run})
	all := r.Announcement(t.Context(), service, juliet)
	all.Items = append(all.Items, disco.Item{JID: romeo.Bare(), Node: "forged"})
	for _, node := range []string{"music", command.NS} {
		all.Node = node
		_, err := bot.Send(t.Context(), stanza.Message{To: juliet, Subject: stanza.Plain("Service Controls"), Payloads: stanza.Payloads{all}})
		require.NoError(t, err)
	}
	require.Equal(t, told{service, []disco.Item{{JID: service, Node: "config", Name: "Configure Service"}}}, <-got)
}
