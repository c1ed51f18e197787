package stream

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
)

// An upgradeBook is an [Upgrader].
type upgradeBook struct {
	missing []sasl.Hash
	added   []sasl.Secrets
	fail    error
}

func (b *upgradeBook) Missing(context.Context, jid.JID) ([]sasl.Hash, error) { return b.missing, nil }
func (b *upgradeBook) Add(_ context.Context, _ jid.JID, s sasl.Secrets) error {
	b.added = append(b.added, s)
	return b.fail
}

// A client that has proven its password over a bound channel gives the server what it lacks, and nothing
// in any other case.
func TestXEP0480_3_SCRAM(t *testing.T) {
	for _, tt := range []struct {
		name    string
		missing []sasl.Hash
		policy  *sasl.Policy
		fail    error
		want    []sasl.Hash
	}{
		{"both", []sasl.Hash{sasl.SHA256, sasl.SHA512, sasl.SHA1}, nil, nil, []sasl.Hash{sasl.SHA512, sasl.SHA256}},
		{"one", []sasl.Hash{sasl.SHA512}, nil, nil, []sasl.Hash{sasl.SHA512}},
		{"none", nil, nil, nil, nil},
		{"store down", []sasl.Hash{sasl.SHA512}, nil, errors.New("down"), []sasl.Hash{sasl.SHA512}},
		{"unbound", []sasl.Hash{sasl.SHA512}, &sasl.Policy{Mechanisms: []string{sasl.SCRAMSHA256}}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, k := newHall(t), new(keeper)
			book := &upgradeBook{missing: tt.missing, fail: tt.fail}
			f := h.cfg.Features[1].(ServerSASL2)
			f.Upgrader = book
			h.cfg.Features[1] = f
			seen := new(transcript)
			cfg := &Config{Domain: example, Account: juliet, Features: k.features(tt.policy)}
			c, s, err := h.connect(cfg, seen.trace())
			require.NoError(t, err, "%q", seen.lines)
			var got []sasl.Hash
			for _, secrets := range book.added {
				got = append(got, secrets.Hash)
				require.True(t, secrets.Verify(password))
			}
			require.Equal(t, tt.want, got)
			for _, line := range seen.lines {
				require.NotContains(t, line, "<hash", "in a trace")
			}
			c.Abort()
			s.Abort()
			_, _ = c.Next()
			if tt.missing == nil {
				return
			}
			book.added = nil // a token is no password
			c, s, err = h.connect(cfg, new(xmpp.Trace))
			require.NoError(t, err)
			require.Empty(t, book.added)
			c.Abort()
			s.Abort()
			_, _ = c.Next()
		})
	}
}
