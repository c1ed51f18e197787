package muxer_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// The most specific route wins, whatever the order of registration.
func TestIQSpecificity(t *testing.T) {
	patterns := []struct {
		t            stanza.IQType
		space, local string
	}{ // from the least to the most specific
		{muxer.AnyIQ, muxer.Any, muxer.Any},
		{stanza.IQGet, muxer.Any, muxer.Any},
		{muxer.AnyIQ, muxer.Any, "roll"},
		{stanza.IQGet, muxer.Any, "roll"},
		{muxer.AnyIQ, nsDice, muxer.Any},
		{stanza.IQGet, nsDice, muxer.Any},
		{muxer.AnyIQ, nsDice, "roll"},
		{stanza.IQGet, nsDice, "roll"},
	}
	for n := range patterns {
		forwards, backwards := muxer.New(), muxer.New()
		for i := range n + 1 {
			for mux, p := range map[*muxer.Mux]int{forwards: i, backwards: n - i} {
				mux.IQ(patterns[p].t, patterns[p].space, patterns[p].local, text(string(rune('0'+p))))
			}
		}
		for _, mux := range []*muxer.Mux{forwards, backwards} {
			got, err := handle(t, mux, `<iq type='get' id='1'><roll xmlns='urn:example:dice'/></iq>`)
			if want := noted(string(rune('0' + n))); got != want || err != nil {
				t.Errorf("with the first %d patterns: %s, %v; want %s", n+1, got, err, want)
			}
		}
	}
}

// TestC8_4_Unhandled: RFC 6120 §8.4 and §8.3.3.3.
func TestC8_4_Unhandled(t *testing.T) {
	mux := muxer.New()
	mux.IQ(stanza.IQGet, nsDice, "roll", text("rolled"))
	for _, tt := range []struct {
		name, in, want string
		err            error
	}{
		{name: "handled", in: `<iq type='get' id='1'><roll xmlns='urn:example:dice'/></iq>`, want: noted("rolled")},
		{name: "unknown namespace", in: `<iq type='get' id='1'><roll xmlns='urn:example:cards'/></iq>`, err: stanza.ServiceUnavailable},
		{name: "unknown name", in: `<iq type='get' id='1'><cheat xmlns='urn:example:dice'/></iq>`, err: stanza.FeatureNotImplemented},
		{name: "unknown type", in: `<iq type='set' id='1'><roll xmlns='urn:example:dice'/></iq>`, err: stanza.FeatureNotImplemented},
		{name: "the name of the wildcard as a namespace", in: `<iq type='set' id='1'><roll xmlns='*'/></iq>`, err: stanza.ServiceUnavailable},
		{name: "a result nobody asked for", in: `<iq type='result' id='1'><roll xmlns='urn:example:dice'/></iq>`},
		{name: "an error nobody asked for", in: `<iq type='error' id='1'/>`},
		{name: "an empty error", in: `<iq type='error'/>`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := handle(t, mux, tt.in); got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// TestC8_2_3_BrokenRequest: what breaks RFC 6120 §8.2.3 is answered with
// bad-request and reaches no handler.
func TestC8_2_3_BrokenRequest(t *testing.T) {
	mux := muxer.New()
	mux.IQ(muxer.AnyIQ, muxer.Any, muxer.Any, func(context.Context, *stanza.IQ) (stanza.Payload, error) {
		t.Error("a broken request reached a handler")
		return nil, nil
	})
	for _, in := range []string{
		`<iq type='get' id='1'/>`,
		`<iq type='set' id='1'><a xmlns='urn:x'/><b xmlns='urn:x'/></iq>`,
		`<iq type='get'><a xmlns='urn:x'/></iq>`,
		`<iq type='ask' id='1'><a xmlns='urn:x'/></iq>`,
		`<iq id='1'><a xmlns='urn:x'/></iq>`,
	} {
		if got, err := handle(t, mux, in); got != "" || !errors.Is(err, stanza.BadRequest) {
			t.Errorf("%s: got %q, %v; want bad-request", in, got, err)
		}
	}
}

func TestIQTwicePanics(t *testing.T) {
	mux := muxer.New()
	mux.IQ(stanza.IQGet, nsDice, "roll", text("first"))
	mux.IQ(stanza.IQSet, nsDice, "roll", text("another type is another pattern"))
	require.PanicsWithValue(t, "muxer: IQ get {urn:example:dice}roll is registered twice", func() {
		mux.IQ(stanza.IQGet, nsDice, "roll", text("second"))
	})
	got, err := handle(t, mux, `<iq type='get' id='1'><roll xmlns='urn:example:dice'/></iq>`)
	if got != noted("first") || err != nil {
		t.Errorf("after the panic: %s, %v", got, err)
	}
}

func TestSlipsPanic(t *testing.T) {
	mux := muxer.New()
	for name, slip := range map[string]func(){
		"IQ result":          func() { mux.IQ(stanza.IQResult, nsDice, "roll", text("")) },
		"IQ without name":    func() { mux.IQ(stanza.IQGet, nsDice, "", text("")) },
		"IQ without handler": func() { mux.IQ(stanza.IQGet, nsDice, "x", nil) },
		"message":            func() { mux.Message(stanza.MessageChat, nil) },
		"message payload": func() {
			mux.MessagePayload(stanza.MessageChat, nsDice, "", func(context.Context, *stanza.Message) error { return nil })
		},
		"presence":       func() { mux.Presence(stanza.PresenceAvailable, nil) },
		"layer":          func() { mux.Use(func(xmppHandler) xmppHandler { return nil }) },
		"outgoing layer": func() { mux.UseOutgoing(nil) },
		"feature":        func() { mux.Feature("a", "") },
		"identity":       func() { mux.Identity("client", "", "Bot") },
		"node":           func() { mux.Node("", mux.Info()) },
		"nodes":          func() { mux.Nodes(nil) },
		"items":          func() { mux.Items(nil) },
		"form":           func() { mux.Form(stanza.Element{}) },
	} {
		t.Run(name, func(t *testing.T) { require.Panics(t, slip) })
	}
}

// What a handler returns is what the session gets: payload, nothing in any
// guise, or the error untouched.
func TestIQAnswer(t *testing.T) {
	secret := errors.New("the disk is full")
	for _, tt := range []struct {
		name    string
		payload stanza.Payload
		err     error
		want    string
	}{
		{name: "payload", payload: note("a"), want: noted("a")},
		{name: "pointer", payload: &roll{Sides: 6}, want: `<roll xmlns='urn:example:dice' sides='6'/>`},
		{name: "nil"},
		{name: "nil pointer", payload: (*roll)(nil)},
		{name: "zero element", payload: stanza.Element{}},
		{name: "zero value is a value", payload: roll{}, want: `<roll xmlns='urn:example:dice' sides='0'/>`},
		{name: "condition", err: stanza.Forbidden},
		{name: "any error", err: secret},
		{name: "payload and error", payload: note("a"), err: secret},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mux := muxer.New()
			mux.IQ(stanza.IQSet, nsDice, "roll", func(context.Context, *stanza.IQ) (stanza.Payload, error) { return tt.payload, tt.err })
			got, err := handle(t, mux, `<iq type='set' id='1'><roll xmlns='urn:example:dice'/></iq>`)
			if got != tt.want || err != tt.err {
				t.Errorf("got %q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}
