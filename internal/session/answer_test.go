package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

const pingXML = "<ping xmlns='urn:xmpp:ping'/>"

// summary is what a test wants to know of an answer.
func summary(raw *stanza.Raw) string {
	h := raw.Header()
	said := []string{h.Kind.String(), h.Type, "to=" + h.To.String(), "from=" + h.From.String(), "id=" + h.ID}
	if e := raw.Failure(); e != nil {
		said = append(said, fmt.Sprintf("%s/%s", e.Type, e.Condition))
	}
	for e := range raw.Element().Children() {
		if !e.Is(stanza.NS, "error") {
			said = append(said, e.Name().Local)
		}
	}
	return strings.Join(said, " ")
}

// Each request is answered exactly once, whatever it is and whatever the
// handler does; nothing else ever is.
func TestC8_2_3_Answers(t *testing.T) {
	secret := errors.New("password hunter2")
	returns := func(p stanza.Payload, err error) xmpp.Handler {
		return xmpp.HandlerFunc(func(context.Context, *stanza.Raw) (stanza.Payload, error) { return p, err })
	}
	request := "<iq type='get' id='1' from='romeo@example.net/orchard' to='juliet@example.org/balcony'>" + pingXML + "</iq>"
	const to = "to=romeo@example.net/orchard from= id=1"
	for _, tt := range []struct {
		name    string
		handler xmpp.Handler
		in      string
		want    string // empty: no answer
	}{
		{"empty result", returns(nil, nil), request, "iq result " + to},
		{"payload", returns(element("<x xmlns='urn:x'/>"), nil), request, "iq result " + to + " x"},
		{"condition", returns(nil, stanza.Forbidden), request, "iq error " + to + " auth/forbidden"},
		{"error", returns(nil, &stanza.Error{Condition: stanza.Gone, Type: stanza.Modify}), request, "iq error " + to + " modify/gone"},
		{"wrapped", returns(nil, fmt.Errorf("%w: %w", secret, stanza.Conflict)), request, "iq error " + to + " cancel/conflict"},
		{"payload and error", returns(element("<x xmlns='urn:x'/>"), stanza.Conflict), request, "iq error " + to + " cancel/conflict"},
		{"any other error", returns(nil, secret), request, "iq error " + to + " cancel/internal-server-error"},
		{"EOF", returns(nil, io.EOF), request, "iq error " + to + " cancel/internal-server-error"},
		{"closed", returns(nil, xmpp.ErrClosed), request, "iq error " + to + " cancel/internal-server-error"},
		{"unhandled", nil, request, "iq error " + to + " cancel/service-unavailable"},
		{"a payload that cannot be written", returns(stanza.Element{}, nil), request, "iq error " + to + " cancel/internal-server-error"},
		{"a payload that panics", returns(badPayload{}, nil), request, "iq error " + to + " cancel/internal-server-error"},
		{"panic", xmpp.HandlerFunc(func(context.Context, *stanza.Raw) (stanza.Payload, error) { panic(secret) }),
			request, "iq error " + to + " cancel/internal-server-error"},
		{"index", xmpp.HandlerFunc(func(_ context.Context, st *stanza.Raw) (stanza.Payload, error) {
			return st.Element(), fmt.Errorf("%c", st.Header().ID[len(st.Header().ID)])
		}), request, "iq error " + to + " cancel/internal-server-error"},
		{"goexit", xmpp.HandlerFunc(func(context.Context, *stanza.Raw) (stanza.Payload, error) {
			runtime.Goexit()
			return nil, nil
		}), request, "iq error " + to + " cancel/internal-server-error"},

		{"no child", nil, "<iq type='get' id='1'/>", "iq error to= from= id=1 modify/bad-request"},
		{"two children", nil, "<iq type='set' id='1'>" + pingXML + pingXML + "</iq>", "iq error to= from= id=1 modify/bad-request"},
		{"no id", nil, "<iq type='get'>" + pingXML + "</iq>", "iq error to= from= id= modify/bad-request"},
		{"no type", nil, "<iq id='1'>" + pingXML + "</iq>", "iq error to= from= id=1 modify/bad-request"},
		{"unknown type", nil, "<iq id='1' type='ask'>" + pingXML + "</iq>", "iq error to= from= id=1 modify/bad-request"},
		{"nothing at all", nil, "<iq/>", "iq error to= from= id= modify/bad-request"},
		{"unreadable sender", nil, "<iq id='1' type='get' from='@'>" + pingXML + "</iq>", ""},
		{"unreadable recipient", nil, "<iq id='1' type='get' to='@'>" + pingXML + "</iq>", "iq error to= from= id=1 cancel/service-unavailable"},

		{"result", nil, "<iq type='result' id='1'/>", ""},
		{"result without id", nil, "<iq type='result'/>", ""},
		{"error", nil, "<iq type='error' id='1'/>", ""},
		{"message", nil, "<message id='1'><body>hi</body></message>", ""},
		{"message error", returns(nil, stanza.BadRequest), "<message id='1' type='error'/>", ""},
		{"message and EOF", returns(nil, io.EOF), "<message id='1'/>", ""},
		{"message and payload", returns(element("<x xmlns='urn:x'/>"), nil), "<message id='1'/>", ""},
		{"presence", nil, "<presence id='1' type='what'/>", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, c := open(t, tt.handler)
				c.receive(tt.in)
				synctest.Wait()
				if tt.want != "" {
					got := c.next()
					if summary(got) != tt.want {
						t.Errorf("answer to %s:\n got %s\nwant %s", tt.in, summary(got), tt.want)
					}
					if strings.Contains(got.String(), "hunter2") || strings.Contains(got.String(), "urn:xmpp:ping") {
						t.Errorf("the answer tells too much: %s", got)
					}
				}
				c.nothing()
				if err := s.Err(); err != nil {
					t.Errorf("the session has ended: %v", err)
				}
				if s.bytes != 0 || s.working {
					t.Errorf("%d bytes are left, worker %v", s.bytes, s.working)
				}
			})
		})
	}
}

