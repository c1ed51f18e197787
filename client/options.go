package client

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stream"
)

// Options adjusts [Dial], which copies it. Nil and the zero value are secure,
// but only an account with a client certificate can do without credentials. Printing
// or logging a value shows nothing of it.
type Options struct {
	// Password is that of the account. It is used, not sent: see AllowPlain.
	Password string
	// Token is an OAuth 2.0 bearer token for the account (RFC 7628).
	Token string
	// Anonymous logs in to an account that the server makes up and deletes
	// afterwards (RFC 4505). The account given to Dial is then a domain alone.
	Anonymous bool
	// AllowPlain permits PLAIN, which shows the password to the server, where
	// it offers nothing better. It still takes TLS.
	AllowPlain bool
	// Policy says more about the mechanisms to accept. Nil means the default of
	// package sasl.
	Policy *sasl.Policy

	// Known is what Keep was given when the account logged in before, and lets it do so faster. Keep is
	// called whenever there is more to know, by the goroutine that connects; what it gets is as secret as a
	// password. Nil keeps it for this client alone.
	Known Known
	Keep  func(Known)
	// Software and Device are what the client says it is, to the server and, if it wishes for no
	// resource, to others as the beginning of that. Empty says nothing.
	Software, Device string

	// BeforeLogin is called when the stream is secured, before the client logs in for the first time, such as to make the
	// account (package xep/register). s queries the server and knows its features; it can do nothing else, and is for the goroutine and the duration of
	// the call. It is called again if the stream is lost before the login is through. An error is that of Dial.
	BeforeLogin func(ctx context.Context, s xmpp.Session) error

	// Handler gets the stanzas that arrive; see [xmpp.Handler]. If it implements
	// [xmpp.Outgoing], as a muxer does, it sees what is sent as well. Nil means
	// [xmpp.Unhandled].
	Handler xmpp.Handler

	// Server is a server in the same program, a [*server.Server], which the client then reaches through memory, and nothing
	// else: without DNS, TLS and credentials, of which there need be none. The program is trusted to be whoever it
	// says; there is no way to that from a network. The client ends when the server has shut down.
	Server interface {
		DialAccount(ctx context.Context, account jid.JID) (net.Conn, error)
	}
	// Address is the "host:port" to connect to in place of what the DNS says.
	// The certificate still has to be that of the account's domain.
	Address string
	// DirectTLS says that TLS begins with the first byte at Address (XEP-0368),
	// and not by STARTTLS.
	DirectTLS bool
	// TLS adds to how streams are secured: certificates to trust (RootCAs), a
	// certificate to log in with (Certificates), versions. The server name and
	// the protocol (ALPN) are set by Dial. Nil trusts what the system trusts.
	//
	// To trust one certificate that no authority vouches for, set
	// InsecureSkipVerify and check it in VerifyConnection. InsecureSkipVerify
	// alone trusts anybody; tokens and PLAIN are then refused.
	TLS *tls.Config
	// InsecurePlaintext accepts a server that offers no TLS: anybody on the way
	// can then read and change everything. It is for servers on the own machine, and does
	// not hold where such a server sends us to.
	InsecurePlaintext bool

	// Proxy is what connections go through: "socks5://host:port" (RFC 1928), or
	// "http://host:port" for one with the method CONNECT, either with "user:password@" before the
	// host. It resolves the names of servers. SRV records are still looked up by
	// Resolver, which says to the DNS what domain is meant; with an Address nothing is.
	Proxy string
	// Dialer makes the connections, that to Proxy if there is one; it is for other
	// proxies and for tests. The network is always "tcp". Several calls may run at the same
	// time, and have to return when ctx is done. Nil means a [net.Dialer].
	Dialer interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	}
	// Resolver looks up SRV records, like [net.Resolver.LookupSRV], which is what
	// nil means. The name is in A-labels and ends with a dot.
	//
	// A resolver that has [net.Resolver.LookupNetIP] too looks up the addresses of servers, and
	// Dialer gets these; IPv6 and IPv4 are then tried in turn, 250 ms apart, until one
	// answers (RFC 8305). Any other, and nil where Dialer is set, leaves names to Dialer.
	Resolver interface {
		LookupSRV(ctx context.Context, service, proto, name string) (cname string, records []*net.SRV, err error)
	}
	// ConnectTimeout bounds each attempt to reach a server and log in there; after
	// it the next server has its turn. It bounds the look-up before, too. Zero
	// means 30 s, negative no bound.
	ConnectTimeout time.Duration

	// Reconnect decides what happens when the stream is lost. Nil means [Backoff]; see also
	// [Never]. The handler is told of it if it is an [xmpp.Observer], as a muxer is.
	Reconnect Policy
	// IdleTimeout is how long nothing may arrive before the server is asked whether it is there,
	// ProbeTimeout how long it then has to show it: a connection that is dead without saying so is
	// given up after both. Zero means 60 s and 30 s; a negative IdleTimeout asks never.
	IdleTimeout, ProbeTimeout time.Duration
	// Resume is the session of a client that was suspended, to go on with; see [Client.Suspend]. If
	// the server has given it up, the first event is Offline, with what may not have arrived.
	Resume *stream.Saved

	// QueryTimeout bounds a query whose context has no deadline. Zero means
	// 30 s, negative no bound.
	QueryTimeout time.Duration
	// CloseTimeout bounds how long Close waits for the server. Zero means 5 s.
	CloseTimeout time.Duration
	// WriteTimeout ends a stream on which a write makes no progress for so long.
	// Zero means 30 s.
	WriteTimeout time.Duration
	// Limits bounds the stanzas that arrive. Zero fields mean the defaults.
	Limits stream.Limits
	// Lang is the language for texts the server writes, a tag of BCP 47. Empty
	// means "en".
	Lang string
	// Logger receives events, never stanza contents or credentials. Nil means
	// [slog.Default].
	Logger *slog.Logger
	// Trace looks on; see [xmpp.Trace].
	Trace *xmpp.Trace
}

