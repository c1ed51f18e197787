package xmpptest

import (
	"bytes"
	"testing"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// RoundTrip reads in as a P, writes that and reads it again. read is nil when in is no XML or no P, again is nil when read breaks a rule that keeps it from
// being written. The caller compares the two.
//
// It fails the test when what was written cannot be read, or is written differently the second time, and when a P that is refused leaves something
// behind. It is for fuzz tests:
//
//	f.Fuzz(func(t *testing.T, in string) {
//		if read, again := xmpptest.RoundTrip[version.Info](t, in); again != nil {
//			require.Equal(t, read, again)
//		}
//	})
func RoundTrip[P stanza.Payload, D interface {
	*P
	stanza.Decoder
}](t testing.TB, in string) (read, again *P) {
	t.Helper()
	e, err := stanza.ParseElement([]byte(in))
	if err != nil {
		return nil, nil
	}
	read, again = new(P), new(P)
	if e.Decode(D(read)) != nil {
		return nil, nil
	}
	const before = "<before/>"
	out, err := (*read).AppendXML([]byte(before))
	if err != nil {
		if string(out) != before {
			t.Errorf("%+v is refused (%v) and leaves %q", read, err, out)
		}
		return read, nil
	}
	out, ok := bytes.CutPrefix(out, []byte(before))
	if e, err = stanza.ParseElement(out); err != nil || !ok {
		t.Fatalf("%+v is written as %q: %v", read, out, err)
	}
	if err := e.Decode(D(again)); err != nil {
		t.Fatalf("%s cannot be read: %v", out, err)
	}
	if twice, err := (*again).AppendXML(nil); err != nil || !bytes.Equal(out, twice) {
		t.Fatalf("%s\nis written the second time as\n%s, %v", out, twice, err)
	}
	return read, again
}
