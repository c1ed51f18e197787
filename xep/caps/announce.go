package caps

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
)

// Register has every available presence of the mux's sessions say what the mux can do (§6.1), also directed ones (§8.3);
// and answers who asks for what was said. node is a URI of the software. What a program has annotated itself is
// left as it is.
func Register(mux *muxer.Mux, node string) { register(mux, node) }

func register(mux *muxer.Mux, node string) *announcer {
	if node == "" {
		panic("caps: the software needs a URI")
	}
	a := &announcer{mux: mux, node: node}
	mux.Feature(NS)
	mux.Nodes(a.describe)
	mux.UseOutgoing(a.annotate)
	return a
}

// An announcer announces what a mux can do.
type announcer struct {
	mux  *muxer.Mux
	node string

	mu   sync.Mutex // guards the field below
	said []said     // the last ones, newest first
}

// A said is what was announced: others may ask for it when it does not hold any more.
type said struct {
	ver  string
	info disco.Info
}

// remembered is how many of them are kept.
const remembered = 8

// caps returns what is to be announced now.
func (a *announcer) caps() Caps {
	info := a.mux.Info()
	arranged := arrange(info)
	c := Caps{Hash: SHA1, Node: a.node, Ver: arranged.ver(SHA1)}
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.IndexFunc(a.said, func(s said) bool { return s.ver == c.Ver }); i >= 0 {
		a.said = slices.Delete(a.said, i, i+1)
	}
	a.said = slices.Insert(a.said, 0, said{c.Ver, info})
	a.said = a.said[:min(len(a.said), remembered)]
	return c
}

// describe answers for a node that was announced (§6.2).
func (a *announcer) describe(_ context.Context, _ *stanza.IQ, node string) (disco.Info, error) {
	ver, ours := strings.CutPrefix(node, a.node+"#")
	if !ours {
		return disco.Info{}, stanza.ItemNotFound
	}
	a.caps() // a question may come before the first presence, as to who asked for the features of a stream
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.said {
		if s.ver == ver {
			return s.info, nil
		}
	}
	return disco.Info{}, stanza.ItemNotFound
}

// annotate adds the annotation to presence that is sent.
func (a *announcer) annotate(_ context.Context, st stanza.Stanza) (stanza.Stanza, error) {
	h := st.Header()
	if h.Kind != stanza.KindPresence || h.Type != string(stanza.PresenceAvailable) {
		return st, nil
	}
	if p, ok := st.(stanza.Presence); ok {
		if slices.ContainsFunc(p.Payloads, isCaps) {
			return st, nil
		}
		p.Payloads = append(slices.Clip(p.Payloads), a.caps())
		return p, nil
	}
	raw, ok := st.(*stanza.Raw)
	if !ok {
		b, err := st.AppendXML(nil)
		if err != nil {
			return nil, err
		}
		if raw, err = stanza.Parse(b); err != nil {
			return nil, err
		}
		h = raw.Header()
	}
	if h.Has(NS, "c") {
		return st, nil
	}
	return raw.Edit(nil, a.caps())
}

func isCaps(p stanza.Payload) bool {
	e, err := stanza.ElementOf(p)
	return err == nil && e.Is(NS, "c")
}
