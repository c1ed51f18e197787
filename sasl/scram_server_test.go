package sasl

import (
	"context"
	"crypto/subtle"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// begin starts a mechanism with an offer on a channel.
func begin(t *testing.T, auth *Authenticator, mechanism string, offer Offer, channel *Channel) Server {
	t.Helper()
	s, err := auth.Start(mechanism, offer, channel)
	require.NoError(t, err)
	return s
}

func TestRFC5802_7_ClientFirst(t *testing.T) {
	auth := newAuth(t, newAccounts(t, "a,b=c", "secret"), &Options{Mechanisms: []string{SCRAMSHA1}})
	for _, tt := range []struct {
		name, msg string
		want      error
	}{
		{"n", "n,,n=a=2Cb=3Dc,r=x", nil},
		{"y, and nothing was offered", "y,,n=a=2Cb=3Dc,r=x", nil},
		{"authzid", "n,a=some=2Cbody,n=user,r=x", nil},
		{"unknown optional extension", "n,,n=user,r=x,y=1", nil},
		{"nonce of every sort", "n,,n=user,r=!\"#$%&'()*+-./:;<=>?@[]^_`{|}~", nil},

		{"empty", "", ErrMalformed},
		{"no GS2 header", "n=user,r=x", ErrMalformed},
		{"header only", "n,,", ErrMalformed},
		{"half a header", "n,", ErrMalformed},
		{"unknown flag", "x,,n=user,r=x", ErrMalformed},
		{"flag of another case", "N,,n=user,r=x", ErrMalformed},
		{"non-standard flag of GS2", "F,n,,n=user,r=x", ErrMalformed},
		{"empty flag", ",,n=user,r=x", ErrMalformed},
		{"p without type", "p=,,n=user,r=x", ErrMalformed},
		{"p alone", "p,,n=user,r=x", ErrMalformed},
		{"p with an odd type", "p=a_b,,n=user,r=x", ErrMalformed},
		{"p without -PLUS", "p=tls-exporter,,n=user,r=x", ErrMalformed},
		{"not an authzid", "n,b=x,n=user,r=x", ErrMalformed},
		{"empty authzid", "n,a=,n=user,r=x", ErrMalformed},
		{"authzid with a wrong escape", "n,a==2c,n=user,r=x", ErrMalformed},
		{"authzid not UTF-8", "n,a=\xff,n=user,r=x", ErrMalformed},
		{"authzid with NUL", "n,a=\x00,n=user,r=x", ErrMalformed},
		{"empty username", "n,,n=,r=x", ErrMalformed},
		{"no username", "n,,r=x", ErrMalformed},
		{"no nonce", "n,,n=user", ErrMalformed},
		{"empty nonce", "n,,n=user,r=", ErrMalformed},
		{"nonce with a space", "n,,n=user,r=a b", ErrMalformed},
		{"nonce with é", "n,,n=user,r=é", ErrMalformed},
		{"nonce with DEL", "n,,n=user,r=\x7f", ErrMalformed},
		{"order", "n,,r=x,n=user", ErrMalformed},
		{"username twice", "n,,n=user,r=x,n=admin", ErrMalformed},
		{"nonce twice", "n,,n=user,r=x,r=y", ErrMalformed},
		{"attribute of another message", "n,,n=user,r=x,p=AAAA", ErrMalformed},
		{"mandatory extension", "n,,m=x,n=user,r=x", ErrMalformed},
		{"mandatory extension last", "n,,n=user,r=x,m=x", ErrMalformed},
		{"escape of nothing", "n,,n=us=er,r=x", ErrMalformed},
		{"escape cut short", "n,,n=user=2,r=x", ErrMalformed},
		{"escape at the end", "n,,n=user=,r=x", ErrMalformed},
		{"escape in lower case", "n,,n=user=2c,r=x", ErrMalformed},
		{"trailing comma", "n,,n=user,r=x,", ErrMalformed},
		{"NUL", "n,,n=us\x00er,r=x", ErrMalformed},
		{"not UTF-8", "n,,n=us\xffer,r=x", ErrMalformed},
		{"surrogate", "n,,n=us\xed\xa0\x80er,r=x", ErrMalformed},
		{"too long", "n,,n=" + strings.Repeat("x", maxMessage) + ",r=x", ErrMalformed},
		{"username that cannot be prepared", "n,,n=us\u0007er,r=x", ErrNotAuthorized},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := begin(t, auth, SCRAMSHA1, auth.Offer(nil), nil)
			challenge, done, err := s.Next(t.Context(), []byte(tt.msg))
			if done || !errors.Is(err, tt.want) || (challenge == nil) != (tt.want != nil) {
				t.Errorf("Next = %q, %t, %v; want %v", challenge, done, err, tt.want)
			}
		})
	}
}

