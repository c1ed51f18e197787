package server

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// offline returns the messages stored for an account.
func (h *house) offline(account string) []*stanza.Raw {
	h.t.Helper()
	h.settle()
	owner, err := h.srv.directory.id(h.t.Context(), h.addr(account))
	if err != nil {
		return nil
	}
	page, err := h.srv.opts.Storage.Offline.List(h.t.Context(), owner, 0, 1000)
	require.NoError(h.t, err)
	var all []*stanza.Raw
	for _, m := range page {
		raw, err := stanza.Parse(m.Stanza)
		require.NoError(h.t, err)
		all = append(all, raw)
	}
	return all
}

// An unknown type is normal (§5.2.2), and stays what it is on the wire.
func TestI5_2_2_UnknownType(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	juliet := h.online("juliet", "balcony", "")
	romeo := h.login("romeo", "orchard")
	romeo.send("<message type='telegram' to='juliet@capulet.example'><body>stop</body></message>")
	romeo.expect()
	juliet.expect("<message type='telegram' xml:lang='en' from='romeo@capulet.example/orchard' to='juliet@capulet.example'><body>stop</body></message>")
}

// A resource that becomes the best, or stops being it, counts at once.
func TestI8_5_2_1_1_PriorityChanges(t *testing.T) {
	h := newHouse(t, []string{"juliet", "romeo"})
	balcony := h.online("juliet", "balcony", "<priority>1</priority>")
	chamber := h.online("juliet", "chamber", "<priority>2</priority>")
	romeo := h.login("romeo", "orchard")
	both := []*client{balcony, chamber}
	for _, tt := range []struct {
		presence string // of chamber
		want     []string
	}{
		{"<presence/>", []string{"balcony"}},
		{"<presence><priority>1</priority></presence>", []string{"balcony", "chamber"}},
		{"<presence><priority>127</priority></presence>", []string{"chamber"}},
		{"<presence><priority>-128</priority></presence>", []string{"balcony"}},
		{"<presence><priority> +3 </priority></presence>", []string{"chamber"}},
		{"<presence type='unavailable'/>", []string{"balcony"}},
	} {
		chamber.send(tt.presence)
		chamber.sync()
		romeo.send("<message type='chat' to='juliet@capulet.example'><body>hi</body></message>")
		romeo.sync()
		var got []string
		for _, c := range both {
			if slices.ContainsFunc(c.all(), func(e stanza.Element) bool { return e.Is(stanza.NS, "message") }) {
				got = append(got, c.addr.Resourcepart())
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.presence, got, tt.want)
		}
	}
}
