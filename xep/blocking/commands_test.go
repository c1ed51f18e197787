package blocking_test

import (
	"cmp"
	"errors"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/blocking"
)

var (
	romeo = jid.MustParse("romeo@montague.net")
	iago  = jid.MustParse("iago@shakespeare.lit")
)

// a payload is what this package writes and reads.
type payload interface {
	stanza.Payload
	stanza.Decoder
}

// What §3 and XEP-0377 show is read, and written again.
func TestXEP0191_3_Commands(t *testing.T) {
	block := func(items string) string { return `<block xmlns='urn:xmpp:blocking'>` + items + `</block>` }
	unblock := func(items string) string { return `<unblock xmlns='urn:xmpp:blocking'>` + items + `</unblock>` }
	report := func(content string) string {
		return block(`<item jid='romeo@montague.net'><report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'>` + content + `</report></item>`)
	}
	one := func(r *blocking.Report) *blocking.BlockCommand {
		return &blocking.BlockCommand{Items: []blocking.Item{{JID: romeo, Report: r}}}
	}
	for _, tt := range []struct {
		name, in string
		want     payload // nil if it cannot be read
		again    string  // the canonical form; empty means as in
		err      error
	}{
		{name: "a request for the list (example 3)", in: `<blocklist xmlns='urn:xmpp:blocking'/>`, want: new(blocking.Blocklist)},
		{
			name: "the list (example 4)", in: `<blocklist xmlns='urn:xmpp:blocking'><item jid='romeo@montague.net'/><item jid='iago@shakespeare.lit'/></blocklist>`,
			want: &blocking.Blocklist{Items: []jid.JID{romeo, iago}},
		},
		{
			name:  "what makes no sense hides nothing else",
			in:    `<blocklist xmlns='urn:xmpp:blocking'><item jid='@'/><item/><other jid='a@b'/><item jid='romeo@montague.net'/></blocklist>`,
			want:  &blocking.Blocklist{Items: []jid.JID{romeo}},
			again: `<blocklist xmlns='urn:xmpp:blocking'><item jid='romeo@montague.net'/></blocklist>`,
		},
		{name: "block (example 6)", in: block(`<item jid='romeo@montague.net'/>`), want: one(nil)},
		{
			name: "several", in: block(`<item jid='romeo@montague.net'/><item jid='iago@shakespeare.lit'/>`),
			want: &blocking.BlockCommand{Items: []blocking.Item{{JID: romeo}, {JID: iago}}},
		},
		{name: "nothing (§3.3)", in: block(``), err: stanza.BadRequest},
		{name: "no address", in: block(`<item jid='romeo@montague.net'/><item/>`), err: stanza.BadRequest},
		{name: "none that is one", in: block(`<item jid='@montague.net'/>`), err: stanza.JIDMalformed},
		{name: "unblock (example 10)", in: unblock(`<item jid='romeo@montague.net'/>`), want: &blocking.UnblockCommand{Items: []jid.JID{romeo}}},
		{name: "unblock all (example 13)", in: `<unblock xmlns='urn:xmpp:blocking'/>`, want: new(blocking.UnblockCommand)},
		{name: "no address, which is not all", in: unblock(`<item/>`), err: stanza.BadRequest},
		{name: "no item, which is not all", in: unblock(`<item xmlns='urn:x' jid='a@b'/>`), err: stanza.BadRequest},
		{name: "none that is one", in: unblock(`<item jid='/'/>`), err: stanza.JIDMalformed},
		{name: "a reason (XEP-0377 §4)", in: report(``), want: one(&blocking.Report{Reason: blocking.ReasonSpam}),
			again: block(`<item jid='romeo@montague.net'><report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'/></item>`)},
		{
			name: "all of it (XEP-0377 §5, §6)",
			in: report(`<stanza-id xmlns='urn:xmpp:sid:0' by='romeo@montague.net' id='28482-98726-73623'/>` +
				`<text xml:lang='en'>Never came trouble.</text><text>x</text><report-origin/><third-party/>`),
			want: one(&blocking.Report{
				Reason: blocking.ReasonSpam, Messages: []blocking.StanzaID{{ID: "28482-98726-73623", By: romeo}},
				Text: stanza.Text{{Lang: "en", Value: "Never came trouble."}, {Value: "x"}}, Forward: true, ThirdParty: true,
			}),
		},
		{
			name: "what makes no sense", in: report(`<stanza-id xmlns='urn:xmpp:sid:0' by='@' id='1'/><stanza-id xmlns='urn:xmpp:sid:0' by='a@b'/><x xmlns='urn:x'/>`),
			want: one(&blocking.Report{Reason: blocking.ReasonSpam}),

			again: block(`<item jid='romeo@montague.net'><report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:spam'/></item>`),
		},
		{
			name: "a report that gives no reason changes nothing", in: block(`<item jid='romeo@montague.net'><report xmlns='urn:xmpp:reporting:1'/></item>`),
			want: one(nil), again: block(`<item jid='romeo@montague.net'/>`),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := stanza.ParseElement([]byte(tt.in))
			require.NoError(t, err)
			got := map[string]payload{"blocklist": new(blocking.Blocklist), "block": new(blocking.BlockCommand), "unblock": new(blocking.UnblockCommand)}[e.Name().Local]
			if err := e.Decode(got); tt.err != nil {
				require.ErrorIs(t, err, tt.err)
				return
			} else {
				require.NoError(t, err)
			}
			require.Equal(t, tt.want, got)
			again, err := got.AppendXML(nil)
			require.NoError(t, err)
			require.Equal(t, cmp.Or(tt.again, tt.in), string(again))
		})
	}
}

