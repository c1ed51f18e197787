package muxer_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

func TestMessageRoutes(t *testing.T) {
	mux := muxer.New()
	var got []string
	seen := func(name string) func(context.Context, *stanza.Message) error {
		return func(context.Context, *stanza.Message) error {
			got = append(got, name)
			return nil
		}
	}
	mux.Message(muxer.AnyMessage, seen("any"))
	mux.Message(stanza.MessageNormal, seen("normal"))
	mux.Message("normal", seen("normal, spelled out"))
	mux.Message(stanza.MessageChat, seen("chat"))
	mux.Message(stanza.MessageError, seen("error"))
	mux.MessagePayload(muxer.AnyMessage, nsDice, "roll", seen("roll"))
	mux.MessagePayload(stanza.MessageChat, nsDice, muxer.Any, seen("chat with dice"))
	mux.MessagePayload(muxer.AnyMessage, muxer.Any, muxer.Any, seen("any child"))
	mux.MessagePayload(muxer.AnyMessage, muxer.Any, "body", seen("body"))
	mux.MessagePayload(stanza.MessageError, stanza.NS, "error", seen("error child"))

	for _, tt := range []struct{ in, want string }{
		{`<message/>`, "any|normal|normal, spelled out"},
		{`<message type='normal'/>`, "any|normal|normal, spelled out"},
		{`<message type='unheard-of'/>`, "any|normal|normal, spelled out"}, // RFC 6121 §5.2.2
		{`<message type='chat'><body>b</body></message>`, "any|chat|any child|body"},
		{`<message type='headline'/>`, "any"},
		{`<message type='groupchat'/>`, "any"},
		{`<message type='error'/>`, "error"},
		{`<message type='error'><body>b</body><error type='cancel'/></message>`, "error|error child"},
		// Once for each route, however many children fit it.
		{`<message type='chat'><roll xmlns='urn:example:dice'/><body>1</body><roll xmlns='urn:example:dice'/><hit xmlns='urn:example:dice'/></message>`,
			"any|chat|roll|chat with dice|any child|body"},
		{`<message><body xmlns='urn:other'>b</body></message>`, "any|normal|normal, spelled out|any child|body"},
	} {
		got = nil
		if answer, err := handle(t, mux, tt.in); answer != "" || err != nil || strings.Join(got, "|") != tt.want {
			t.Errorf("%s\n got %s, %q, %v\nwant %s", tt.in, strings.Join(got, "|"), answer, err, tt.want)
		}
	}
}

func TestPresenceRoutes(t *testing.T) {
	mux := muxer.New()
	var got []string
	seen := func(name string) func(context.Context, *stanza.Presence) error {
		return func(context.Context, *stanza.Presence) error {
			got = append(got, name)
			return nil
		}
	}
	mux.Presence(muxer.AnyPresence, seen("any"))
	mux.Presence(stanza.PresenceAvailable, seen("available"))
	mux.Presence(stanza.PresenceError, seen("error"))
	mux.PresencePayload(stanza.PresenceUnavailable, nsDice, "roll", seen("last roll"))
	for _, tt := range []struct{ in, want string }{
		{`<presence/>`, "any|available"},
		{`<presence type='subscribe'/>`, "any"},
		{`<presence type='error'/>`, "error"},
		{`<presence type='unavailable'><roll xmlns='urn:example:dice'/></presence>`, "any|last roll"},
	} {
		got = nil
		if answer, err := handle(t, mux, tt.in); answer != "" || err != nil || strings.Join(got, "|") != tt.want {
			t.Errorf("%s\n got %s, %q, %v\nwant %s", tt.in, strings.Join(got, "|"), answer, err, tt.want)
		}
	}
}

// What does not decode is reported, and only when somebody wanted it.
func TestBrokenPresence(t *testing.T) {
	mux := muxer.New()
	for _, in := range []string{`<presence type='available'/>`, `<presence><priority>1000</priority></presence>`} {
		if _, err := handle(t, mux, in); err != nil {
			t.Errorf("without a route, %s: %v", in, err)
		}
	}
	mux.Presence(muxer.AnyPresence, func(_ context.Context, p *stanza.Presence) error {
		t.Errorf("%+v reached a handler", p)
		return nil
	})
	for _, in := range []string{`<presence type='available'/>`, `<presence><priority>1000</priority></presence>`} {
		if _, err := handle(t, mux, in); !errors.Is(err, stanza.BadRequest) {
			t.Errorf("%s: %v; want bad-request", in, err)
		}
	}
}

func TestErrorsOfSeveralHandlers(t *testing.T) {
	first, third := errors.New("first"), errors.New("third")
	mux := muxer.New()
	calls := 0
	for _, err := range []error{first, nil, third} {
		mux.Message(stanza.MessageChat, func(context.Context, *stanza.Message) error {
			calls++
			return err
		})
	}
	_, err := handle(t, mux, `<message type='chat'/>`)
	if calls != 3 || !errors.Is(err, first) || !errors.Is(err, third) {
		t.Errorf("%d calls, %v; want 3 and both errors", calls, err)
	}
}

// What one handler does to its message does not show in another's.
func TestHandlersDoNotShareTheMessage(t *testing.T) {
	mux := muxer.New()
	var kept []*stanza.Message
	for _, mark := range []string{"a", "b"} {
		mux.Message(stanza.MessageChat, func(_ context.Context, m *stanza.Message) error {
			if m.ID != "id" || m.Body.String() != "hello" || len(m.Payloads) != 3 {
				t.Errorf("handler %s sees %+v", mark, m)
			}
			m.ID = mark
			m.Payloads = append(m.Payloads, note(mark))
			m.Body = append(m.Body, stanza.Translation{Lang: mark, Value: mark})
			m.Subject = append(m.Subject, stanza.Translation{Lang: mark, Value: mark})
			kept = append(kept, m)
			return nil
		})
	}
	_, err := handle(t, mux, `<message type='chat' id='id'><body>hello</body><body xml:lang='x'/><body xml:lang='y'/><subject/><subject xml:lang='x'/><subject xml:lang='y'/><x xmlns='urn:x'/><x xmlns='urn:x'/><x xmlns='urn:x'/></message>`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range kept {
		got = append(got, m.ID+m.Subject[3].Value+m.Body[3].Value+string(m.Payloads[3].(note)))
	}
	if want := []string{"aaaa", "bbbb"}; !slices.Equal(got, want) {
		t.Errorf("kept %q; want %q", got, want)
	}
}
