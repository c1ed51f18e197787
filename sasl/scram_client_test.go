package sasl

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// started is the client of RFC 5802 §5 after its first message.
func started(t *testing.T) Client {
	t.Helper()
	c := rfc5802.client()
	_, err := c.Start()
	require.NoError(t, err)
	return c
}

func TestClientS10_ServerFirst(t *testing.T) {
	const r, s, i = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j", ",s=QSXCR+Q6sek8bf92", ",i=4096"
	for _, tt := range []struct {
		name, challenge string
		want            error
	}{
		{"the example", r + s + i, nil},
		{"unknown optional extensions", r + s + i + ",x=1,Y=2==", nil},
		{"iterations at the cap", r + s + ",i=5000", nil},

		{"empty", "", ErrMalformed},
		{"nonce of another client", "r=somebodyelse" + s + i, ErrMalformed},
		{"nonce not extended", "r=fyko+d2lbbFgONRv9qkxdawL" + s + i, ErrMalformed},
		{"nonce shortened", "r=fyko+d2lbbFgONRv9qkxda" + s + i, ErrMalformed},
		{"nonce with a space", r + " " + s + i, ErrMalformed},
		{"nonce with é", r + "é" + s + i, ErrMalformed},
		{"mandatory extension", "m=x," + r + s + i, ErrMalformed},
		{"mandatory extension last", r + s + i + ",m=x", ErrMalformed},
		{"iterations below the floor", r + s + ",i=4095", ErrIterations},
		{"iterations above the cap", r + s + ",i=5001", ErrIterations},
		{"iterations beyond int32", r + s + ",i=4294971392", ErrIterations},
		{"iterations beyond int64", r + s + ",i=18446744073709555712", ErrIterations},
		{"iterations zero", r + s + ",i=0", ErrMalformed},
		{"iterations negative", r + s + ",i=-4096", ErrMalformed},
		{"iterations with plus", r + s + ",i=+4096", ErrMalformed},
		{"iterations with leading zero", r + s + ",i=04096", ErrMalformed},
		{"iterations hexadecimal", r + s + ",i=0x1000", ErrMalformed},
		{"iterations empty", r + s + ",i=", ErrMalformed},
		{"iterations missing", r + s, ErrMalformed},
		{"salt empty", r + ",s=" + i, ErrMalformed},
		{"salt not padded", r + ",s=QSXCR+Q6sek8bf9" + i, ErrIncorrectEncoding},
		{"salt with stray bits", r + ",s=QSXCR+Q6sek8bf9=" + i, ErrIncorrectEncoding},
		{"salt with a line break", r + ",s=QSXCR+Q6\nsek8bf92" + i, ErrIncorrectEncoding},
		{"salt in base64url", r + ",s=QSXCR-Q6sek8bf92" + i, ErrIncorrectEncoding},
		{"order", s[1:] + "," + r + i, ErrMalformed},
		{"twice", r + s + i + i, ErrMalformed},
		{"defined attribute as extension", r + s + i + ",n=user", ErrMalformed},
		{"extension twice", r + s + i + ",x=1,x=1", ErrMalformed},
		{"not an attribute", r + s + i + ",x", ErrMalformed},
		{"attribute without value", r + s + i + ",x=", ErrMalformed},
		{"attribute named by a digit", r + s + i + ",1=x", ErrMalformed},
		{"trailing comma", r + s + i + ",", ErrMalformed},
		{"NUL", r + s + i + ",x=\x00", ErrMalformed},
		{"not UTF-8", r + s + i + ",x=\xff", ErrMalformed},
		{"error", "e=other-error", ErrNotAuthorized},
		{"too long", r + s + i + ",x=" + strings.Repeat("x", maxMessage), ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := rfc5802.client()
			c.mech.(*scramClient).max = 5000
			_, err := c.Start()
			require.NoError(t, err)
			response, err := c.Next([]byte(tt.challenge))
			if !errors.Is(err, tt.want) || (response == nil) != (tt.want != nil) {
				t.Errorf("Next = %q, %v; want %v", response, err, tt.want)
			}
			if tt.want == nil {
				return
			}
			if _, err := c.Next([]byte(rfc5802.messages[1])); err == nil {
				t.Error("the exchange went on after an error")
			}
			if err := c.Finish([]byte(rfc5802.messages[3])); err == nil {
				t.Error("success after an error")
			}
		})
	}
}

