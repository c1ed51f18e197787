package admin

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/command"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// controlOffers are the commands about admins and the server as a whole (§4.29 to §4.31).
func (s *server) controlOffers() (all []command.Offer) {
	if s.editor != nil {
		all = append(all, command.Offer{Node: "edit-admin", Name: "Edit Admin List", Run: s.askAdmins})
	}
	announcement := form.Field{Var: fieldAnnouncement, Type: form.TextMulti, Label: "Announcement"}
	if s.o.Restart != nil {
		all = append(all, command.Offer{Node: "restart", Name: "Restart Service", Allow: s.allowsAll,
			Run: ask("Restarting the Service", "Fill out this form to restart the service.", s.end("restart", s.o.Restart), delay("Time delay before restarting"), announcement)})
	}
	if s.o.Shutdown != nil {
		all = append(all, command.Offer{Node: "shutdown", Name: "Shut Down Service", Allow: s.allowsAll,
			Run: ask("Shutting Down the Service", "Fill out this form to shut down the service.", s.end("shutdown", s.o.Shutdown), delay("Time delay before shutting down"), announcement)})
	}
	return all
}

// delay asks for one of the times that the XEP has.
func delay(label string) form.Field {
	f := form.Field{Var: fieldDelay, Type: form.ListSingle, Label: label}
	for _, o := range []struct{ value, label string }{
		{"30", "30 seconds"}, {"60", "60 seconds"}, {"90", "90 seconds"}, {"120", "2 minutes"}, {"180", "3 minutes"}, {"240", "4 minutes"}, {"300", "5 minutes"},
	} {
		f.Options = append(f.Options, form.Option{Label: o.label, Value: o.value})
	}
	return f
}

// askAdmins shows who administers the domain, to be changed (§4.29).
func (s *server) askAdmins(ctx context.Context, r *command.Request) (command.Stage, error) {
	admins, err := s.editor.List(ctx, r.To.Domain())
	if err != nil {
		return command.Stage{}, err
	}
	f := form.Field{Var: fieldAdmins, Type: form.JIDMulti, Label: "The admin list"}
	for _, j := range admins {
		f.Values = append(f.Values, j.String())
	}
	return ask("Editing the Admin List", "Fill out this form to edit the list of entities who have administrative privileges.", s.setAdmins, f)(ctx, r)
}

// setAdmins changes who administers the domain. Somebody has to.
func (s *server) setAdmins(ctx context.Context, r *command.Request) (command.Stage, error) {
	field, _ := r.Form.Lookup(fieldAdmins)
	admins, err := field.JIDs()
	if err != nil {
		return command.Stage{}, err
	}
	if len(admins) == 0 {
		return command.Stage{}, refused(stanza.NotAcceptable, "somebody has to be an admin")
	}
	before, err := s.editor.List(ctx, r.To.Domain())
	if err != nil {
		return command.Stage{}, err
	}
	for _, j := range admins {
		if slices.Contains(before, j) {
			continue
		}
		if err := s.canAdminister(ctx, j); err != nil {
			return command.Stage{}, err
		}
	}
	if err := s.editor.Set(ctx, r.To.Domain(), admins); err != nil {
		return command.Stage{}, err
	}
	s.note(ctx, r, "admins changed", admins...)
	return command.Done(""), nil
}

// canAdminister reports an address that cannot be made an admin's. One that nobody has here would be anybody's who takes it.
func (s *server) canAdminister(ctx context.Context, j jid.JID) error {
	switch {
	case j.Localpart() == "" || !j.IsBare():
		return refused(stanza.NotAcceptable, j.String()+" is not the address of an account")
	case !slices.Contains(s.host.Domains(), j.Domain()):
		return nil // whose it is, its own server knows
	}
	_, err := s.host.Lookup(ctx, j)
	return translated(err, j)
}

// end tells everybody, if there is something to tell, and the program (§4.30, §4.31).
func (s *server) end(what string, f func(context.Context, time.Duration) error) command.Handler {
	return func(ctx context.Context, r *command.Request) (command.Stage, error) {
		seconds, _ := strconv.Atoi(r.Form.Value(fieldDelay)) // at once, if nothing was chosen
		s.note(ctx, r, what)
		if text := textOf(r, fieldAnnouncement); text != "" {
			s.tellAll(s.host.Domains(), text)
		}
		return command.Done(""), f(ctx, time.Duration(seconds)*time.Second)
	}
}
