package stream

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

const (
	ackPlease = "<r xmlns='urn:xmpp:sm:3'/>"
	ackOf     = "<a xmlns='urn:xmpp:sm:3' h='%d'/>"
)

// A reluctant receiving entity postpones every stanza.
type reluctant struct {
	*Conn
	got chan string       // the ids of what has come
	all map[string]func() // what is to be called when they are done
	end chan error
}

func postponing(c *Conn) *reluctant {
	r := &reluctant{c, make(chan string, 100), make(map[string]func()), make(chan error, 1)}
	go func() {
		for {
			e, err := c.Next()
			if err != nil {
				r.end <- err
				return
			}
			id := e.Clone().Attr("id")
			r.all[id] = c.Postpone()
			r.got <- id
		}
	}()
	return r
}

// take takes in that these have come, and nothing else.
func (r *reluctant) take(t *testing.T, ids ...string) {
	t.Helper()
	for _, id := range ids {
		require.Equal(t, id, <-r.got)
	}
}

// reluctantly is a receiving entity that postpones, with acknowledgements enabled.
func reluctantly(t *testing.T) (*peer, *reluctant) {
	p, c := established(t, false, func(cfg *Config) {
		cfg.Features = append(cfg.Features, hidden{Management{ResumeFor: time.Minute}})
		cfg.CloseTimeout = 3 * time.Second
	})
	r := postponing(c)
	p.send(smEnable)
	p.expect("<enabled xmlns='urn:xmpp:sm:3' id='$smid' resume='true' max='60'/>")
	return p, r
}

// What is postponed is not acknowledged, nor what is behind it, in whatever order they are done; who has asked is told when
// all is done that had arrived by then.
func TestXEP0198_4_Postponed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, r := reluctantly(t)
		p.send("<message id='1'/><message id='2'/><presence id='3'/>" + ackPlease)
		p.expect(fmt.Sprintf(ackOf, 0))
		p.send("<iq id='4'/>")
		r.take(t, "1", "2", "3", "4")
		synctest.Wait()
		r.all["3"]()
		r.all["2"]()
		p.send(ackPlease)
		p.expect(fmt.Sprintf(ackOf, 0))
		r.all["1"]()
		p.send(ackPlease)
		p.expect(fmt.Sprintf(ackOf, 3))
		r.all["1"]()
		r.all["4"]()
		p.expect(fmt.Sprintf(ackOf, 4)) // unasked: it was asked before
		p.send("<message id='5'/>")
		r.take(t, "5")
		r.all["5"]()
		p.send(ackPlease)
		p.expect(fmt.Sprintf(ackOf, 5))
		p.send(closingTag)
		p.expect(fmt.Sprintf(ackOf, 5) + closingTag)
		p.nc.Close()
		require.Equal(t, io.EOF, <-r.end)
	})
}

// The last word waits for what is postponed, and is not of what takes too long.
func TestXEP0198_4_PostponedAtTheEnd(t *testing.T) {
	for takes, want := range map[time.Duration]int{time.Second: 2, time.Minute: 1} {
		synctest.Test(t, func(t *testing.T) {
			p, r := reluctantly(t)
			p.send("<message id='1'/><message id='2'/>" + closingTag)
			r.take(t, "1", "2")
			r.all["1"]()
			time.AfterFunc(takes, r.all["2"])
			begin := time.Now()
			p.expect(fmt.Sprintf(ackOf, want) + closingTag)
			require.Equal(t, min(takes, 3*time.Second), time.Since(begin))
			p.nc.Close()
			require.Equal(t, io.EOF, <-r.end)
			time.Sleep(takes)
		})
	}
}

