package xmpp

// A Trace looks on while a stream works. Every field may be nil. The functions
// are called in order, each from the goroutine that reads or writes; they must
// be quick and must not call back into the stream.
//
// Credentials are removed before they are shown: of SASL elements the name and
// the mechanism remain, of passwords and tokens nothing.
type Trace struct {
	// Received is called with each part of the stream that arrived and was
	// found well-formed: the header, an element, the closing tag. xml is valid during
	// the call.
	Received func(xml []byte)
	// Sent is called with each part before it is handed to the transport. xml
	// is valid during the call.
	Sent func(xml []byte)
	// Active is asked before each call of Received and Sent, and leaves it out with all that it takes if it returns false: a trace can be
	// there for whoever will look on later. Nil means always. It must be quick, and may be called from several goroutines.
	Active func() bool
	// Event is called when something happened that has no bytes of its own, such as
	// "tls" when a stream became confidential or "resolve" for an attempt to
	// find a server; detail is for people.
	Event func(name, detail string)
}
