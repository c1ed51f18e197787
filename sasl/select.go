package sasl

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// Credentials are what a client can prove itself with. Printing or logging a
// value shows none of it.
type Credentials struct {
	// Username and Password serve SCRAM and PLAIN.
	Username string
	Password string
	// Authzid is the identity to act as. Empty means that of the credentials.
	Authzid string
	// Token is an OAuth 2.0 bearer token, for OAUTHBEARER.
	Token string
	// Host and Port are what the client connected to. OAUTHBEARER sends them
	// when they are set.
	Host string
	Port int
	// Certificate says that the client presented a certificate in TLS, and
	// permits EXTERNAL.
	Certificate bool
	// Anonymous permits ANONYMOUS.
	Anonymous bool
}

// Format prints a placeholder, whatever the verb.
func (Credentials) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("sasl.Credentials{...}")) }

// LogValue implements [slog.LogValuer] with a placeholder.
func (Credentials) LogValue() slog.Value { return slog.StringValue("sasl.Credentials{...}") }

// Bounds on the iteration count that a client accepts unless its [Policy] says
// otherwise. RFC 5802 §5.1 names the lower one. The upper one is above what is
// recommended for any of the hash functions today, and costs a laptop about a
// second: a server must not be able to keep its clients busy for minutes.
const (
	MinIterations = 4096
	MaxIterations = 2_000_000
)

// A Policy says what a client puts up with. Nil and the zero value are secure.
type Policy struct {
	// AllowPlain permits PLAIN, which hands the password to the server, on a
	// confidential channel and when nothing better is offered.
	AllowPlain bool
	// Mechanisms are the ones to use, best first. Nil means [Mechanisms]. Listing
	// only those ending in -PLUS requires channel binding; listing only the one
	// that worked before keeps an attacker from choosing a weaker one.
	Mechanisms []string
	// Pinned is the mechanism that worked before, as the program has kept it. Those behind it in
	// Mechanisms are refused: who offers less than before may be somebody else. Empty refuses none.
	Pinned string
	// MinIterations and MaxIterations bound the work that SCRAM does for a
	// server. Zero means the constant of the same name.
	MinIterations int
	MaxIterations int
}

func (p *Policy) withDefaults() Policy {
	var q Policy
	if p != nil {
		q = *p
	}
	if q.Mechanisms == nil {
		q.Mechanisms = Mechanisms()
	}
	if q.MinIterations == 0 {
		q.MinIterations = MinIterations
	}
	if q.MaxIterations == 0 {
		q.MaxIterations = MaxIterations
	}
	return q
}

// Select begins an exchange with the best mechanism of the offer that the
// credentials, the channel and the policy (nil: the default) allow. Where there
// is none, [ErrNoMechanism] lists what was offered and why it was passed over.
//
// SCRAM binds to the channel whenever the server says with what it can
// (XEP-0440). Where it does not say, only a policy of nothing but -PLUS binds, with
// the best type there is. The offer counts in that:
// pass on all that was advertised, unfiltered, for the two sides compare what
// they sent and saw (RFC 5802 §6, XEP-0474). An offer that contradicts itself, or
// of channel binding with nothing in common, is [ErrDowngrade] at once.
func Select(offer Offer, creds *Credentials, channel *Channel, policy *Policy) (Client, error) {
	if creds == nil {
		creds = &Credentials{}
	}
	s := selection{offer: offer, creds: *creds, channel: channel, policy: policy.withDefaults()}
	if err := s.chooseBinding(); err != nil {
		return nil, err
	}
	var passed []string
	for _, name := range s.policy.Mechanisms {
		if !offer.has(name) {
			continue
		}
		if why := s.objection(name); why != "" {
			passed = append(passed, name+" ("+why+")")
			continue
		}
		return &clientExchange{mech: s.mechanism(name)}, nil
	}
	for _, name := range offer.Mechanisms {
		if !slices.Contains(s.policy.Mechanisms, name) {
			passed = append(passed, fmt.Sprintf("%.40q", name))
		}
	}
	if len(passed) == 0 {
		return nil, fmt.Errorf("%w: nothing was offered", ErrNoMechanism)
	}
	return nil, fmt.Errorf("%w: offered: %s", ErrNoMechanism, strings.Join(passed, ", "))
}

// selection is one choice of a mechanism.
type selection struct {
	offer   Offer
	creds   Credentials
	channel *Channel
	policy  Policy

	flag    string // the gs2-cbind-flag of SCRAM without -PLUS, "n" or "y"
	binding string // the type that -PLUS binds with, "" if none
}

