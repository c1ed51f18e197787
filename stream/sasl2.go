package stream

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

const (
	nsSASL2 = "urn:xmpp:sasl:2" // XEP-0388
	nsBind2 = "urn:xmpp:bind:0" // XEP-0386
	nsFAST  = "urn:xmpp:fast:0" // XEP-0484
	nsCSI   = "urn:xmpp:csi:0"  // XEP-0352
	nsCopy  = "urn:xmpp:carbons:2"
)

var sasl2Name = xml.Name{Space: nsSASL2, Local: "authentication"}

// A UserAgent is what a client says of itself when it logs in (XEP-0388 §2.3).
type UserAgent struct {
	// ID is a random UUID that the client keeps, by which the server knows it again. It is
	// told to nobody else.
	ID string
	// Software and Device are names for people.
	Software, Device string
}

// valid reports whether the id is a UUID of version 4.
func (a UserAgent) valid() bool {
	s := strings.ToLower(a.ID)
	if len(s) != 36 || s[14] != '4' || !strings.ContainsRune("89ab", rune(s[19])) {
		return false
	}
	for i, r := range s {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (r == '-') || !dash && !strings.ContainsRune("0123456789abcdef", r) {
			return false
		}
	}
	return true
}

func (a UserAgent) write(w *stanza.Writer) {
	if a == (UserAgent{}) {
		return
	}
	w.Start("", "user-agent")
	if a.ID != "" {
		w.Attr("id", a.ID)
	}
	if a.Software != "" {
		w.Element("", "software", a.Software)
	}
	if a.Device != "" {
		w.Element("", "device", a.Device)
	}
	w.End()
}

// maxName bounds what is believed of the names in a user agent.
const maxName = 256

// readUserAgent reads what a client says. An id that is none counts as not given.
func readUserAgent(e stanza.Element) (a UserAgent) {
	e = e.Child(nsSASL2, "user-agent")
	a.ID = e.Attr("id")
	if !a.valid() {
		a.ID = ""
	}
	name := func(local string) string {
		s := e.Child(nsSASL2, local).Text()
		return strings.ToValidUTF8(s[:min(len(s), maxName)], "")
	}
	a.Software, a.Device = name("software"), name("device")
	return a
}

// offer2 is what a server offers in SASL2.
type offer2 struct {
	mechanisms []string // of SASL
	tokens     []string // mechanisms for tokens
	sm         bool     // sessions can be resumed inline
	bind       bool
	inBind     []string // what can be enabled in binding
	upgrades   []sasl.Hash
}

func (o offer2) write(w *stanza.Writer) {
	w.Start(nsSASL2, "authentication")
	for _, m := range o.mechanisms {
		w.Element("", "mechanism", m)
	}
	if o.bind || o.sm || len(o.tokens) > 0 {
		w.Start("", "inline")
		if o.bind {
			w.Start(nsBind2, "bind")
			if len(o.inBind) > 0 {
				w.Start("", "inline")
				for _, f := range o.inBind {
					w.Start("", "feature")
					w.Attr("var", f)
					w.End()
				}
				w.End()
			}
			w.End()
		}
		if o.sm {
			w.Element(nsSM, "sm", "")
		}
		if len(o.tokens) > 0 {
			w.Start(nsFAST, "fast")
			for _, m := range o.tokens {
				w.Element("", "mechanism", m)
			}
			w.End()
		}
		w.End()
	}
	writeTasks(w, o.upgrades)
	w.End()
}

func readOffer2(e stanza.Element) (o offer2) {
	names := func(e stanza.Element, space string) (names []string) {
		for m := range e.Children() {
			if m.Is(space, "mechanism") {
				names = append(names, strings.TrimSpace(m.Text()))
			}
		}
		return names
	}
	o.mechanisms = names(e, nsSASL2)
	o.upgrades = tasksIn(e)
	inline := e.Child(nsSASL2, "inline")
	o.sm = !inline.Child(nsSM, "sm").IsZero()
	o.tokens = names(inline.Child(nsFAST, "fast"), nsFAST)
	bind := inline.Child(nsBind2, "bind")
	o.bind = !bind.IsZero()
	for f := range bind.Child(nsBind2, "inline").Children() {
		if f.Is(nsBind2, "feature") {
			o.inBind = append(o.inBind, f.Attr("var"))
		}
	}
	return o
}

// writeData2 writes an element that carries data: empty content is empty data.
func writeData2(w *stanza.Writer, local string, data []byte) {
	w.Element("", local, base64.StdEncoding.EncodeToString(data))
}

// readData2 reads it; an element that is not there carries none.
func readData2(e stanza.Element) ([]byte, error) {
	if e.IsZero() {
		return nil, nil
	}
	return readMessage(e)
}

// A Ticket is what a client keeps from one login for the next (XEP-0484): a token, and what
// else the server was ready for, so that all can be asked for at once. It is as good as a password
// of the account and can be written as JSON. Printing or logging a value shows nothing of it.
type Ticket struct {
	Token  sasl.Token
	Count  int      // logins with it
	Bind   bool     // the server has Bind 2
	InBind []string // what can be enabled in it
	Resume bool     // sessions can be resumed at once
}

// Format prints a placeholder, whatever the verb.
func (Ticket) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("stream.Ticket{...}")) }

// LogValue implements [slog.LogValuer] with a placeholder.
func (Ticket) LogValue() slog.Value { return slog.StringValue("stream.Ticket{...}") }

// fresh reports whether t can still be used.
func (t *Ticket) fresh() bool {
	return t != nil && t.Token.Secret != "" && time.Now().Before(t.Token.Expiry)
}

// offer is what the server offered when it gave out t.
func (t *Ticket) offer() offer2 {
	return offer2{tokens: []string{t.Token.Mechanism}, bind: t.Bind, inBind: t.InBind, sm: t.Resume}
}

// maxToken bounds a token.
const maxToken = 1024

// readToken reads a token that the server gives out for a mechanism.
func readToken(e stanza.Element, mechanism string) (sasl.Token, bool) {
	e = e.Child(nsFAST, "token")
	secret := e.Attr("token")
	expiry, err := time.Parse(time.RFC3339Nano, e.Attr("expiry"))
	if secret == "" || len(secret) > maxToken || err != nil {
		return sasl.Token{}, false
	}
	return sasl.Token{Secret: secret, Mechanism: mechanism, Expiry: expiry}, true
}

func (o offer2) binds(feature string) bool { return o.bind && slices.Contains(o.inBind, feature) }
