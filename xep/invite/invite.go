// Package invite brings people together who do not know each other's addresses yet: by links with a token in them, which lets
// whoever has it make an account (XEP-0445), become a contact (XEP-0379), or both (XEP-0401).
//
// In a server, a [Service] gives out invites, and the module of package register makes accounts by them:
//
//	invites := invite.New(nil)
//	srv, err := server.New(&server.Options{Modules: []module.Module{
//		invites,
//		register.Server(&register.ServerOptions{Mode: register.Invited, Invites: invites}),
//	}, …})
//	…
//	made, err := invites.Create(ctx, invite.Request{Inviter: romeo, Account: romeo.Domain()})
//	fmt.Println(made.URI) // xmpp:romeo@montague.example?roster;preauth=…;ibr=y
//
// Who opens that link has a client that makes an account,
//
//	u, err := invite.ParseURI(link)
//	c, err := client.Dial(ctx, account, &client.Options{
//		Password:    password,
//		BeforeLogin: invite.NewAccount(u, account, password, nil),
//	})
//
// or has an account, and becomes a contact by [Contacts.Add].
//
// [Commands] is the module that lets people have invites made, those whom the program allows, and [Ask] the call of their clients. [Contacts.Invite] is
// for clients whose server gives out no invites.
//
// A token is as good as what it is for: who sees it can use it first. It is good once and for a week, unless
// whoever makes the invite says otherwise.
package invite

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"

	"github.com/parlance-xmpp/xmpp/stanza"
)

// The namespaces: of tokens, and of the stream feature of servers that make accounts by them.
const (
	NS         = "urn:xmpp:pars:0"
	NSRegister = "urn:xmpp:ibr-token:0"
)

// maxToken bounds tokens, of whatever make.
const maxToken = 1024

// A Preauth shows a token: to a server, by somebody who wants an account, and to an account, in a request for a subscription.
type Preauth struct{ Token string }

// AppendXML implements [stanza.Payload].
func (p Preauth) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Start(NS, "preauth")
	w.Attr("token", p.Token)
	w.End()
	return w.Bytes()
}

// PayloadName implements [stanza.Decoder].
func (*Preauth) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "preauth"} }

// ParseXML implements [stanza.Decoder].
func (p *Preauth) ParseXML(e stanza.Element) error {
	p.Token = e.Attr("token")
	if p.Token == "" || len(p.Token) > maxToken {
		return errors.New("invite: no token")
	}
	return nil
}

// idOf returns what is kept of a token.
func idOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// An offer is the stream feature.
type offer struct{}

// AppendXML implements [stanza.Payload].
func (offer) AppendXML(dst []byte) ([]byte, error) {
	w := stanza.NewWriter(dst)
	w.Element(NSRegister, "register", "")
	return w.Bytes()
}
