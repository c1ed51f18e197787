package server

import (
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// Hashes that other implementations have made.
func TestPasswordHash(t *testing.T) {
	for _, tt := range []struct{ name, hash, password string }{
		{"bcrypt 2a", "$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga", "allmine"},                                      // golang.org/x/crypto
		{"bcrypt 2y", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e", "\xff\xff\xa3"},                                 // crypt_blowfish
		{"bcrypt 2b", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},                                          // crypt_blowfish, as 2a
		{"Argon2i", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA", "password"},              // the reference implementation
		{"Argon2id", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password"},            // the reference implementation
		{"Argon2id, less memory", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password"}, // the reference implementation
	} {
		h, err := parsePasswordHash(tt.hash)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if !h.verify(tt.password) || h.verify(tt.password+"x") || h.verify("") {
			t.Errorf("%s: verifies something else than its password", tt.name)
		}
		if h.decoy().verify(tt.password) {
			t.Errorf("%s: the decoy is somebody's", tt.name)
		}
	}
}

// A decoy costs what the hash costs that it stands for.
func TestPasswordHash_Decoy(t *testing.T) {
	h, err := parsePasswordHash("$2b$06$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")
	if err != nil {
		t.Fatal(err)
	}
	decoy := string(h.decoy().(bcryptHash))
	if cost, err := bcrypt.Cost([]byte(decoy)); err != nil || cost != 6 {
		t.Errorf("cost %d, %v", cost, err)
	}
	// Not one that is refused before it costs anything.
	if err := bcrypt.CompareHashAndPassword([]byte(decoy), []byte("x")); err != bcrypt.ErrMismatchedHashAndPassword {
		t.Error(err)
	}
	h, err = parsePasswordHash("$argon2i$v=19$m=64,t=3,p=2$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA")
	if err != nil {
		t.Fatal(err)
	}
	got := h.decoy().(argon2Hash)
	if got.memory != 64 || got.time != 3 || got.threads != 2 || len(got.salt) != 8 || len(got.key) != 32 || got.id {
		t.Errorf("got %+v", got)
	}
}

// What cannot be read is an error that does not quote it, and never a panic of what is below.
func TestPasswordHash_Malformed(t *testing.T) {
	const salt, key = "c29tZXNhbHQ", "wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"
	for _, s := range []string{
		"", "$", "hunter2", "{SSHA}hunter2", "$1$hunter2", "$6$salt$hunter2", "$2a$", "$2a$99$hunter2", "$3a$10$" + strings.Repeat("h", 53),
		"$argon2id$", "$argon2d$v=19$m=64,t=1,p=1$" + salt + "$" + key, "$argon2id$v=16$m=64,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=0,p=1$" + salt + "$" + key, "$argon2id$v=19$m=64,t=1,p=0$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=1,p=256$" + salt + "$" + key, "$argon2id$v=19$m=4294967295,t=1,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=64,t=1,p=1,keyid=1$" + salt + "$" + key, "$argon2id$v=19$m=64,t=1,p=1$$" + key,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$", "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$!" + key,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + key + "$more",
	} {
		h, err := parsePasswordHash(s)
		if err == nil {
			t.Errorf("%q: read as %v", s, h)
		} else if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), salt) {
			t.Errorf("%q: quoted: %v", s, err)
		}
	}
}

func FuzzPasswordHash(f *testing.F) {
	f.Add("$2b$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW")
	f.Add("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parsePasswordHash(s)
		if err != nil {
			return
		}
		h.decoy()
		if a, ok := h.(argon2Hash); ok && (a.time == 0 || a.threads == 0 || a.memory > maxArgon2Memory) {
			t.Errorf("%q: %+v", s, a)
		}
	})
}
