package stanza

// An ErrorType says what the sender may do about an error (RFC 6120 §8.3.2).
type ErrorType string

// The types of error.
const (
	Auth     ErrorType = "auth"     // retry after providing credentials
	Cancel   ErrorType = "cancel"   // do not retry
	Continue ErrorType = "continue" // proceed; it was only a warning
	Modify   ErrorType = "modify"   // retry after changing what was sent
	Wait     ErrorType = "wait"     // retry after waiting
)

func (t ErrorType) valid() bool {
	switch t {
	case Auth, Cancel, Continue, Modify, Wait:
		return true
	}
	return false
}

// A Condition is a defined stanza error condition (RFC 6120 §8.3.3). It is an
// error, so a handler may return one where nothing else needs to be said, and
// errors.Is finds it in an [*Error].
type Condition string

// The defined conditions.
const (
	BadRequest            Condition = "bad-request"             // §8.3.3.1
	Conflict              Condition = "conflict"                // §8.3.3.2
	FeatureNotImplemented Condition = "feature-not-implemented" // §8.3.3.3
	Forbidden             Condition = "forbidden"               // §8.3.3.4
	Gone                  Condition = "gone"                    // §8.3.3.5
	InternalServerError   Condition = "internal-server-error"   // §8.3.3.6
	ItemNotFound          Condition = "item-not-found"          // §8.3.3.7
	JIDMalformed          Condition = "jid-malformed"           // §8.3.3.8
	NotAcceptable         Condition = "not-acceptable"          // §8.3.3.9
	NotAllowed            Condition = "not-allowed"             // §8.3.3.10
	NotAuthorized         Condition = "not-authorized"          // §8.3.3.11
	PolicyViolation       Condition = "policy-violation"        // §8.3.3.12
	RecipientUnavailable  Condition = "recipient-unavailable"   // §8.3.3.13
	Redirect              Condition = "redirect"                // §8.3.3.14
	RegistrationRequired  Condition = "registration-required"   // §8.3.3.15
	RemoteServerNotFound  Condition = "remote-server-not-found" // §8.3.3.16
	RemoteServerTimeout   Condition = "remote-server-timeout"   // §8.3.3.17
	ResourceConstraint    Condition = "resource-constraint"     // §8.3.3.18
	ServiceUnavailable    Condition = "service-unavailable"     // §8.3.3.19
	SubscriptionRequired  Condition = "subscription-required"   // §8.3.3.20
	UndefinedCondition    Condition = "undefined-condition"     // §8.3.3.21
	UnexpectedRequest     Condition = "unexpected-request"      // §8.3.3.22
)

// conditionTypes holds the type that RFC 6120 §8.3.3 recommends for each.
var conditionTypes = map[Condition]ErrorType{
	BadRequest:            Modify,
	Conflict:              Cancel,
	FeatureNotImplemented: Cancel,
	Forbidden:             Auth,
	Gone:                  Cancel,
	InternalServerError:   Cancel,
	ItemNotFound:          Cancel,
	JIDMalformed:          Modify,
	NotAcceptable:         Modify,
	NotAllowed:            Cancel,
	NotAuthorized:         Auth,
	PolicyViolation:       Modify,
	RecipientUnavailable:  Wait,
	Redirect:              Modify,
	RegistrationRequired:  Auth,
	RemoteServerNotFound:  Cancel,
	RemoteServerTimeout:   Wait,
	ResourceConstraint:    Wait,
	ServiceUnavailable:    Cancel,
	SubscriptionRequired:  Auth,
	UndefinedCondition:    Cancel,
	UnexpectedRequest:     Wait,
}

// Error returns the condition's name.
func (c Condition) Error() string { return string(c) }

// Type returns the error type that usually goes with the condition.
func (c Condition) Type() ErrorType {
	if t, ok := conditionTypes[c]; ok {
		return t
	}
	return Cancel
}

func (c Condition) defined() bool {
	_, ok := conditionTypes[c]
	return ok
}
