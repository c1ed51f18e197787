package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/stanza"
)

func fromRomeo(h stanza.Header) bool { return h.From == romeo }

func ids(stanzas []*stanza.Raw) string {
	var out []string
	for _, st := range stanzas {
		out = append(out, st.Header().ID)
	}
	return fmt.Sprint(out)
}

// What a query's answer follows is there when Query returns, though the handler is
// busy and knows nothing of it.
func TestClaimSeesAllPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler, tick := slow()
		s, c := open(t, handler)
		c.receive("<message from='romeo@example.net/orchard' id='before'/>")
		synctest.Wait()
		claim := s.Claim(fromRomeo)
		defer claim.Close()
		c.onSend = func(*stanza.Raw) {
			for i := range 100 {
				c.receive(fmt.Sprintf("<message from='romeo@example.net/orchard' id='%d'/>", i), "<message id='other'/>")
			}
			c.receive("<iq type='result' id='q1' from='example.org'/>")
		}
		if _, err := s.Query(t.Context(), ping(server)); err != nil {
			t.Fatal(err)
		}
		if got := claim.Pending(); len(got) != 100 || got[0].Header().ID != "0" || got[99].Header().ID != "99" {
			t.Errorf("claimed %s, want 0 to 99", ids(got))
		}
		synctest.Wait()
		if len(s.queue) != 100 {
			t.Errorf("%d stanzas wait for the handler, want the 100 others", len(s.queue))
		}
		close(tick)
	})
}

// A claim takes messages and presences, in order, until it is closed. Requests
// are for the handler: they must be answered.
func TestClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		s, c := open(t, seen)
		const from = " from='romeo@example.net/orchard'"
		first, second := s.Claim(fromRomeo), s.Claim(func(stanza.Header) bool { return true })
		c.receive("<message id='1'"+from+"/>", "<presence id='2'"+from+"/>", "<message id='3'/>",
			"<iq type='get' id='4'"+from+">"+pingXML+"</iq>", "<iq type='result' id='5'"+from+"/>")
		synctest.Wait()
		first.Close()
		first.Close()
		c.receive("<message id='6'" + from + "/>")
		synctest.Wait()
		if got, want := ids(second.Pending()), "[3 6]"; got != want {
			t.Errorf("the second claim has %s, want %s", got, want)
		}
		second.Close()
		c.receive("<message id='7'" + from + "/>")
		synctest.Wait()
		if got, want := seen.String(), "[4 7]"; got != want {
			t.Errorf("the handler got %s, want %s", got, want)
		}
		if len(s.claims) != 0 {
			t.Errorf("%d claims are left", len(s.claims))
		}
	})
}

// A claim ends with the session, after what it holds.
func TestClaimsEndWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := open(t, nil)
		claim := s.Claim(fromRomeo)
		idle := s.Claim(func(stanza.Header) bool { return false })
		got := make(chan error)
		go func() {
			_, err := idle.Next(context.Background())
			got <- err
		}()
		c.receive("<message id='1' from='romeo@example.net/orchard'/>")
		synctest.Wait()
		c.end(io.EOF)
		if err := <-got; !errors.Is(err, xmpp.ErrClosed) || !errors.Is(err, io.EOF) {
			t.Errorf("a claim that waits: %v, want %v because of %v", err, xmpp.ErrClosed, io.EOF)
		}
		if st, err := claim.Next(t.Context()); err != nil || st.Header().ID != "1" {
			t.Errorf("a claim that holds one: %v, %v", st, err)
		}
		if _, err := claim.Next(t.Context()); !errors.Is(err, xmpp.ErrClosed) {
			t.Errorf("a claim that holds no more: %v, want %v", err, xmpp.ErrClosed)
		}
		late := s.Claim(fromRomeo)
		if _, err := late.Next(t.Context()); !errors.Is(err, xmpp.ErrClosed) {
			t.Errorf("a claim on an ended session: %v, want %v", err, xmpp.ErrClosed)
		}
		late.Close()
		claim.Close()
	})
}
