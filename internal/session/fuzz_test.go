package session

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// No element, however odd, ends a session or breaks the rules of answering.
func FuzzReceive(f *testing.F) {
	for _, s := range []string{
		"<iq type='get' id='1'/>",
		"<iq type='set' id='1' from='a@b/c'><x xmlns='urn:x'/></iq>",
		"<iq type='result' id='q1' from='example.org'/>",
		"<iq type='error' id='q1' from='example.org'><error/></iq>",
		"<iq/>",
		"<message from='a@b/\u2028' to='@'><body>x</body><error/></message>",
		"<presence type='error' xml:lang='de'><show>x</show><priority>1000</priority></presence>",
		"<stream:error xmlns:stream='http://etherx.jabber.org/streams'/>",
		"<r xmlns='urn:xmpp:sm:3'/>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := stanza.ParseElement(b)
		if err != nil {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			handled := 0
			s, c := open(t, xmpp.HandlerFunc(func(_ context.Context, st *stanza.Raw) (stanza.Payload, error) {
				handled++
				if _, err := st.Message(); err == nil {
					return nil, nil
				}
				if _, err := st.Presence(); err == nil {
					return nil, nil
				}
				if _, err := st.IQ(); err != nil && st.Header().Kind == stanza.KindIQ {
					return nil, fmt.Errorf("a broken request reached the handler: %w", err)
				}
				return nil, nil
			}))
			go func() { _, _ = s.Query(context.Background(), ping(server)) }()
			c.next()
			c.in <- e
			c.receive("<message id='after'/>")
			synctest.Wait()
			if s.Err() != nil || handled == 0 {
				t.Errorf("after %s: %v, %d handled", e, s.Err(), handled)
			}
			want := 0
			if raw, err := stanza.NewRaw(e, jid.ParseLenient); raw != nil && wantsAnswer(raw, err) {
				want = 1
			}
			if got := len(c.sent); got != want {
				t.Errorf("%d answers to %s, want %d", got, e, want)
			}
		})
	})
}

// wantsAnswer reports whether RFC 6120 §8.2.3 wants raw answered, and there is
// somebody to answer.
func wantsAnswer(raw *stanza.Raw, err error) bool {
	h := raw.Header()
	if h.Kind != stanza.KindIQ || h.Type == "result" || h.Type == "error" {
		return false
	}
	_, has := raw.Element().LookupAttr("", "from")
	return err == nil || !has || !h.From.IsZero()
}
