package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// messageOffers are the commands by which users are told something (§4.23 to §4.28).
func (s *server) messageOffers() []command.Offer {
	text := func(name, label string) form.Field {
		return form.Field{Var: name, Type: form.TextMulti, Label: label, Required: true}
	}
	motd, welcome := text(fieldMOTD, "Message of the Day"), text(fieldWelcome, "Welcome Message")
	return []command.Offer{
		{Node: "announce", Name: "Send Announcement to Online Users", Run: ask("Making an Announcement", "Fill out this form to make an announcement to all active users of this service.",
			s.announce, text(fieldAnnouncement, "Announcement"))},
		{Node: "set-motd", Name: "Set Message of the Day", Run: ask("Setting the Message of the Day", "Fill out this form to set the message of the day.", s.setMOTD,
			motd)},
		{Node: "edit-motd", Name: "Edit Message of the Day", Run: s.askAgain("Editing the Message of the Day", "Fill out this form to edit the message of the day.", s.editMOTD,
			motd)},
		{Node: "delete-motd", Name: "Delete Message of the Day", Run: s.remove(fieldMOTD)},
		{Node: "set-welcome", Name: "Set Welcome Message", Run: s.askAgain("Setting Welcome Message", "Fill out this form to set the welcome message for this service.", s.setWelcome,
			welcome)},
		{Node: "delete-welcome", Name: "Delete Welcome Message", Run: s.remove(fieldWelcome)},
	}
}

// kind is that of the documents: of each domain one for each standing message, and of each account one for each that it was told.
const kind = "admin"

// ownerOf is the id under which what belongs to a domain is kept. No account has it: ids have no blanks.
func ownerOf(domain jid.JID) storage.AccountID {
	return storage.AccountID("domain " + domain.Domainpart())
}

// A standing message is shown to each account once.
type standing struct {
	mark string // what those are marked with who have been told; of a welcome message, since when it is there
	text string
}

func (s *server) standing(ctx context.Context, domain jid.JID, name string) (m standing, err error) {
	data, err := s.host.Stores().Documents.Get(ctx, ownerOf(domain), kind, name)
	if errors.Is(err, storage.ErrNotFound) {
		return standing{}, nil
	}
	m.mark, m.text, _ = strings.Cut(string(data), "\n")
	return m, err
}

func (s *server) stand(ctx context.Context, domain jid.JID, name string, m standing) error {
	return s.host.Stores().Documents.Set(ctx, ownerOf(domain), kind, name, []byte(m.mark+"\n"+m.text), storage.DocumentLimits{})
}

// askAgain is ask with the message that is there.
func (s *server) askAgain(title, instructions string, do command.Handler, field form.Field) command.Handler {
	return func(ctx context.Context, r *command.Request) (command.Stage, error) {
		m, err := s.standing(ctx, r.To.Domain(), field.Var)
		if err != nil {
			return command.Stage{}, err
		}
		shown := field // of this domain, to this admin
		if m.text != "" {
			shown.Values = strings.Split(m.text, "\n")
		}
		return ask(title, instructions, do, shown)(ctx, r)
	}
}

// remove is a command that deletes a standing message.
func (s *server) remove(name string) command.Handler {
	return func(ctx context.Context, r *command.Request) (command.Stage, error) {
		err := s.host.Stores().Documents.Set(ctx, ownerOf(r.To.Domain()), kind, name, nil, storage.DocumentLimits{})
		if err == nil {
			s.note(ctx, r, name+" deleted")
		}
		return command.Done(""), err
	}
}

// textOf is what was written into a field.
func textOf(r *command.Request, name string) string {
	return strings.Join(r.Form.Values(name), "\n")
}

// announce tells who is available (§4.23).
func (s *server) announce(ctx context.Context, r *command.Request) (command.Stage, error) {
	n := s.tellAll([]jid.JID{r.To.Domain()}, textOf(r, fieldAnnouncement))
	s.note(ctx, r, "announcement made")
	return command.Done(fmt.Sprintf("sessions that were told: %d", n)), nil
}

// tellAll sends an announcement to the available sessions of domains, and returns to how many.
func (s *server) tellAll(domains []jid.JID, text string) (n int) {
	of := make(map[jid.JID]bool, len(domains))
	for _, d := range domains {
		of[d] = true
	}
	for t := range s.host.All() {
		if of[t.Addr().Domain()] && t.Presence() != nil && tell(t, "Announcement", text) {
			n++
		}
	}
	return n
}

// tell sends a message to a session, from its domain.
func tell(t module.Session, subject, text string) bool {
	return t.Send(stanza.Message{
		From: t.Addr().Domain(), To: t.Addr(), ID: stanza.NewID(), Type: stanza.MessageHeadline,
		Subject: stanza.Plain(subject), Body: stanza.Plain(text),
	})
}

// setMOTD sets a message of the day, which nobody has been told (§4.24).
func (s *server) setMOTD(ctx context.Context, r *command.Request) (command.Stage, error) {
	return s.keepMOTD(ctx, r, standing{rand.Text(), textOf(r, fieldMOTD)})
}

