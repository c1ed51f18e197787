package stream

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// readBack reads what was written on a stream, with our own header before it.
func readBack(t *testing.T, written []byte) []stanza.Element {
	t.Helper()
	h := header{from: jid.MustParse("example.com"), id: "1", version: ours}
	r := xmlwire.NewReader(bytes.NewReader(append(append(h.append(nil), written...), closingTag...)), xmlwire.Limits{})
	_, err := r.Header()
	require.NoError(t, err)
	var all []stanza.Element
	for {
		e, err := r.Next()
		if err != nil {
			require.Equal(t, io.EOF, err, "%s", written)
			return all
		}
		all = append(all, stanza.Lend(e).Clone())
	}
}

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

// FuzzError: a stream error reads back as it was written. By design an undefined
// condition goes out as undefined-condition, a host only with see-other-host, the
// language of a text only with a text, and blanks around a text or host are not
// taken for part of it.
func FuzzError(f *testing.F) {
	f.Add("conflict", "a < b", "en", "", false)
	f.Add("see-other-host", "]]>", "'", "[::1]:5222", true)
	f.Add("made-up", " ", "x", "\xff", true)
	f.Fuzz(func(t *testing.T, condition, text, lang, host string, app bool) {
		e := &Error{Condition: Condition(condition), Text: text, Lang: lang, Host: host}
		if app {
			e.App = must(t, `<app xmlns='urn:example:app'>x</app>`)
		}
		out, err := e.AppendXML([]byte("before"))
		if !e.Condition.defined() {
			e.Condition = UndefinedCondition
		}
		if e.Condition != SeeOtherHost {
			e.Host = ""
		}
		if e.Text == "" {
			e.Lang = ""
		}
		if !expressible(e.Text, e.Lang, e.Host) {
			require.ErrorIs(t, err, stanza.ErrCharacter)
			require.Equal(t, "before", string(out))
			return
		}
		require.NoError(t, err)
		all := readBack(t, out[len("before"):])
		require.Len(t, all, 1, "%s", out)
		if e.Received, e.Host, e.Text = true, strings.TrimSpace(e.Host), strings.TrimSpace(e.Text); text != "" && e.Text == "" {
			e.Lang = lang // of a text that is nothing but blanks
		}
		again := parseError(all[0])
		if app { // the same element, wherever it stands
			want, err := stanza.ElementOf(e.App)
			require.NoError(t, err)
			got, err := stanza.ElementOf(again.App)
			require.NoError(t, err)
			require.Equal(t, want.String(), got.String())
			e.App, again.App = nil, nil
		}
		require.Equal(t, e, again, "%s", out)
	})
}

func must(t testing.TB, s string) stanza.Element {
	t.Helper()
	e, err := stanza.ParseElement([]byte(s))
	require.NoError(t, err)
	return e
}

// FuzzData: what SASL elements carry reads back, empty data and none told apart
// where they differ (RFC 6120 §6.4.2).
func FuzzData(f *testing.F) {
	f.Add([]byte(nil), "PLAIN")
	f.Add([]byte("\x00user\x00pass"), "SCRAM-SHA-1-PLUS")
	f.Add([]byte("="), "'/>")
	f.Fuzz(func(t *testing.T, data []byte, mechanism string) {
		for _, optional := range [][]byte{nil, {}, data} {
			w := stanza.NewWriter(nil)
			w.Start(nsSASL, "auth")
			w.Attr("mechanism", mechanism)
			writeData(w, optional)
			w.End()
			writeMessage(w, "challenge", optional)
			out, err := w.Bytes()
			if !expressible(mechanism) {
				require.ErrorIs(t, err, stanza.ErrCharacter)
				continue
			}
			require.NoError(t, err)
			all := readBack(t, out)
			require.Len(t, all, 2)
			require.True(t, all[0].Is(nsSASL, "auth") && all[1].Is(nsSASL, "challenge"))
			require.Equal(t, mechanism, all[0].Attr("mechanism"))
			got, err := readData(all[0])
			require.NoError(t, err)
			require.True(t, bytes.Equal(optional, got) && (got == nil) == (optional == nil), "%q: %q", optional, got)
			got, err = readMessage(all[1])
			require.NoError(t, err)
			require.True(t, bytes.Equal(optional, got) && got != nil, "%q: %q", optional, got)
		}
	})
}

// FuzzOffer: mechanisms and channel bindings read back, without blanks around a
// mechanism; bindings only go with mechanisms.
func FuzzOffer(f *testing.F) {
	f.Add("PLAIN", "SCRAM-SHA-1", "tls-exporter")
	f.Add("", " x ", "<'\"&>")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, o := range []sasl.Offer{{}, {Mechanisms: []string{a}}, {Mechanisms: []string{a, b}, Bindings: []string{b, c}}, {Bindings: []string{a}}} {
			w := stanza.NewWriter(nil)
			writeOffer(w, o)
			out, err := w.Bytes()
			if len(o.Mechanisms) == 0 {
				require.Empty(t, out)
				continue
			}
			if !expressible(slices.Concat(o.Mechanisms, o.Bindings)...) {
				require.ErrorIs(t, err, stanza.ErrCharacter)
				continue
			}
			require.NoError(t, err)
			all := readBack(t, appendFeatures(nil, out))
			require.Len(t, all, 1)
			want := sasl.Offer{Bindings: o.Bindings}
			for _, m := range o.Mechanisms {
				want.Mechanisms = append(want.Mechanisms, strings.TrimSpace(m))
			}
			require.Equal(t, want, readOffer(all[0]), "%s", out)
		}
	})
}

// FuzzBinding: resource and address of a binding read back where they are looked
// for.
func FuzzBinding(f *testing.F) {
	f.Add("balcony", "juliet@example.com/balcony")
	f.Add("<'&>", "a@b/<'&>")
	f.Fuzz(func(t *testing.T, resource, address string) {
		full, _ := jid.ParseLenient(address)
		out, err := binding{resource: resource, jid: full}.AppendXML(nil)
		if !expressible(resource) {
			require.ErrorIs(t, err, stanza.ErrCharacter)
			return
		}
		require.NoError(t, err)
		e := must(t, string(out))
		require.True(t, e.Is(nsBind, "bind"))
		require.Equal(t, resource, e.Child(nsBind, "resource").Text())
		require.Equal(t, full.String(), e.Child(nsBind, "jid").Text())
	})
}

func TestSessionRequest_RoundTrip(t *testing.T) {
	out, err := sessionRequest{}.AppendXML(nil)
	require.NoError(t, err)
	require.True(t, must(t, string(out)).Is(nsSession, "session"))
}

func TestManagement_RoundTrip(t *testing.T) {
	b, err := handledTooHigh{10, 8}.AppendXML(nil)
	require.NoError(t, err)
	e := readBack(t, b)[0]
	require.True(t, e.Is(nsSM, "handled-count-too-high"))
	require.Equal(t, "10", e.Attr("h"))
	require.Equal(t, "8", e.Attr("send-count"))

	b, err = pingPayload{}.AppendXML(nil)
	require.NoError(t, err)
	require.True(t, readBack(t, b)[0].Is("urn:xmpp:ping", "ping"))
}
