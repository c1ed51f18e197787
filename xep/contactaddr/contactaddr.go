// Package contactaddr tells where the people behind a service can be reached (XEP-0157), and asks.
//
//	a, err := contactaddr.Get(ctx, s, jid.MustParse("shakespeare.lit"))
//	if err != nil {
//		return err
//	}
//	fmt.Println(a.Abuse) // such as [mailto:abuse@shakespeare.lit xmpp:abuse@shakespeare.lit]
//
// The addresses are part of what a domain says of itself when it is asked for its features (XEP-0128): who has
// a [disco.Info] already needs only [From].
//
// In a server, [Server] is the module that says them.
package contactaddr

import (
	"context"
	"fmt"
	"net/url"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// NS is the FORM_TYPE of the form that has the addresses.
const NS = "http://jabber.org/network/serverinfo"

// Addresses are URIs, such as mailto:abuse@example.org, xmpp:support@example.org or https://example.org/help.
type Addresses struct {
	Abuse    []string // for reports of abuse
	Admin    []string // of those who run the service
	Feedback []string
	Sales    []string
	Security []string // for reports of weaknesses
	Status   []string // whether the service works at the moment
	Support  []string
}

// A purpose is a field of the form.
type purpose struct {
	name      string
	addresses *[]string
}

// purposes are the fields of the form and where they belong, in the order of the XEP.
func (a *Addresses) purposes() [7]purpose {
	return [...]purpose{
		{"abuse-addresses", &a.Abuse}, {"admin-addresses", &a.Admin}, {"feedback-addresses", &a.Feedback},
		{"sales-addresses", &a.Sales}, {"security-addresses", &a.Security}, {statusAddresses, &a.Status},
		{"support-addresses", &a.Support},
	}
}

const statusAddresses = "status-addresses"

// Form returns the form that has the addresses. Purposes without an address are not in it.
func (a Addresses) Form() form.Form {
	f := form.New(form.TypeResult, NS)
	for _, p := range a.purposes() {
		if len(*p.addresses) > 0 {
			f.Fields = append(f.Fields, form.Field{Var: p.name, Values: *p.addresses})
		}
	}
	return f
}

// From returns the addresses in what an entity says of itself, false if it gives none. They are what it says:
// show them before they are opened. What is no URI is left out of Status, where the XEP allows nothing else.
func From(info disco.Info) (Addresses, bool) {
	var a Addresses
	given := false
	for _, e := range info.Forms {
		var f form.Form
		if e.Decode(&f) != nil || f.FormType() != NS {
			continue
		}
		for _, p := range a.purposes() {
			for _, v := range f.Values(p.name) {
				if p.name == statusAddresses && !isURI(v) {
					continue
				}
				*p.addresses = append(*p.addresses, v)
				given = true
			}
		}
		break // there is only one (XEP-0115 §5.4)
	}
	return a, given
}

// Get asks a domain for its addresses. To give none is no error.
//
// Errors are those of [disco.GetInfo].
func Get(ctx context.Context, s xmpp.Session, domain jid.JID) (Addresses, error) {
	info, err := disco.GetInfo(ctx, s, domain, "")
	if err != nil {
		return Addresses{}, fmt.Errorf("contactaddr: %w", err)
	}
	a, _ := From(info)
	return a, nil
}

// Server is the server's half: the domains say the addresses, to everybody. Each must be a URI.
func Server(a Addresses) module.Module {
	return module.Func(func(h module.Host) error {
		for _, p := range a.purposes() {
			for _, v := range *p.addresses {
				if !isURI(v) {
					return fmt.Errorf("contactaddr: %s: %q is no URI", p.name, v)
				}
			}
		}
		f := a.Form()
		if len(f.Fields) == 1 {
			return nil // only what it is about
		}
		e, err := stanza.ElementOf(f)
		if err != nil {
			return fmt.Errorf("contactaddr: %w", err)
		}
		h.Domain().Form(e)
		return nil
	})
}

// isURI reports whether s is a URI with a scheme and something behind it.
func isURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && len(s) > len(u.Scheme)+1
}
