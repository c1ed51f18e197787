package muxer_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

type xmppHandler = xmpp.Handler

// record is a layer that notes when a stanza comes in and its answer goes out.
func record(log *[]string, name string) func(xmpp.Handler) xmpp.Handler {
	return func(next xmpp.Handler) xmpp.Handler {
		return xmpp.HandlerFunc(func(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
			*log = append(*log, name+" in")
			p, err := next.HandleStanza(ctx, st)
			*log = append(*log, name+" out")
			return p, err
		})
	}
}

func TestUse(t *testing.T) {
	mux := muxer.New()
	var log []string
	mux.Use(record(&log, "outer"))
	mux.Message(stanza.MessageChat, func(context.Context, *stanza.Message) error {
		log = append(log, "route")
		return nil
	})
	mux.Use(record(&log, "inner"))
	if _, err := handle(t, mux, `<message type='chat'/>`); err != nil {
		t.Fatal(err)
	}
	if want := []string{"outer in", "inner in", "route", "inner out", "outer out"}; !slices.Equal(log, want) {
		t.Errorf("order %q; want %q", log, want)
	}
}

// A layer sees everything, answers in place of the routes, and changes what they say.
func TestLayerDecides(t *testing.T) {
	mux := muxer.New()
	made := 0
	mux.Use(func(next xmpp.Handler) xmpp.Handler {
		made++
		return xmpp.HandlerFunc(func(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
			if h := st.Header(); h.Has("urn:x", "blocked") {
				return nil, stanza.NotAllowed
			}
			p, err := next.HandleStanza(ctx, st)
			if errors.Is(err, stanza.ServiceUnavailable) {
				return note("nobody"), nil
			}
			return p, err
		})
	})
	mux.IQ(muxer.AnyIQ, nsDice, muxer.Any, text("dice"))
	mux.Use(func(next xmpp.Handler) xmpp.Handler { return next })
	for _, tt := range []struct {
		child, want string
		err         error
	}{
		{`<roll xmlns='urn:example:dice'/>`, noted("dice"), nil},
		{`<blocked xmlns='urn:x'/>`, "", stanza.NotAllowed},
		{`<other xmlns='urn:x'/>`, noted("nobody"), nil},
	} {
		got, err := handle(t, mux, `<iq type='get' id='1'>`+tt.child+`</iq>`)
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %q, %v; want %q, %v", tt.child, got, err, tt.want, tt.err)
		}
	}
	if made != 1 {
		t.Errorf("the layer was made %d times; want once", made)
	}
}

// The layer registered first is nearest to the wire.
func TestUseOutgoing(t *testing.T) {
	mux := muxer.New()
	for _, name := range []string{"wire", "middle", "program"} {
		mux.UseOutgoing(func(_ context.Context, st stanza.Stanza) (stanza.Stanza, error) {
			m := st.(stanza.Message)
			m.ID += " " + name
			return m, nil
		})
	}
	st, err := mux.OutgoingStanza(t.Context(), stanza.Message{ID: "sent:"})
	if err != nil || st.Header().ID != "sent: program middle wire" {
		t.Errorf("OutgoingStanza = %v, %v", st, err)
	}
	if st, err := muxer.New().OutgoingStanza(t.Context(), stanza.Message{ID: "as it was"}); err != nil || st.Header().ID != "as it was" {
		t.Errorf("without layers: %v, %v", st, err)
	}
}

func TestOutgoingRefused(t *testing.T) {
	refused := errors.New("not to them")
	mux := muxer.New()
	reached := false
	mux.UseOutgoing(func(_ context.Context, st stanza.Stanza) (stanza.Stanza, error) {
		reached = true
		return st, nil
	})
	mux.UseOutgoing(func(context.Context, stanza.Stanza) (stanza.Stanza, error) { return nil, refused })
	if st, err := mux.OutgoingStanza(t.Context(), stanza.Presence{}); st != nil || err != refused || reached {
		t.Errorf("OutgoingStanza = %v, %v, next layer reached: %t; want the error alone", st, err, reached)
	}
	mux = muxer.New()
	mux.UseOutgoing(func(context.Context, stanza.Stanza) (stanza.Stanza, error) { return nil, nil })
	if st, err := mux.OutgoingStanza(t.Context(), stanza.Presence{}); st != nil || err == nil {
		t.Errorf("a layer that returns nothing: %v, %v; want an error", st, err)
	}
}

// Registering while serving, from handlers and beside them, for the race detector.
func TestRegisterWhileServing(t *testing.T) {
	mux := muxer.New()
	var handled atomic.Int64
	mux.Message(stanza.MessageChat, func(context.Context, *stanza.Message) error {
		mux.Feature("urn:example:seen") // must not deadlock
		handled.Add(1)
		return nil
	})
	msg := raw(t, `<message type='chat'/>`)
	iq := raw(t, `<iq type='get' id='1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for range 100 {
				_, _ = mux.HandleStanza(t.Context(), msg)
				_, _ = mux.HandleStanza(t.Context(), iq)
				_, _ = mux.OutgoingStanza(t.Context(), stanza.Presence{})
			}
		})
		wg.Go(func() {
			for i := range 25 {
				n := string(rune('a'+g)) + string(rune('a'+i))
				mux.IQ(stanza.IQGet, "urn:example:"+n, "q", text(n))
				mux.Identity("client", "bot", n)
				mux.Node(n, mux.Info())
				mux.Use(func(next xmpp.Handler) xmpp.Handler { return next })
				mux.UseOutgoing(func(_ context.Context, st stanza.Stanza) (stanza.Stanza, error) { return st, nil })
			}
		})
	}
	wg.Wait()
	if n := handled.Load(); n != 400 {
		t.Errorf("%d messages handled; want 400", n)
	}
	for g := range 4 {
		for i := range 25 {
			n := string(rune('a'+g)) + string(rune('a'+i))
			if got, err := handle(t, mux, `<iq type='get' id='1'><q xmlns='urn:example:`+n+`'/></iq>`); got != noted(n) || err != nil {
				t.Fatalf("route %s: %s, %v", n, got, err)
			}
		}
	}
}
