package form_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/form"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

func x(typ, content string) string {
	return "<x xmlns='jabber:x:data' type='" + typ + "'>" + content + "</x>"
}

func parse(t testing.TB, s string) (f form.Form, err error) {
	t.Helper()
	e, err := stanza.ParseElement([]byte(s))
	require.NoError(t, err)
	return f, e.Decode(&f)
}

var botForm = form.Form{Type: form.TypeForm, Title: "Bot Configuration", Instructions: []string{"Fill out this form to configure your new bot!"}, Fields: []form.Field{
	{Var: "FORM_TYPE", Type: form.Hidden, Values: []string{"jabber:bot"}},
	{Type: form.Fixed, Values: []string{"Section 1: Bot Info"}},
	{Var: "public", Type: form.Boolean, Label: "Public bot?", Required: true},
	{Var: "features", Type: form.ListMulti, Label: "What features will the bot support?", Values: []string{"news", "search"},
		Options: []form.Option{{Label: "Contests", Value: "contests"}, {Label: "News", Value: "news"}, {Label: "Search", Value: "search"}}},
	{Var: "invitelist", Type: form.JIDMulti, Label: "People to invite", Desc: "Tell all your friends about your new bot!"},
}}

func TestXEP0004_3_Forms(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     form.Form
		again    string // empty means as in
	}{
		{name: "example 2, in part", want: botForm, in: x("form", "<title>Bot Configuration</title><instructions>Fill out this form to configure your new bot!</instructions>"+
			"<field var='FORM_TYPE' type='hidden'><value>jabber:bot</value></field><field type='fixed'><value>Section 1: Bot Info</value></field>"+
			"<field var='public' type='boolean' label='Public bot?'><required/></field>"+
			"<field var='features' type='list-multi' label='What features will the bot support?'><value>news</value><value>search</value>"+
			"<option label='Contests'><value>contests</value></option><option label='News'><value>news</value></option><option label='Search'><value>search</value></option></field>"+
			"<field var='invitelist' type='jid-multi' label='People to invite'><desc>Tell all your friends about your new bot!</desc></field>")},
		{name: "filled in, without types", in: x("submit", "<field var='public'><value>0</value></field><field var='features'><value>news</value><value>search</value></field>"),
			want: form.Form{Type: form.TypeSubmit, Fields: []form.Field{{Var: "public", Values: []string{"0"}}, {Var: "features", Values: []string{"news", "search"}}}}},
		{name: "given up", in: "<x xmlns='jabber:x:data' type='cancel'/>", want: form.Form{Type: form.TypeCancel}},
		{name: "example 7, in part", in: x("result", "<title>Joogle Search: verona</title><reported><field var='name'/><field var='url'/></reported>"+
			"<item><field var='name'><value>benvenuto!</value></field><field var='url'><value>http://www.hellasverona.it/</value></field></item>"+
			"<item><field var='name'><value>x</value></field><field var='url'/></item>"),
			want: form.Form{Type: form.TypeResult, Title: "Joogle Search: verona", Reported: []form.Field{{Var: "name"}, {Var: "url"}}, Items: [][]form.Field{
				{{Var: "name", Values: []string{"benvenuto!"}}, {Var: "url", Values: []string{"http://www.hellasverona.it/"}}},
				{{Var: "name", Values: []string{"x"}}, {Var: "url"}},
			}}},
		{name: "items before what they are, as once was allowed", in: x("result", "<item><field var='a'/></item><reported><field var='a'/></reported>"),
			want:  form.Form{Type: form.TypeResult, Reported: []form.Field{{Var: "a"}}, Items: [][]form.Field{{{Var: "a"}}}},
			again: x("result", "<reported><field var='a'/></reported><item><field var='a'/></item>")},
		{name: "text, if nothing else is known", in: x("form", "<field var='a'/><field var='b' type='colour'/><y xmlns='urn:y'/>"),
			want:  form.Form{Type: form.TypeForm, Fields: []form.Field{{Var: "a", Type: form.TextSingle}, {Var: "b", Type: form.TextSingle}}},
			again: x("form", "<field var='a' type='text-single'/><field var='b' type='text-single'/>")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse(t, tt.in)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			out, err := got.AppendXML(nil)
			require.NoError(t, err)
			if tt.again == "" {
				tt.again = tt.in
			}
			require.Equal(t, tt.again, string(out))
		})
	}
	for _, in := range []string{"<x xmlns='jabber:x:data'/>", x("error", "")} {
		_, err := parse(t, in)
		require.Error(t, err, in)
	}
}