func TestClientS10_ServerMustBeProven(t *testing.T) {
	good := rfc5802.messages[3]
	sha1Zero := "v=" + base64.StdEncoding.EncodeToString(make([]byte, 20))
	for _, tt := range []struct {
		name       string
		additional []byte
		want       error
	}{
		{"the example", []byte(good), nil},
		{"with an extension", []byte(good + ",x=1"), nil},

		{"nothing", nil, ErrServerNotProven},
		{"empty", []byte{}, ErrServerNotProven},
		{"zeros", []byte(sha1Zero), ErrServerNotProven},
		{"shorter", []byte("v=rmF9pqV8S7suAoZWja4dJRkF"), ErrServerNotProven},
		{"not base64", []byte("v=rmF9pqV8S7suAoZWja4dJRkFsKQ"), ErrIncorrectEncoding},
		{"stray bits", []byte("v=rmF9pqV8S7suAoZWja4dJRkFsKR="), ErrIncorrectEncoding},
		{"empty verifier", []byte("v="), ErrMalformed},
		{"other attribute", []byte("x=1"), ErrMalformed},
		{"other attribute first", []byte("x=1," + good), ErrMalformed},
		{"mandatory extension", []byte(good + ",m=1"), ErrMalformed},
		{"error and verifier", []byte("e=other-error," + good), ErrMalformed},
		{"verifier and error", []byte(good + ",e=other-error"), ErrMalformed},
		{"our own proof", []byte("v=" + strings.Split(rfc5802.messages[2], "p=")[1]), ErrServerNotProven},

		{"error invalid-proof", []byte("e=invalid-proof"), ErrNotAuthorized},
		{"error unknown-user", []byte("e=unknown-user"), ErrNotAuthorized},
		{"error no-resources", []byte("e=no-resources"), ErrTemporary},
		{"error invalid-encoding", []byte("e=invalid-encoding"), ErrIncorrectEncoding},
		{"error extensions-not-supported", []byte("e=extensions-not-supported"), ErrMalformed},
		{"error of the future", []byte("e=because,x=1"), ErrNotAuthorized},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := started(t)
			_, err := c.Next([]byte(rfc5802.messages[1]))
			require.NoError(t, err)
			if err := c.Finish(tt.additional); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("Finish = %v; want %v", err, tt.want)
			}
		})
	}
}

// A server that does not know the password sends success at once, with something
// that looks like a verifier: another library let it in.
func TestClientS10_SuccessTooEarly(t *testing.T) {
	for _, additional := range [][]byte{nil, {}, []byte(rfc5802.messages[3]), []byte("v=AAAA")} {
		if err := started(t).Finish(additional); !errors.Is(err, ErrServerNotProven) {
			t.Errorf("Finish(%q) after the first message = %v; want ErrServerNotProven", additional, err)
		}
		c := rfc5802.client()
		if err := c.Finish(additional); err == nil {
			t.Errorf("Finish(%q) before the first message = nil", additional)
		}
		if _, err := c.Start(); err == nil {
			t.Error("Start after Finish = nil")
		}
	}
}

// RFC 4422 §3.6: without additional data in success, the last message comes as a
// challenge, to which the answer is empty.
func TestClientS10_VerifierAsChallenge(t *testing.T) {
	proven := func(t *testing.T) Client {
		c := started(t)
		_, err := c.Next([]byte(rfc5802.messages[1]))
		require.NoError(t, err)
		response, err := c.Next([]byte(rfc5802.messages[3]))
		require.NoError(t, err)
		require.Equal(t, []byte{}, response)
		return c
	}
	require.NoError(t, proven(t).Finish(nil))
	require.NoError(t, proven(t).Finish([]byte{}))
	require.ErrorIs(t, proven(t).Finish([]byte(rfc5802.messages[3])), ErrMalformed)

	c := proven(t)
	_, err := c.Next([]byte(rfc5802.messages[1]))
	require.ErrorIs(t, err, ErrMalformed)
	require.ErrorIs(t, c.Finish(nil), ErrMalformed)

	c = started(t)
	_, err = c.Next([]byte(rfc5802.messages[1]))
	require.NoError(t, err)
	_, err = c.Next([]byte("v=AAAA"))
	require.ErrorIs(t, err, ErrServerNotProven)
	require.Error(t, c.Finish(nil))
}

