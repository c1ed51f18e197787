package sasl

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzServer feeds a server of every mechanism two messages of a stranger. It
// may not let anyone in, and every error has to say what to tell the peer.
func FuzzServer(f *testing.F) {
	for i := range Mechanisms() {
		for _, v := range []vector{rfc5802, rfc7677} {
			f.Add(i, []byte(v.messages[0]), []byte(v.messages[2]))
		}
		f.Add(i, []byte("p=tls-exporter,a=x=2Cy,n=juliet,r=x,e=1"), []byte("c=biws,r=x,p=AAAA"))
		f.Add(i, []byte("\x00juliet\x00secret"), []byte{})
		f.Add(i, []byte("n,,\x01host=h\x01port=1\x01auth=Bearer x\x01\x01"), []byte("\x01"))
		f.Add(i, []byte("n,a=a=3Db,\x01auth=\x01\x01"), []byte("\x01"))
		f.Add(i, []byte("sirhc@example.org"), []byte{})
		f.Add(i, []byte{}, []byte{})
	}
	_, server := tlsPair(f, tlsOptions{clientCert: true})
	store := newAccounts(f, "juliet", "correct horse battery staple")
	auth := newAuth(f, store, &Options{AllowPlain: true, AllowAnonymous: true, FakeIterations: MinIterations})
	offer := auth.Offer(server)
	require.Equal(f, Mechanisms(), offer.Mechanisms)
	f.Fuzz(func(t *testing.T, mechanism int, first, second []byte) {
		name := Mechanisms()[uint(mechanism)%uint(len(Mechanisms()))]
		s, err := auth.Start(name, offer, server)
		require.NoError(t, err)
		for _, msg := range [][]byte{first, second} {
			challenge, done, err := s.Next(context.Background(), msg)
			switch {
			case done && name != Anonymous:
				t.Fatalf("%s: %q gets in as %+v", name, msg, s.Identity())
			case err != nil && (challenge != nil || done):
				t.Fatalf("%s: %q: %q, %t beside %v", name, msg, challenge, done, err)
			case err != nil:
				if _, ok := errors.AsType[Condition](err); !ok {
					t.Fatalf("%s: %q: no condition in %v", name, msg, err)
				}
				if _, _, err := s.Next(context.Background(), msg); err == nil {
					t.Fatalf("%s: goes on after an error", name)
				}
				return
			case done:
				return
			case len(challenge) > len(first)+1024:
				t.Fatalf("%s: %d bytes for %d", name, len(challenge), len(first))
			}
		}
	})
}

// FuzzClient feeds a client of every mechanism a challenge and the data of a
// success, by a server that does not know the password.
func FuzzClient(f *testing.F) {
	for i := range Mechanisms() {
		for _, v := range []vector{rfc5802, rfc7677} {
			f.Add(i, []byte(v.messages[1]), []byte(v.messages[3]))
		}
		f.Add(i, []byte("r=nonceX,s=AAAA,i=4096,h=AAAA,t=0304"), []byte("v=AAAA"))
		f.Add(i, []byte("r=nonceX,s=AAAA,i=4096"), []byte("e=other-error,x=1"))
		f.Add(i, []byte(`{"status":"invalid_token"}`), []byte{})
		f.Add(i, []byte{}, []byte{})
	}
	client, _ := tlsPair(f, tlsOptions{})
	creds := &Credentials{Username: "juliet", Password: "correct horse battery staple", Token: "x", Certificate: true, Anonymous: true}
	f.Fuzz(func(t *testing.T, mechanism int, challenge, additional []byte) {
		name := Mechanisms()[uint(mechanism)%uint(len(Mechanisms()))]
		policy := &Policy{AllowPlain: true, Mechanisms: []string{name}, MinIterations: 1, MaxIterations: 5000}
		begin := func() Client {
			c, err := Select(Offer{Mechanisms: []string{name}}, creds, client, policy)
			require.NoError(t, err)
			if x := c.(*clientExchange); strings.HasPrefix(name, "SCRAM-") {
				x.mech.(*scramClient).nonce = "nonce" // so that an answer can be guessed
			}
			_, err = c.Start()
			require.NoError(t, err)
			return c
		}
		_, _, scram := parseSCRAMName(name)
		c := begin()
		if _, err := c.Next(challenge); err == nil {
			if c.Finish(additional) == nil {
				t.Fatalf("%s: %q, %q prove the server", name, challenge, additional)
			}
		} else if c.Finish(additional) == nil {
			t.Fatalf("%s: success after %v", name, err)
		}
		if err := begin().Finish(additional); err == nil && (scram || len(additional) > 0) {
			t.Fatalf("%s: %q proves the server", name, additional)
		}
	})
}

// FuzzGS2 holds the header against its writer.
func FuzzGS2(f *testing.F) {
	for _, s := range []string{"n,,x", "y,a=b,", "p=tls-exporter,a=a=2Cb=3D,n=x", "p=,,", "n,a=,", "n,a==2c,", ",,", "n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, msg string) {
		header, rest, err := cutGS2(msg)
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		flag := string(header.flag)
		if header.binding != "" {
			flag += "=" + header.binding
		}
		written, err := gs2Header(flag, header.authzid)
		if err != nil || written != header.raw || written+rest != msg {
			t.Errorf("cutGS2(%q) = %+v, %q; written again: %q, %v", msg, header, rest, written, err)
		}
	})
}

// FuzzName holds the two directions of escaping against each other.
func FuzzName(f *testing.F) {
	for _, s := range []string{"user", "a,b=c", "=2C", "", "==", "=3D=2C"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := unescapeName(escapeName(s)); s != "" && (got != s || err != nil) {
			t.Errorf("unescapeName(escapeName(%q)) = %q, %v", s, got, err)
		}
		if got, err := unescapeName(s); err == nil && !strings.Contains(s, ",") && escapeName(got) != s {
			t.Errorf("escapeName(unescapeName(%q)) = %q", s, escapeName(got))
		}
	})
}