func TestRFC5802_7_ClientFinal(t *testing.T) {
	const c, r, p = "c=biws", ",r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j", ",p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
	for _, tt := range []struct {
		name, msg string
		want      error
	}{
		{"the example", c + r + p, nil},

		{"empty", "", ErrMalformed},
		{"wrong proof", c + r + ",p=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", ErrNotAuthorized},
		{"short proof", c + r + ",p=v0X8", ErrNotAuthorized},
		{"long proof", c + r + ",p=v0X8v3Bz2T0CJGbJQyF0X+HI4TsA", ErrNotAuthorized},
		{"extension the proof does not know", c + r + ",x=1" + p, ErrNotAuthorized},
		{"other header", "c=eSws" + r + p, ErrNotAuthorized},
		{"data though there is none", "c=biwsAAAA" + r + p, ErrNotAuthorized},
		{"other nonce", c + r + "x" + p, ErrNotAuthorized},
		{"nonce of the client alone", c + ",r=fyko+d2lbbFgONRv9qkxdawL" + p, ErrNotAuthorized},
		{"no proof", c + r, ErrMalformed},
		{"empty proof", c + r + ",p=", ErrMalformed},
		{"proof not last", c + r + p + ",x=1", ErrMalformed},
		{"proof twice", c + r + p + p, ErrMalformed},
		{"order", r[1:] + "," + c + p, ErrMalformed},
		{"no nonce", c + p, ErrMalformed},
		{"no binding", r[1:] + p, ErrMalformed},
		{"mandatory extension", c + r + ",m=1" + p, ErrMalformed},
		{"binding not base64", "c=biw" + r + p, ErrIncorrectEncoding},
		{"proof with stray bits", c + r + ",p=v0X8v3Bz2T0CJGbJQyF0X+HI4Tt=", ErrIncorrectEncoding},
		{"proof with a line break", c + r + ",p=v0X8v3Bz2T0CJGbJ\r\nQyF0X+HI4Ts=", ErrIncorrectEncoding},
		{"not UTF-8", c + r + ",x=\xff" + p, ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := rfc5802.server(t)
			_, _, err := s.Next(t.Context(), []byte(rfc5802.messages[0]))
			require.NoError(t, err)
			require.Zero(t, s.Identity())
			additional, done, err := s.Next(t.Context(), []byte(tt.msg))
			if done != (tt.want == nil) || !errors.Is(err, tt.want) || (additional == nil) != (tt.want != nil) {
				t.Errorf("Next = %q, %t, %v; want %v", additional, done, err, tt.want)
			}
			if id := s.Identity(); (id != Identity{}) != (tt.want == nil) {
				t.Errorf("Identity = %+v", id)
			}
			if _, _, err := s.Next(t.Context(), []byte(rfc5802.messages[2])); !errors.Is(err, ErrMalformed) {
				t.Errorf("Next after the end = %v; want ErrMalformed", err)
			}
		})
	}
}

