package stream

// A Condition is a defined stream error condition (RFC 6120 §4.9.3). It is an
// error, so that errors.Is finds it in an [*Error].
type Condition string

// The defined conditions.
const (
	BadFormat              Condition = "bad-format"               // §4.9.3.1
	BadNamespacePrefix     Condition = "bad-namespace-prefix"     // §4.9.3.2
	Conflict               Condition = "conflict"                 // §4.9.3.3
	ConnectionTimeout      Condition = "connection-timeout"       // §4.9.3.4
	HostGone               Condition = "host-gone"                // §4.9.3.5
	HostUnknown            Condition = "host-unknown"             // §4.9.3.6
	ImproperAddressing     Condition = "improper-addressing"      // §4.9.3.7
	InternalServerError    Condition = "internal-server-error"    // §4.9.3.8
	InvalidFrom            Condition = "invalid-from"             // §4.9.3.9
	InvalidNamespace       Condition = "invalid-namespace"        // §4.9.3.10
	InvalidXML             Condition = "invalid-xml"              // §4.9.3.11
	NotAuthorized          Condition = "not-authorized"           // §4.9.3.12
	NotWellFormed          Condition = "not-well-formed"          // §4.9.3.13
	PolicyViolation        Condition = "policy-violation"         // §4.9.3.14
	RemoteConnectionFailed Condition = "remote-connection-failed" // §4.9.3.15
	Reset                  Condition = "reset"                    // §4.9.3.16
	ResourceConstraint     Condition = "resource-constraint"      // §4.9.3.17
	RestrictedXML          Condition = "restricted-xml"           // §4.9.3.18
	SeeOtherHost           Condition = "see-other-host"           // §4.9.3.19
	SystemShutdown         Condition = "system-shutdown"          // §4.9.3.20
	UndefinedCondition     Condition = "undefined-condition"      // §4.9.3.21
	UnsupportedEncoding    Condition = "unsupported-encoding"     // §4.9.3.22
	UnsupportedFeature     Condition = "unsupported-feature"      // §4.9.3.23
	UnsupportedStanzaType  Condition = "unsupported-stanza-type"  // §4.9.3.24
	UnsupportedVersion     Condition = "unsupported-version"      // §4.9.3.25
)

// Error returns the condition's name.
func (c Condition) Error() string { return string(c) }

// defined reports whether c is one of the conditions of RFC 6120.
func (c Condition) defined() bool {
	switch c {
	case BadFormat, BadNamespacePrefix, Conflict, ConnectionTimeout, HostGone, HostUnknown,
		ImproperAddressing, InternalServerError, InvalidFrom, InvalidNamespace, InvalidXML,
		NotAuthorized, NotWellFormed, PolicyViolation, RemoteConnectionFailed, Reset,
		ResourceConstraint, RestrictedXML, SeeOtherHost, SystemShutdown, UndefinedCondition,
		UnsupportedEncoding, UnsupportedFeature, UnsupportedStanzaType, UnsupportedVersion:
		return true
	}
	return false
}
