package stream

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/sasl"
)

// proof is what a client with a token says without channel binding.
func proof(username, token string) string {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("Initiator"))
	return base64.StdEncoding.EncodeToString(append([]byte(username+"\x00"), mac.Sum(nil)...))
}

// serverProof is what it gets back.
func serverProof(token string) string {
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("Responder"))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

var errDown = errors.New("the store is down")

const (
	fastInline = "<inline><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-EXPR</mechanism><mechanism>HT-SHA-256-ENDP</mechanism><mechanism>HT-SHA-256-NONE</mechanism></fast></inline>"
	useFAST    = "<fast xmlns='urn:xmpp:fast:0' count='1'/>"
	endFAST    = "<fast xmlns='urn:xmpp:fast:0' count='1' invalidate='true'/>"
	askFAST    = "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>"
	givesFAST  = "<token xmlns='urn:xmpp:fast:0' expiry='$expiry' token='$token'/>"
)

// htSuccess is what a server says to a client that has proven a token.
func htSuccess(token, inline string) string {
	return "<success" + sasl2NS + "><additional-data>" + serverProof(token) + "</additional-data>" + juliet2 + inline + "</success>"
}

// What a server does with tokens: it lets in who proves one of the two that a client may have, for the mechanism
// they were made for, and keeps what has to be kept (XEP-0484).
func TestXEP0484_ServerTokens(t *testing.T) {
	token := func(secret string, life time.Duration) sasl.Token {
		return sasl.Token{Secret: secret, Mechanism: sasl.HTSHA256None, Expiry: time.Now().Add(life)}
	}
	const long, short = tokenLife - time.Hour, tokenLife/2 - time.Hour
	ht := func(secret, inline string) string {
		return authenticate2("HT-SHA-256-NONE", proof("juliet", secret), agentOnly+inline)
	}
	bound := sasl.Token{Secret: "a", Mechanism: sasl.HTSHA256Expr, Expiry: time.Now().Add(long)}
	unavailable := func(b *tokenBook) { b.failSet = errDown }
	for _, tt := range []struct {
		name      string
		have      []sasl.Token
		say, want string
		keep      []string // the secrets that are left; "$token" is the new one
		change    func(*tokenBook)
	}{
		{"a password, and a token", nil, authenticate2("PLAIN", plainData, agentOnly+askFAST), success2("juliet@im.example.com", givesFAST), []string{"$token"}, nil},
		{"a password, and no token", nil, authenticate2("PLAIN", plainData, agentOnly), success2("juliet@im.example.com", ""), nil, nil},
		{"no id", nil, authenticate2("PLAIN", plainData, askFAST), success2("juliet@im.example.com", ""), nil, nil},
		{"a password: the token in use stays good until the new one is used", []sasl.Token{token("a", long)},
			authenticate2("PLAIN", plainData, agentOnly+askFAST), success2("juliet@im.example.com", givesFAST), []string{"a", "$token"}, nil},
		{"a password: what was not used is forgotten", []sasl.Token{token("a", long), token("b", long)},
			authenticate2("PLAIN", plainData, agentOnly+askFAST), success2("juliet@im.example.com", givesFAST), []string{"a", "$token"}, nil},
		{"a password: what has expired is forgotten", []sasl.Token{token("a", -time.Hour)},
			authenticate2("PLAIN", plainData, agentOnly+askFAST), success2("juliet@im.example.com", givesFAST), []string{"$token"}, nil},
		{"a password, and the store is down", nil, authenticate2("PLAIN", plainData, agentOnly+askFAST), success2("juliet@im.example.com", ""), nil, unavailable},
		{"a token", []sasl.Token{token("a", long)}, ht("a", useFAST), htSuccess("a", ""), []string{"a"}, nil},
		{"a token that is half spent", []sasl.Token{token("a", short)}, ht("a", useFAST), htSuccess("a", givesFAST), []string{"a", "$token"}, nil},
		{"the new one: the old one is over", []sasl.Token{token("a", short), token("b", long)}, ht("b", useFAST), htSuccess("b", ""), []string{"b"}, nil},
		{"the old one: the new one may be on its way", []sasl.Token{token("a", long), token("b", long)}, ht("a", useFAST), htSuccess("a", ""), []string{"a", "b"}, nil},
		{"the old one, half spent", []sasl.Token{token("a", short), token("b", long)}, ht("a", useFAST), htSuccess("a", givesFAST), []string{"a", "$token"}, nil},
		{"half spent, and the store is down", []sasl.Token{token("a", short)}, ht("a", useFAST), htSuccess("a", ""), []string{"a"}, unavailable},
		{"the old one cannot be ended", []sasl.Token{token("a", short), token("b", long)}, ht("b", useFAST), failedWith(InternalServerError), []string{"a", "b"}, unavailable},
		{"logging out", []sasl.Token{token("a", short), token("b", long)}, ht("a", endFAST), htSuccess("a", ""), nil, nil},
		{"logging out, and in", []sasl.Token{token("a", long)}, ht("a", endFAST+askFAST), htSuccess("a", givesFAST), []string{"$token"}, nil},
		{"another token", []sasl.Token{token("a", long)}, ht("x", useFAST), failure2("not-authorized"), []string{"a"}, nil},
		{"none", nil, ht("a", useFAST), failure2("not-authorized"), nil, nil},
		{"one that has expired", []sasl.Token{token("a", -time.Second)}, ht("a", useFAST), failure2("credentials-expired"), []string{"a"}, nil},
		{"one of another mechanism", []sasl.Token{bound}, ht("a", useFAST), failure2("not-authorized"), []string{"a"}, nil},
		{"a failure ends nothing", []sasl.Token{token("a", long)}, ht("x", endFAST), failure2("not-authorized"), []string{"a"}, nil},
		{"not said to be one", []sasl.Token{token("a", long)}, ht("a", ""), failure2("invalid-mechanism"), []string{"a"}, nil},
		{"without an id", []sasl.Token{token("a", long)}, authenticate2("HT-SHA-256-NONE", proof("juliet", "a"), useFAST), failure2("malformed-request"), []string{"a"}, nil},
		{"from another client", []sasl.Token{token("a", long)}, authenticate2("HT-SHA-256-NONE", proof("juliet", "a"),
			"<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87771'/>"+useFAST), failure2("not-authorized"), []string{"a"}, nil},
		{"of somebody else", []sasl.Token{token("a", long)}, authenticate2("HT-SHA-256-NONE", proof("nurse", "a"), agentOnly+useFAST), failure2("not-authorized"), []string{"a"}, nil},
		{"with a password's mechanism", []sasl.Token{token("a", long)}, authenticate2("PLAIN", plainData, agentOnly+useFAST), failure2("invalid-mechanism"), []string{"a"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			key := juliet.String() + " " + agentID
			book := &tokenBook{all: map[string][]sasl.Token{key: tt.have}}
			if tt.change != nil {
				tt.change(book)
			}
			p, _ := authenticating2(t, receiving2(t, func(f *ServerSASL2) { f.Tokens = book }), "", fastInline)
			p.send(tt.say)
			p.expect(tt.want)
			var kept []string
			tokens, err := book.Tokens(t.Context(), juliet, agentID)
			require.NoError(t, err)
			for _, token := range tokens {
				if token.Secret == p.bound["token"] {
					require.InDelta(t, tokenLife, time.Until(token.Expiry), float64(time.Hour))
					token.Secret = "$token"
				}
				kept = append(kept, token.Secret)
			}
			require.Equal(t, tt.keep, kept)
		})
	}
}