func TestRFC4422_5_NoInitialResponse(t *testing.T) {
	s := rfc5802.server(t)
	challenge, done, err := s.Next(t.Context(), nil)
	require.NoError(t, err)
	require.False(t, done)
	require.Equal(t, []byte{}, challenge, "an empty challenge, which differs from none")
	challenge, _, err = s.Next(t.Context(), []byte(rfc5802.messages[0]))
	require.NoError(t, err)
	require.Equal(t, rfc5802.messages[1], string(challenge))

	s = rfc5802.server(t)
	_, _, err = s.Next(t.Context(), []byte{})
	require.ErrorIs(t, err, ErrMalformed, "an empty initial response is not none")

	s = rfc5802.server(t)
	_, _, err = s.Next(t.Context(), nil)
	require.NoError(t, err)
	_, _, err = s.Next(t.Context(), nil)
	require.ErrorIs(t, err, ErrMalformed)
}

// A username is looked up prepared, and hashed as received (RFC 5802 §5.1).
func TestRFC5802_5_1_ServerPreparesUsername(t *testing.T) {
	auth := newAuth(t, newAccounts(t, "IX", "secret"), nil)
	c := &clientExchange{mech: &rawUsername{scramClient{
		mechanism: SCRAMSHA256, hash: SHA256, flag: "n", min: 1, max: MaxIterations, offer: auth.Offer(nil),
		creds: Credentials{Username: "\u2168", Password: "secret"},
	}}}
	id, clientErr, serverErr := talk(c, begin(t, auth, SCRAMSHA256, auth.Offer(nil), nil), nil)
	require.NoError(t, serverErr)
	require.NoError(t, clientErr)
	require.Equal(t, "IX", id.Username)
}

// rawUsername is a client that sends its username unprepared.
type rawUsername struct{ scramClient }

func (c *rawUsername) start() ([]byte, error) {
	if _, err := c.scramClient.start(); err != nil {
		return nil, err
	}
	c.firstBare = "n=" + c.creds.Username + ",r=" + c.nonce
	return []byte(c.header + c.firstBare), nil
}

// A proof for the nonce of an earlier exchange is right, and of no use (§5.1 "r").
func TestSec_Replay(t *testing.T) {
	auth := newAuth(t, newAccounts(t, "juliet", "secret", SHA1), nil)
	offer := auth.Offer(nil)
	mech := &scramClient{mechanism: SCRAMSHA1, hash: SHA1, flag: "n", min: 1, max: MaxIterations, offer: offer,
		creds: Credentials{Username: "juliet", Password: "secret"}}
	s := begin(t, auth, SCRAMSHA1, offer, nil)
	first, err := mech.start()
	require.NoError(t, err)
	challenge, _, err := s.Next(t.Context(), first)
	require.NoError(t, err)
	final, err := mech.next(challenge)
	require.NoError(t, err)

	parsed, err := parseClientFinal(string(final))
	require.NoError(t, err)
	secrets := auth.scram.(*accounts).secrets["juliet"][SHA1]
	salted, err := SHA1.saltPassword("secret", secrets.Salt, secrets.Iterations)
	require.NoError(t, err)
	clientKey := SHA1.mac(salted, "Client Key")
	for nonce, want := range map[string]error{parsed.nonce: nil, "another": ErrNotAuthorized} {
		again := *s.(*serverExchange).mech.(*scramServer)
		withoutProof := "c=biws,r=" + nonce
		proof := SHA1.mac(secrets.StoredKey, mech.firstBare+","+string(challenge)+","+withoutProof)
		subtle.XORBytes(proof, proof, clientKey)
		_, id, err := again.next(t.Context(), []byte(withoutProof+",p="+encodeBase64(proof)))
		if !errors.Is(err, want) || (id == nil) != (want != nil) {
			t.Errorf("nonce %q: %+v, %v; want %v", nonce, id, err, want)
		}
	}
}

