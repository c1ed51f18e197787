package stanza_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// expressible reports whether XML can carry all of these.
func expressible(all ...string) bool {
	for _, s := range all {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
			return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
		}) {
			return false
		}
	}
	return true
}

// appended is what p writes, or false if it cannot, which must be because of the
// characters in the strings it holds.
func appended(t *testing.T, p stanza.Payload, holds ...string) ([]byte, bool) {
	t.Helper()
	out, err := p.AppendXML([]byte("before"))
	if !expressible(holds...) {
		require.ErrorIs(t, err, stanza.ErrCharacter)
		require.Equal(t, "before", string(out))
		return nil, false
	}
	require.NoError(t, err)
	return out[len("before"):], true
}

// asRead is e as it reads back. By design an undefined condition or type goes out
// as what it amounts to, an address only where the condition has one, and the
// language of a text that is not there not at all.
func asRead(e *stanza.Error) *stanza.Error {
	if e == nil {
		return nil
	}
	r := *e
	if !defined(r.Condition) {
		r.Condition = stanza.UndefinedCondition
	}
	switch r.Type {
	case stanza.Auth, stanza.Cancel, stanza.Continue, stanza.Modify, stanza.Wait:
	default:
		r.Type = r.Condition.Type()
	}
	if r.Condition != stanza.Gone && r.Condition != stanza.Redirect {
		r.Address = ""
	}
	if r.Text == "" {
		r.Lang = ""
	}
	return &r
}

// conditions are some that are defined, and one that is not.
var conditions = []stanza.Condition{stanza.BadRequest, stanza.Gone, stanza.Redirect, stanza.ItemNotFound, stanza.UndefinedCondition, "made-up"}

func defined(c stanza.Condition) bool { return c != "" && c != "made-up" }

