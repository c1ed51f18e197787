package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
)

// secretBytes is how long a secret is.
const secretBytes = 32

// Secret is what the answers about accounts that do not exist are made from: they are the same after a restart, as those about
// accounts that do. It is made at the first start. Whoever calls this holds the [Lock] of the folder.
func Secret(c *config.Config) ([]byte, error) {
	name := c.Path("secret")
	b, err := os.ReadFile(name)
	switch {
	case err == nil && len(b) == secretBytes:
		return b, nil
	case err == nil:
		return nil, fmt.Errorf("%s: %d bytes are no secret; remove it, and another one is made", name, len(b))
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	b = make([]byte, secretBytes)
	_, _ = rand.Read(b) // which never fails
	f, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		give(c, f.Name())
		err = os.Rename(f.Name(), name)
	}
	return b, err
}
