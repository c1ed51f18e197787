package muxer_test

import (
	"context"
	"fmt"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// printing is a session that prints what is sent. In a program it is a client,
// which hands the mux what arrives.
type printing struct{ xmpp.Session }

func (printing) Send(_ context.Context, st stanza.Stanza) (xmpp.Receipt, error) {
	b, err := st.AppendXML(nil)
	fmt.Println(string(b))
	return xmpp.Receipt{}, err
}

// An echo bot.
func Example() {
	mux := muxer.New()
	mux.Message(stanza.MessageChat, func(ctx context.Context, m *stanza.Message) error {
		_, err := xmpp.SessionFrom(ctx).Send(ctx, m.Reply(m.Body))
		return err
	})

	arrived, _ := stanza.Parse([]byte(`<message type='chat' from='juliet@example.com/balcony'><body>Who's there?</body></message>`))
	_, _ = mux.HandleStanza(xmpp.WithSession(context.Background(), printing{}), arrived)
	// Output: <message type='chat' to='juliet@example.com/balcony'><body>Who's there?</body></message>
}

// A query with a payload of one's own; see roll in the tests.
func ExampleIQ() {
	mux := muxer.New()
	muxer.IQ(mux, stanza.IQGet, func(ctx context.Context, iq *stanza.IQ, q *roll) (roll, error) {
		if q.Sides < 2 {
			return roll{}, stanza.BadRequest
		}
		return roll{Sides: q.Sides * 2}, nil
	})

	request := stanza.IQ{Type: stanza.IQGet, ID: "1", From: jid.MustParse("juliet@example.com/balcony"), Payload: roll{Sides: 6}}
	b, _ := request.AppendXML(nil)
	arrived, _ := stanza.Parse(b)
	answer, err := mux.HandleStanza(context.Background(), arrived)
	fmt.Printf("%+v %v\n", answer, err)
	fmt.Println(mux.Info().Has(nsDice))
	// Output:
	// {Sides:12} <nil>
	// true
}

func ExampleMux_Use() {
	mux := muxer.New()
	mux.Use(func(next xmpp.Handler) xmpp.Handler {
		return xmpp.HandlerFunc(func(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
			if st.Header().From.Domainpart() == "spam.example" {
				return nil, stanza.NotAllowed
			}
			return next.HandleStanza(ctx, st)
		})
	})
	mux.Message(muxer.AnyMessage, func(_ context.Context, m *stanza.Message) error {
		fmt.Println(m.From, "says", m.Body)
		return nil
	})

	for _, from := range []string{"juliet@example.com", "offers@spam.example"} {
		arrived, _ := stanza.Parse([]byte(`<message from='` + from + `'><body>hello</body></message>`))
		_, err := mux.HandleStanza(context.Background(), arrived)
		fmt.Println(err)
	}
	// Output:
	// juliet@example.com says hello
	// <nil>
	// not-allowed
}
