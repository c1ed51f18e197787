package sasl

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSelect(t *testing.T) {
	bound, _ := tlsPair(t, tlsOptions{})
	password := Credentials{Username: "juliet", Password: "secret"}
	everything := Credentials{Username: "juliet", Password: "secret", Token: "t", Certificate: true, Anonymous: true}
	plain := &Policy{AllowPlain: true}
	for _, tt := range []struct {
		name    string
		offered []string
		creds   Credentials
		channel *Channel
		policy  *Policy
		want    string // "" is ErrNoMechanism
	}{
		{"everything", Mechanisms(), everything, bound, nil, SCRAMSHA512Plus},
		{"any binding before a better hash", []string{SCRAMSHA512, SCRAMSHA1Plus}, password, bound, nil, SCRAMSHA1Plus},
		{"hash 256 before 1", []string{SCRAMSHA1, SCRAMSHA256}, password, nil, nil, SCRAMSHA256},
		{"hash 512 before 256", []string{SCRAMSHA256, SCRAMSHA512}, password, nil, nil, SCRAMSHA512},
		{"no binding on this channel", []string{SCRAMSHA256Plus, SCRAMSHA1}, password, secure, nil, SCRAMSHA1},
		{"certificate", Mechanisms(), Credentials{Certificate: true}, secure, nil, External},
		{"token", Mechanisms(), Credentials{Token: "t"}, secure, nil, OAuthBearer},
		{"token in clear", Mechanisms(), Credentials{Token: "t"}, nil, nil, ""},
		{"anonymous", Mechanisms(), Credentials{Anonymous: true}, nil, nil, Anonymous},
		{"the password goes before anonymity", []string{Anonymous, SCRAMSHA1}, everything, nil, nil, SCRAMSHA1},
		{"PLAIN", []string{Plain}, password, secure, plain, Plain},
		{"PLAIN is the last resort", []string{Plain, SCRAMSHA1}, password, secure, plain, SCRAMSHA1},
		{"PLAIN is not allowed", []string{Plain}, password, secure, nil, ""},
		{"PLAIN listed but not allowed", []string{Plain}, password, secure, &Policy{Mechanisms: []string{Plain}}, ""},
		{"PLAIN in clear", []string{Plain}, password, nil, plain, ""},
		{"PLAIN on a channel not confidential", []string{Plain}, password, &Channel{}, plain, ""},
		{"no password", []string{SCRAMSHA1, Plain}, Credentials{Username: "juliet"}, secure, plain, ""},
		{"no username", []string{SCRAMSHA1, Plain}, Credentials{Password: "secret"}, secure, plain, ""},
		{"nothing", Mechanisms(), Credentials{}, bound, plain, ""},
		{"nothing offered", nil, everything, bound, plain, ""},
		{"unknown only", []string{"DIGEST-MD5", "SCRAM-SHA3-512", "scram-sha-1", ""}, everything, nil, plain, ""},
		{"policy order", Mechanisms(), everything, bound, &Policy{Mechanisms: []string{OAuthBearer, SCRAMSHA1}}, OAuthBearer},
		{"policy restricts", []string{SCRAMSHA1, SCRAMSHA256}, password, nil, &Policy{Mechanisms: []string{SCRAMSHA1}}, SCRAMSHA1},
		{"policy requires binding", []string{SCRAMSHA1, SCRAMSHA256}, password, bound, &Policy{Mechanisms: []string{SCRAMSHA1Plus}}, ""},
		{"policy of nothing", Mechanisms(), everything, bound, &Policy{Mechanisms: []string{}}, ""},
		{"policy with a name of its own", []string{"X-NEW"}, everything, bound, &Policy{Mechanisms: []string{"X-NEW"}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			offer := Offer{Mechanisms: tt.offered}
			if offer.binds() {
				offer.Bindings = []string{TLSExporter, TLSServerEndPoint}
			}
			c, err := Select(offer, &tt.creds, tt.channel, tt.policy)
			if tt.want == "" {
				if c != nil || !errors.Is(err, ErrNoMechanism) {
					t.Errorf("Select = %v, %v; want ErrNoMechanism", c, err)
				}
				return
			}
			require.NoError(t, err)
			if got := c.Name(); got != tt.want {
				t.Errorf("Select = %s; want %s", got, tt.want)
			}
		})
	}
	_, err := Select(Offer{Mechanisms: Mechanisms()}, nil, nil, nil)
	require.ErrorIs(t, err, ErrNoMechanism)
}