// FuzzAppend: every stanza and error reads back as it was written, apart from what is
// normalised by design.
func FuzzAppend(f *testing.F) {
	f.Add("a@b/c", "d@e", "1", "chat", "en", "hello", "de", "hallo", "thread", uint8(0), int8(0))
	f.Add("", "x/'&\"<>", "'", "error", "<", "]]>&amp;", "'/>", "\r\n\t ", "", uint8(1), int8(-128))
	f.Add("@", "b", "", "get", "", "", "x", "", " ", uint8(8), int8(127))
	f.Add("b", "b", "1", "result", "", "\x00", "\xff", "\uFFFE", "🎈", uint8(2+8), int8(1))
	f.Add("b", "b", "1", "set", "", "xa", "away", "dnd", "chat", uint8(4+8+16), int8(1))
	f.Add("b", "b", "1", "subscribe", "", "continue", "cancel", "x", "", uint8(5+16), int8(1))
	f.Fuzz(func(t *testing.T, to, from, id, typ, lang, a, b, c, d string, choice uint8, priority int8) {
		toJID, _ := jid.ParseLenient(to)
		fromJID, _ := jid.ParseLenient(from)
		condition := conditions[int(choice&7)%len(conditions)]
		failure := &stanza.Error{Type: stanza.ErrorType(a), Condition: condition, Text: b, Lang: c, Address: d, By: fromJID}
		holdsError := []string{b}
		if b != "" {
			holdsError = append(holdsError, c)
		}
		if condition == stanza.Gone || condition == stanza.Redirect {
			holdsError = append(holdsError, d)
		}
		if out, ok := appended(t, failure, holdsError...); ok {
			again := parse(t, "<message type='error'>"+string(out)+"</message>").Failure()
			require.Equal(t, asRead(failure), again, "%s", out)
		}
		if choice&8 == 0 {
			failure, holdsError = nil, nil
		}
		var payloads stanza.Payloads
		if choice&16 != 0 {
			payloads = stanza.Payloads{element(t, `<request xmlns='urn:xmpp:receipts'/>`)}
		}
		header := []string{id, lang}
		if failure == nil {
			header = append(header, typ)
		}

		m := stanza.Message{To: toJID, From: fromJID, ID: id, Type: stanza.MessageType(typ), Lang: lang,
			Body: stanza.Text{{Value: a}, {Lang: "x" + b, Value: c}}, Subject: stanza.Plain(d), Thread: stanza.Thread{ID: d, Parent: b},
			Error: failure, Payloads: payloads}
		if out, ok := appended(t, m, append(append(header, a, b, c, d), holdsError...)...); ok {
			again, err := parse(t, string(out)).Message()
			require.NoError(t, err)
			switch m.Type { // RFC 6121 §5.2.2
			case stanza.MessageChat, stanza.MessageGroupchat, stanza.MessageHeadline:
			case stanza.MessageError:
				if failure == nil {
					m.Error = &stanza.Error{Condition: stanza.UndefinedCondition}
				}
			default:
				m.Type = stanza.MessageNormal
			}
			if failure != nil {
				m.Type, m.Error = stanza.MessageError, asRead(failure)
			}
			if d == "" { // a thread without an id is none
				m.Thread = stanza.Thread{}
			}
			samePayloads(t, &m.Payloads, &again.Payloads)
			require.Equal(t, m, again, "%s", out)
		}

		p := stanza.Presence{To: toJID, From: fromJID, ID: id, Type: stanza.PresenceType(typ), Lang: lang,
			Show: stanza.Show(a), Status: stanza.Text{{Lang: b, Value: c}}, Priority: priority, Error: failure, Payloads: payloads}
		if out, ok := appended(t, p, append(append(header, a, b, c), holdsError...)...); ok {
			again, err := parse(t, string(out)).Presence()
			if failure != nil {
				p.Type, p.Error = stanza.PresenceError, asRead(failure)
			} else if p.Type == stanza.PresenceError {
				p.Error = &stanza.Error{Condition: stanza.UndefinedCondition}
			}
			switch p.Show = stanza.Show(strings.TrimSpace(a)); p.Show { // as RFC 6121 §4.7.2.1 says of an unknown one
			case stanza.ShowChat, stanza.ShowAway, stanza.ShowXA, stanza.ShowDND:
			default:
				p.Show = stanza.ShowOnline
			}
			if err != nil { // RFC 6121 §4.7.1
				require.ErrorIs(t, err, stanza.BadRequest)
				require.Nil(t, failure)
				require.NotContains(t, []stanza.PresenceType{"", "unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "error"}, p.Type)
			} else {
				samePayloads(t, &p.Payloads, &again.Payloads)
				require.Equal(t, p, again, "%s", out)
			}
		}

		iq := stanza.IQ{To: toJID, From: fromJID, ID: id, Type: stanza.IQType(typ), Lang: lang, Error: failure}
		if payloads != nil || iq.Type.IsRequest() {
			iq.Payload = element(t, `<ping xmlns='urn:xmpp:ping'/>`)
		}
		if out, ok := appended(t, iq, append(header, holdsError...)...); ok {
			again, err := parse(t, string(out)).IQ()
			if failure != nil {
				iq.Type, iq.Error = stanza.IQError, asRead(failure)
			} else if iq.Type == stanza.IQError {
				iq.Error = &stanza.Error{Condition: stanza.UndefinedCondition}
			}
			if err != nil { // RFC 6120 §8.2.3
				require.ErrorIs(t, err, stanza.BadRequest)
				require.True(t, iq.ID == "" || failure == nil && typ != "get" && typ != "set" && typ != "result" && typ != "error")
			} else {
				require.Equal(t, iq.Payload == nil, again.Payload == nil)
				if iq.Payload != nil {
					samePayloads(t, &stanza.Payloads{iq.Payload}, &stanza.Payloads{again.Payload})
					iq.Payload, again.Payload = nil, nil
				}
				require.Equal(t, iq, again, "%s", out)
			}
		}
	})
}

// samePayloads compares payloads by what they write, and takes them out.
func samePayloads(t *testing.T, want, got *stanza.Payloads) {
	t.Helper()
	require.Len(t, *got, len(*want))
	for i, p := range *want {
		wantXML, err := p.AppendXML(nil)
		require.NoError(t, err)
		gotXML, err := (*got)[i].AppendXML(nil)
		require.NoError(t, err)
		require.Equal(t, string(wantXML), string(gotXML))
	}
	*want, *got = nil, nil
}

// FuzzText: texts read back in every language, in their order.
func FuzzText(f *testing.F) {
	f.Add("", "hello", "de", "hallo", "zh-Hant", "你好")
	f.Add("de", "<>", "DE", "&", "", "\r")
	f.Fuzz(func(t *testing.T, lang1, value1, lang2, value2, lang3, value3 string) {
		text := stanza.Text{{Lang: lang1, Value: value1}, {Lang: lang2, Value: value2}, {Lang: lang3, Value: value3}}
		for _, m := range []stanza.Message{{Body: text}, {Subject: text}} {
			out, err := m.AppendXML(nil)
			if err != nil {
				repeated := strings.EqualFold(lang1, lang2) || strings.EqualFold(lang1, lang3) || strings.EqualFold(lang2, lang3)
				require.True(t, repeated || !expressible(lang1, value1, lang2, value2, lang3, value3), "%v", err)
				continue
			}
			again, err := parse(t, string(out)).Message()
			require.NoError(t, err)
			require.Equal(t, m, again)
		}
	})
}
