package devcert_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/server/devcert"
)

// handshake connects a client to a server over a pipe.
func handshake(server, client *tls.Config) error {
	c, s := net.Pipe()
	defer c.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer s.Close()
		_ = tls.Server(s, server).Handshake()
	}()
	err := tls.Client(c, client).Handshake()
	c.Close()
	<-done
	return err
}

func TestClientsVerifyTheDomain(t *testing.T) {
	ca, err := devcert.New("example.org", "conference.example.org")
	require.NoError(t, err)
	other, err := devcert.New("example.org")
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		trust  *devcert.Authority
		domain string
		ok     bool
	}{
		{"first domain", ca, "example.org", true},
		{"second domain", ca, "conference.example.org", true},
		{"another domain", ca, "example.net", false},
		{"another authority", other, "example.org", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := tt.trust.ClientConfig()
			client.ServerName = tt.domain
			if err := handshake(ca.ServerConfig(), client); (err == nil) != tt.ok {
				t.Errorf("handshake: %v; want success %v", err, tt.ok)
			}
		})
	}
}

func TestFilesForOthers(t *testing.T) {
	ca, err := devcert.New("example.org")
	require.NoError(t, err)

	chain, key, err := ca.KeyPairPEM()
	require.NoError(t, err)
	pair, err := tls.X509KeyPair(chain, key)
	require.NoError(t, err)

	name, err := ca.WriteFile()
	require.NoError(t, err)
	defer os.Remove(name)
	pem, err := os.ReadFile(name)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(pem))

	err = handshake(&tls.Config{Certificates: []tls.Certificate{pair}}, &tls.Config{RootCAs: roots, ServerName: "example.org"})
	require.NoError(t, err)
}

func Example() {
	ca, err := devcert.New("localhost")
	if err != nil {
		fmt.Println(err)
		return
	}
	client := ca.ClientConfig()
	client.ServerName = "localhost"
	fmt.Println(handshake(ca.ServerConfig(), client))
	// Output: <nil>
}
