// Package disco asks entities who they are, what they can do and what belongs
// to them (XEP-0030: Service Discovery).
//
// [GetInfo] asks for an entity's identities and features, [GetItems] for the
// entities associated with it:
//
//	info, err := disco.GetInfo(ctx, s, jid.MustParse("upload.example.org"), "")
//	if err != nil {
//		return err
//	}
//	if info.Has("urn:xmpp:http:upload:0") {
//		…
//	}
//
// A node, usually empty, names a thing that has no address of its own.
//
// # Answering
//
// This package only holds the types of the wire; package muxer answers for a
// program, from what was registered there.
//
// # Received answers
//
// They are somebody else's claims and are kept as they came, in order and with
// duplicates, so that a hash over them (XEP-0115) can be checked. Only what
// lacks a required attribute is left out: an identity without category or type,
// a feature without var, an item without a valid address.
//
// To ask every contact is a flood (§6.1). XEP-0115 tells the features of those
// whose presence is known.
package disco
