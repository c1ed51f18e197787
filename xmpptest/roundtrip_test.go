package xmpptest_test

import (
	"encoding/xml"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xmpptest"
)

// A word is a payload with a fault that the word says.
type word struct{ Text string }

func (w word) AppendXML(dst []byte) ([]byte, error) {
	switch w.Text {
	case "refused":
		return dst, errors.New("not this one")
	case "left":
		return append(dst, "<w"...), errors.New("not this one")
	case "broken":
		return append(dst, "<w>"...), nil
	case "overwritten":
		return []byte("<w/>"), nil
	case "unread":
		return append(dst, "<w>none</w>"...), nil
	}
	return append(dst, "<w>"+strings.Replace(w.Text, "grows", "grows grows", 1)+"</w>"...), nil
}

func (*word) PayloadName() xml.Name { return xml.Name{Space: stanza.NS, Local: "w"} }

func (w *word) ParseXML(e stanza.Element) error {
	if w.Text = e.Text(); w.Text == "none" {
		return errors.New("no word")
	}
	return nil
}

// A recorder notes that a test has failed.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) Fatalf(string, ...any) { r.failed = true; panic(r) }

// What does not come back as it was is found, and what is refused cleanly is not.
func TestRoundTrip(t *testing.T) {
	for in, want := range map[string]struct{ fails, read, again bool }{
		"<w>good</w>":        {read: true, again: true},
		"<w":                 {},
		"<w>none</w>":        {},
		"<w>refused</w>":     {read: true},
		"<w>left</w>":        {fails: true},
		"<w>broken</w>":      {fails: true},
		"<w>overwritten</w>": {fails: true},
		"<w>unread</w>":      {fails: true},
		"<w>grows</w>":       {fails: true},
	} {
		r := new(recorder)
		var read, again *word
		func() {
			defer func() {
				if v := recover(); v != nil && v != any(r) {
					panic(v)
				}
			}()
			read, again = xmpptest.RoundTrip[word](r, in)
		}()
		require.Equal(t, want.fails, r.failed, in)
		if !want.fails {
			require.Equal(t, want.read, read != nil, in)
			require.Equal(t, want.again, again != nil, in)
		}
	}
}
