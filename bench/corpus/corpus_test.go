package corpus

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

// Every entry is what it says, in the stream that it says.
func TestEntries(t *testing.T) {
	entries := Entries()
	for _, e := range entries {
		t.Run(e.Name, func(t *testing.T) {
			r := xmlwire.NewReader(strings.NewReader(Header+string(e.XML)+End), xmlwire.Limits{})
			_, err := r.Header()
			require.NoError(t, err)
			n := 0
			for ; ; n++ {
				if _, err = r.Next(); err != nil {
					break
				}
			}
			require.Equal(t, io.EOF, err)
			require.Equal(t, e.Elements, n)
			require.NotEmpty(t, e.About)
		})
	}
	files, err := files.ReadDir(".")
	require.NoError(t, err)
	require.Len(t, entries, len(files), "a file without an entry")
}

// The budgets speak of a message of 380 bytes.
func TestChat(t *testing.T) {
	require.Len(t, Chat(), 380)
}
