package server

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/cluster"
	"github.com/parlance-xmpp/xmpp/server/cluster/local"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/server/storage/memory"
	"github.com/parlance-xmpp/xmpp/stream"
)

// Options says what a [Server] is to be. Domains and TLS are required, all else
// has a default that is ready to use and secure.
type Options struct {
	// Domains are the domains served. The first is meant by a client that names
	// none.
	Domains []string
	// TLS holds the certificates, of all domains; it is copied. Clients that
	// name a domain are shown the certificate that crypto/tls picks for it.
	//
	// With ClientCAs, and VerifyClientCertIfGiven as ClientAuth, clients may log in with certificates that hold the
	// address of their account as an XmppAddr (RFC 6120 §13.7.1.4), by EXTERNAL.
	TLS *tls.Config
	// InsecurePlaintext lets clients log in without TLS, and makes TLS optional
	// here. Anybody on the way can then read and change everything. It is for
	// tests and for connections that never leave the machine. PLAIN, which shows the
	// password, is not offered even then.
	InsecurePlaintext bool

	// Users is the program's own table of users. They are then the accounts of the server, in place of those in
	// Storage.Accounts, which has to be nil, and it is for the program to make and delete them.
	Users Users
	// Storage keeps accounts, rosters, offline messages and the tokens of clients. A store that is nil
	// is one in memory.
	Storage storage.Stores

	// KeepSessions lets sessions go on that clients can resume (XEP-0198) when the server is started again: [Server.Shutdown] keeps
	// in Storage.Documents what a session is, with the stanzas that its client has not acknowledged, and the next server that is made with this Storage
	// has them. Nobody is told that they were gone.
	KeepSessions bool

	// Mux answers what is addressed to a domain itself. Its handlers run
	// concurrently for different senders, one after another for each, and find in their
	// context the session of [Server.Session]. Nil means a mux that answers service
	// discovery, as server/im, and pings.
	Mux *muxer.Mux

	// Modules are extensions, installed in this order.
	Modules []module.Module

	// Cluster joins the server with others that have the same domains and the same Storage; an engine
	// for many machines is its business. Nil means a server that is alone.
	Cluster cluster.Engine

	// Mechanisms are the SASL mechanisms to offer, in this order. Nil means all
	// that passwords allow: SCRAM with SHA-512, SHA-256 and SHA-1, with and without
	// channel binding, and PLAIN, verified against the same secrets and offered over TLS
	// only (RFC 6120 §13.8); before these EXTERNAL, to clients that have shown a certificate. With Users it means OAUTHBEARER too, if
	// they are a [TokenVerifier], and SCRAM for those only whose password was seen before; what is listed is offered to everybody.
	Mechanisms []string
	// FakeKey is a secret of 16 bytes or more from which what is told of accounts that do not exist is made. Nil means a random
	// one; with a key that is kept, and that is the same for all servers of a cluster, the
	// answers stay the same.
	FakeKey []byte
	// Iterations is the count for the SCRAM secrets of new passwords. Zero
	// means [sasl.DefaultIterations].
	Iterations int

	// Limits bounds what clients can make the server hold.
	Limits Limits

	// Logger receives events, never stanza contents or credentials. Nil means
	// [slog.Default].
	Logger *slog.Logger
	// Trace returns who looks on at the stream of a new connection; nil, or a nil result, is
	// nobody.
	Trace func(remote net.Addr) *xmpp.Trace
}