// What says nothing is not sent.
func TestCommandsThatCannotBeSent(t *testing.T) {
	for _, p := range []stanza.Payload{
		blocking.Blocklist{Items: []jid.JID{{}}},
		blocking.BlockCommand{},
		blocking.BlockCommand{Items: []blocking.Item{{}}},
		blocking.BlockCommand{Items: []blocking.Item{{JID: romeo, Report: new(blocking.Report)}}},
		blocking.UnblockCommand{Items: []jid.JID{romeo, {}}},
		blocking.Report{Text: stanza.Plain("x")},
		blocking.Report{Reason: blocking.ReasonSpam, Messages: []blocking.StanzaID{{ID: "1"}}},
		blocking.Report{Reason: blocking.ReasonSpam, Messages: []blocking.StanzaID{{By: romeo}}},
		blocking.Report{Reason: "\x00"},
	} {
		if b, err := p.AppendXML([]byte("x")); err == nil || string(b) != "x" {
			t.Errorf("AppendXML(%+v) = %q, %v; want x and an error", p, b, err)
		}
	}
}

// FuzzParse reads anything as each of the types. What can be read is written, and reads back as the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`<blocklist xmlns='urn:xmpp:blocking'><item jid='a@b'/><item jid='b'/><item jid='a@b/ c'/></blocklist>`,
		`<block xmlns='urn:xmpp:blocking'><item jid='a@b'><report xmlns='urn:xmpp:reporting:1' reason='x'><text xml:lang='de'>&lt;</text><text/><third-party/></report></item></block>`,
		`<unblock xmlns='urn:xmpp:blocking'/>`,
		`<report xmlns='urn:xmpp:reporting:1' reason='&apos;'><stanza-id xmlns='urn:xmpp:sid:0' id='&quot;' by='c'/><report-origin/></report>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := stanza.ParseElement(b)
		if err != nil {
			return
		}
		for _, p := range [][2]payload{
			{new(blocking.Blocklist), new(blocking.Blocklist)}, {new(blocking.BlockCommand), new(blocking.BlockCommand)},
			{new(blocking.UnblockCommand), new(blocking.UnblockCommand)}, {new(blocking.Report), new(blocking.Report)},
		} {
			if err := p[0].ParseXML(e); err != nil {
				var refusal *stanza.Error
				if !errors.As(err, &refusal) && !errors.Is(err, stanza.JIDMalformed) {
					t.Errorf("%v is no error for a peer", err)
				}
				continue
			}
			out, err := p[0].AppendXML(nil)
			if err != nil {
				t.Fatalf("what was read cannot be written: %v", err)
			}
			again, err := stanza.ParseElement(out)
			if err != nil {
				t.Fatalf("%s: %v", out, err)
			}
			if err := again.Decode(p[1]); err != nil || !reflect.DeepEqual(p[0], p[1]) {
				t.Errorf("%+v reads back as %+v, %v", p[0], p[1], err)
			}
		}
	})
}

// §6: what an entry stands for.
func TestXEP0191_6_Match(t *testing.T) {
	addrs := []string{"montague.net", "montague.net/x", "romeo@montague.net", "romeo@montague.net/x", "romeo@montague.net/y", "iago@montague.net/x", "romeo@net", "sub.montague.net"}
	for entry, want := range map[string][]bool{
		"romeo@montague.net/x": {false, false, false, true, false, false, false, false},
		"romeo@montague.net":   {false, false, true, true, true, false, false, false},
		"montague.net/x":       {false, true, false, false, false, false, false, false},
		"montague.net":         {true, true, true, true, true, true, false, false},
	} {
		for i, addr := range addrs {
			if got := blocking.Match(jid.MustParse(entry), jid.MustParse(addr)); got != want[i] {
				t.Errorf("%s matches %s: %v", entry, addr, got)
			}
		}
		require.False(t, blocking.Match(jid.MustParse(entry), jid.JID{}))
	}
	require.False(t, blocking.Match(jid.JID{}, jid.JID{}))
	require.False(t, blocking.Match(jid.JID{}, romeo))
}
