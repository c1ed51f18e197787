//go:build expat && cgo

package expat

import (
	"encoding/xml"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTokens(t *testing.T) {
	got, err := Tokens([]byte("<?xml version='1.0'?><a xmlns='u' xmlns:p='v' p:b='&lt;' c='2'><p:d/>x&amp;\r\ny</a>"))
	require.NoError(t, err)
	require.Equal(t, []xml.Token{
		xml.StartElement{Name: xml.Name{Space: "u", Local: "a"}, Attr: []xml.Attr{
			{Name: xml.Name{Space: "v", Local: "b"}, Value: "<"}, {Name: xml.Name{Local: "c"}, Value: "2"}}},
		xml.StartElement{Name: xml.Name{Space: "v", Local: "d"}},
		xml.EndElement{Name: xml.Name{Space: "v", Local: "d"}},
		xml.CharData("x"), xml.CharData("&"), xml.CharData("\n"), xml.CharData("y"),
		xml.EndElement{Name: xml.Name{Space: "u", Local: "a"}},
	}, got)
	for _, bad := range []string{"", "<a>", "<p:a/>", "<a b='1' b='2'/>", "<a/>x"} {
		_, err = Tokens([]byte(bad))
		_, refused := errors.AsType[*Error](err)
		require.True(t, refused, "%q: %v", bad, err)
	}
}

// The stream goes on where it stopped, in pieces that have nothing to do with
// the units.
func TestStream(t *testing.T) {
	s, err := NewStream([]byte("<s>"), []byte("<a b='1'>xyz</a><c/>"))
	require.NoError(t, err)
	defer s.Close()
	const n = 5000
	for range 3 {
		require.NoError(t, s.Feed(n/3))
	}
	require.NoError(t, s.Feed(n-n/3*3))
	require.Equal(t, Counts{Elements: 2*n + 1, Ends: 2 * n, Attrs: n, Text: 3 * n}, s.Counts())

	_, err = NewStream([]byte("<"), []byte("<"))
	require.NoError(t, err, "nothing is wrong until there is more")
	_, err = NewStream([]byte("</a>"), []byte("<a/>"))
	require.Error(t, err)
	bad, err := NewStream([]byte("<s>"), []byte("<a>"))
	require.NoError(t, err)
	defer bad.Close()
	require.NoError(t, bad.Feed(1))
	torn, err := NewStream([]byte("<s>"), []byte("<a></b>"))
	require.NoError(t, err)
	defer torn.Close()
	require.Error(t, torn.Feed(1))
}