// Limits bounds what clients can make a [Server] hold. A zero field means the
// default that is given with it, which suits some thousand people on one machine.
type Limits struct {
	// BeforeAuth and AfterAuth bound what is read as one element; see
	// [stream.Limits] for the defaults.
	BeforeAuth, AfterAuth stream.Limits
	// PreAuthTimeout is how long a connection may take until it is bound to a
	// resource, whatever it sends meanwhile. 30 s.
	PreAuthTimeout time.Duration
	// WriteTimeout is how long the transport may take to accept 32 KiB before the
	// session is given up. 30 s.
	WriteTimeout time.Duration
	// IdleTimeout is how long nothing may come from a client before it is asked whether
	// it is there, ProbeTimeout how long it may take to show it. A negative IdleTimeout asks nobody.
	// 5 min and 1 min.
	IdleTimeout, ProbeTimeout time.Duration
	// ResumeFor is how long the session of a client that was cut off is kept for it to be
	// resumed (XEP-0198), with what is sent to it meanwhile. After that, messages are stored
	// as if they came then. Negative keeps none. 5 min.
	ResumeFor time.Duration
	// QueueBytes is how much may wait for a client to read it. What others send
	// waits for room for a second, and its sender with it; then messages go on as if
	// the client were offline, and follow later. Roster pushes and the presence of contacts
	// have as much room again; a session that leaves that unread too is closed with a
	// resource-constraint stream error. Four times as much may wait to be acknowledged by clients that do
	// that. 1 MiB.
	QueueBytes int
	// PendingBytesPerSession is how much of what a client has sent may wait to be stored for others, who are offline.
	// It is not acknowledged before. Then nothing more is read from the client. PendingBytes is how much of that
	// may wait of all. 256 KiB, but not more than QueueBytes, and 64 MiB.
	PendingBytes, PendingBytesPerSession int
	// WorkBytes is how much of what a client has sent to a domain may wait for
	// the handlers of [Options.Mux], 512 bytes more for each stanza: so it bounds the requests that are open, too. Then nothing more is
	// read from it. What goes on to other clients is not remembered. 256 KiB.
	WorkBytes int

	// Connections bounds all connections. What is beyond it is closed before a
	// byte is exchanged. 20 000.
	Connections int
	// Unauthenticated bounds the connections that are not yet bound to a
	// resource, UnauthenticatedPerAddress those from one IPv4 address or IPv6
	// network of 64 bits. 1000 and 64.
	Unauthenticated, UnauthenticatedPerAddress int
	// ConnectionsPerAddress bounds the connections from one IPv4 address or IPv6 network of 64 bits,
	// ConnectionsPerPrefix those from one network of 24 or 48 bits. 5000 and 10 000.
	ConnectionsPerAddress, ConnectionsPerPrefix int
	// ConnectsPerAddress is how many connections a second may come from one address, four times as
	// many at once. What is beyond it is closed before a byte is exchanged. 1000. Negative is no bound.
	ConnectsPerAddress int
	// PreAuthBytes is how much a connection may send until it is bound to a resource, TLS included. 128 KiB.
	PreAuthBytes int
	// SessionRate, AccountRate and AddressRate bound what the clients of a session, an account and an address
	// cause, in bytes a second: what they send, 512 bytes more for each stanza, and what the server sends to
	// others because of their presence. What was not used before may be used later, that of four seconds at once.
	// Who exceeds it is not read for a while. 32, 64 and 256 MiB. Negative is no bound.
	SessionRate, AccountRate, AddressRate int
	// SessionsPerAccount bounds the resources of one account (RFC 6120 §7.6.2.1). 32.
	SessionsPerAccount int

	// RosterItems bounds the contacts of an account, RosterRequests the
	// requests for a subscription that wait for it from people who are not contacts. 1000 and 200.
	RosterItems, RosterRequests int
	// NameBytes bounds the name of a contact and that of a group; Groups how many
	// groups a contact is in. 1023 and 64.
	NameBytes, Groups int
	// DirectedPresence bounds the entities to which a session may have sent
	// directed presence at one time (RFC 6121 §4.6). 1000.
	DirectedPresence int

	// OfflineMessages and OfflineBytes bound what is kept for an account that
	// is offline. Beyond that, senders are told service-unavailable (XEP-0160). Those
	// who may not see the account's presence fill half of it at most, and are told
	// nothing: an answer would say that there is such an account. 1000 and 4 MiB.
	OfflineMessages, OfflineBytes int
}

// withDefaults returns l with every zero field set.
func (l Limits) withDefaults() Limits {
	l.PreAuthTimeout = cmp.Or(l.PreAuthTimeout, 30*time.Second)
	l.WriteTimeout = cmp.Or(l.WriteTimeout, 30*time.Second)
	l.IdleTimeout = cmp.Or(l.IdleTimeout, 5*time.Minute)
	l.ProbeTimeout = cmp.Or(l.ProbeTimeout, time.Minute)
	l.ResumeFor = cmp.Or(l.ResumeFor, 5*time.Minute)
	l.QueueBytes = cmp.Or(l.QueueBytes, 1<<20)
	for field, usual := range map[*int]int{
		&l.PendingBytes:              64 << 20,
		&l.PendingBytesPerSession:    min(256<<10, l.QueueBytes),
		&l.WorkBytes:                 256 << 10,
		&l.Connections:               20_000,
		&l.Unauthenticated:           1000,
		&l.UnauthenticatedPerAddress: 64,
		&l.ConnectionsPerAddress:     5000,
		&l.ConnectionsPerPrefix:      10_000,
		&l.ConnectsPerAddress:        1000,
		&l.PreAuthBytes:              128 << 10,
		&l.SessionRate:               32 << 20,
		&l.AccountRate:               64 << 20,
		&l.AddressRate:               256 << 20,
		&l.SessionsPerAccount:        32,
		&l.RosterItems:               1000,
		&l.RosterRequests:            200,
		&l.NameBytes:                 1023,
		&l.Groups:                    64,
		&l.DirectedPresence:          1000,
		&l.OfflineMessages:           1000,
		&l.OfflineBytes:              4 << 20,
	} {
		*field = cmp.Or(*field, usual)
	}
	return l
}

