package last_test

import (
	"context"
	"sync"

	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
)

// documents is a store that fails when it is told to, and knows for whom it was asked to keep something.
type documents struct {
	memory.Documents
	mu     sync.Mutex // guards the fields below
	owners []storage.AccountID
	err    error // of every call, if not nil
}

func (d *documents) Get(ctx context.Context, owner storage.AccountID, kind, name string) ([]byte, error) {
	if err := d.failure(); err != nil {
		return nil, err
	}
	return d.Documents.Get(ctx, owner, kind, name)
}

func (d *documents) Set(ctx context.Context, owner storage.AccountID, kind, name string, data []byte, limits storage.DocumentLimits) error {
	if err := d.failure(); err != nil {
		return err
	}
	d.mu.Lock()
	d.owners = append(d.owners, owner)
	d.mu.Unlock()
	return d.Documents.Set(ctx, owner, kind, name, data, limits)
}

func (d *documents) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

func (d *documents) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

// len counts the times that something was kept which is still there.
func (d *documents) len() (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, owner := range d.owners {
		if _, err := d.Documents.Get(context.Background(), owner, "last", ""); err == nil {
			n++
		}
	}
	return n
}
