package register_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/form"
	"github.com/parlance-xmpp/xmpp/xep/register"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

func query(content string) string {
	if content == "" {
		return "<query xmlns='jabber:iq:register'/>"
	}
	return "<query xmlns='jabber:iq:register'>" + content + "</query>"
}

func parse(t testing.TB, s string) (q register.Query, err error) {
	t.Helper()
	e, err := stanza.ParseElement([]byte(s))
	require.NoError(t, err)
	return q, e.Decode(&q)
}

func TestXEP0077_3_Queries(t *testing.T) {
	contest := form.New(form.TypeForm, register.NS,
		form.Field{Var: "first", Type: form.TextSingle, Label: "Given Name", Required: true},
		form.Field{Var: "x-gender", Type: form.ListSingle, Label: "Gender", Options: []form.Option{{Label: "Male", Value: "M"}, {Label: "Female", Value: "F"}}})
	contest.Title = "Contest Registration"
	filled := form.New(form.TypeSubmit, register.NS, form.Field{Var: "first", Type: form.TextSingle, Values: []string{"Juliet"}})
	for _, tt := range []struct {
		name, in string
		want     register.Query
	}{
		{"example 1", query(""), register.Query{}},
		{"example 2", query("<instructions>Choose a username</instructions><username/><password/><email/>"),
			register.Query{Instructions: "Choose a username", Fields: []register.Field{{Name: "username"}, {Name: "password"}, {Name: "email"}}}},
		{"example 3", query("<registered/><username>juliet</username><password>R0m30</password><email>juliet@capulet.com</email>"),
			register.Query{Registered: true, Fields: []register.Field{{"username", "juliet"}, {"password", "R0m30"}, {"email", "juliet@capulet.com"}}}},
		{"example 9", query("<instructions>Use the enclosed form</instructions><x xmlns='jabber:x:data' type='form'><title>Contest Registration</title>" +
			"<field var='FORM_TYPE' type='hidden'><value>jabber:iq:register</value></field><field var='first' type='text-single' label='Given Name'><required/></field>" +
			"<field var='x-gender' type='list-single' label='Gender'><option label='Male'><value>M</value></option><option label='Female'><value>F</value></option></field></x>"),
			register.Query{Instructions: "Use the enclosed form", Form: &contest}},
		{"example 10", query("<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>jabber:iq:register</value></field>" +
			"<field var='first' type='text-single'><value>Juliet</value></field></x>"), register.Query{Form: &filled}},
		{"example 11", query("<remove/>"), register.Query{Remove: true}},
		{"example 26", query("<instructions>To register, visit http://www.shakespeare.lit/contests.php</instructions><x xmlns='jabber:x:oob'><url>http://www.shakespeare.lit/contests.php</url></x>"),
			register.Query{Instructions: "To register, visit http://www.shakespeare.lit/contests.php", URL: "http://www.shakespeare.lit/contests.php"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parse(t, tt.in)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			out, err := got.AppendXML(nil)
			require.NoError(t, err)
			require.Equal(t, tt.in, string(out))
		})
	}
	for _, in := range []string{
		query("<remove/><username>bill</username>"), query("<remove/><x xmlns='urn:x'/>"), // §3.2
		query("<username>a</username><username>b</username>"),
		query("<x xmlns='jabber:x:data' type='colour'/>"),
		query("<x xmlns='jabber:x:data' type='submit'/><x xmlns='jabber:x:data' type='submit'/>"),
	} {
		_, err := parse(t, in)
		require.Error(t, err, in)
	}
	got, err := parse(t, query("<shoesize>44</shoesize><username xmlns='urn:x'>a</username>"))
	require.NoError(t, err)
	require.Equal(t, register.Query{}, got, "what nobody knows")
}

// §4: fields are not added.
func TestXEP0077_4_NoMoreFields(t *testing.T) {
	for _, fields := range [][]register.Field{{{"shoesize", "44"}}, {{"username", "a"}, {"username", "b"}}, {{"remove", ""}}, {{"a b", ""}}} {
		out, err := register.Query{Fields: fields}.AppendXML([]byte("before"))
		require.Error(t, err)
		require.Equal(t, "before", string(out))
	}
}

func TestValue(t *testing.T) {
	q := register.Query{Fields: []register.Field{{"username", "bill"}, {Name: "password"}}}
	require.Equal(t, "bill", q.Value("username"))
	_, ok := q.Lookup("password")
	require.True(t, ok)
	_, ok = q.Lookup("email")
	require.False(t, ok)
	f := form.New(form.TypeSubmit, register.NS, form.Field{Var: "username", Values: []string{"juliet"}})
	q.Form = &f
	require.Equal(t, "juliet", q.Value("username"), "the form comes first (§6)")
}

// FuzzQuery: what is read and can be written reads back as the same.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		query("<registered/><instructions>&lt;</instructions><username>a</username><key/>"), query("<remove/>"),
		query("<x xmlns='jabber:x:oob'><url>http://a</url></x><x xmlns='jabber:x:data' type='form'><field var='a'/></x>"),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		if read, again := xmpptest.RoundTrip[register.Query](t, in); again != nil {
			require.Equal(t, read, again)
		}
	})
}
