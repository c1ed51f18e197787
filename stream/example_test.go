package stream_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/xml"
	"fmt"
	"math/big"
	"net"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

// A client and a server, each with the features of its role, negotiate a stream
// over a pipe, and the client says something.
func Example() {
	domain, juliet := jid.MustParse("im.example.com"), jid.MustParse("juliet@im.example.com")
	serverTLS, clientTLS := certificates("im.example.com")
	auth, err := sasl.NewAuthenticator(accounts{"juliet": "r0m30myr0m30"}, &sasl.Options{
		Authorize:  stream.Authorize(domain),
		AllowPlain: true,
	})
	if err != nil {
		panic(err)
	}
	clientEnd, serverEnd := net.Pipe()

	done := make(chan struct{})
	go func() { // the receiving entity
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		c, err := stream.Accept(ctx, serverEnd, &stream.Config{
			DefaultHost: domain,
			Features: []stream.Feature{
				stream.StartTLS{Config: stream.ServerTLS(serverTLS)},
				stream.ServerSASL{Authenticator: func(jid.JID) *sasl.Authenticator { return auth }},
				stream.Bind{},
			},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		for {
			e, err := c.Next()
			if err != nil {
				fmt.Println("server:", err)
				return
			}
			fmt.Println(c.RemoteAddr(), "says", e)
		}
	}()

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := stream.Initiate(ctx, clientEnd, &stream.Config{
		Domain:  domain,
		Account: juliet,
		Features: []stream.Feature{
			stream.StartTLS{Config: clientTLS},
			stream.ClientSASL{
				Credentials: sasl.Credentials{Username: "juliet", Password: "r0m30myr0m30"},
				Policy:      &sasl.Policy{AllowPlain: true},
			},
			stream.Bind{Resource: "balcony"},
		},
	})
	if err != nil {
		panic(err)
	}
	go func() { // somebody reads, or the end would not be seen
		for {
			if _, err := c.Next(); err != nil {
				return
			}
		}
	}()
	m := stanza.Message{To: jid.MustParse("romeo@example.net"), Body: stanza.Plain("Wherefore art thou?")}
	if _, err := c.Send(ctx, m, m.Header()); err != nil {
		panic(err)
	}
	if err := c.Close(ctx); err != nil {
		panic(err)
	}
	<-done
	// Output:
	// juliet@im.example.com/balcony says <message to='romeo@example.net'><body>Wherefore art thou?</body></message>
	// server: EOF
}

// A feature of one's own: the server announces the terms of service, and the
// client accepts them before it binds.
func ExampleFeature() {
	clientEnd, serverEnd := net.Pipe()
	domain := jid.MustParse("im.example.com")

	accepted := make(chan *stream.Conn)
	go func() {
		c, err := stream.Accept(context.Background(), serverEnd, &stream.Config{
			DefaultHost:       domain,
			Features:          []stream.Feature{terms{version: "3"}},
			Until:             stream.Authenticated,
			InsecurePlaintext: true, // an example has no certificates
		})
		if err != nil {
			fmt.Println(err)
		}
		accepted <- c
	}()
	client, err := stream.Initiate(context.Background(), clientEnd, &stream.Config{
		Domain:            domain,
		Account:           jid.MustParse("juliet@im.example.com"),
		Features:          []stream.Feature{terms{}},
		Until:             stream.Authenticated,
		InsecurePlaintext: true,
	})
	if err != nil {
		panic(err)
	}
	server := <-accepted
	fmt.Println("the server lets in", server.RemoteAddr())
	client.Abort()
	server.Abort()
	// Output:
	// the client accepts version 3
	// the server lets in guest@im.example.com
}

const nsTerms = "urn:example:terms"

// terms is a feature that takes a promise for a proof.
type terms struct{ version string }

func (terms) Name() xml.Name               { return xml.Name{Space: nsTerms, Local: "terms"} }
func (terms) Possible(s stream.State) bool { return !s.Has(stream.Authenticated) }
func (terms) Wants(e stanza.Element) bool  { return e.Is(nsTerms, "accept") }

func (t terms) Offer(_ *stream.Negotiation, w *stanza.Writer) {
	w.Start(nsTerms, "terms")
	w.Attr("version", t.version)
	w.End()
}

func (t terms) Serve(_ context.Context, n *stream.Negotiation, e stanza.Element) error {
	if e.Attr("version") != t.version {
		return &stream.Error{Condition: stream.PolicyViolation, Text: "these are not our terms"}
	}
	guest, err := n.Domain().WithLocal("guest")
	if err != nil {
		return err
	}
	if err := n.Write(func(w *stanza.Writer) { w.Element(nsTerms, "welcome", "") }); err != nil {
		return err
	}
	return n.Authenticated(guest)
}

func (terms) Use(ctx context.Context, n *stream.Negotiation, offer stanza.Element) error {
	version := offer.Attr("version")
	fmt.Println("the client accepts version", version)
	err := n.Write(func(w *stanza.Writer) {
		w.Start(nsTerms, "accept")
		w.Attr("version", version)
		w.End()
	})
	if err != nil {
		return err
	}
	if _, err := n.Read(ctx); err != nil { // a refusal is a stream error
		return err
	}
	return n.Authenticated(n.Account())
}

// accounts verifies passwords.
type accounts map[string]string

func (a accounts) VerifyPassword(_ context.Context, username, password string) error {
	if want, ok := a[username]; !ok || subtle.ConstantTimeCompare([]byte(want), []byte(password)) == 0 {
		return sasl.ErrNotAuthorized
	}
	return nil
}

// certificates returns the configuration of a server with a certificate it has
// signed itself, and that of a client who trusts it.
func certificates(domain string) (server, client *tls.Config) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{domain},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	server = &tls.Config{
		Certificates:           []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		SessionTicketsDisabled: true, // over net.Pipe, which has no buffer, nobody would read them
	}
	return server, &tls.Config{RootCAs: pool}
}
