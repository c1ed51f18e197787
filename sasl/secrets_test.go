package sasl

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNewSecrets(t *testing.T) {
	for _, tt := range []struct {
		name       string
		hash       Hash
		password   string
		iterations int
		ok         bool
	}{
		{"SHA-1", SHA1, "pencil", 4096, true},
		{"SHA-256", SHA256, "pencil", 5000, true},
		{"SHA-512", SHA512, "\u00bd \U0001f600", 4096, true},
		{"default", SHA256, "pencil", 0, true},
		{"too few", SHA256, "pencil", 4095, false},
		{"negative", SHA256, "pencil", -1, false},
		{"unknown hash", "MD5", "pencil", 0, false},
		{"no hash", "", "pencil", 0, false},
		{"no password", SHA256, "", 0, false},
		{"a password of nothing", SHA256, "\u00ad", 0, false},
		{"a password with a control character", SHA256, "a\tb", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := NewSecrets(tt.hash, tt.password, tt.iterations)
			if (err == nil) != tt.ok {
				t.Fatalf("NewSecrets = %v, %v; want ok %t", s, err, tt.ok)
			}
			if !tt.ok {
				require.Zero(t, s)
				return
			}
			want := tt.iterations
			if want == 0 {
				want = DefaultIterations
			}
			require.Equal(t, want, s.Iterations)
			require.Equal(t, tt.hash, s.Hash)
			require.True(t, s.Verify(tt.password))
			require.False(t, s.Verify(tt.password+"x"))
			require.False(t, s.Verify(""))
		})
	}
	a, err := NewSecrets(SHA1, "pencil", 4096)
	require.NoError(t, err)
	b, err := NewSecrets(SHA1, "pencil", 4096)
	require.NoError(t, err)
	require.NotEqual(t, a.Salt, b.Salt)
	require.NotEqual(t, a.StoredKey, b.StoredKey)
}

func TestSecretsVerifyIncomplete(t *testing.T) {
	good, err := NewSecrets(SHA256, "pencil", 4096)
	require.NoError(t, err)
	require.True(t, good.Verify("pencil"))
	for name, spoil := range map[string]func(*Secrets){
		"zero":              func(s *Secrets) { *s = Secrets{} },
		"no hash":           func(s *Secrets) { s.Hash = "" },
		"another hash":      func(s *Secrets) { s.Hash = SHA1 },
		"no salt":           func(s *Secrets) { s.Salt = nil },
		"another salt":      func(s *Secrets) { s.Salt = []byte("salt") },
		"no iterations":     func(s *Secrets) { s.Iterations = 0 },
		"negative":          func(s *Secrets) { s.Iterations = -4096 },
		"no stored key":     func(s *Secrets) { s.StoredKey = nil },
		"short stored key":  func(s *Secrets) { s.StoredKey = s.StoredKey[:31] },
		"no server key":     func(s *Secrets) { s.ServerKey = nil },
		"another password":  func(s *Secrets) { *s, _ = NewSecrets(SHA256, "pencils", 4096) },
		"another iteration": func(s *Secrets) { s.Iterations++ },
	} {
		s := good
		spoil(&s)
		if s.Verify("pencil") {
			t.Errorf("%s: Verify = true", name)
		}
	}
}

// The forms of a password that are one after SASLprep are one to the server,
// whichever of them it was stored as.
func TestRFC5802_2_2_PasswordIsPrepared(t *testing.T) {
	for _, pair := range [][2]string{{"I\u00adX", "\u2168"}, {"pass\u00a0word", "pass word"}, {"\u00bd", "1\u20442"}} {
		auth := newAuth(t, newAccounts(t, "juliet", pair[0], SHA512), nil)
		_, _, clientErr, serverErr := login(t, auth, &Credentials{Username: "juliet", Password: pair[1]}, nil, nil, nil)
		if clientErr != nil || serverErr != nil {
			t.Errorf("%+q: %v, %v", pair, clientErr, serverErr)
		}
	}
}

func TestErrors(t *testing.T) {
	require.EqualError(t, ErrNotAuthorized, "sasl: not-authorized")
	cause := errors.New("disk on fire")
	err := storeError(cause)
	require.ErrorIs(t, err, cause)
	require.EqualError(t, err, "sasl: account store: disk on fire")
	condition, ok := errors.AsType[Condition](err)
	require.True(t, ok)
	require.Equal(t, ErrTemporary, condition)
}
