package server

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/cluster"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// An awaySession is a session on another node as modules see it.
type awaySession struct {
	srv     *Server
	account module.Account
	entry   cluster.Entry
}

var _ module.Session = awaySession{}

// addAway adds the sessions of an account on other nodes.
func (s *Server) addAway(all []module.Session, addr jid.JID, elsewhere []cluster.Entry) []module.Session {
	if len(elsewhere) == 0 {
		return all
	}
	id, err := s.accountID(context.Background(), addr)
	if err != nil {
		return all // it has been deleted
	}
	for _, e := range elsewhere {
		all = append(all, awaySession{s, module.Account{ID: id, Addr: addr}, e})
	}
	return all
}

// Addr implements [module.Session].
func (s awaySession) Addr() jid.JID { return s.entry.Addr }

// Account implements [module.Session].
func (s awaySession) Account() module.Account { return s.account }

// Since implements [module.Session].
func (s awaySession) Since() time.Time { return s.entry.Since }

// Secure implements [module.Session].
func (s awaySession) Secure() bool { return s.entry.Secure }

// Remote implements [module.Session].
func (awaySession) Remote() netip.Addr { return netip.Addr{} }

// Suspended implements [module.Session].
func (s awaySession) Suspended() bool { return s.entry.Suspended }

// LastActive implements [module.Session].
func (s awaySession) LastActive() time.Time { return s.entry.Since }

// Close implements [module.Session].
func (awaySession) Close(string) {}

// Presence implements [module.Session].
func (s awaySession) Presence() *stanza.Raw {
	if !s.entry.Available {
		return nil
	}
	p := stanza.Presence{From: s.entry.Addr, Priority: s.entry.Priority}
	raw, err := withHeader(p, p.Header())
	if err != nil {
		return nil // nothing in it can be wrong
	}
	return raw
}

// Send implements [module.Session].
func (s awaySession) Send(st stanza.Stanza) bool { return s.give(mayLack, st) }

// Deliver implements [module.Session].
func (s awaySession) Deliver(st stanza.Stanza) bool { return s.give(mustHave, st) }

func (s awaySession) give(n need, st stanza.Stanza) bool {
	b, err := stanza.AppendWith(nil, st, st.Header())
	return err == nil && s.srv.post(s.entry.Node, cluster.Parcel{Way: cluster.Answer, From: s.account.Addr, To: s.entry.Addr, Stanza: b, Must: bool(n)})
}

// Value implements [module.Session].
func (awaySession) Value(any) any { return nil }

// SetValue implements [module.Session].
func (awaySession) SetValue(any, any) {}

// Mark implements [module.Session].
func (awaySession) Mark(string, bool) {}

// Marked implements [module.Session].
func (s awaySession) Marked(name string) bool { return slices.Contains(s.entry.Marks, name) }