// check reports a field that makes no sense.
func (l Limits) check() error {
	for name, value := range map[string]int64{
		"PreAuthTimeout":            int64(l.PreAuthTimeout),
		"WriteTimeout":              int64(l.WriteTimeout),
		"ProbeTimeout":              int64(l.ProbeTimeout),
		"QueueBytes":                int64(l.QueueBytes),
		"PendingBytes":              int64(l.PendingBytes),
		"PendingBytesPerSession":    int64(l.PendingBytesPerSession),
		"WorkBytes":                 int64(l.WorkBytes),
		"Connections":               int64(l.Connections),
		"Unauthenticated":           int64(l.Unauthenticated),
		"UnauthenticatedPerAddress": int64(l.UnauthenticatedPerAddress),
		"ConnectionsPerAddress":     int64(l.ConnectionsPerAddress),
		"ConnectionsPerPrefix":      int64(l.ConnectionsPerPrefix),
		"PreAuthBytes":              int64(l.PreAuthBytes),
		"SessionsPerAccount":        int64(l.SessionsPerAccount),
		"RosterItems":               int64(l.RosterItems),
		"RosterRequests":            int64(l.RosterRequests),
		"NameBytes":                 int64(l.NameBytes),
		"Groups":                    int64(l.Groups),
		"DirectedPresence":          int64(l.DirectedPresence),
		"OfflineMessages":           int64(l.OfflineMessages),
		"OfflineBytes":              int64(l.OfflineBytes),
	} {
		if value < 0 {
			return fmt.Errorf("server: options: Limits.%s is negative", name)
		}
	}
	return nil
}

// offered are the mechanisms that a password is good for, and that of certificates.
var offered = []string{
	sasl.External, // to who has shown a certificate
	sasl.SCRAMSHA512Plus, sasl.SCRAMSHA256Plus, sasl.SCRAMSHA1Plus,
	sasl.SCRAMSHA512, sasl.SCRAMSHA256, sasl.SCRAMSHA1,
	sasl.Plain,
}

// complete returns a copy of o with every default set, and the domains.
func (o *Options) complete() (Options, []jid.JID, error) {
	if o == nil {
		return Options{}, nil, errors.New("server: no options")
	}
	out := *o
	domains, err := parseDomains(out.Domains)
	if err != nil {
		return Options{}, nil, err
	}
	if out.TLS == nil && !out.InsecurePlaintext {
		return Options{}, nil, errors.New("server: options: TLS is required")
	}
	if out.TLS != nil {
		out.TLS = stream.ServerTLS(out.TLS)
	}
	if out.Mux == nil {
		out.Mux = defaultMux()
	}
	out.Iterations = cmp.Or(out.Iterations, sasl.DefaultIterations)
	if out.Iterations < sasl.MinIterations {
		return Options{}, nil, fmt.Errorf("server: options: %d iterations: %w", out.Iterations, sasl.ErrIterations)
	}
	if out.Cluster == nil {
		out.Cluster = local.New()
	}
	out.Logger = cmp.Or(out.Logger, slog.Default())
	if out.Users != nil && out.Storage.Accounts != nil {
		return Options{}, nil, errors.New("server: options: both Users and Storage.Accounts: Users are the accounts, so set Storage.Accounts to nil")
	}
	out.Storage = orMemory(out.Storage)
	if out.Users != nil {
		out.Storage.Accounts = newUserAccounts(&out)
	}
	if err := out.completeMechanisms(); err != nil {
		return Options{}, nil, err
	}
	if err := out.Limits.check(); err != nil {
		return Options{}, nil, err
	}
	out.Limits = out.Limits.withDefaults()
	return out, domains, nil
}

// completeMechanisms chooses mechanisms, or checks those that were chosen. Storage is complete.
func (o *Options) completeMechanisms() error {
	users := usersOf(o.Storage)
	tokens := users != nil && users.tokens != nil
	switch {
	case o.Mechanisms == nil:
		o.Mechanisms = slices.Clone(offered)
		if tokens {
			o.Mechanisms = slices.Insert(o.Mechanisms, len(offered)-1, sasl.OAuthBearer) // PLAIN is the last
		}
	case slices.Contains(o.Mechanisms, sasl.OAuthBearer) && !tokens:
		return errors.New("server: options: OAUTHBEARER without Users that are a TokenVerifier")
	}
	return nil
}

// orMemory returns stores with one in memory for each that is missing.
func orMemory(s storage.Stores) storage.Stores {
	usual := memory.New()
	s.Accounts = cmp.Or(s.Accounts, usual.Accounts)
	s.Rosters = cmp.Or(s.Rosters, usual.Rosters)
	s.Offline = cmp.Or(s.Offline, usual.Offline)
	s.Tokens = cmp.Or(s.Tokens, usual.Tokens)
	s.Documents = cmp.Or(s.Documents, usual.Documents)
	s.Blocklists = cmp.Or(s.Blocklists, usual.Blocklists)
	s.Invites = cmp.Or(s.Invites, usual.Invites)
	return s
}

// parseDomains reads the names of domains.
func parseDomains(names []string) ([]jid.JID, error) {
	if len(names) == 0 {
		return nil, errors.New("server: options: no domain")
	}
	var domains []jid.JID
	for _, name := range names {
		domain, err := jid.Parse(name)
		if err != nil {
			return nil, fmt.Errorf("server: options: domain: %w", err)
		}
		if domain != domain.Domain() {
			return nil, fmt.Errorf("server: options: %s is not a domain", domain)
		}
		domains = append(domains, domain)
	}
	return domains, nil
}
