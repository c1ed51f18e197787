package server

import (
	"net/netip"
	"slices"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/stream"
)

var _ module.Session = (*session)(nil)

// Addr implements [module.Session].
func (s *session) Addr() jid.JID { return s.addr }

// Account implements [module.Session].
func (s *session) Account() module.Account { return s.account.identity() }

// Since implements [module.Session].
func (s *session) Since() time.Time { return s.since }

// Secure implements [module.Session].
func (s *session) Secure() bool {
	conn := s.conn.Load()
	return s.inside.Load() || conn != nil && conn.TLS() != nil
}

// Remote implements [module.Session].
func (s *session) Remote() netip.Addr {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	return s.remote
}

// Suspended implements [module.Session].
func (s *session) Suspended() bool {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	return s.state == suspended
}

// LastActive implements [module.Session].
func (s *session) LastActive() time.Time {
	if conn := s.conn.Load(); conn != nil {
		if at := conn.Heard(); at.After(s.since) {
			return at
		}
	}
	return s.since
}

// Close implements [module.Session].
func (s *session) Close(text string) {
	if s.conn.Load() != nil {
		s.fail(&stream.Error{Condition: stream.PolicyViolation, Text: text, Lang: "en"})
	}
}

// Presence implements [module.Session].
func (s *session) Presence() *stanza.Raw {
	shown := s.announced()
	if shown == nil {
		return nil
	}
	raw, err := withHeader(shown.st, shown.header)
	if err != nil {
		return nil // it has been written before
	}
	return raw
}

// Send implements [module.Session].
func (s *session) Send(st stanza.Stanza) bool {
	s.account.mu.Lock()
	reachable := s.reachable()
	s.account.mu.Unlock()
	return reachable && s.offer(st, st.Header())
}

// Deliver implements [module.Session].
func (s *session) Deliver(st stanza.Stanza) bool {
	s.account.mu.Lock()
	reachable := s.reachable()
	s.account.mu.Unlock()
	return reachable && s.deliver(st, st.Header())
}

// Mark implements [module.Session].
func (s *session) Mark(ns string, on bool) {
	s.account.mu.Lock()
	changes := slices.Contains(s.marks, ns) != on
	switch {
	case changes && on:
		s.marks = append(slices.Clip(s.marks), ns)
	case changes:
		s.marks = slices.DeleteFunc(slices.Clone(s.marks), func(m string) bool { return m == ns })
	}
	s.account.mu.Unlock()
	if changes {
		s.publish()
	}
}

// Marked implements [module.Session].
func (s *session) Marked(ns string) bool {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	return slices.Contains(s.marks, ns)
}

// Value implements [module.Session].
func (s *session) Value(key any) any {
	v, _ := s.values.Load(key)
	return v
}

// SetValue implements [module.Session].
func (s *session) SetValue(key, value any) {
	if value == nil {
		s.values.Delete(key)
		return
	}
	s.values.Store(key, value)
}
