package sasl

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// randomText draws a string that SASLprep accepts, from all of Unicode.
func randomText(r *rand.Rand) string {
	for {
		runes := make([]rune, 1+r.IntN(12))
		for i := range runes {
			switch r.IntN(4) {
			case 0:
				runes[i] = rune(r.IntN(0x80))
			case 1:
				runes[i] = []rune(",=2C3D")[r.IntN(6)]
			case 2:
				runes[i] = rune(r.IntN(0x3000))
			default:
				runes[i] = rune(r.IntN(0x20000))
			}
		}
		s := string(runes)
		if _, err := prepare(s); err == nil {
			return s
		}
	}
}

// Whatever the username, the password and the identity asked for, who has the
// password gets in, and who has another does not.
func TestProperty_AnyCredentials(t *testing.T) {
	client, server := tlsPair(t, tlsOptions{})
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		creds := Credentials{Username: randomText(r), Password: randomText(r)}
		if r.IntN(2) == 0 {
			creds.Authzid = randomText(r)
		}
		hash := allHashes[r.IntN(len(allHashes))]
		channels := [][2]*Channel{{client, server}, {secure, secure}}[r.IntN(2)]
		mechanism := []string{hash.Mechanism(), Plain, hash.Mechanism() + "-PLUS"}[r.IntN(3)]
		if channels[0] == secure {
			mechanism = []string{hash.Mechanism(), Plain}[r.IntN(2)]
		}
		store := newAccounts(t, creds.Username, creds.Password, hash)
		opts := &Options{AllowPlain: true, Authorize: anybody}
		policy := &Policy{AllowPlain: true, Mechanisms: []string{mechanism}}
		name, id, clientErr, serverErr := login(t, newAuth(t, store, opts), &creds, channels[0], channels[1], policy)
		username, _ := prepare(creds.Username)
		want := Identity{Username: username, Authzid: creds.Authzid}
		if clientErr != nil || serverErr != nil || id != want {
			t.Errorf("%s %+q %+q: %+v, %v, %v; want %+v", name, creds.Username, creds.Password, id, clientErr, serverErr, want)
		}
		creds.Password += "x"
		_, id, clientErr, serverErr = login(t, newAuth(t, store, opts), &creds, channels[0], channels[1], policy)
		if clientErr == nil || serverErr == nil || id != (Identity{}) {
			t.Errorf("%s %+q, wrong password: %+v, %v, %v", name, creds.Username, id, clientErr, serverErr)
		}
	}
}

func anybody(context.Context, Identity) error { return nil }

// No byte of SCRAM can be altered on the way: up to the proof the server does not
// succeed, and after it the client does not.
func TestProperty_AnyByteFlipped(t *testing.T) {
	client, server := tlsPair(t, tlsOptions{})
	r := rand.New(rand.NewPCG(3, 4))
	for _, h := range allHashes {
		auth := newAuth(t, newAccounts(t, "jül,iet", "secret", h), &Options{FakeIterations: MinIterations, Authorize: anybody})
		mechanisms := []string{h.Mechanism() + "-PLUS"}
		if h == SHA1 {
			mechanisms = append(mechanisms, SCRAMSHA1) // once will do: the hash makes no difference
		}
		for _, mechanism := range mechanisms {
			creds := &Credentials{Username: "jül,iet", Password: "secret", Authzid: "nur=se"}
			exchange := func(hook func(int, []byte) []byte) (clientErr, serverErr error) {
				offer := auth.Offer(server)
				c, err := Select(offer, creds, client, &Policy{Mechanisms: []string{mechanism}, MaxIterations: 10_000})
				require.NoError(t, err)
				_, clientErr, serverErr = talk(c, begin(t, auth, mechanism, offer, server), hook)
				return clientErr, serverErr
			}
			var lengths [4]int
			clientErr, serverErr := exchange(func(i int, msg []byte) []byte { lengths[i] = len(msg); return msg })
			require.NoError(t, clientErr)
			require.NoError(t, serverErr)
			for i, n := range lengths {
				for pos := range n {
					flip := byte(1) << r.IntN(8)
					clientErr, serverErr := exchange(func(j int, msg []byte) []byte {
						if j != i {
							return msg
						}
						msg = slices.Clone(msg)
						if pos < len(msg) { // lengths vary with what is drawn
							msg[pos] ^= flip
						}
						return msg
					})
					if clientErr == nil {
						t.Errorf("%s: the client succeeds with byte %d of message %d flipped by %#x", mechanism, pos, i, flip)
					}
					if serverErr == nil && i < 3 {
						t.Errorf("%s: the server succeeds with byte %d of message %d flipped by %#x", mechanism, pos, i, flip)
					}
				}
			}
		}
	}
}