func TestClientS10_OutOfOrder(t *testing.T) {
	c := rfc5802.client()
	_, err := c.Next([]byte(rfc5802.messages[1]))
	require.ErrorIs(t, err, ErrMalformed, "challenge before the first message")

	c = rfc5802.client()
	_, err = c.Start()
	require.NoError(t, err)
	_, err = c.Start()
	require.ErrorIs(t, err, ErrMalformed, "started twice")

	c = rfc5802.client()
	_, _, serverErr := talk(c, rfc5802.server(t), nil)
	require.NoError(t, serverErr)
	_, err = c.Next(nil)
	require.ErrorIs(t, err, ErrMalformed, "challenge after success")
	require.ErrorIs(t, c.Finish(nil), ErrMalformed, "success twice")
}

func TestClientS10_OfferWasAltered(t *testing.T) {
	const first = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
	sent := Offer{Mechanisms: []string{SCRAMSHA256, SCRAMSHA1}}
	seen := Offer{Mechanisms: []string{SCRAMSHA1}}
	for _, tt := range []struct {
		name, challenge string
		want            error
	}{
		{"the server does not say", first, nil},
		{"as it was seen", first + ",h=" + offerHash(SHA1, seen), nil},
		{"shortened on the way", first + ",h=" + offerHash(SHA1, sent), ErrDowngrade},
		{"hash of another kind", first + ",h=" + offerHash(SHA256, seen), ErrDowngrade},
		{"the same TLS version", first + ",t=0304", nil},
		{"another TLS version", first + ",t=0303", ErrDowngrade},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := rfc5802.client()
			mech := c.mech.(*scramClient)
			mech.offer, mech.channel = seen, &Channel{TLS: fakeTLS13}
			_, err := c.Start()
			require.NoError(t, err)
			if _, err := c.Next([]byte(tt.challenge)); !errors.Is(err, tt.want) {
				t.Errorf("Next = %v; want %v", err, tt.want)
			}
		})
	}
}

func TestRFC5802_5_1_ClientEscapes(t *testing.T) {
	c := &clientExchange{mech: &scramClient{
		mechanism: SCRAMSHA1, hash: SHA1, flag: "n", nonce: "x",
		creds: Credentials{Username: "a,b=c", Authzid: "=,=2C", Password: "p"},
	}}
	got, err := c.Start()
	require.NoError(t, err)
	require.Equal(t, "n,a==3D=2C=3D2C,n=a=2Cb=3Dc,r=x", string(got))
}

func TestRFC5802_5_1_ClientPreparesUsername(t *testing.T) {
	for _, tt := range []struct{ username, want string }{
		{"I\u00adX", "n,,n=IX,r=x"},
		{"\u2168", "n,,n=IX,r=x"},
		{"\u0007", ""},
		{"\u00ad", ""}, // nothing is left
		{"\xff", ""},
	} {
		c := &scramClient{flag: "n", nonce: "x", creds: Credentials{Username: tt.username}}
		if got, err := c.start(); string(got) != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("start with %q = %q, %v; want %q", tt.username, got, err, tt.want)
		}
	}
	for _, authzid := range []string{"a\x00b", "\xff"} {
		c := &scramClient{flag: "n", nonce: "x", creds: Credentials{Username: "user", Authzid: authzid}}
		if got, err := c.start(); err == nil {
			t.Errorf("start with authzid %q = %q", authzid, got)
		}
	}
	c := &scramClient{hash: SHA1, nonce: "x", min: 1, max: 1, creds: Credentials{Username: "user", Password: "\u0007"}, step: awaitFirst}
	if _, err := c.next([]byte("r=xy,s=AAAA,i=1")); err == nil || strings.Contains(err.Error(), "\u0007") {
		t.Errorf("password that cannot be prepared: %v", err)
	}
}

func TestClientNoncesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		c := &scramClient{flag: "n", creds: Credentials{Username: "user"}}
		_, err := c.start()
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(c.nonce), 22, "at least 110 bits")
		require.False(t, seen[c.nonce])
		seen[c.nonce] = true
	}
}