// chooseBinding decides whether and how SCRAM binds to the channel (RFC 5802
// §6, RFC 9266 §3, XEP-0440 §4). With TLS, and with -PLUS in the policy, it never
// goes unbound where the server says with what it can bind: an attacker in the
// middle chooses what is offered here, and the certificate, and the version of TLS.
func (s *selection) chooseBinding() error {
	s.flag = "n"
	if !slices.ContainsFunc(s.policy.Mechanisms, isPlus) || !s.channel.hasTLS() {
		return nil // a client without channel binding
	}
	if s.offer.Listed && s.offer.binds() && len(s.offer.Bindings) == 0 {
		return fmt.Errorf("%w: mechanisms that bind without the channel binding types that belong to them", ErrDowngrade)
	}
	if !slices.ContainsFunc(s.policy.Mechanisms, func(name string) bool { return isPlus(name) && s.offer.has(name) }) {
		if len(s.offer.Bindings) > 0 && !s.offer.binds() {
			return fmt.Errorf("%w: channel binding types without a mechanism to use them", ErrDowngrade)
		}
		s.flag = "y" // and a server that did offer one will fail the exchange
		return nil
	}
	if len(s.offer.Bindings) == 0 && s.unboundIsOffered() {
		// Servers that do not list types often know nothing but tls-unique, and
		// to guess wrong is to fail. "y" would be an accusation; "n" is true: as
		// far as both can tell, there is nothing to bind with.
		return nil
	}
	have := s.channel.Bindings()
	for _, name := range have {
		if len(s.offer.Bindings) == 0 || slices.Contains(s.offer.Bindings, name) {
			s.binding = name
			return nil
		}
	}
	// The server listed types, none of them ours. Every server has to support
	// tls-server-end-point (XEP-0440): if it was merely left out, it works.
	if slices.Contains(have, TLSServerEndPoint) {
		s.binding = TLSServerEndPoint
		return nil
	}
	return fmt.Errorf("%w: no channel binding in common, of %q offered (a policy without -PLUS mechanisms does without)", ErrDowngrade, s.offer.Bindings)
}

// unboundIsOffered reports whether SCRAM without channel binding is offered and
// allowed.
func (s *selection) unboundIsOffered() bool {
	return slices.ContainsFunc(s.policy.Mechanisms, func(name string) bool {
		_, plus, ok := parseSCRAMName(name)
		return ok && !plus && s.offer.has(name)
	})
}

// objection says why a mechanism cannot be used, "" if it can.
func (s *selection) objection(name string) string {
	pinned := slices.Index(s.policy.Mechanisms, s.policy.Pinned)
	if s.policy.Pinned != "" && (pinned < 0 || slices.Index(s.policy.Mechanisms, name) > pinned) {
		return "weaker than before"
	}
	switch name {
	case External:
		if !s.creds.Certificate {
			return "no client certificate"
		}
	case OAuthBearer:
		if s.creds.Token == "" {
			return "no token"
		}
		if !s.channel.confidential() {
			return "channel is not confidential"
		}
	case Plain:
		if !s.policy.AllowPlain {
			return "not allowed by policy"
		}
		if !s.channel.confidential() {
			return "channel is not confidential"
		}
		return s.passwordObjection()
	case Anonymous:
		if !s.creds.Anonymous {
			return "not asked for"
		}
	default:
		if _, _, ok := parseSCRAMName(name); !ok {
			return "unknown"
		}
		if isPlus(name) && s.binding == "" {
			return "nothing known to bind with"
		}
		return s.passwordObjection()
	}
	return ""
}

func (s *selection) passwordObjection() string {
	if s.creds.Username == "" || s.creds.Password == "" {
		return "no username and password"
	}
	return ""
}

// mechanism makes the one that was chosen.
func (s *selection) mechanism(name string) clientMechanism {
	switch name {
	case External:
		return &externalClient{authzid: s.creds.Authzid}
	case OAuthBearer:
		return &oauthClient{creds: s.creds}
	case Plain:
		return &plainClient{creds: s.creds}
	case Anonymous:
		return anonymousClient{}
	}
	hash, plus, _ := parseSCRAMName(name)
	c := &scramClient{
		mechanism: name,
		hash:      hash,
		creds:     s.creds,
		offer:     s.offer,
		channel:   s.channel,
		min:       s.policy.MinIterations,
		max:       s.policy.MaxIterations,
		flag:      s.flag,
	}
	if plus {
		c.flag, c.binding = "p="+s.binding, s.binding
	}
	return c
}
