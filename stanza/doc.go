// Package stanza holds the three things entities say to each other over XMPP:
// [Message], [Presence] and [IQ] (RFC 6120 §8, RFC 6121), the [Error] that
// answers one, and the payloads they carry.
//
// # Sending
//
// A stanza is a plain struct; its zero fields are left out:
//
//	m := stanza.Message{To: juliet, Type: stanza.MessageChat, Body: stanza.Plain("Hi!")}
//
// Whatever is written passes through one encoder that escapes every value, so
// no text, attribute or address can forge markup. What XML cannot carry at all,
// such as U+0000, is an error of AppendXML and nothing is sent.
//
// # Receiving
//
// A stream hands over a [Raw]: a stanza's header and its bytes, checked and
// immutable. [Raw.Message], [Raw.Presence] and [Raw.IQ] decode it into the
// struct. Children this package does not know are kept as [Element] values in
// Payloads and written again unchanged.
//
// # Payloads
//
// A payload type of one's own appends itself with a [Writer] and reads itself
// from an [Element]; see [Payload] and [Decoder]. Structs with encoding/xml tags
// join through [Marshal] and [Element.Decode], token streams in the manner of
// mellium.im/xmlstream through [FromMarshaler], [FromTokens] and TokenReader. The
// guide docs/payloads.md shows each, with its cost.
//
// # Namespaces
//
// Stanzas are in the namespace jabber:client here, on every kind of stream. A
// stream whose content namespace is another (jabber:server,
// jabber:component:accept) translates at its edge.
package stanza
