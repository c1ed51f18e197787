// Package vcard reads and writes what people tell about themselves, for everybody to see (XEP-0054: vcard-temp), and
// announces their pictures (XEP-0153).
//
//	card, err := vcard.Get(ctx, s, jid.MustParse("juliet@capulet.com"))
//	…
//	fmt.Println(card.FN, card.Photo.MediaType())
//
// The own one is changed as a whole, and what this package does not know in it stays:
//
//	err := vcard.Change(ctx, s, func(card *vcard.VCard) { card.Nickname = "Jule" })
//
// # Avatars
//
// An [Avatars] announces the own picture in presence, and tells of those that contacts announce:
//
//	avatars := vcard.NewAvatars(&vcard.AvatarOptions{Changed: func(ctx context.Context, who jid.JID, hash string) {
//		card, err := vcard.Get(ctx, s, who) // unless there is a picture with that hash already
//		…
//	}})
//	avatars.Register(mux)
//	…
//	_, err := avatars.Load(ctx, s) // before initial presence
//
// In a server, [Server] is the module that keeps vCards and completes the presence of clients that do not announce pictures.
package vcard

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// NS is the namespace of vCards, and the feature of a server that keeps them.
const NS = "vcard-temp"

// ErrNone is matched by the error of [Get] when somebody has no vCard. There may be nobody of that address either.
var ErrNone = errors.New("there is no vCard")

// A VCard is what somebody tells about himself. Every field may be empty.
//
// Of a property that may be there once and is there several times the first counts; the rest is in Others.
//
// It is a [stanza.Payload], and a pointer to it a [stanza.Decoder].
type VCard struct {
	FN       string // the name as it is to be shown
	N        Name
	Nickname string // several are separated by commas
	Photo    *Photo // nil if there is none
	BDay     string // the birthday, as ISO 8601 has it
	Adr      []Address
	Tel      []Tel
	Email    []Email
	JabberID string
	Title    string // in an organization
	Role     string
	Org      Org
	URL      string
	Desc     string
	Version  string           // of the format, which some clients state
	Others   []stanza.Element // what else there is, in its order
}

// A Name is a name in its parts (N).
type Name struct {
	Family, Given, Middle, Prefix, Suffix string

	Others []stanza.Element
}

// An Address is a postal address (ADR).
type Address struct {
	Types                                                    []string // such as "HOME", "WORK", "PREF"
	POBox, Extended, Street, Locality, Region, Code, Country string

	Others []stanza.Element
}

// A Tel is a telephone number.
type Tel struct {
	Types  []string // such as "HOME", "WORK", "VOICE", "CELL", "PREF"
	Number string

	Others []stanza.Element
}

// An Email is an address for mail.
type Email struct {
	Types []string // such as "HOME", "WORK", "INTERNET", "PREF"
	// UserID is the address.
	UserID string

	Others []stanza.Element
}

// An Org is an organization.
type Org struct {
	Name  string
	Units []string

	Others []stanza.Element
}

// IsEmpty reports whether the vCard says nothing.
func (v *VCard) IsEmpty() bool {
	return !slices.ContainsFunc(v.texts(), func(f field) bool { return *f.value != "" }) && v.N.isEmpty() && v.Photo == nil &&
		len(v.Adr) == 0 && len(v.Tel) == 0 && len(v.Email) == 0 && v.Org.isEmpty() && len(v.Others) == 0
}

// Get fetches the vCard of an account, by its bare JID, or of somebody in a room, by the full one. The zero address is the own
// account: to have no vCard is no error there, and gives an empty one.
//
// Others that have none, or do not exist, are an error that matches [ErrNone].
func Get(ctx context.Context, s xmpp.Session, who jid.JID) (VCard, error) {
	var v VCard
	result, err := s.Query(ctx, stanza.IQ{Type: stanza.IQGet, To: who, Payload: VCard{}})
	switch {
	case err == nil && result.Payload != nil:
		err = result.Decode(&v)
	case who.IsZero() && errors.Is(err, stanza.ItemNotFound): // §3.1
		return v, nil
	case errors.Is(err, stanza.ItemNotFound), errors.Is(err, stanza.ServiceUnavailable) && !who.IsZero(): // §3.3; the first from older servers
		err = fmt.Errorf("%w: %w", ErrNone, err)
	}
	if err != nil {
		return VCard{}, fmt.Errorf("vcard: get %s: %w", describe(who), err)
	}
	return v, nil
}

// Set replaces the own vCard. Everybody can see it.
//
// Errors worth testing for: [stanza.PolicyViolation], it is too large.
func Set(ctx context.Context, s xmpp.Session, v VCard) error {
	if _, err := s.Query(ctx, stanza.IQ{Type: stanza.IQSet, Payload: v}); err != nil {
		return fmt.Errorf("vcard: set: %w", err)
	}
	return nil
}

// Change fetches the own vCard, has it changed, and replaces it: a part of it cannot be set (§3.2). What another
// device sets meanwhile is lost.
func Change(ctx context.Context, s xmpp.Session, change func(*VCard)) error {
	v, err := Get(ctx, s, jid.JID{})
	if err != nil {
		return err
	}
	change(&v)
	return Set(ctx, s, v)
}

// describe names the object of a request in an error.
func describe(who jid.JID) string {
	if who.IsZero() {
		return "the own one"
	}
	return who.String()
}

// PayloadName implements [stanza.Decoder].
func (*VCard) PayloadName() xml.Name { return xml.Name{Space: NS, Local: "vCard"} }