func TestSec_ChannelBindingDowngrade(t *testing.T) {
	client, server := tlsPair(t, tlsOptions{})
	auth := newAuth(t, newAccounts(t, "juliet", "secret"), nil)
	creds := &Credentials{Username: "juliet", Password: "secret"}
	offer := auth.Offer(server)
	require.Equal(t, []string{TLSExporter, TLSServerEndPoint}, offer.Bindings)

	// Somebody strikes everything with -PLUS: the client says y, the server
	// knows better.
	stripped := Offer{Mechanisms: []string{SCRAMSHA512, SCRAMSHA256, SCRAMSHA1}}
	c, err := Select(stripped, creds, client, nil)
	require.NoError(t, err)
	_, clientErr, serverErr := talk(c, begin(t, auth, c.Name(), offer, server), nil)
	require.Error(t, clientErr)
	require.ErrorIs(t, serverErr, ErrNotAuthorized)

	// Who also turns y into n breaks the proof, unless the client had no proof
	// to break: then it sees the hash of the offer.
	c, err = Select(stripped, creds, client, nil)
	require.NoError(t, err)
	_, clientErr, _ = talk(c, begin(t, auth, c.Name(), offer, server), func(i int, msg []byte) []byte {
		if i == 0 {
			msg[0] = 'n'
		}
		return msg
	})
	require.ErrorIs(t, clientErr, ErrDowngrade)

	old := newAuth(t, newAccounts(t, "juliet", "secret"), &Options{OmitDowngradeProtection: true})
	c, err = Select(stripped, creds, client, nil)
	require.NoError(t, err)
	_, clientErr, serverErr = talk(c, begin(t, old, c.Name(), offer, server), func(i int, msg []byte) []byte {
		if i == 0 {
			msg[0] = 'n'
		}
		return msg
	})
	require.Error(t, clientErr)
	require.ErrorIs(t, serverErr, ErrNotAuthorized)

	// A client that cannot bind says n, truthfully, and is let in.
	c, err = Select(offer, creds, secure, nil)
	require.NoError(t, err)
	require.Equal(t, SCRAMSHA512, c.Name())
	_, clientErr, serverErr = talk(c, begin(t, auth, c.Name(), offer, server), nil)
	require.NoError(t, clientErr)
	require.NoError(t, serverErr)
}

func TestSec_ChannelBindingFlags(t *testing.T) {
	_, server := tlsPair(t, tlsOptions{})
	auth := newAuth(t, newAccounts(t, "juliet", "secret"), nil)
	full := auth.Offer(server)
	silent := Offer{Mechanisms: full.Mechanisms}
	fewer := Offer{Mechanisms: full.Mechanisms, Bindings: []string{TLSServerEndPoint}}
	for _, tt := range []struct {
		name, mechanism, flag string
		offer                 Offer
		want                  error
	}{
		{"exporter", SCRAMSHA256Plus, "p=tls-exporter", full, nil},
		{"end point", SCRAMSHA256Plus, "p=tls-server-end-point", full, nil},
		{"types were not listed", SCRAMSHA256Plus, "p=tls-exporter", silent, nil},
		{"type was struck from the list", SCRAMSHA256Plus, "p=tls-exporter", fewer, ErrNotAuthorized},
		{"unknown type", SCRAMSHA256Plus, "p=tls-unique", full, ErrNotAuthorized},
		{"unknown type, types were not listed", SCRAMSHA256Plus, "p=tls-unique", silent, ErrNotAuthorized},
		{"-PLUS with n", SCRAMSHA256Plus, "n", full, ErrMalformed},
		{"-PLUS with y", SCRAMSHA256Plus, "y", full, ErrMalformed},
		{"p without -PLUS", SCRAMSHA256, "p=tls-exporter", full, ErrMalformed},
		{"y though offered", SCRAMSHA256, "y", full, ErrNotAuthorized},
		{"n", SCRAMSHA256, "n", full, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := begin(t, auth, tt.mechanism, tt.offer, server)
			if _, _, err := s.Next(t.Context(), []byte(tt.flag+",,n=juliet,r=x")); !errors.Is(err, tt.want) {
				t.Errorf("Next = %v; want %v", err, tt.want)
			}
		})
	}
}

