package server

import (
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/parlance-xmpp/xmpp/sasl"
)

// A passwordHash is a hash of a password that others have made, as it is in their table.
type passwordHash interface {
	// verify reports whether it is that of the password.
	verify(password string) bool
	// decoy returns one of no password, to verify which costs the same.
	decoy() passwordHash
}

// parsePasswordHash reads the forms that tables have them in. The error does not quote it.
func parsePasswordHash(s string) (passwordHash, error) {
	if kind := firstField(s); kind == "argon2id" || kind == "argon2i" {
		return parseArgon2(s)
	}
	if _, err := bcrypt.Cost([]byte(s)); err != nil {
		return nil, errHashKind
	}
	return bcryptHash(s), nil
}

var errHashKind = errors.New("server: a password hash that is neither bcrypt nor Argon2: a PasswordChecker is needed")

// firstField is what stands between the first two dollar signs.
func firstField(s string) string {
	rest, _ := strings.CutPrefix(s, "$")
	kind, _, _ := strings.Cut(rest, "$")
	return kind
}

// A bcryptHash is one in the form of crypt(3).
type bcryptHash string

func (h bcryptHash) verify(password string) bool {
	return bcrypt.CompareHashAndPassword([]byte(h), []byte(password)) == nil
}

func (h bcryptHash) decoy() passwordHash {
	cost, _ := bcrypt.Cost([]byte(h))
	return bcryptOfNobody(cost)
}

// bcryptOfNobody is a hash of which nobody knows the password.
func bcryptOfNobody(cost int) bcryptHash {
	return bcryptHash(fmt.Sprintf("$2a$%02d$%s", cost, strings.Repeat("u", 22+31)))
}

// An argon2Hash is a PHC string (RFC 9106 says how it is computed), taken apart.
type argon2Hash struct {
	id           bool
	time, memory uint32
	threads      uint8
	salt, key    []byte
}

// maxArgon2Memory is the most that a hash may ask for, in KiB: more is a mistake.
const maxArgon2Memory = 4 << 20

func parseArgon2(s string) (h argon2Hash, err error) {
	fields := strings.Split(s, "$") // "", kind, version, parameters, salt, key
	if len(fields) != 6 || fields[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, errArgon2
	}
	h.id = fields[1] == "argon2id"
	n, err := fmt.Sscanf(fields[3]+"\n", "m=%d,t=%d,p=%d\n", &h.memory, &h.time, &h.threads)
	if err != nil || n != 3 || h.time == 0 || h.threads == 0 || h.memory > maxArgon2Memory {
		return h, errArgon2
	}
	h.salt, err = base64.RawStdEncoding.DecodeString(fields[4])
	if err == nil {
		h.key, err = base64.RawStdEncoding.DecodeString(fields[5])
	}
	if err != nil || len(h.salt) == 0 || len(h.key) < 4 {
		return h, errArgon2
	}
	return h, nil
}

var errArgon2 = errors.New("server: a password hash of Argon2 that cannot be read")

func (h argon2Hash) verify(password string) bool {
	derive := argon2.Key
	if h.id {
		derive = argon2.IDKey
	}
	key := derive([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(len(h.key)))
	return subtle.ConstantTimeCompare(key, h.key) == 1
}

func (h argon2Hash) decoy() passwordHash {
	h.key = bytes.Repeat([]byte{'u'}, len(h.key))
	return h
}

// secretsHash is what a table has that keeps SCRAM secrets and nothing else.
type secretsHash sasl.Secrets

func (h secretsHash) verify(password string) bool { return sasl.Secrets(h).Verify(password) }

func (h secretsHash) decoy() passwordHash {
	h.StoredKey = bytes.Repeat([]byte{'u'}, len(h.StoredKey))
	return h
}
