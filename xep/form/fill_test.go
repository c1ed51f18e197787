package form_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/xep/form"
)

// values is what a field has, in a form of its own.
func values(f form.Field, given ...string) (form.Form, error) {
	asked := form.Form{Type: form.TypeForm, Fields: []form.Field{f}}
	return asked.Accept(form.Form{Type: form.TypeSubmit, Fields: []form.Field{{Var: f.Var, Values: given}}})
}

// §3.2, §3.3: what is filled in is held to what was asked.
func TestXEP0004_3_2_Accept(t *testing.T) {
	options := []form.Option{{Value: "a"}, {Value: "b"}}
	for _, tt := range []struct {
		name  string
		asked form.Field
		given []string
		want  []string
		err   string
	}{
		{name: "a line", asked: form.Field{Type: form.TextSingle}, given: []string{"x"}, want: []string{"x"}},
		{name: "an empty line", asked: form.Field{Type: form.TextSingle}, given: []string{""}, want: []string{""}},
		{name: "no line", asked: form.Field{Type: form.TextSingle}},
		{name: "no line that is required", asked: form.Field{Type: form.TextSingle, Required: true}, err: "required"},
		{name: "an empty line that is required", asked: form.Field{Type: form.TextPrivate, Required: true}, given: []string{""}, err: "required"},
		{name: "two lines for one", asked: form.Field{Type: form.TextSingle}, given: []string{"x", "y"}, err: "several"},
		{name: "lines", asked: form.Field{Type: form.TextMulti, Required: true}, given: []string{"x", "", "y"}, want: []string{"x", "", "y"}},
		{name: "empty lines that are required", asked: form.Field{Type: form.TextMulti, Required: true}, given: []string{"", ""}, err: "required"},
		{name: "true", asked: form.Field{Type: form.Boolean}, given: []string{"true"}, want: []string{"true"}},
		{name: "yes", asked: form.Field{Type: form.Boolean}, given: []string{"yes"}, err: "neither"},
		{name: "neither true nor false", asked: form.Field{Type: form.Boolean, Required: true}, given: []string{""}, err: "required"},
		{name: "an address", asked: form.Field{Type: form.JIDSingle}, given: []string{"romeo@montague.net"}, want: []string{"romeo@montague.net"}},
		{name: "no address", asked: form.Field{Type: form.JIDSingle}, given: []string{"@"}, err: `"@" is no address`},
		{name: "an empty address is none", asked: form.Field{Type: form.JIDSingle}, given: []string{""}, want: []string{}},
		{name: "two addresses for one", asked: form.Field{Type: form.JIDSingle}, given: []string{"a@b", "c@d"}, err: "several"},
		{name: "addresses", asked: form.Field{Type: form.JIDMulti}, given: []string{"a@b", "", "c@d"}, want: []string{"a@b", "c@d"}},
		{name: "one that is none", asked: form.Field{Type: form.JIDMulti}, given: []string{"a@b", "c@"}, err: `"c@" is no address`},
		{name: "no addresses that are required", asked: form.Field{Type: form.JIDMulti, Required: true}, given: []string{""}, err: "required"},
		{name: "an option", asked: form.Field{Type: form.ListSingle, Options: options}, given: []string{"b"}, want: []string{"b"}},
		{name: "no option", asked: form.Field{Type: form.ListSingle, Options: options}, given: []string{"c"}, err: `"c" is no option`},
		{name: "two options for one", asked: form.Field{Type: form.ListSingle, Options: options}, given: []string{"a", "b"}, err: "several"},
		{name: "options", asked: form.Field{Type: form.ListMulti, Options: options}, given: []string{"a", "b"}, want: []string{"a", "b"}},
		{name: "one that is no option", asked: form.Field{Type: form.ListMulti, Options: options}, given: []string{"a", "c"}, err: `"c" is no option`},
		{name: "hidden", asked: form.Field{Type: form.Hidden, Values: []string{"h"}}, given: []string{"h"}, want: []string{"h"}},
		{name: "hidden and changed", asked: form.Field{Type: form.Hidden, Values: []string{"h"}}, given: []string{"i"}, err: "changed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.asked.Var = "v"
			got, err := values(tt.asked, tt.given...)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				require.ErrorContains(t, err, `"v"`)
				return
			}
			require.NoError(t, err)
			require.Equal(t, form.Form{Type: form.TypeSubmit, Fields: []form.Field{{Var: "v", Type: tt.asked.Type, Values: tt.want}}}, got)
		})
	}
}

// Only what was asked comes through, whatever the sender calls it; a hidden field may be left out.
func TestAcceptOnlyWhatWasAsked(t *testing.T) {
	asked := form.New(form.TypeForm, "urn:x", form.Field{Type: form.Fixed, Values: []string{"Who?"}}, form.Field{Var: "who", Type: form.JIDSingle})
	got, err := asked.Accept(form.Form{Type: form.TypeSubmit, Fields: []form.Field{
		{Var: "who", Type: form.TextMulti, Values: []string{"romeo@montague.net"}}, {Var: "more", Values: []string{"1"}},
	}})
	require.NoError(t, err)
	require.Equal(t, form.New(form.TypeSubmit, "urn:x", form.Field{Var: "who", Type: form.JIDSingle, Values: []string{"romeo@montague.net"}}), got)
	who, _ := got.Lookup("who")
	all, err := who.JIDs()
	require.NoError(t, err)
	require.Equal(t, []jid.JID{jid.MustParse("romeo@montague.net")}, all)
	for _, typ := range []form.Type{form.TypeForm, form.TypeResult} {
		_, err = asked.Accept(form.Form{Type: typ})
		require.Error(t, err)
	}
}

// What is asked goes back filled in, and what is hidden as it came.
func TestXEP0004_3_3_Submit(t *testing.T) {
	asked := form.New(form.TypeForm, "urn:x",
		form.Field{Type: form.Fixed, Values: []string{"Section"}},
		form.Field{Var: "name", Type: form.TextSingle, Label: "Name", Required: true},
		form.Field{Var: "colour", Type: form.ListSingle, Values: []string{"red"}, Options: []form.Option{{Value: "red"}, {Value: "blue"}}})
	got := asked.Submit(form.Field{Var: "name", Values: []string{"juliet"}}, form.Field{Var: "FORM_TYPE", Values: []string{"urn:y"}}, form.Field{Var: "more", Values: []string{"1"}})
	require.Equal(t, form.New(form.TypeSubmit, "urn:x",
		form.Field{Var: "name", Type: form.TextSingle, Values: []string{"juliet"}},
		form.Field{Var: "colour", Type: form.ListSingle, Values: []string{"red"}},
		form.Field{Var: "more", Values: []string{"1"}}), got)
	_, err := asked.Accept(got)
	require.NoError(t, err)
	_, err = got.AppendXML(nil)
	require.NoError(t, err)
}
