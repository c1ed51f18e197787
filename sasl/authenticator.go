package sasl

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
)

// What an account store can do is asked of it once, by [NewAuthenticator]. It
// implements any of these interfaces, with methods that may run concurrently.
//
// An error of theirs that wraps a [Condition] ends the exchange with it; any
// other is taken for [ErrTemporary]. For an unknown account they return
// [ErrNotAuthorized].
type (
	// A SCRAMStore keeps [Secrets] of passwords, for SCRAM; PLAIN is verified
	// against them too, unless the store is a [PasswordVerifier].
	SCRAMStore interface {
		// SCRAMHashes are the hash functions that accounts have secrets for.
		// Others are not offered. It is asked once.
		SCRAMHashes() []Hash
		// SCRAMSecrets returns the secrets of an account for a hash function,
		// or [ErrNotAuthorized] when there is no such account or it has none:
		// the exchange then goes on as if the password were wrong. Together
		// with secrets it may return [ErrAccountDisabled] or
		// [ErrCredentialsExpired]: who knows the password is told, who does not
		// learns nothing about the account.
		SCRAMSecrets(ctx context.Context, username string, h Hash) (Secrets, error)
	}

	// A PasswordVerifier checks a password that came by PLAIN, for accounts
	// kept where no secrets can be had, such as a directory.
	PasswordVerifier interface {
		// VerifyPassword returns nil if the password, given as it was sent, is
		// that of the account. It should take as long for an unknown account.
		VerifyPassword(ctx context.Context, username, password string) error
	}

	// A TokenVerifier checks OAuth 2.0 bearer tokens, for OAUTHBEARER.
	TokenVerifier interface {
		// VerifyToken returns the account that the token is valid for. A
		// [*TokenError] tells the client what token to get instead.
		VerifyToken(ctx context.Context, token string) (username string, err error)
	}

	// A CertificateMapper knows the accounts of client certificates, for
	// EXTERNAL.
	CertificateMapper interface {
		// CertificateUsernames returns the accounts that the peer's certificate
		// belongs to. The peer presented PeerCertificates; unless VerifiedChains
		// holds a chain, crypto/tls has not verified them and the method must.
		CertificateUsernames(ctx context.Context, state *tls.ConnectionState) ([]string, error)
	}

	// An AnonymousNamer hands out the names of ANONYMOUS clients. Without one
	// they get random names.
	AnonymousNamer interface {
		// AnonymousUsername returns a name nobody else has. The trace is what
		// the client said of itself, which may be nothing or a lie.
		AnonymousUsername(ctx context.Context, trace string) (username string, err error)
	}
)

// Options adjusts an [Authenticator]. Nil and the zero value are secure.
type Options struct {
	// Mechanisms are those to offer, in this order, of those the store has the
	// ability for. Nil means [Mechanisms].
	Mechanisms []string
	// AllowPlain permits PLAIN, on confidential channels. A server that has
	// SCRAM should do without (RFC 6120 §13.8.3).
	AllowPlain bool
	// AllowAnonymous permits ANONYMOUS: anyone gets in (RFC 4505 §5).
	AllowAnonymous bool
	// PrepareUsername brings a username into the form in which accounts are
	// looked up. Nil means SASLprep. Where the store ignores case, this must
	// too, or the salt made up for an unknown account would give it away.
	PrepareUsername func(string) (string, error)
	// Authorize decides whether who proved to be id.Username may go on, and act
	// as id.Authzid when that is not empty. It runs after the proof and before
	// the client is told. Nil allows everyone to act as themselves: an authzid
	// must then be equal to the username. Return [ErrInvalidAuthzid],
	// [ErrAccountDisabled] or another [Condition] to refuse.
	Authorize func(ctx context.Context, id Identity) error
	// FakeKey is the key from which salts for unknown accounts are made. Nil
	// means a random one. Servers of one cluster share it, and a server keeps
	// it over restarts, so that their answers stay the same.
	FakeKey []byte
	// FakeIterations is the iteration count told for unknown accounts: that of
	// most real ones. Zero means [DefaultIterations].
	FakeIterations int
	// OmitDowngradeProtection leaves out the attributes by which a client sees
	// that the offer or the TLS version was altered on the way (XEP-0474,
	// XEP-0515), for clients that stumble over them against RFC 5802 §5.1.
	OmitDowngradeProtection bool
	// Host is the name that OAUTHBEARER clients must have connected to, if they
	// say. Empty means any.
	Host string
	// TokenError is what a client with a wrong token is told when the
	// [TokenVerifier] does not say. An empty status means "invalid_token".
	TokenError TokenError
}

// An Authenticator is the server's side of all exchanges with the accounts of
// one store. It may be used concurrently.
type Authenticator struct {
	opts Options

	scram       SCRAMStore
	hashes      []Hash // of scram, best first
	passwords   PasswordVerifier
	tokens      TokenVerifier
	certificate CertificateMapper
	anonymous   AnonymousNamer
}