// Format prints a placeholder, whatever the verb.
func (Options) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("client.Options{...}")) }

// LogValue implements [slog.LogValuer] with a placeholder.
func (Options) LogValue() slog.Value { return slog.StringValue("client.Options{...}") }

// withDefaults returns a copy in which everything is set.
func (o *Options) withDefaults() Options {
	var p Options
	if o != nil {
		p = *o
	}
	if p.TLS = p.TLS.Clone(); p.TLS == nil {
		p.TLS = &tls.Config{}
	}
	switch {
	case p.Resolver != nil:
	case p.Dialer != nil:
		p.Resolver = namesLeft{net.DefaultResolver}
	default:
		p.Resolver = net.DefaultResolver
	}
	if p.Dialer == nil && p.Server == nil {
		p.Dialer = &net.Dialer{}
	}
	if p.Reconnect == nil {
		p.Reconnect = Backoff{}
	}
	p.IdleTimeout = cmp.Or(p.IdleTimeout, time.Minute)
	p.ProbeTimeout = cmp.Or(max(p.ProbeTimeout, 0), 30*time.Second)
	p.ConnectTimeout = cmp.Or(p.ConnectTimeout, 30*time.Second)
	p.Logger = cmp.Or(p.Logger, slog.Default())
	return p
}

// check reports options that cannot work for the account.
func (o *Options) check(account jid.JID) error {
	switch {
	case account.IsZero():
		return errors.New("there is no account")
	case o.Server != nil && (account.Localpart() == "" || o.Anonymous):
		return errors.New("a Server in the same program needs to know the account")
	case o.Server != nil && (o.Address != "" || o.Dialer != nil || o.Proxy != "" || o.BeforeLogin != nil):
		return errors.New("Options has a Server in this program, and something for one on a network")
	case o.Server != nil:
	case o.Password == "" && o.Token == "" && !o.Anonymous && !o.hasCertificate() && o.Known.Ticket == nil:
		return errors.New("Options has no credentials")
	case account.Localpart() == "" && o.Password != "":
		return errors.New("the account has no localpart, and a password without a name is of no use")
	case o.Resume != nil && o.Resume.JID.Bare() != account.Bare():
		return errors.New("Options.Resume is the session of another account")
	case o.DirectTLS && o.Address == "":
		return errors.New("Options has DirectTLS without an Address")
	}
	return nil
}

// hasCertificate reports whether TLS can present a certificate of ours.
func (o *Options) hasCertificate() bool {
	return len(o.TLS.Certificates) > 0 || o.TLS.GetClientCertificate != nil
}

// credentials returns what the account can prove itself with.
func (o *Options) credentials(account jid.JID) sasl.Credentials {
	return sasl.Credentials{
		Username:    account.Localpart(),
		Password:    o.Password,
		Token:       o.Token,
		Anonymous:   o.Anonymous,
		Certificate: o.hasCertificate(),
	}
}

// policy returns the policy with AllowPlain taken into account.
func (o *Options) policy() *sasl.Policy {
	var p sasl.Policy
	if o.Policy != nil {
		p = *o.Policy
	}
	p.AllowPlain = p.AllowPlain || o.AllowPlain
	return &p
}