// A policy of nothing but -PLUS binds, even where the server does not say with
// what.
func TestSelect_BindingRequired(t *testing.T) {
	bound, _ := tlsPair(t, tlsOptions{})
	c, err := Select(Offer{Mechanisms: []string{SCRAMSHA256Plus, SCRAMSHA256}}, &Credentials{Username: "juliet", Password: "secret"},
		bound, &Policy{Mechanisms: []string{SCRAMSHA256Plus}})
	require.NoError(t, err)
	require.Equal(t, SCRAMSHA256Plus, c.Name())
}

func TestSelect_SaysWhy(t *testing.T) {
	offer := Offer{Mechanisms: []string{Plain, "DIGEST-MD5", SCRAMSHA1, "EVIL\n" + strings.Repeat("x", 1000)}}
	_, err := Select(offer, &Credentials{Username: "juliet"}, secure, nil)
	want := `sasl: no usable mechanism: offered: SCRAM-SHA-1 (no username and password), PLAIN (not allowed by policy), "DIGEST-MD5", "EVIL\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"`
	if got := err.Error(); got != want {
		t.Errorf("Select = %s; want %s", got, want)
	}
}

func TestClientS11_Binding(t *testing.T) {
	both, _ := tlsPair(t, tlsOptions{})
	only := func(ed25519, noExporter bool) *Channel {
		c, _ := tlsPair(t, tlsOptions{ed25519: ed25519, noExporter: noExporter})
		return c
	}
	exporter, endPoint, neither := only(true, false), only(false, true), only(true, true)
	plus := []string{SCRAMSHA1Plus, SCRAMSHA1}
	for _, tt := range []struct {
		name     string
		channel  *Channel
		offered  []string
		bindings []string
		want     string // the flag, "" is ErrDowngrade
	}{
		{"the stronger", both, plus, []string{TLSServerEndPoint, TLSExporter}, "p=tls-exporter"},
		{"the common one", both, plus, []string{"tls-unique", TLSServerEndPoint}, "p=tls-server-end-point"},
		{"types were not listed", both, plus, nil, "n"}, // ejabberd 23.01 on TLS 1.3: knows tls-unique alone
		{"types were not listed, only -PLUS offered", both, plus[:1], nil, "p=tls-exporter"},
		{"types were not listed, only -PLUS offered, no exporter", endPoint, plus[:1], nil, "p=tls-server-end-point"},
		{"none in common: the one everybody has", both, plus, []string{"tls-unique", "tls-invented"}, "p=tls-server-end-point"},
		{"none in common, no end point", exporter, plus, []string{"tls-unique"}, ""},
		{"end point offered, which we lack", exporter, plus, []string{TLSServerEndPoint}, ""},
		{"TLS and nothing to bind with", neither, plus, nil, "n"},
		{"TLS and nothing to bind with, types listed", neither, plus, []string{TLSExporter}, ""},
		{"TLS and nothing to bind with, no -PLUS offered", neither, []string{SCRAMSHA1}, nil, "y"},
		{"no -PLUS offered", both, []string{SCRAMSHA1}, nil, "y"},
		{"no -PLUS offered, yet types", both, []string{SCRAMSHA1}, []string{TLSExporter}, ""},
		{"no channel", nil, []string{SCRAMSHA1}, []string{TLSExporter}, "n"},
		{"no channel, -PLUS offered", secure, plus, []string{TLSExporter}, "n"},
		{"only a -PLUS that nobody knows", both, []string{"X-PLUS", SCRAMSHA1}, nil, "y"},
		{"only a -PLUS that nobody knows, and types", both, []string{"X-PLUS", SCRAMSHA1}, []string{TLSExporter}, "y"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Select(Offer{Mechanisms: tt.offered, Bindings: tt.bindings}, &Credentials{Username: "juliet", Password: "secret"}, tt.channel, nil)
			if tt.want == "" {
				if c != nil || !errors.Is(err, ErrDowngrade) {
					t.Errorf("Select = %v, %v; want ErrDowngrade", c, err)
				}
				return
			}
			require.NoError(t, err)
			first, err := c.Start()
			require.NoError(t, err)
			if got, _, _ := strings.Cut(string(first), ","); got != tt.want {
				t.Errorf("flag = %q; want %q", got, tt.want)
			}
		})
	}

	// Where types have to be listed, as with SASL2, their absence is an attack.
	for _, tt := range []struct {
		offer   Offer
		channel *Channel
		policy  *Policy
		want    error
	}{
		{Offer{Mechanisms: plus, Listed: true}, both, nil, ErrDowngrade},
		{Offer{Mechanisms: []string{"X-PLUS", SCRAMSHA1}, Listed: true}, both, nil, ErrDowngrade},
		{Offer{Mechanisms: plus, Bindings: []string{TLSExporter}, Listed: true}, both, nil, nil},
		{Offer{Mechanisms: plus[1:], Listed: true}, both, nil, nil},
		{Offer{Mechanisms: plus, Listed: true}, both, &Policy{Mechanisms: []string{SCRAMSHA1}}, nil},
		{Offer{Mechanisms: plus, Listed: true}, nil, nil, nil},
	} {
		_, err := Select(tt.offer, &Credentials{Username: "juliet", Password: "secret"}, tt.channel, tt.policy)
		if !errors.Is(err, tt.want) {
			t.Errorf("Select(%v) = %v; want %v", tt.offer, err, tt.want)
		}
	}

	// Who is told not to bind is a client without channel binding.
	c, err := Select(Offer{Mechanisms: plus}, &Credentials{Username: "juliet", Password: "secret"}, both, &Policy{Mechanisms: []string{SCRAMSHA1}})
	require.NoError(t, err)
	first, err := c.Start()
	require.NoError(t, err)
	require.Equal(t, byte('n'), first[0])
}

