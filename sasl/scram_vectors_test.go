package sasl

import (
	"crypto/hmac"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A vector is a published exchange of the user "user" with the password
// "pencil".
type vector struct {
	mechanism string
	hash      Hash
	flag      string // of the client
	cnonce    string
	salt      string // in base64
	messages  [4]string
}

var (
	rfc5802 = vector{
		mechanism: SCRAMSHA1, hash: SHA1, flag: "n", cnonce: "fyko+d2lbbFgONRv9qkxdawL", salt: "QSXCR+Q6sek8bf92",
		messages: [4]string{
			"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
			"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
			"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
			"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
		},
	}
	rfc7677 = vector{
		mechanism: SCRAMSHA256, hash: SHA256, flag: "n", cnonce: "rOprNGfwEbeRWgbNEkqO", salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
		messages: [4]string{
			"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		},
	}
)

// client is the client of the vector, drawing its nonce.
func (v vector) client() *clientExchange {
	return &clientExchange{mech: &scramClient{
		mechanism: v.mechanism, hash: v.hash, flag: v.flag, nonce: v.cnonce,
		creds: Credentials{Username: "user", Password: "pencil"},
		min:   MinIterations, max: MaxIterations,
	}}
}

// server is the server of the vector, drawing its nonce, with the account.
func (v vector) server(t testing.TB) *serverExchange {
	salt, err := base64.StdEncoding.DecodeString(v.salt)
	require.NoError(t, err)
	secrets, err := deriveSecrets(v.hash, "pencil", salt, 4096)
	require.NoError(t, err)
	store := &accounts{secrets: map[string]map[Hash]Secrets{"user": {v.hash: secrets}}}
	nonce := strings.TrimPrefix(v.messages[1], "r="+v.cnonce)
	nonce, _, _ = strings.Cut(nonce, ",")
	return &serverExchange{mech: &scramServer{
		auth:      newAuth(t, store, &Options{OmitDowngradeProtection: true}),
		mechanism: v.mechanism, hash: v.hash, nonce: nonce,
	}}
}

func (v vector) check(t *testing.T) {
	t.Helper()
	id, clientErr, serverErr := talk(v.client(), v.server(t), func(i int, msg []byte) []byte {
		if string(msg) != v.messages[i] {
			t.Errorf("message %d = %q; want %q", i, msg, v.messages[i])
		}
		return msg
	})
	if clientErr != nil || serverErr != nil || id != (Identity{Username: "user"}) {
		t.Errorf("exchange = %+v, %v, %v; want user", id, clientErr, serverErr)
	}
}

func TestRFC5802_5_Example(t *testing.T) { rfc5802.check(t) }

func TestRFC7677_3_Example(t *testing.T) { rfc7677.check(t) }

// The proofs of XEP-0474 and XEP-0515 bind to invented channel data, which
// cannot be had from a TLS connection, and the first has an extension that no
// client of ours sends. What there is to hold us to are the proofs themselves.
func TestXEP0474_Example(t *testing.T) {
	const first = "r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,s=QSXCR+Q6sek8bf92,i=4096"
	offer := Offer{
		Mechanisms: []string{SCRAMSHA1, SCRAMSHA1Plus},
		Bindings:   []string{TLSServerEndPoint, TLSExporter},
	}
	if got, want := offerHash(SHA1, offer), "G6k/rBLDqgOhRRaCuuatSDFkJ08="; got != want {
		t.Errorf("offerHash = %q; want %q", got, want)
	}
	for _, tt := range []struct{ name, challenge, final, proof, verifier string }{
		{
			name:      "XEP-0474",
			challenge: first + ",h=G6k/rBLDqgOhRRaCuuatSDFkJ08=",
			final:     "c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,x=19C6532F-1CF4-4A27-A18D-DC9CEA41BBB3",
			proof:     "M/SIDjT+dfcxUh89jZEypRvFxB4=",
			verifier:  "MQrMPvv7yv4x4Cq4W4Ih25EqS2c=",
		},
		{
			name:      "XEP-0515",
			challenge: first + ",h=G6k/rBLDqgOhRRaCuuatSDFkJ08=,t=0304",
			final:     "c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6",
			proof:     "KHUfN8dSy1K95crT4D5y1ItLJfs=",
			verifier:  "3w34ZIMVRkx2f2Ozb3/ecRPVdv4=",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			parsed, err := parseServerFirst(tt.challenge)
			require.NoError(t, err)
			final, err := parseClientFinal(tt.final + ",p=" + tt.proof)
			require.NoError(t, err)
			secrets, err := deriveSecrets(SHA1, "pencil", parsed.salt, parsed.iterations)
			require.NoError(t, err)
			s := &scramServer{hash: SHA1, account: account{Secrets: secrets}}
			authMessage := "n=user,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6," + tt.challenge + "," + final.withoutProof
			if !s.provesKey(final.proof, authMessage) {
				t.Error("the proof is refused")
			}
			if got := encodeBase64(SHA1.mac(secrets.ServerKey, authMessage)); got != tt.verifier {
				t.Errorf("verifier = %q; want %q", got, tt.verifier)
			}
			channel := &Channel{TLS: fakeTLS13}
			if err := checkDowngrade(parsed, SHA1, offer, channel); err != nil {
				t.Errorf("checkDowngrade = %v", err)
			}
			if got := first + downgradeAttributes(SHA1, offer, channel); tt.name == "XEP-0515" && got != tt.challenge {
				t.Errorf("server-first-message = %q; want %q", got, tt.challenge)
			}
		})
	}
}

// SCRAM-SHA-512 has no published vector. The algorithm, spelt out once more after
// RFC 5802 §2.2 and §3, is the witness for all three.
func TestRFC5802_3_Algorithm(t *testing.T) {
	salt := []byte("0123456789abcdef")
	for _, h := range allHashes {
		mac := func(key, msg []byte) []byte {
			m := hmac.New(h.new(), key)
			m.Write(msg)
			return m.Sum(nil)
		}
		u := mac([]byte("pencil"), binary.BigEndian.AppendUint32(salt, 1))
		hi := append([]byte(nil), u...)
		for range MinIterations - 1 {
			u = mac([]byte("pencil"), u)
			subtle.XORBytes(hi, hi, u)
		}
		clientKey := mac(hi, []byte("Client Key"))
		d := h.new()()
		d.Write(clientKey)

		got, err := deriveSecrets(h, "pencil", salt, MinIterations)
		require.NoError(t, err)
		if want := fmt.Sprintf("%x %x", d.Sum(nil), mac(hi, []byte("Server Key"))); fmt.Sprintf("%x %x", got.StoredKey, got.ServerKey) != want {
			t.Errorf("%s: keys = %x %x; want %s", h, got.StoredKey, got.ServerKey, want)
		}
	}
}
