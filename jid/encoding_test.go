package jid_test

import (
	"database/sql"
	"database/sql/driver"
	"encoding"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
)

var (
	_ encoding.TextAppender    = jid.JID{}
	_ encoding.TextMarshaler   = jid.JID{}
	_ encoding.TextUnmarshaler = (*jid.JID)(nil)
	_ driver.Valuer            = jid.JID{}
	_ sql.Scanner              = (*jid.JID)(nil)
)

func TestText(t *testing.T) {
	for _, in := range []string{"", "example.com", "a@example.com/é"} {
		var j jid.JID
		require.NoError(t, j.UnmarshalText([]byte(in)))
		if got, err := j.MarshalText(); err != nil || string(got) != in {
			t.Errorf("%q marshals as %q, %v", in, got, err)
		}
		if got, err := j.AppendText([]byte("to=")); err != nil || string(got) != "to="+in {
			t.Errorf("%q appends as %q, %v", in, got, err)
		}
	}

	j := jid.MustParse("a@example.com")
	if err := j.UnmarshalText([]byte("a'b@example.com")); !errors.Is(err, jid.ErrInvalidLocalpart) {
		t.Errorf("UnmarshalText is strict: %v", err)
	}
	if j.String() != "a@example.com" {
		t.Errorf("after an error j is %q; want it unchanged", j)
	}
	text := []byte("b@example.com")
	require.NoError(t, j.UnmarshalText(text))
	clear(text)
	if j.String() != "b@example.com" {
		t.Errorf("after the text changed j is %q; want a copy", j)
	}
}

func TestJSON(t *testing.T) {
	type account struct {
		JID    jid.JID            `json:"jid"`
		Owner  jid.JID            `json:"owner,omitzero"`
		Roster map[jid.JID]string `json:"roster"`
	}
	var got account
	require.NoError(t, json.Unmarshal([]byte(`{"jid":"Romeo@example.net","roster":{"juliet@Example.com":"Juliet"}}`), &got))
	out, err := json.Marshal(got)
	require.NoError(t, err)
	if want := `{"jid":"romeo@example.net","roster":{"juliet@example.com":"Juliet"}}`; string(out) != want {
		t.Errorf("marshalled %s; want %s", out, want)
	}
}

func TestXML(t *testing.T) {
	type item struct {
		JID jid.JID `xml:"jid,attr"`
	}
	var got item
	require.NoError(t, xml.Unmarshal([]byte(`<item jid="d\27Artagnan@example.com"/>`), &got))
	if want := jid.MustParse(`d\27artagnan@example.com`); got.JID != want {
		t.Errorf("unmarshalled %q; want %q", got.JID, want)
	}
}

func TestFlag(t *testing.T) {
	var j jid.JID
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.TextVar(&j, "jid", jid.JID{}, "")
	require.NoError(t, fs.Parse([]string{"-jid", "Romeo@example.net"}))
	if j != jid.MustParse("romeo@example.net") {
		t.Errorf("flag is %q", j)
	}
}

// TestScan: what Value writes is read back as the same value, kept parts included.
func TestScan(t *testing.T) {
	for _, in := range []string{"example.com", "a@example.com/é", "room@chat.example/👩\u200D🚀", "a@my_host"} {
		want, err := jid.ParseLenient(in)
		require.NoError(t, err)
		value, err := want.Value()
		require.NoError(t, err)

		var fromString, fromBytes jid.JID
		require.NoError(t, fromString.Scan(value))
		row := []byte(value.(string))
		require.NoError(t, fromBytes.Scan(row))
		clear(row) // the driver's memory
		if fromString != want || fromBytes != want {
			t.Errorf("%q: scanned %q and %q", in, fromString, fromBytes)
		}
	}

	if value, err := (jid.JID{}).Value(); value != nil || err != nil {
		t.Errorf("the zero JID is stored as %v, %v; want NULL", value, err)
	}
	for _, src := range []any{nil, "", []byte(nil)} {
		j := jid.MustParse("a@example.com")
		if err := j.Scan(src); err != nil || !j.IsZero() {
			t.Errorf("Scan(%#v): %q, %v; want the zero JID", src, j, err)
		}
	}
	for _, src := range []any{"a@", 7} {
		j := jid.MustParse("a@example.com")
		if err := j.Scan(src); err == nil || j.String() != "a@example.com" {
			t.Errorf("Scan(%#v): %q, %v; want an error and j unchanged", src, j, err)
		}
	}
}