func TestSec_CredentialsAreNotPrinted(t *testing.T) {
	creds := Credentials{Username: "juliet", Password: "hunter2", Token: "hunter2"}
	secrets := Secrets{Hash: SHA256, Salt: []byte("hunter2"), StoredKey: []byte("hunter2"), ServerKey: []byte("hunter2"), Iterations: 4096}
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	for _, v := range []any{creds, &creds, secrets, &secrets} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			log.WriteString(fmt.Sprintf(verb, v))
		}
		logger.Info("login", "value", v)
	}
	for _, leak := range []string{"hunter2", fmt.Sprintf("%x", "hunter2"), encodeBase64([]byte("hunter2"))} {
		if strings.Contains(log.String(), leak) {
			t.Errorf("printed %q: %s", leak, log.String())
		}
	}
	require.Contains(t, log.String(), "sasl.Secrets{SHA-256, 4096 iterations}")
}

// A mechanism that worked before is the weakest that is accepted from then on.
func TestSec_Pinned(t *testing.T) {
	creds := &Credentials{Username: "juliet", Password: "r0m30"}
	for _, tt := range []struct {
		pinned string
		offer  []string
		want   string // empty: none
	}{
		{"", []string{SCRAMSHA1}, SCRAMSHA1},
		{SCRAMSHA256, []string{SCRAMSHA1, SCRAMSHA256}, SCRAMSHA256},
		{SCRAMSHA256, []string{SCRAMSHA512, SCRAMSHA1}, SCRAMSHA512},
		{SCRAMSHA256, []string{SCRAMSHA1, Plain}, ""},
		{SCRAMSHA1Plus, []string{SCRAMSHA512}, ""},
		{"SCRAM-SHA3-512", []string{SCRAMSHA512}, ""}, // one that this program does not know
	} {
		c, err := Select(Offer{Mechanisms: tt.offer}, creds, nil, &Policy{Pinned: tt.pinned, AllowPlain: true})
		switch {
		case tt.want == "":
			if !errors.Is(err, ErrNoMechanism) {
				t.Errorf("pinned %s, offered %v: %v, want ErrNoMechanism", tt.pinned, tt.offer, err)
			}
		case err != nil || c.Name() != tt.want:
			t.Errorf("pinned %s, offered %v: %v, want %s", tt.pinned, tt.offer, err, tt.want)
		}
	}
}
