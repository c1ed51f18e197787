package storagetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/server/storage"
)

// BenchmarkRosters measures changes of a contact and reads of one, in a roster of a hundred, one at a time.
func BenchmarkRosters(b *testing.B, s storage.Stores) {
	update := func(n int) error {
		_, err := s.Rosters.Update(b.Context(), owner, contact(n%100), storage.RosterLimits{Listed: 1000}, func(c storage.Contact) (storage.Contact, error) {
			c.Listed, c.Name, c.Groups, c.Subscription = true, "Nurse", []string{"Servants"}, c.Subscription^storage.To
			return c, nil
		})
		return err
	}
	for n := range 100 {
		require.NoError(b, update(n))
	}
	b.Run("Update", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			if err := update(n); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Get", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			if _, err := s.Rosters.Get(b.Context(), owner, contact(n%100)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