// editMOTD corrects the message of the day. Who has been told is not told again (§4.25).
func (s *server) editMOTD(ctx context.Context, r *command.Request) (command.Stage, error) {
	m, err := s.standing(ctx, r.To.Domain(), fieldMOTD)
	if err != nil {
		return command.Stage{}, err
	}
	if m.mark == "" {
		m.mark = rand.Text()
	}
	m.text = textOf(r, fieldMOTD)
	return s.keepMOTD(ctx, r, m)
}

func (s *server) keepMOTD(ctx context.Context, r *command.Request, m standing) (command.Stage, error) {
	domain := r.To.Domain()
	if err := s.stand(ctx, domain, fieldMOTD, m); err != nil {
		return command.Stage{}, err
	}
	s.note(ctx, r, "message of the day set")
	s.showMOTD(domain)
	return command.Done(""), nil
}

// showMOTD has the message of the day shown to those who are available and have not been told yet. That takes its time, and is done once more if the
// message changes meanwhile.
func (s *server) showMOTD(domain jid.JID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, running := s.showing[domain]
	s.showing[domain] = running
	if !running && !s.host.Go(func(ctx context.Context) { s.show(ctx, domain) }) {
		delete(s.showing, domain)
	}
}

func (s *server) show(ctx context.Context, domain jid.JID) {
	for again := true; again; {
		for t := range s.host.All() {
			if t.Addr().Domain() == domain && t.Presence() != nil {
				s.greet(ctx, t)
			}
		}
		s.mu.Lock()
		again = s.showing[domain]
		s.showing[domain] = false
		if !again {
			delete(s.showing, domain)
		}
		s.mu.Unlock()
	}
}

// setWelcome sets the message for new users. Who was new since the last one was set is one still (§4.27).
func (s *server) setWelcome(ctx context.Context, r *command.Request) (command.Stage, error) {
	m, err := s.standing(ctx, r.To.Domain(), fieldWelcome)
	if err != nil {
		return command.Stage{}, err
	}
	if m.mark == "" {
		m.mark = time.Now().UTC().Format(time.RFC3339Nano)
	}
	m.text = textOf(r, fieldWelcome)
	if err := s.stand(ctx, r.To.Domain(), fieldWelcome, m); err != nil {
		return command.Stage{}, err
	}
	s.note(ctx, r, "welcome message set")
	return command.Done(""), nil
}

type greetedKey struct{}

// presence greets a session that has become available for the first time.
func (s *server) presence(ctx context.Context, t module.Session, p *stanza.Raw) {
	if p != nil && t.Value(greetedKey{}) == nil {
		t.SetValue(greetedKey{}, true)
		s.greet(ctx, t)
	}
}

// greet shows a session what its account has not been told.
func (s *server) greet(ctx context.Context, t module.Session) {
	if err := s.tryGreet(ctx, t); err != nil {
		s.o.Logger.ErrorContext(ctx, "admin: somebody may not have been told something", "peer", t.Addr(), "err", err)
	}
}

func (s *server) tryGreet(ctx context.Context, t module.Session) error {
	domain, account := t.Addr().Domain(), t.Account()
	welcome, err := s.standing(ctx, domain, fieldWelcome)
	if err != nil {
		return err
	}
	motd, err := s.standing(ctx, domain, fieldMOTD)
	if err != nil || welcome.mark == "" && motd.mark == "" {
		return err
	}
	end, err := s.greetings.Turn(ctx, account.ID)
	if err != nil {
		return err
	}
	defer end()
	isNew, err := s.isNew(ctx, account, welcome)
	if err == nil && isNew {
		err = s.once(ctx, t, fieldWelcome, "Welcome", welcome)
	}
	if err != nil {
		return err
	}
	return s.once(ctx, t, fieldMOTD, "Message of the day", motd)
}

// isNew reports whether an account was made since there is a welcome message.
func (s *server) isNew(ctx context.Context, account module.Account, welcome standing) (bool, error) {
	since, err := time.Parse(time.RFC3339Nano, welcome.mark)
	if err != nil {
		return false, nil
	}
	a, err := s.host.Stores().Accounts.Get(ctx, account.Addr)
	return err == nil && a.ID == account.ID && !a.Created.Before(since), err
}

// once shows a message to a session, unless the account has been told.
func (s *server) once(ctx context.Context, t module.Session, name, subject string, m standing) error {
	if m.mark == "" {
		return nil
	}
	docs, id := s.host.Stores().Documents, t.Account().ID
	switch told, err := docs.Get(ctx, id, kind, name); {
	case err != nil && !errors.Is(err, storage.ErrNotFound):
		return err
	case err == nil && string(told) == m.mark:
		return nil
	case !tell(t, subject, m.text):
		return nil // there will be another session
	}
	return docs.Set(ctx, id, kind, name, []byte(m.mark), storage.DocumentLimits{})
}