// What the XEP forbids is not written.
func TestXEP0004_3_Forbidden(t *testing.T) {
	field := func(f ...form.Field) form.Form { return form.Form{Type: form.TypeForm, Fields: f} }
	two := []string{"1", "2"}
	for name, f := range map[string]form.Form{
		"no type":                    {},
		"a type that does not exist": {Type: "error"},
		"a cancel form with a field": {Type: form.TypeCancel, Fields: []form.Field{{Var: "a"}}},
		"no name":                    field(form.Field{Type: form.Hidden}),
		"one name twice":             field(form.Field{Var: "a"}, form.Field{Var: "a"}),
		"a field type of nobody":     field(form.Field{Var: "a", Type: "colour"}),
		"two lines in one":           field(form.Field{Var: "a", Type: form.TextSingle, Values: two}),
		"both true and false":        field(form.Field{Var: "a", Type: form.Boolean, Values: two}),
		"one of many, twice":         field(form.Field{Var: "a", Type: form.ListSingle, Values: two}),
		"options of a text":          field(form.Field{Var: "a", Type: form.TextSingle, Options: []form.Option{{Value: "1"}}}),
		"one option twice":           field(form.Field{Var: "a", Type: form.ListMulti, Options: []form.Option{{Value: "1"}, {Value: "1"}}}),
		"one label twice":            field(form.Field{Var: "a", Type: form.ListMulti, Options: []form.Option{{Label: "x", Value: "1"}, {Label: "x", Value: "2"}}}),
		"items to fill in":           {Type: form.TypeForm, Reported: []form.Field{{Var: "a"}}},
		"items of no kind":           {Type: form.TypeResult, Items: [][]form.Field{{{Var: "a"}}}},
		"items and fields":           {Type: form.TypeResult, Fields: []form.Field{{Var: "b"}}, Reported: []form.Field{{Var: "a"}}},
		"an item that lacks a field": {Type: form.TypeResult, Reported: []form.Field{{Var: "a"}, {Var: "b"}}, Items: [][]form.Field{{{Var: "a"}}}},
		"an item with a bad field":   {Type: form.TypeResult, Reported: []form.Field{{Var: "a"}}, Items: [][]form.Field{{{Var: "a"}, {}}}},
		"a column without a name":    {Type: form.TypeResult, Reported: []form.Field{{}}},
		"what XML cannot carry":      field(form.Field{Var: "a", Values: []string{"\x00"}}),
	} {
		out, err := f.AppendXML([]byte("before"))
		require.Error(t, err, name)
		require.Equal(t, "before", string(out), name)
	}
	_, err := field(form.Field{Type: form.Fixed}, form.Field{Type: form.Fixed}).AppendXML(nil)
	require.NoError(t, err, "fixed fields need no names")
}

// XEP-0068 §5: where FORM_TYPE means something.
func TestXEP0068_5_FormType(t *testing.T) {
	for _, tt := range []struct {
		typ, field, want string
	}{
		{"form", "<field var='FORM_TYPE' type='hidden'><value>urn:x</value></field>", "urn:x"},
		{"result", "<field var='FORM_TYPE' type='hidden'><value>urn:x</value></field>", "urn:x"},
		{"submit", "<field var='FORM_TYPE' type='hidden'><value>urn:x</value></field>", "urn:x"},
		{"submit", "<field var='FORM_TYPE'><value>urn:x</value></field>", "urn:x"},
		{"submit", "<field var='FORM_TYPE' type='text-single'><value>urn:x</value></field>", ""},
		{"form", "<field var='FORM_TYPE' type='text-single'><value>urn:x</value></field>", ""},
		{"form", "<field var='FORM_TYPE'><value>urn:x</value></field>", ""},
		{"result", "<field var='FORM_TYPE'><value>urn:x</value></field>", ""},
		{"result", "<field var='FORM_TYPE' type='hidden'/>", ""},
		{"result", "", ""},
	} {
		f, err := parse(t, x(tt.typ, tt.field))
		require.NoError(t, err)
		require.Equal(t, tt.want, f.FormType(), "%s %s", tt.typ, tt.field)
	}
	f := form.New(form.TypeResult, "urn:x", form.Field{Var: "a", Values: []string{"1", "2"}})
	require.Equal(t, "urn:x", f.FormType())
	require.Equal(t, "1", f.Value("a"))
	require.Equal(t, []string{"1", "2"}, f.Values("a"))
	require.Empty(t, f.Value("b"))
}

func TestXEP0004_3_3_Values(t *testing.T) {
	for in, want := range map[string]bool{"1": true, "true": true, "0": false, "false": false, "yes": false, "": false} {
		require.Equal(t, want, form.Field{Values: []string{in}}.Bool(), in)
	}
	require.False(t, form.Field{}.Bool())
	got, err := form.Field{Values: []string{"juliet@capulet.com", "Juliet@Capulet.com", "benvolio@montague.net"}}.JIDs()
	require.NoError(t, err)
	require.Equal(t, []jid.JID{jid.MustParse("juliet@capulet.com"), jid.MustParse("benvolio@montague.net")}, got)
	_, err = form.Field{Values: []string{"@"}}.JIDs()
	require.Error(t, err)
}

// FuzzForm: what is read as a form, and breaks no rule, writes itself and reads back as the same.
func FuzzForm(f *testing.F) {
	b, err := botForm.AppendXML(nil)
	require.NoError(f, err)
	f.Add(string(b))
	f.Add(x("result", "<reported><field var='a' type='fixed'/></reported><item><field var='a'><value>&lt;</value></field></item>"))
	f.Add(x("submit", "<field var='a'><value/><value>&#13;</value></field><field type='fixed'/>"))
	f.Fuzz(func(t *testing.T, in string) {
		if read, again := xmpptest.RoundTrip[form.Form](t, in); again != nil {
			require.Equal(t, read, again)
		}
	})
}

func Example() {
	f := form.New(form.TypeSubmit, "jabber:bot",
		form.Field{Var: "botname", Values: []string{"The Jabber Google Bot"}},
		form.Field{Var: "public", Type: form.Boolean, Values: []string{"0"}})
	e, err := stanza.ElementOf(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	var got form.Form
	if err := e.Decode(&got); err != nil {
		fmt.Println(err)
		return
	}
	public, _ := got.Lookup("public")
	fmt.Println(got.FormType(), got.Value("botname"), public.Bool())
	// Output: jabber:bot The Jabber Google Bot false
}
