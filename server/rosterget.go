package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/parlance-xmpp/xmpp/roster"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// rosterGet answers a request for the roster, and makes the session an interested one (RFC 6121 §2.2).
// A client that still has an earlier version gets an empty result, and what has changed since as pushes
// (§2.6.3), where that is known and shorter. It is called in a turn of the account.
func (s *session) rosterGet(ctx context.Context, iq *stanza.IQ) error {
	var q roster.Query
	if err := iq.Decode(&q); err != nil {
		return err
	}
	if len(q.Items) > 0 {
		return &stanza.Error{Condition: stanza.BadRequest, Text: "a request has no items", Lang: "en"} // §2.1.3
	}
	if since, ok := s.account.version(q.Ver); ok {
		changes, err := s.srv.changes(ctx, s.account, since)
		if err == nil {
			s.answerRoster(iq, nil)
			for _, c := range changes {
				s.push(roster.Query{Items: []roster.Item{changed(c)}, Ver: s.account.ver(c.Version)})
			}
			return nil
		}
		if !errors.Is(err, storage.ErrNotFound) {
			return err
		}
	}
	contacts, err := s.srv.contacts(ctx, s.account.id)
	if err != nil {
		return err
	}
	version, err := s.srv.opts.Storage.Rosters.Version(ctx, s.account.id)
	if err != nil {
		return err
	}
	answer := roster.Query{Ver: s.account.ver(version)} // also for those who did not ask for one (§2.6.3)
	for _, c := range contacts {
		if c.Listed {
			answer.Items = append(answer.Items, itemOf(c))
		}
	}
	s.answerRoster(iq, answer)
	return nil
}

// answerRoster sends the answer and makes the session an interested one.
func (s *session) answerRoster(iq *stanza.IQ, answer stanza.Payload) {
	result := iq.Result(answer)
	s.deliver(result, result.Header())
	s.account.mu.Lock()
	s.interested = true
	s.account.mu.Unlock()
	s.publish()
}

// changes returns what the owner has seen change since a version; [storage.ErrNotFound] when that is not
// known, or so much that the whole roster is shorter.
func (s *Server) changes(ctx context.Context, a *account, since uint64) ([]storage.Contact, error) {
	page, err := s.opts.Storage.Rosters.Changes(ctx, a.id, since, rosterPage)
	if err == nil && len(page) == rosterPage {
		return nil, storage.ErrNotFound
	}
	return page, err
}

// changed is a contact as a push tells of it.
func changed(c storage.Contact) roster.Item {
	if !c.Listed {
		return roster.Item{JID: c.JID, Subscription: roster.Remove}
	}
	return itemOf(c)
}

// ver names a version of the account's roster. The name is nobody else's: an account that is created later at
// the address counts anew.
func (a *account) ver(version uint64) string {
	id := sha256.Sum256([]byte(a.id))
	return hex.EncodeToString(id[:6]) + "." + strconv.FormatUint(version, 36)
}

// version undoes ver. It is false for a name that is none of this account's.
func (a *account) version(ver string) (uint64, bool) {
	_, digits, _ := strings.Cut(ver, ".")
	version, err := strconv.ParseUint(digits, 36, 64)
	return version, err == nil && ver == a.ver(version)
}
