package xmlwire

import (
	"strings"
	"testing"
)

// Adopt does in place what AppendTo does, whatever room there is.
func TestAdopt(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, raw := range []string{
		"<a/>", "<a b='1'/>", "<a><b/></a>", "<a xmlns='u'/>", "<a b='xmlns' xmlns=\"v\">x</a>", "<a xmlns:p='u'/>",
		"<" + long + "/>", "<a>" + long + "</a>", "", "x",
	} {
		for _, ns := range []string{"", "u", "it's", long} {
			for _, parentNS := range []string{"", "u", "w"} {
				want := string(NewNode([]byte(raw), ns).AppendTo([]byte("before"), parentNS))
				for _, room := range []int{0, 1, 20, 2000} {
					dst := append(make([]byte, 0, len(raw)+len("before")+room), "before"+raw...)
					if got := string(Adopt(dst, len("before"), ns, parentNS)); got != want {
						t.Fatalf("%s of %q in %q, room for %d: %s, want %s", raw, ns, parentNS, room, got, want)
					}
				}
			}
		}
	}
	dst := append(make([]byte, 0, 200), "<body>Art thou not Romeo?</body>"...)
	if got := testing.AllocsPerRun(100, func() { Adopt(dst, 0, "jabber:client", "urn:xmpp:forward:0") }); got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}