// Who acts as another account gets no token for it: it would be good for longer than the permission.
func TestSec_NoTokenForAnotherAccount(t *testing.T) {
	book := &tokenBook{}
	p, _ := authenticating2(t, receiving2(t, func(f *ServerSASL2) {
		f.Tokens = book
		f.Authenticator = authenticators(t, func(o *sasl.Options) {
			o.Authorize = func(context.Context, sasl.Identity) error { return nil }
		})
	}), "", fastInline)
	p.send(authenticate2("PLAIN", b64("nurse@im.example.com\x00juliet\x00"+password), agentOnly+askFAST))
	p.expect(success2("nurse@im.example.com", ""))
	require.Empty(t, book.all)
}

const offersFAST = "<stream:features><authentication" + sasl2NS + "><mechanism>SCRAM-SHA-256-PLUS</mechanism>" +
	"<inline><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast></inline></authentication>" + bindings2 + "</stream:features>"

// errCut stands for any error, of a stream that the test has cut.
var errCut = errors.New("cut")

// What a client does with a ticket, which it uses together with its header, and what is kept of it.
func TestXEP0484_ClientTicket(t *testing.T) {
	good := Ticket{Token: sasl.Token{Secret: "a", Mechanism: sasl.HTSHA256None, Expiry: time.Now().Add(time.Hour)}, Count: 6}
	asks := func(fast string) string {
		return opensFrom + "<authenticate" + sasl2NS + " mechanism='HT-SHA-256-NONE'><initial-response>" + proof("juliet", "a") + "</initial-response>" + agentXML +
			"<fast xmlns='urn:xmpp:fast:0' count='7'" + fast + "/></authenticate>"
	}
	scram := "<authenticate" + sasl2NS + " mechanism='SCRAM-SHA-256-PLUS'><initial-response>$first</initial-response>" + agentXML + askFAST + "</authenticate>"
	renewed := "<token xmlns='urn:xmpp:fast:0' expiry='2999-03-12T14:36:15Z' token='b'/>"
	for _, tt := range []struct {
		name   string
		forget bool
		answer string // to the ticket
		then   string // what the client says to that
		kept   []string
		err    error // nil: it is in
	}{
		{"success", false, offersFAST + htSuccess("a", "") + "<stream:features/>", "", []string{"a 7"}, nil},
		{"success, and a new one", false, offersFAST + htSuccess("a", renewed) + "<stream:features/>", "", []string{"a 7", "b 0"}, nil},
		{"logging out", true, offersFAST + htSuccess("a", renewed) + "<stream:features/>", "", []string{"a 7", ""}, nil},
		{"refused: a password then", false, offersFAST + failure2("not-authorized"), scram, []string{"a 7", ""}, errCut},
		{"expired: a password then", false, offersFAST + failure2("credentials-expired"), scram, []string{"a 7", ""}, errCut},
		{"S10 a server that knows no token", false, offersFAST + success2("juliet@im.example.com", "") + "<stream:features/>", closingTag, []string{"a 7"}, sasl.ErrServerNotProven},
		{"S10 a server that knows another", false, offersFAST + htSuccess("x", renewed) + "<stream:features/>", closingTag, []string{"a 7"}, sasl.ErrServerNotProven},
		{"a server that has SASL2 no more", false, "<stream:features/>", closingTag, []string{"a 7", ""}, errNoMore},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ticket := good
			var kept []string
			cfg := initiating2(new(keeper), nil)
			f := cfg.Features[0].(ClientSASL2)
			f.Bind, f.Forget = nil, tt.forget
			f.Ticket = func() *Ticket { return &ticket }
			f.Keep = func(t *Ticket) {
				if t == nil {
					kept = append(kept, "")
					return
				}
				kept = append(kept, t.Token.Secret+" "+strconv.Itoa(t.Count))
			}
			cfg.Features[0], cfg.Until = f, Authenticated
			invalidate := ""
			if tt.forget {
				invalidate = " invalidate='true'"
			}
			p, done := serving2(t, cfg, asks(invalidate))
			go func() { _ = p.trySend(answers + tt.answer) }()
			p.expect(tt.then)
			if tt.err != nil {
				_ = p.nc.Close()
			}
			got := <-done
			if tt.err == errCut {
				require.Error(t, got.err)
			} else {
				require.ErrorIs(t, got.err, tt.err)
			}
			require.Equal(t, tt.kept, kept)
			require.Equal(t, good, ticket, "it is the program's")
			if got.c != nil {
				got.c.Abort()
			}
		})
	}
}

// A ticket is used on a channel that is as good as the one it was made for, or not at all.
func TestSec_TicketNeedsItsChannel(t *testing.T) {
	k := &keeper{ticket: &Ticket{Token: sasl.Token{Secret: "a", Mechanism: sasl.HTSHA256None, Expiry: time.Now().Add(time.Hour)}}}
	cfg := initiating2(k, nil)
	cfg.InsecurePlaintext = true
	p, done := negotiating(t, true, cfg)
	p.expect(opensTo)
	p.send(answers + "<stream:features><authentication" + sasl2NS + "><mechanism>X</mechanism><inline><fast xmlns='urn:xmpp:fast:0'><mechanism>HT-SHA-256-NONE</mechanism></fast></inline></authentication></stream:features>")
	p.expect(closingTag)
	_ = p.nc.Close()
	require.ErrorIs(t, (<-done).err, sasl.ErrNoMechanism)
	require.Zero(t, k.kept)
}
