package contactaddr_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/contactaddr"
	"github.com/parlance-xmpp/xmpp/xep/disco"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// example is the one of §3.
var example = contactaddr.Addresses{
	Abuse:    []string{"mailto:abuse@shakespeare.lit", "xmpp:abuse@shakespeare.lit"},
	Admin:    []string{"mailto:xmpp@shakespeare.lit", "xmpp:admins@shakespeare.lit"},
	Feedback: []string{"http://shakespeare.lit/feedback.php", "mailto:feedback@shakespeare.lit", "xmpp:feedback@shakespeare.lit"},
	Sales:    []string{"xmpp:bard@shakespeare.lit"},
	Security: []string{"xmpp:security@shakespeare.lit"},
	Status:   []string{"https://status.shakespeare.lit"},
	Support:  []string{"http://shakespeare.lit/support.php", "xmpp:support@shakespeare.lit"},
}

const exampleForm = `<x xmlns='jabber:x:data' type='result'>` +
	`<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/network/serverinfo</value></field>` +
	`<field var='abuse-addresses'><value>mailto:abuse@shakespeare.lit</value><value>xmpp:abuse@shakespeare.lit</value></field>` +
	`<field var='admin-addresses'><value>mailto:xmpp@shakespeare.lit</value><value>xmpp:admins@shakespeare.lit</value></field>` +
	`<field var='feedback-addresses'><value>http://shakespeare.lit/feedback.php</value><value>mailto:feedback@shakespeare.lit</value><value>xmpp:feedback@shakespeare.lit</value></field>` +
	`<field var='sales-addresses'><value>xmpp:bard@shakespeare.lit</value></field>` +
	`<field var='security-addresses'><value>xmpp:security@shakespeare.lit</value></field>` +
	`<field var='status-addresses'><value>https://status.shakespeare.lit</value></field>` +
	`<field var='support-addresses'><value>http://shakespeare.lit/support.php</value><value>xmpp:support@shakespeare.lit</value></field></x>`

func form(t testing.TB, s string) stanza.Element {
	t.Helper()
	e, err := stanza.ParseElement([]byte(s))
	require.NoError(t, err)
	return e
}

func TestXEP0157_3_Form(t *testing.T) {
	e, err := stanza.ElementOf(example.Form())
	require.NoError(t, err)
	require.Equal(t, exampleForm, e.String())
	hidden := "<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/network/serverinfo</value></field>"
	x := func(content string) string { return "<x xmlns='jabber:x:data' type='result'>" + content + "</x>" }
	for _, tt := range []struct {
		name  string
		forms []string
		want  contactaddr.Addresses
		given bool
	}{
		{name: "the example", forms: []string{exampleForm}, want: example, given: true},
		{name: "no form"},
		{name: "about something else", forms: []string{x("<field var='FORM_TYPE' type='hidden'><value>urn:x</value></field><field var='abuse-addresses'><value>mailto:a@b</value></field>")}},
		{name: "about nothing (XEP-0068 §5)", forms: []string{x("<field var='FORM_TYPE'><value>http://jabber.org/network/serverinfo</value></field><field var='abuse-addresses'><value>mailto:a@b</value></field>")}},
		{name: "no address in it", forms: []string{x(hidden + "<field var='ip_version'><value>ipv4</value></field>")}},
		{name: "of another type", forms: []string{"<x xmlns='jabber:x:data'/>", x(hidden + "<field var='sales-addresses'><value>sales@shop</value></field>")}, want: contactaddr.Addresses{Sales: []string{"sales@shop"}}, given: true},
		{name: "a status that is no URI", forms: []string{x(hidden + "<field var='status-addresses'><value>fine, thank you</value><value>https://status</value><value>x:</value></field>")}, want: contactaddr.Addresses{Status: []string{"https://status"}}, given: true},
		{name: "two of them", forms: []string{x(hidden + "<field var='abuse-addresses'><value>mailto:a@b</value></field>"), exampleForm}, want: contactaddr.Addresses{Abuse: []string{"mailto:a@b"}}, given: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var info disco.Info
			for _, s := range tt.forms {
				info.Forms = append(info.Forms, form(t, s))
			}
			got, given := contactaddr.From(info)
			require.Equal(t, tt.given, given)
			require.Equal(t, tt.want, got)
		})
	}
}

// FuzzAddresses: what a form says writes itself and reads back as the same.
func FuzzAddresses(f *testing.F) {
	f.Add("mailto:a@b", "<&>", "https://status")
	f.Fuzz(func(t *testing.T, a, b, status string) {
		in := contactaddr.Addresses{Abuse: []string{a, b}, Support: []string{b}, Status: []string{status}}
		e, err := stanza.ElementOf(in.Form())
		if err != nil {
			return // XML cannot carry it
		}
		got, _ := contactaddr.From(disco.Info{Forms: []stanza.Element{e}})
		if got.Status == nil { // no URI
			got.Status = in.Status
		}
		if !reflect.DeepEqual(in, got) {
			t.Errorf("%q reads back as %q", in, got)
		}
	})
}

// The domains of a server say their addresses to whoever asks.
func TestXEP0157_3_Server(t *testing.T) {
	srv, err := xmpptest.Start(&server.Options{InsecurePlaintext: true, Modules: []module.Module{contactaddr.Server(example)}})
	require.NoError(t, err)
	t.Cleanup(srv.Stop)
	c := srv.Dial(t, "romeo", nil)
	got, err := contactaddr.Get(t.Context(), c, c.RemoteAddr())
	require.NoError(t, err)
	require.Equal(t, example, got)
	_, err = contactaddr.Get(t.Context(), c, jid.MustParse("elsewhere.example"))
	require.ErrorIs(t, err, stanza.RemoteServerNotFound)
}

// A slip is found before somebody writes to it; a server without addresses has no form.
func TestXEP0157_3_NoURI(t *testing.T) {
	for _, bad := range []string{"admin@example.org", "", "mailto:", "http://[", "://x"} {
		_, err := xmpptest.Start(&server.Options{InsecurePlaintext: true, Modules: []module.Module{contactaddr.Server(contactaddr.Addresses{Admin: []string{bad}})}})
		require.ErrorContains(t, err, "admin-addresses", bad)
	}
	srv, err := xmpptest.Start(&server.Options{InsecurePlaintext: true, Modules: []module.Module{contactaddr.Server(contactaddr.Addresses{})}})
	require.NoError(t, err)
	t.Cleanup(srv.Stop)
	c := srv.Dial(t, "romeo", nil)
	info, err := disco.GetInfo(t.Context(), c, c.RemoteAddr(), "")
	require.NoError(t, err)
	require.Empty(t, info.Forms)
}

// session is a client's, whose queries have one answer.
type session struct {
	xmpp.Session
	answer disco.Info
}

func (s session) Query(context.Context, stanza.IQ) (stanza.IQ, error) {
	return stanza.IQ{Type: stanza.IQResult, Payload: s.answer}, nil
}

func ExampleGet() {
	form, err := stanza.ElementOf(contactaddr.Addresses{Abuse: []string{"mailto:abuse@shakespeare.lit"}}.Form())
	if err != nil {
		fmt.Println(err)
		return
	}
	s := session{answer: disco.Info{Forms: []stanza.Element{form}}} // in a program, s is a client

	a, err := contactaddr.Get(context.Background(), s, jid.MustParse("shakespeare.lit"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a.Abuse)
	// Output: [mailto:abuse@shakespeare.lit]
}