// Two TLS connections with somebody between: the same password, other channel.
func TestSec_ManInTheMiddle(t *testing.T) {
	client, _ := tlsPair(t, tlsOptions{})
	_, server := tlsPair(t, tlsOptions{})
	auth := newAuth(t, newAccounts(t, "juliet", "secret"), nil)
	for _, only := range []string{TLSExporter, TLSServerEndPoint} {
		offer := auth.Offer(server)
		offer.Bindings = []string{only}
		c, err := Select(offer, &Credentials{Username: "juliet", Password: "secret"}, client, nil)
		require.NoError(t, err)
		require.Equal(t, SCRAMSHA512Plus, c.Name())
		_, clientErr, serverErr := talk(c, begin(t, auth, c.Name(), offer, server), nil)
		require.Error(t, clientErr, only)
		require.ErrorIs(t, serverErr, ErrNotAuthorized, only)
	}
}

// Listing a -PLUS mechanism for a channel that has no binding made another
// library panic.
func TestSec_PlusWithoutBinding(t *testing.T) {
	auth := newAuth(t, newAccounts(t, "juliet", "secret"), &Options{Mechanisms: []string{SCRAMSHA256Plus, SCRAMSHA256}})
	forged := Offer{Mechanisms: []string{SCRAMSHA256Plus, SCRAMSHA256}}
	for name, channel := range map[string]*Channel{"nil": nil, "no TLS": secure, "no handshake": {TLS: fakeTLS13}} {
		if got := auth.Offer(channel); len(got.Mechanisms) != 1 || got.Bindings != nil {
			t.Errorf("%s: Offer = %+v; want SCRAM-SHA-256 only", name, got)
		}
		if _, err := auth.Start(SCRAMSHA256Plus, forged, channel); !errors.Is(err, ErrInvalidMechanism) {
			t.Errorf("%s: Start = %v; want ErrInvalidMechanism", name, err)
		}
	}
}

// answer is what a stranger sees of a username.
func answer(t *testing.T, auth *Authenticator, mechanism, username string) (salt string, iterations int, end error) {
	t.Helper()
	s := begin(t, auth, mechanism, auth.Offer(nil), nil)
	challenge, done, err := s.Next(t.Context(), []byte("n,,n="+escapeName(username)+",r=x"))
	require.NoError(t, err)
	require.False(t, done)
	first, err := parseServerFirst(string(challenge))
	require.NoError(t, err)
	final := "c=biws,r=" + first.nonce + ",p=" + encodeBase64(make([]byte, 20))
	_, done, err = s.Next(t.Context(), []byte(final))
	require.False(t, done)
	return encodeBase64(first.salt), first.iterations, err
}

func TestSec_NoUserEnumeration(t *testing.T) {
	store := newAccounts(t, "juliet", "secret", SHA1)
	opts := Options{FakeIterations: MinIterations, FakeKey: []byte("0123456789abcdef")}
	auth := newAuth(t, store, &opts)

	salt, iterations, err := answer(t, auth, SCRAMSHA1, "juliet")
	for _, unknown := range []string{"romeo", "Juliet", "a,b=c"} {
		gotSalt, gotIterations, gotErr := answer(t, auth, SCRAMSHA1, unknown)
		if len(gotSalt) != len(salt) || gotIterations != iterations || gotErr.Error() != err.Error() {
			t.Errorf("%s: %q, %d, %v; want what juliet gets: %q, %d, %v", unknown, gotSalt, gotIterations, gotErr, salt, iterations, err)
		}
		require.ErrorIs(t, gotErr, ErrNotAuthorized)

		again, _, _ := answer(t, auth, SCRAMSHA1, unknown)
		restarted, _, _ := answer(t, newAuth(t, store, &opts), SCRAMSHA1, unknown)
		require.Equal(t, gotSalt, again, "asked twice")
		require.Equal(t, gotSalt, restarted, "asked another server with the key")

		otherHash, _, _ := answer(t, auth, SCRAMSHA256, unknown)
		otherServer, _, _ := answer(t, newAuth(t, store, nil), SCRAMSHA1, unknown)
		require.NotEqual(t, gotSalt, otherHash, "salts are drawn for each hash function")
		require.NotEqual(t, gotSalt, otherServer, "the key is secret")
	}
	romeo, _, _ := answer(t, auth, SCRAMSHA1, "romeo")
	benvolio, _, _ := answer(t, auth, SCRAMSHA1, "benvolio")
	require.NotEqual(t, romeo, benvolio)

	// juliet has no secrets for SHA-256: as if there were no such account.
	_, _, err = answer(t, auth, SCRAMSHA256, "juliet")
	require.ErrorIs(t, err, ErrNotAuthorized)

	// Where accounts ignore case, made-up ones do too.
	folding := newAuth(t, store, &Options{PrepareUsername: func(s string) (string, error) { return strings.ToLower(s), nil }})
	upper, _, _ := answer(t, folding, SCRAMSHA1, "ROMEO")
	lower, _, _ := answer(t, folding, SCRAMSHA1, "romeo")
	require.Equal(t, lower, upper)
}