type badPayload struct{}

func (badPayload) AppendXML([]byte) ([]byte, error) { panic("no XML today") }

// A handler that panics or ends its goroutine takes none of the following
// stanzas with it, nor their order.
func TestHandlerThatBreaksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		_, c := open(t, xmpp.HandlerFunc(func(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
			_, _ = seen.HandleStanza(ctx, st)
			switch st.Header().ID {
			case "2":
				panic("2")
			case "4":
				runtime.Goexit()
			}
			return nil, nil
		}))
		for i := range 6 {
			c.receive(fmt.Sprintf("<message id='%d'/>", i))
		}
		synctest.Wait()
		if got, want := seen.String(), "[0 1 2 3 4 5]"; got != want {
			t.Errorf("handled %s, want %s", got, want)
		}
	})
}

// A component answers in the name of the address that was asked.
func TestAnswerFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFakeConn(t)
		openOn(t, c, Options{AnswerFrom: true})
		c.receive("<iq type='get' id='1' from='romeo@example.net/orchard' to='bot@gateway.example.org'>" + pingXML + "</iq>")
		want := "iq error to=romeo@example.net/orchard from=bot@gateway.example.org id=1 cancel/service-unavailable"
		if got := summary(c.next()); got != want {
			t.Errorf("answer: %s, want %s", got, want)
		}
	})
}

// An answer goes through the handler's middleware like anything that is sent. If
// that refuses it, the request is answered all the same.
func TestAnswerThatMiddlewareRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, c := open(t, &refuser{})
		c.receive("<iq type='get' id='1' from='romeo@example.net/orchard'>" + pingXML + "</iq>")
		want := "iq error to=romeo@example.net/orchard from= id=1 cancel/internal-server-error"
		if got := summary(c.next()); got != want {
			t.Errorf("answer: %s, want %s", got, want)
		}
		synctest.Wait()
		c.nothing()
	})
}

type refuser struct{ recorder }

var errRefused = errors.New("refused")

func (*refuser) OutgoingStanza(context.Context, stanza.Stanza) (stanza.Stanza, error) {
	return nil, errRefused
}
