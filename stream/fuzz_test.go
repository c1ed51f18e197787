package stream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parlance-xmpp/xmpp/sasl"
)

// A tape is a transport on which the peer says the same whatever it hears.
type tape struct {
	in   io.Reader
	mu   sync.Mutex
	out  bytes.Buffer
	done bool
}

func (c *tape) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return 0, net.ErrClosed
	}
	return c.in.Read(b)
}

func (c *tape) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return 0, net.ErrClosed
	}
	return c.out.Write(b)
}

func (c *tape) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = true
	return nil
}

func (c *tape) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *tape) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *tape) SetDeadline(time.Time) error      { return nil }
func (c *tape) SetReadDeadline(time.Time) error  { return nil }
func (c *tape) SetWriteDeadline(time.Time) error { return nil }

// run negotiates with the tape and reads to the end of it.
func run(t *testing.T, in []byte, initiate bool, cfg *Config) {
	nc := &tape{in: bytes.NewReader(in)}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := start(ctx, nc, cfg, initiate)
	for err == nil {
		_, err = c.Next()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Fatal("it did not come to an end")
	}
	if !nc.done {
		t.Error("the transport is still open")
	}
	if c != nil {
		<-c.Done()
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return
	}
	if !e.Condition.defined() {
		t.Errorf("undefined condition %q", e.Condition)
	}
	out := nc.out.String()
	if !e.Received && !strings.Contains(out, "<stream:error><"+string(e.Condition)+" ") {
		t.Errorf("ended with %v, and said\n%s", e, out)
	}
	if !strings.HasSuffix(out, closingTag) || strings.Count(out, closingTag) != 1 {
		t.Errorf("ended with %v, and closed with\n%s", e, out)
	}
}

// FuzzAccept throws bytes at a receiving entity: it ends, and says why.
func FuzzAccept(f *testing.F) {
	login := clientOpens + auth("ANONYMOUS", "=") + clientOpens + bindRequest("1", "<resource>x</resource>")
	for _, seed := range []string{
		"", " ", "<", clientOpens, clientOpens + startTLS, clientOpens + startTLS + "\x16\x03\x01",
		"<stream:stream to='im.example.com' version='1.0' xmlns='jabber:client' xmlns:stream='urn:wrong'>",
		"<?xml version='1.0' encoding='UTF-16'?><stream:stream",
		"<!DOCTYPE a [<!ENTITY b 'c'>]>",
		login, login + helloXML + " " + helloXML + closingTag,
		login + "<iq type='set' id='2'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>",
		login + failedWith(Conflict), login + "<message><body>&#x0;</body></message>",
		clientOpens + auth("PLAIN", "AGp1") + "<response" + saslNS + ">====</response><abort" + saslNS + "/>" + auth("SCRAM-SHA-256", "biwsbj1qdWxpZXQscj1mb28="),
		"<stream to='im.example.com' version='1.0' xmlns='http://etherx.jabber.org/streams'><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'>=</auth>",
	} {
		f.Add([]byte(seed))
	}
	cfg := plainReceiving(f)
	cfg.Features[0] = ServerSASL{Authenticator: authenticators(f, func(o *sasl.Options) { o.AllowAnonymous = true })}
	cfg.Features = append([]Feature{StartTLS{Config: ServerTLS(serverTLS())}}, cfg.Features...)
	f.Fuzz(func(t *testing.T, in []byte) { run(t, in, false, cfg) })
}

// FuzzInitiate throws bytes at an initiating entity.
func FuzzInitiate(f *testing.F) {
	const opens = "<stream:stream from='im.example.com' id='1' version='1.0'" + namespaces
	mechanisms := func(names ...string) string {
		return opens + "<stream:features><mechanisms" + saslNS + "><mechanism>" + strings.Join(names, "</mechanism><mechanism>") + "</mechanism></mechanisms></stream:features>"
	}
	for _, seed := range []string{
		"", "<", opens, opens + "<stream:features/>", opens + startTLSOnly, opens + startTLSOnly + proceed, opens + startTLSOnly + failure,
		mechanisms("ANONYMOUS") + saslSuccess, mechanisms("ANONYMOUS") + "<challenge" + saslNS + "/>",
		mechanisms("SCRAM-SHA-256") + "<challenge" + saslNS + ">cj1hLHM9YixpPTE=</challenge>",
		mechanisms("PLAIN") + saslFailure("not-authorized"),
		opens + failedWith(HostUnknown), opens + "<features xmlns='http://etherx.jabber.org/streams'><mechanisms/></features>",
	} {
		f.Add([]byte(seed))
	}
	cfg := plainInitiating()
	cfg.Features = initiating().Features
	f.Fuzz(func(t *testing.T, in []byte) {
		run(t, in, true, cfg)
		run(t, in, true, lettingIn)
	})
}

// lettingIn gets past SASL with any server, to see what comes behind it.
var lettingIn = &Config{Domain: example, InsecurePlaintext: true, Features: []Feature{Bind{Resource: "x"}, Session{}}, Until: Bound}