// Nobody can prove anything for an account that was made up, not even who knows
// the key it was made from.
func TestSec_FakeSecretsProveNothing(t *testing.T) {
	auth := newAuth(t, newAccounts(t, "juliet", "secret"), nil)
	require.ErrorIs(t, account{fake: true}.verdict(true), ErrNotAuthorized)
	secrets := auth.fakeSecrets("romeo", SHA256)
	require.NoError(t, secrets.check())
	require.False(t, secrets.Verify("secret"))
}

func TestSec_AccountStates(t *testing.T) {
	for _, state := range []error{ErrAccountDisabled, ErrCredentialsExpired} {
		store := newAccounts(t, "juliet", "secret")
		store.err = state
		auth := newAuth(t, store, &Options{AllowPlain: true})
		for _, policy := range []*Policy{nil, {Mechanisms: []string{Plain}, AllowPlain: true}} {
			_, _, _, err := login(t, auth, &Credentials{Username: "juliet", Password: "secret"}, secure, secure, policy)
			if !errors.Is(err, state) {
				t.Errorf("right password: %v; want %v", err, state)
			}
			for _, creds := range []Credentials{{Username: "juliet", Password: "wrong"}, {Username: "romeo", Password: "secret"}} {
				_, _, _, err = login(t, auth, &creds, secure, secure, policy)
				if !errors.Is(err, ErrNotAuthorized) {
					t.Errorf("%s: %v; want ErrNotAuthorized", creds.Username, err)
				}
			}
		}
	}
}

func TestStoreFails(t *testing.T) {
	broken := errors.New("disk on fire")
	good := newAccounts(t, "juliet", "secret")
	for _, tt := range []struct {
		name    string
		secrets func(Secrets) Secrets
		err     error
		want    error
	}{
		{"an error", nil, broken, ErrTemporary},
		{"cancelled", nil, context.Canceled, ErrTemporary},
		{"a condition of its own", nil, ErrMechanismTooWeak, ErrMechanismTooWeak},
		{"empty secrets", func(Secrets) Secrets { return Secrets{} }, nil, ErrTemporary},
		{"secrets of another hash", func(s Secrets) Secrets { return good.secrets["juliet"][SHA1] }, nil, ErrTemporary},
		{"short key", func(s Secrets) Secrets { s.StoredKey = s.StoredKey[1:]; return s }, nil, ErrTemporary},
		{"no iterations", func(s Secrets) Secrets { s.Iterations = 0; return s }, nil, ErrTemporary},
		{"no salt", func(s Secrets) Secrets { s.Salt = nil; return s }, nil, ErrTemporary},
	} {
		t.Run(tt.name, func(t *testing.T) {
			secrets := good.secrets["juliet"][SHA512]
			if tt.secrets != nil {
				secrets = tt.secrets(secrets)
			}
			store := &accounts{secrets: map[string]map[Hash]Secrets{"juliet": {SHA512: secrets}}, err: tt.err}
			auth := newAuth(t, store, nil)
			_, _, err := begin(t, auth, SCRAMSHA512, auth.Offer(nil), nil).Next(t.Context(), []byte("n,,n=juliet,r=x"))
			if !errors.Is(err, tt.want) || tt.err != nil && !errors.Is(err, tt.err) {
				t.Errorf("Next = %v; want %v", err, tt.want)
			}
		})
	}
}
