package sasl

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"strings"
)

// A Hash names the hash function of a SCRAM mechanism. It is text, fit for a
// database column.
type Hash string

// The hash functions.
const (
	SHA1   Hash = "SHA-1"
	SHA256 Hash = "SHA-256"
	SHA512 Hash = "SHA-512"
)

// Mechanism is the name of the SCRAM mechanism with this hash function, without
// -PLUS.
func (h Hash) Mechanism() string { return "SCRAM-" + string(h) }

func (h Hash) new() func() hash.Hash {
	switch h {
	case SHA1:
		return sha1.New
	case SHA256:
		return sha256.New
	case SHA512:
		return sha512.New
	}
	return nil
}

// parseSCRAMName splits the name of a SCRAM mechanism. It is false for others.
func parseSCRAMName(name string) (h Hash, plus, ok bool) {
	rest, ok := strings.CutPrefix(name, "SCRAM-")
	rest, plus = strings.CutSuffix(rest, "-PLUS")
	h = Hash(rest)
	return h, plus, ok && h.new() != nil
}

func (h Hash) mac(key []byte, parts ...string) []byte {
	m := hmac.New(h.new(), key)
	for _, p := range parts {
		m.Write([]byte(p))
	}
	return m.Sum(nil)
}

func (h Hash) sum(b []byte) []byte {
	d := h.new()()
	d.Write(b)
	return d.Sum(nil)
}

// saltPassword is Hi(Normalize(password), salt, i) of RFC 5802 §2.2.
func (h Hash) saltPassword(password string, salt []byte, iterations int) ([]byte, error) {
	prepared, err := prepare(password)
	if err != nil {
		return nil, fmt.Errorf("sasl: password: %w", err)
	}
	return pbkdf2.Key(h.new(), prepared, salt, iterations, h.new()().Size())
}

// SaltedPassword is the SaltedPassword of RFC 5802 §3, which is as good as the password where that mechanism
// is used. A server that asks for more or less work than the policy (nil: the default) allows gets
// [ErrIterations].
func (h Hash) SaltedPassword(password string, salt []byte, iterations int, policy *Policy) ([]byte, error) {
	p := policy.withDefaults()
	switch {
	case h.new() == nil:
		return nil, fail(ErrInvalidMechanism, "unknown hash function %.20q", string(h))
	case iterations < p.MinIterations || iterations > p.MaxIterations:
		return nil, fail(ErrIterations, "%d iterations asked for", iterations)
	}
	return h.saltPassword(password, salt, iterations)
}

// NewSalt makes a salt.
func NewSalt() []byte {
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails
	return salt
}

// SaltedSecrets makes the secrets of a password of which the SaltedPassword is known.
func SaltedSecrets(h Hash, salted, salt []byte, iterations int) (Secrets, error) {
	if h.new() == nil || len(salted) != h.new()().Size() {
		return Secrets{}, fail(ErrMalformed, "not a salted password for %.20q", string(h))
	}
	return secretsOf(h, salted, salt, iterations), nil
}

// DefaultIterations is the count that [NewSecrets] uses unless told otherwise.
// The client does the work, at every login, and some clients are browsers on a
// telephone; a server verifying PLAIN does it too.
const DefaultIterations = 10_000

const saltLen = 16

// Secrets is what a server keeps of a password for one hash function (RFC 5802
// §3). It verifies the password and proves the server to a client that has it.
// Who steals it can try passwords against it, and pose as the server, but cannot
// log in: that takes the ClientKey, which is never stored.
//
// Printing or logging a value shows none of the keys.
type Secrets struct {
	Hash       Hash
	Salt       []byte
	Iterations int
	StoredKey  []byte
	ServerKey  []byte
}

// NewSecrets derives secrets from a password, with a random salt. Zero iterations
// means [DefaultIterations]; fewer than [MinIterations] is an error, and so is a
// password that holds control characters or nothing at all.
func NewSecrets(h Hash, password string, iterations int) (Secrets, error) {
	if h.new() == nil {
		return Secrets{}, fmt.Errorf("sasl: unknown hash function %q", string(h))
	}
	if iterations == 0 {
		iterations = DefaultIterations
	}
	if iterations < MinIterations {
		return Secrets{}, fmt.Errorf("%w: %d", ErrIterations, iterations)
	}
	return deriveSecrets(h, password, NewSalt(), iterations)
}

func deriveSecrets(h Hash, password string, salt []byte, iterations int) (Secrets, error) {
	salted, err := h.saltPassword(password, salt, iterations)
	if err != nil {
		return Secrets{}, err
	}
	return secretsOf(h, salted, salt, iterations), nil
}

func secretsOf(h Hash, salted, salt []byte, iterations int) Secrets {
	return Secrets{
		Hash:       h,
		Salt:       salt,
		Iterations: iterations,
		StoredKey:  h.sum(h.mac(salted, "Client Key")),
		ServerKey:  h.mac(salted, "Server Key"),
	}
}

// Verify reports whether the secrets were made from this password. It costs as
// much as making them, and its time does not depend on where a wrong password
// differs.
func (s Secrets) Verify(password string) bool {
	if s.check() != nil {
		return false
	}
	derived, err := deriveSecrets(s.Hash, password, s.Salt, s.Iterations)
	return err == nil && hmac.Equal(derived.StoredKey, s.StoredKey)
}

// check finds secrets that cannot serve, such as those of an empty row.
func (s Secrets) check() error {
	newHash := s.Hash.new()
	if newHash == nil {
		return fmt.Errorf("sasl: secrets with unknown hash function %q", string(s.Hash))
	}
	size := newHash().Size()
	if len(s.Salt) == 0 || s.Iterations <= 0 || len(s.StoredKey) != size || len(s.ServerKey) != size {
		return errors.New("sasl: incomplete secrets")
	}
	return nil
}

// Format prints the hash function and the iteration count, whatever the verb.
func (s Secrets) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.redacted())) }

// LogValue implements [slog.LogValuer] without the keys.
func (s Secrets) LogValue() slog.Value { return slog.StringValue(s.redacted()) }

func (s Secrets) redacted() string {
	return fmt.Sprintf("sasl.Secrets{%s, %d iterations}", string(s.Hash), s.Iterations)
}