// resumed goes on with a session on another stream, and returns what it was told to have been handled.
func (r *reluctant) resumed(t *testing.T) (p *peer, next *reluctant, h string) {
	t.Helper()
	cfg := plainReceiving(t)
	cfg.Features[0] = ServerSASL{Authenticator: authenticators(t, func(o *sasl.Options) { o.AllowAnonymous = true })}
	cfg.Features = append([]Feature{Resume{Find: func(context.Context, jid.JID, string) (*Conn, error) { return r.Conn, nil }}}, cfg.Features...)
	ours, theirs := net.Pipe()
	result := make(chan outcome, 1)
	go func() {
		c, err := Accept(t.Context(), ours, cfg)
		result <- outcome{c, err}
	}()
	p = &peer{t: t, nc: theirs, bound: map[string]string{}}
	id, _, _ := r.Resumable()
	p.logIn()
	p.send("<resume xmlns='urn:xmpp:sm:3' previd='" + id + "' h='0'/>")
	p.expect("<resumed xmlns='urn:xmpp:sm:3' previd='" + id + "' h='$h0'/>")
	got := <-result
	require.NoError(t, got.err)
	t.Cleanup(got.c.Abort)
	return p, postponing(got.c), p.bound["h0"]
}

// A session goes on though something of it is postponed. That comes again, is not handled twice, and is acknowledged when it
// has come and is done.
func TestXEP0198_5_PostponedAndResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, r := reluctantly(t)
		p.send("<message id='1'/><message id='2'/><message id='3'/>")
		r.take(t, "1", "2", "3")
		r.all["1"]()
		p.nc.Close()
		<-r.end
		require.Error(t, r.AwaitHandled(ended(t)))
		_, err := r.Save()
		require.ErrorContains(t, err, "still being handled")
		p, next, h := r.resumed(t)
		require.Equal(t, "1", h)
		p.send("<message id='2'/>" + ackPlease)
		p.expect(fmt.Sprintf(ackOf, 1))
		r.all["3"]()
		r.all["2"]()
		require.NoError(t, r.AwaitHandled(ended(t)))
		p.send(ackPlease)
		p.expect(fmt.Sprintf(ackOf, 2)) // the third is done, and is still to come again
		p.send("<message id='3'/><message id='4'/>" + ackPlease)
		p.expect(fmt.Sprintf(ackOf+ackOf, 3, 3)) // to the request before, and to this one
		next.take(t, "4")
		next.all["4"]()
		p.expect(fmt.Sprintf(ackOf, 4))
		p.nc.Close()
		<-next.end
	})
}

// What was not acknowledged leaves together with the word that the session goes on.
func TestXEP0198_5_ResumedInOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, r := reluctantly(t)
		p.nc.Close()
		<-r.end
		m := stanza.Message{ID: "m"}
		_, err := r.Send(t.Context(), m, m.Header())
		require.NoError(t, err)
		p, next, _ := r.resumed(t)
		require.Equal(t, "<message id='m'/>"+ackPlease, string(p.buf), "what was read with <resumed/>")
		p.nc.Close()
		<-next.end
	})
}

// What comes before the count begins is no part of it, also when it is answered by the stream itself and nothing else comes
// before the end: the first stanza of the resumed session is a new one.
func TestXEP0198_5_SessionRequestBeforeTheCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := established(t, false, func(cfg *Config) {
			cfg.Features = append(cfg.Features, hidden{Management{ResumeFor: time.Minute}})
		})
		r := postponing(c)
		p.send("<iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>" + smEnable)
		p.expect("<iq type='result' id='s'/><enabled xmlns='urn:xmpp:sm:3' id='$smid' resume='true' max='60'/>")
		p.nc.Close()
		<-r.end
		p, next, h := r.resumed(t)
		require.Equal(t, "0", h)
		p.send("<message id='1'/>" + ackPlease)
		p.expect(fmt.Sprintf(ackOf, 0))
		next.take(t, "1")
		next.all["1"]()
		p.expect(fmt.Sprintf(ackOf, 1))
		p.nc.Close()
		<-next.end
	})
}

// ended returns a context that is over.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
