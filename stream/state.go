package stream

// A State says what has been agreed on a stream so far.
type State uint8

// What can be agreed.
const (
	Secure        State = 1 << iota // TLS protects the stream (RFC 6120 §5)
	Authenticated                   // the initiating entity has proven who it is (§6)
	Bound                           // it has a full JID (§7)
)

// Has reports whether everything in t has been agreed.
func (s State) Has(t State) bool { return s&t == t }
