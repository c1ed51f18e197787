package stanza_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// TestC8_3_3_Conditions: every defined condition goes over the wire and comes
// back with the type that the RFC gives it.
func TestC8_3_3_Conditions(t *testing.T) {
	for c, want := range map[stanza.Condition]stanza.ErrorType{
		stanza.BadRequest: stanza.Modify, stanza.Conflict: stanza.Cancel, stanza.FeatureNotImplemented: stanza.Cancel,
		stanza.Forbidden: stanza.Auth, stanza.Gone: stanza.Cancel, stanza.InternalServerError: stanza.Cancel,
		stanza.ItemNotFound: stanza.Cancel, stanza.JIDMalformed: stanza.Modify, stanza.NotAcceptable: stanza.Modify,
		stanza.NotAllowed: stanza.Cancel, stanza.NotAuthorized: stanza.Auth, stanza.PolicyViolation: stanza.Modify,
		stanza.RecipientUnavailable: stanza.Wait, stanza.Redirect: stanza.Modify, stanza.RegistrationRequired: stanza.Auth,
		stanza.RemoteServerNotFound: stanza.Cancel, stanza.RemoteServerTimeout: stanza.Wait, stanza.ResourceConstraint: stanza.Wait,
		stanza.ServiceUnavailable: stanza.Cancel, stanza.SubscriptionRequired: stanza.Auth,
		stanza.UndefinedCondition: stanza.Cancel, stanza.UnexpectedRequest: stanza.Wait,
	} {
		t.Run(string(c), func(t *testing.T) {
			sent := stanza.Message{Type: stanza.MessageError, Error: &stanza.Error{Condition: c}}
			got, err := parse(t, written(t, sent)).Message()
			require.NoError(t, err)
			require.Equal(t, &stanza.Error{Type: want, Condition: c}, got.Error)
			require.ErrorIs(t, fmt.Errorf("wrapped: %w", got.Error), c)
		})
	}
}

// TestC8_3_2_ErrorSyntax: what an error element may hold.
func TestC8_3_2_ErrorSyntax(t *testing.T) {
	const xml = `<message type='error'><error type='modify' by='example.net'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:romeo@afterlife.example.net</gone>` +
		`<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>He moved</text><too-many xmlns='urn:example'/></error></message>`
	m, err := parse(t, xml).Message()
	require.NoError(t, err)
	app, ok := m.Error.App.(*stanza.Element)
	require.True(t, ok)
	require.True(t, app.Is("urn:example", "too-many"))
	m.Error.App = nil
	require.Equal(t, &stanza.Error{
		Type: stanza.Modify, Condition: stanza.Gone, Text: "He moved", Lang: "en",
		By: jid.MustParse("example.net"), Address: "xmpp:romeo@afterlife.example.net",
	}, m.Error)
	m.Error.App = app
	require.Equal(t, xml, written(t, m))
}

// TestC8_3_3_21_OddErrors: an error of any shape is an error.
func TestC8_3_3_21_OddErrors(t *testing.T) {
	for _, xml := range []string{
		`<iq type='error' id='1'/>`,
		`<iq type='error' id='1'><error/></iq>`,
		`<iq type='error' id='1'><error type='later'><on-fire xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
		`<iq type='error' id='1'><x xmlns='urn:a'/><y xmlns='urn:b'/></iq>`,
	} {
		iq, err := parse(t, xml).IQ()
		require.NoError(t, err, xml)
		require.ErrorIs(t, iq.Error, stanza.UndefinedCondition, xml)
		require.ErrorIs(t, parse(t, xml).Failure(), stanza.UndefinedCondition, xml)
	}
}

// TestC8_3_1_Bounce: an error is never answered with an error.
func TestC8_3_1_Bounce(t *testing.T) {
	e := &stanza.Error{Condition: stanza.ServiceUnavailable}
	for _, tt := range []struct{ xml, want string }{
		{`<message from='romeo@example.net/orchard' to='juliet@example.com/balcony' id='1'/>`, `<message type='error' id='1' to='romeo@example.net/orchard' from='juliet@example.com/balcony'>`},
		{`<presence id='1'/>`, `<presence type='error' id='1'>`},
		{`<iq type='set' id='1'><x xmlns='urn:a'/></iq>`, `<iq type='error' id='1'>`},
		{`<iq type='result' id='1'/>`, ``},
		{`<iq type='error' id='1'/>`, ``},
		{`<message type='error'/>`, ``},
		{`<presence type='error'/>`, ``},
	} {
		b := stanza.Bounce(parse(t, tt.xml).Header(), e)
		if tt.want == "" {
			require.Nil(t, b, tt.xml)
			continue
		}
		require.Contains(t, written(t, b), tt.want)
	}
}

func TestAsError(t *testing.T) {
	e, ok := stanza.AsError(fmt.Errorf("roster: %w", stanza.ItemNotFound))
	require.True(t, ok)
	require.Equal(t, stanza.ItemNotFound, e.Condition)
	_, ok = stanza.AsError(errors.New("disk on fire"))
	require.False(t, ok)
}

// TestConditionsAreComplete: the constants are those of the source file's list, each
// with its section.
func TestConditionsAreComplete(t *testing.T) {
	src, err := os.ReadFile("condition.go")
	require.NoError(t, err)
	found := regexp.MustCompile(`Condition = "([a-z-]+)" +// §8\.3\.3\.(\d+)`).FindAllStringSubmatch(string(src), -1)
	require.Len(t, found, 22)
	for i, m := range found {
		require.Equal(t, fmt.Sprint(i+1), m[2])
	}
}