// NewAuthenticator looks at what the store can do; see [SCRAMStore] and its
// neighbours. It is an error if no mechanism follows from that.
func NewAuthenticator(store any, opts *Options) (*Authenticator, error) {
	a := &Authenticator{}
	if opts != nil {
		a.opts = *opts
	}
	if err := a.opts.setDefaults(); err != nil {
		return nil, err
	}
	if a.scram, _ = store.(SCRAMStore); a.scram != nil {
		has := a.scram.SCRAMHashes()
		for _, h := range has {
			if h.new() == nil {
				return nil, fmt.Errorf("sasl: store with unknown hash function %q", string(h))
			}
		}
		a.hashes = slices.DeleteFunc([]Hash{SHA512, SHA256, SHA1}, func(h Hash) bool { return !slices.Contains(has, h) })
	}
	a.passwords, _ = store.(PasswordVerifier)
	a.tokens, _ = store.(TokenVerifier)
	a.certificate, _ = store.(CertificateMapper)
	a.anonymous, _ = store.(AnonymousNamer)
	if !slices.ContainsFunc(a.opts.Mechanisms, a.able) {
		return nil, fmt.Errorf("sasl: %T supports none of the allowed mechanisms", store)
	}
	return a, nil
}

func (o *Options) setDefaults() error {
	if o.Mechanisms == nil {
		o.Mechanisms = Mechanisms()
	}
	o.Mechanisms = slices.Clone(o.Mechanisms)
	for i, name := range o.Mechanisms {
		if !slices.Contains(Mechanisms(), name) || slices.Contains(o.Mechanisms[:i], name) {
			return fmt.Errorf("sasl: mechanism %q is unknown or listed twice", name)
		}
	}
	if o.PrepareUsername == nil {
		o.PrepareUsername = prepare
	}
	if o.Authorize == nil {
		o.Authorize = authorizeSelf
	}
	if o.FakeKey = slices.Clone(o.FakeKey); o.FakeKey == nil {
		o.FakeKey = make([]byte, 32)
		_, _ = rand.Read(o.FakeKey) // never fails
	} else if len(o.FakeKey) < 16 {
		return errors.New("sasl: FakeKey is shorter than 16 bytes")
	}
	if o.FakeIterations == 0 {
		o.FakeIterations = DefaultIterations
	}
	if o.FakeIterations < MinIterations {
		return fmt.Errorf("%w: FakeIterations is %d", ErrIterations, o.FakeIterations)
	}
	if o.TokenError.Status == "" {
		o.TokenError.Status = "invalid_token"
	}
	return nil
}

// authorizeSelf is the default of [Options.Authorize].
func authorizeSelf(_ context.Context, id Identity) error {
	if id.Authzid != "" && id.Authzid != id.Username {
		return ErrInvalidAuthzid
	}
	return nil
}

// able reports whether the store and the options allow a mechanism on some
// channel.
func (a *Authenticator) able(name string) bool {
	switch name {
	case External:
		return a.certificate != nil
	case OAuthBearer:
		return a.tokens != nil
	case Plain:
		return a.opts.AllowPlain && (a.passwords != nil || len(a.hashes) > 0)
	case Anonymous:
		return a.opts.AllowAnonymous
	}
	h, _, ok := parseSCRAMName(name)
	return ok && slices.Contains(a.hashes, h)
}

// objection says what keeps a mechanism that the store is able of from being
// used on a channel with these bindings; nil if nothing.
func objection(name string, channel *Channel, bindings []string) error {
	switch {
	case name == External:
		if !channel.hasTLS() || len(channel.TLS.PeerCertificates) == 0 {
			return fail(ErrNotAuthorized, "%s: no client certificate", name)
		}
	case name == Plain || name == OAuthBearer:
		if !channel.confidential() {
			return fail(ErrEncryptionRequired, "%s: channel is not confidential", name)
		}
	case isPlus(name):
		if len(bindings) == 0 {
			return fail(ErrInvalidMechanism, "%s: channel has no channel binding", name)
		}
	}
	return nil
}

// Offer returns what to advertise on a channel. Bindings is empty if no
// mechanism uses channel binding. A server may strike from it, or add what it
// does elsewhere, before it advertises it.
func (a *Authenticator) Offer(channel *Channel) Offer {
	var o Offer
	bindings := channel.Bindings()
	for _, name := range a.opts.Mechanisms {
		if a.able(name) && objection(name, channel, bindings) == nil {
			o.Mechanisms = append(o.Mechanisms, name)
		}
	}
	if o.binds() {
		o.Bindings = bindings
	}
	return o
}

// Start begins an exchange with the mechanism that the client chose from the
// offer. The offer is what was advertised on this channel, all of it: anything
// not in it is [ErrInvalidMechanism], and SCRAM checks that the client saw the
// same.
func (a *Authenticator) Start(mechanism string, offer Offer, channel *Channel) (Server, error) {
	if !slices.Contains(a.opts.Mechanisms, mechanism) || !a.able(mechanism) {
		return nil, fail(ErrInvalidMechanism, "mechanism %.40q is not supported", mechanism)
	}
	if err := objection(mechanism, channel, channel.Bindings()); err != nil {
		return nil, err
	}
	if !offer.has(mechanism) {
		return nil, fail(ErrInvalidMechanism, "mechanism %s was not offered", mechanism)
	}
	return &serverExchange{mech: a.mechanism(mechanism, offer, channel)}, nil
}

func (a *Authenticator) mechanism(name string, offer Offer, channel *Channel) serverMechanism {
	switch name {
	case External:
		return &externalServer{auth: a, channel: channel}
	case OAuthBearer:
		return &oauthServer{auth: a}
	case Plain:
		return &plainServer{auth: a}
	case Anonymous:
		return &anonymousServer{auth: a}
	}
	hash, plus, _ := parseSCRAMName(name)
	return &scramServer{auth: a, mechanism: name, hash: hash, plus: plus, offer: offer, channel: channel}
}
