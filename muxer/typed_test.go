package muxer_test

import (
	"context"
	"encoding/xml"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// Type parameters are inferred from the handler, as DESIGN has it.
func TestTypedIQ(t *testing.T) {
	mux := muxer.New()
	muxer.IQ(mux, stanza.IQGet, func(_ context.Context, iq *stanza.IQ, r *roll) (roll, error) {
		if iq.ID != "1" {
			t.Errorf("id %q", iq.ID)
		}
		return roll{r.Sides * 2}, nil
	})
	muxer.IQ(mux, stanza.IQSet, func(_ context.Context, _ *stanza.IQ, r *roll) (*roll, error) {
		if r.Sides == 1 {
			return nil, stanza.Conflict
		}
		return nil, nil
	})
	for _, tt := range []struct {
		name, in, want string
		err            error
	}{
		{name: "value", in: `<iq type='get' id='1'><roll xmlns='urn:example:dice' sides='3'/></iq>`, want: `<roll xmlns='urn:example:dice' sides='6'/>`},
		{name: "nil pointer", in: `<iq type='set' id='1'><roll xmlns='urn:example:dice' sides='3'/></iq>`},
		{name: "error", in: `<iq type='set' id='1'><roll xmlns='urn:example:dice' sides='1'/></iq>`, err: stanza.Conflict},
		{name: "does not decode", in: `<iq type='get' id='1'><roll xmlns='urn:example:dice' sides='x'/></iq>`, err: stanza.BadRequest},
		{name: "the decoder's own condition", in: `<iq type='get' id='1'><roll xmlns='urn:example:dice' sides='101'/></iq>`, err: stanza.NotAcceptable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := handle(t, mux, tt.in); got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}

	// The reason is there for the log, and not in what is sent.
	_, err := handle(t, mux, `<iq type='get' id='1'><roll xmlns='urn:example:dice' sides='x'/></iq>`)
	require.ErrorIs(t, err, errSides)
	answer, ok := stanza.AsError(err)
	if !ok || answer.Condition != stanza.BadRequest || answer.Text != "" {
		t.Errorf("answer %+v; want bad-request without a text", answer)
	}
}

// A payload type of the interface kind, for answers that vary.
func TestTypedIQOfAnyAnswer(t *testing.T) {
	mux := muxer.New()
	muxer.IQ(mux, stanza.IQGet, func(_ context.Context, _ *stanza.IQ, r *roll) (stanza.Payload, error) {
		if r.Sides == 0 {
			return nil, nil
		}
		return note("n"), nil
	})
	for in, want := range map[string]string{"0": "", "1": noted("n")} {
		got, err := handle(t, mux, `<iq type='get' id='1'><roll xmlns='urn:example:dice' sides='`+in+`'/></iq>`)
		if got != want || err != nil {
			t.Errorf("%s: got %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestTypedMessageAndPresence(t *testing.T) {
	mux := muxer.New()
	var got []string
	mux.Message(muxer.AnyMessage, func(context.Context, *stanza.Message) error {
		got = append(got, "message")
		return nil
	})
	muxer.Message(mux, stanza.MessageChat, func(_ context.Context, m *stanza.Message, r *roll) error {
		got = append(got, m.Body.String()+string(rune('0'+r.Sides)))
		return nil
	})
	muxer.Presence(mux, stanza.PresenceAvailable, func(_ context.Context, p *stanza.Presence, r *roll) error {
		got = append(got, string(p.Show)+string(rune('0'+r.Sides)))
		return nil
	})
	for _, tt := range []struct {
		in   string
		want []string
		err  error
	}{
		{in: `<message type='chat'><body>b</body><roll xmlns='urn:example:dice' sides='3'/><roll xmlns='urn:example:dice' sides='4'/></message>`, want: []string{"message", "b3"}},
		{in: `<message type='chat'><body>b</body></message>`, want: []string{"message"}},
		{in: `<message><roll xmlns='urn:example:dice' sides='3'/></message>`, want: []string{"message"}},
		{in: `<message type='chat'><roll xmlns='urn:example:dice' sides='x'/></message>`, want: []string{"message"}, err: errSides},
		{in: `<presence><show>dnd</show><roll xmlns='urn:example:dice' sides='5'/></presence>`, want: []string{"dnd5"}},
		{in: `<presence><roll xmlns='urn:example:dice'/></presence>`, err: errSides},
		{in: `<presence type='unavailable'><roll xmlns='urn:example:dice' sides='5'/></presence>`},
	} {
		got = nil
		answer, err := handle(t, mux, tt.in)
		if !slices.Equal(got, tt.want) || !errors.Is(err, tt.err) || answer != "" {
			t.Errorf("%s\n got %q, %v; want %q, %v", tt.in, got, err, tt.want, tt.err)
		}
	}
}

type nameless struct{}

func (*nameless) PayloadName() xml.Name         { return xml.Name{} }
func (*nameless) ParseXML(stanza.Element) error { return nil }

func TestTypedWithoutAName(t *testing.T) {
	require.PanicsWithValue(t, "muxer: muxer_test.nameless has no payload name", func() {
		muxer.Message(muxer.New(), stanza.MessageChat, func(context.Context, *stanza.Message, *nameless) error { return nil })
	})
}
