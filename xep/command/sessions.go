package command

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// A key is what an execution is found by: its id is of no use to anybody else, nor for anything else (§3.3).
type key struct {
	from, to jid.JID // the requester's full JID, and the address that was asked
	node     string
	id       string
}

// A session is an execution that waits for its requester.
type session struct {
	key
	lang   string
	stages []Stage // the last one is shown

	// Guarded by sessions.mu.
	used time.Time
	busy bool // somebody is about to go on with it, and alone may look at it
}

// sessions are the executions of a responder.
type sessions struct {
	o      Options
	secret [32]byte // by which ids are made

	mu  sync.Mutex // guards the field below
	all map[key]*session
}

func newSessions(o Options) *sessions {
	s := &sessions{o: o, all: make(map[key]*session)}
	rand.Read(s.secret[:])
	return s
}

// newKey returns the key of a new execution. Its id proves that it was given to this requester for this command, so that one that has
// ended can be told from one that never was, and nothing needs to be kept of it.
func (s *sessions) newKey(from, to jid.JID, node string) key {
	k := key{from: from, to: to, node: node}
	nonce := rand.Text()
	k.id = nonce + "-" + s.proof(k, nonce)
	return k
}

func (s *sessions) proof(k key, nonce string) string {
	mac := hmac.New(sha256.New, s.secret[:])
	for _, part := range [...]string{nonce, k.from.String(), k.to.String(), k.node} {
		io.WriteString(mac, part+"\x00") // which no part has
	}
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// given reports whether the id of a key was given to that requester for that command.
func (s *sessions) given(k key) bool {
	nonce, proof, ok := strings.Cut(k.id, "-")
	return ok && hmac.Equal([]byte(proof), []byte(s.proof(k, nonce)))
}

// add keeps an execution. Who has too many loses the one that has waited longest; when all together have, there is room again once some
// have expired.
func (s *sessions) add(n *session) error {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	own, oldest := 0, (*session)(nil)
	for k, o := range s.all {
		switch {
		case o.busy:
		case now.Sub(o.used) >= s.o.Lifetime:
			delete(s.all, k)
			continue
		case k.from.Bare() == n.from.Bare() && (oldest == nil || o.used.Before(oldest.used)):
			oldest = o
		}
		if k.from.Bare() == n.from.Bare() {
			own++
		}
	}
	if own >= s.o.PerRequester && oldest != nil {
		delete(s.all, oldest.key)
	} else if own >= s.o.PerRequester || len(s.all) >= s.o.Sessions {
		return &stanza.Error{Type: stanza.Wait, Condition: stanza.ResourceConstraint, Text: "there are too many commands that wait", Lang: "en"}
	}
	n.used = now
	s.all[n.key] = n
	return nil
}

// take returns an execution to go on with; it is given back by release.
func (s *sessions) take(k key) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.all[k]
	switch {
	case n == nil && s.given(k):
		return nil, SessionExpired
	case n == nil:
		return nil, BadSessionID
	case n.busy:
		return nil, &stanza.Error{Type: stanza.Wait, Condition: stanza.UnexpectedRequest, Text: "one step after another", Lang: "en"}
	case time.Since(n.used) >= s.o.Lifetime:
		delete(s.all, k)
		return nil, SessionExpired
	}
	n.busy = true
	return n, nil
}

// release gives an execution back, which ends if it is over.
func (s *sessions) release(n *session, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n.busy, n.used = false, time.Now()
	if over {
		delete(s.all, n.key)
	}
}
