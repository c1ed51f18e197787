//go:build unix

package interop

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// patience bounds every wait for a server.
const patience = 10 * time.Second

// A transcript is every byte of a scenario, to be read when it fails.
type transcript struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (tr *transcript) add(who, direction string, b []byte) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	fmt.Fprintf(&tr.text, "%s %s %.2000s\n", who, direction, b)
}

func (tr *transcript) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.text.String()
}

// A tap is a connection whose bytes are written down.
type tap struct {
	net.Conn
	who string
	log *transcript
}

func (t tap) Read(b []byte) (int, error) {
	n, err := t.Conn.Read(b)
	if n > 0 {
		t.log.add(t.who, "<", b[:n])
	}
	return n, err
}

func (t tap) Write(b []byte) (int, error) {
	t.log.add(t.who, ">", b)
	return t.Conn.Write(b)
}

// A wire is a stream with nothing on this side but what the test writes. It belongs to one goroutine.
type wire struct {
	t        testing.TB
	who      string
	subject  *subject
	log      *transcript
	nc       net.Conn
	r        *xmlwire.Reader
	header   xmlwire.Header // of the last stream
	features stanza.Element
}

// dialWire connects by direct TLS. No stream is open yet.
func dialWire(t testing.TB, s *subject, who string, log *transcript) *wire {
	t.Helper()
	w := dialPlain(t, s, s.directTLS, who, log)
	w.encrypt()
	return w
}

// dialPlain connects without TLS.
func dialPlain(t testing.TB, s *subject, address, who string, log *transcript) *wire {
	t.Helper()
	nc, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	w := &wire{t: t, who: who, subject: s, log: log, nc: nc}
	w.r = xmlwire.NewReader(tap{nc, who, log}, xmlwire.Limits{})
	return w
}

// encrypt does the TLS handshake.
func (w *wire) encrypt() {
	w.t.Helper()
	cfg := w.subject.ca.ClientConfig()
	cfg.ServerName = host
	tc := tls.Client(w.nc, cfg)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(w.t, tc.HandshakeContext(ctx))
	w.nc = tc
	w.r.Reset(tap{tc, w.who, w.log})
}

// send writes bytes. A server that has hung up does not read them.
func (w *wire) send(s string) {
	_, _ = io.WriteString(tap{w.nc, w.who, w.log}, s)
}

// headerTo is a stream header as clients send it.
func headerTo(domain string) string {
	return fmt.Sprintf("<?xml version='1.0'?><stream:stream to='%s' version='1.0' xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>", domain)
}

// open opens a stream and takes in the server's header and features.
func (w *wire) open() {
	w.t.Helper()
	w.send(headerTo(host))
	require.NoError(w.t, w.readHeader(), "the header")
	e, err := w.next()
	require.NoError(w.t, err, "the features")
	require.Equal(w.t, "features", e.Name().Local)
	w.features = e
}

func (w *wire) readHeader() (err error) {
	_ = w.nc.SetReadDeadline(time.Now().Add(patience))
	w.header, err = w.r.Header()
	return err
}

// next reads one element; io.EOF is the end of the stream.
func (w *wire) next() (stanza.Element, error) {
	_ = w.nc.SetReadDeadline(time.Now().Add(patience))
	return w.wait()
}

// wait is next without a bound.
func (w *wire) wait() (stanza.Element, error) {
	e, err := w.r.Next()
	if err != nil {
		return stanza.Element{}, err
	}
	return stanza.Lend(e).Clone(), nil
}

// authenticate logs in by PLAIN, which all servers know. A new stream is to be opened.
func (w *wire) authenticate(user string) {
	w.t.Helper()
	w.offerPassword("", user, passwordOf(user))
	e, err := w.next()
	require.NoError(w.t, err)
	require.Equal(w.t, "success", e.Name().Local, "%s", e)
	w.r.Restart()
}

// offerPassword begins SASL with PLAIN.
func (w *wire) offerPassword(authzid, user, password string) {
	w.auth("PLAIN", authzid+"\x00"+user+"\x00"+password)
}

// auth begins SASL.
func (w *wire) auth(mechanism, initial string) {
	w.send(authElement(mechanism, initial))
}

func authElement(mechanism, initial string) string {
	return "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='" + mechanism + "'>" + base64.StdEncoding.EncodeToString([]byte(initial)) + "</auth>"
}

// bind asks for a resource and returns the answer.
func (w *wire) bind(id, resource string) stanza.Element {
	w.t.Helper()
	if resource != "" {
		resource = "<resource>" + resource + "</resource>"
	}
	w.send("<iq type='set' id='" + id + "'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>" + resource + "</bind></iq>")
	e, err := w.next()
	require.NoError(w.t, err)
	return e
}
