package stream

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// ServerSASL2 is the [Feature] with which the receiving entity learns who the initiating entity
// is in the newer way (XEP-0388), and does at the same time what would come next: it resumes a
// session (XEP-0198), or binds a resource (XEP-0386) with what is to be enabled in it, and gives out and
// takes tokens (XEP-0484). What is nil is not offered. It is offered over TLS, unless
// Config.InsecurePlaintext.
//
// Accounts are those of [ServerSASL], and so are the bounds on attempts. What a client asks for
// inline is looked at once it has proven who it is.
type ServerSASL2 struct {
	// Authenticator returns the authenticator for a domain that is served; nil if
	// nobody can log in there.
	Authenticator func(domain jid.JID) *sasl.Authenticator
	// For, if it is not nil, is asked in its place, as in [ServerSASL].
	For func(domain, account jid.JID) *sasl.Authenticator
	// Retries is how often a client may try a mechanism again on one stream.
	// Zero means 3.
	Retries int
	// Agent is told what a client says of itself, before its account is known.
	Agent func(UserAgent)
	// Resume resumes sessions.
	Resume *Resume
	// Bind assigns a full JID, as Bind.Assign does: wanted is the tag of the client, or
	// empty, and has to be the beginning of the resourcepart, if it is used.
	Bind func(ctx context.Context, account jid.JID, wanted string) (jid.JID, error)
	// Management enables acknowledgements in binding.
	Management *Management
	// Inline are further features that can be asked for in binding.
	Inline []BindFeature
	// Tokens are given out and taken.
	Tokens TokenStore
	// Upgrader adds secrets for further SCRAM mechanisms.
	Upgrader Upgrader
}

// A BindFeature is a feature that a client can ask for while it binds (XEP-0386), by an element of
// that name. It is listed by its namespace.
type BindFeature struct {
	Name xml.Name
	// Asked is told that the client did. It is called before the client knows its resource. The element is lent.
	Asked func(ctx context.Context, e stanza.Element)
}

// Name implements [Feature].
func (ServerSASL2) Name() xml.Name { return sasl2Name }

// Possible implements [Feature].
func (ServerSASL2) Possible(s State) bool { return !s.Has(Authenticated) }

// Offer implements [Feature].
func (f ServerSASL2) Offer(n *Negotiation, w *stanza.Writer) {
	auth := n.authenticator(f.Authenticator, f.For)
	if auth == nil {
		return
	}
	o := f.offer(n, auth)
	if len(o.mechanisms) == 0 { // then there is nothing to begin with (XEP-0388 §2.1)
		return
	}
	o.write(w)
	older := func(f Feature) bool { _, ok := f.(ServerSASL); return ok }
	if !slices.ContainsFunc(n.cfg.Features, older) { // which lists them too
		writeBindings(w, auth.Offer(n.Channel()))
	}
}

func (f ServerSASL2) offer(n *Negotiation, auth *sasl.Authenticator) offer2 {
	o := offer2{mechanisms: auth.Offer(n.Channel()).Mechanisms, sm: f.Resume != nil, bind: f.Bind != nil}
	if f.Tokens != nil {
		o.tokens = sasl.TokenMechanisms(n.Channel())
	}
	if f.Management != nil {
		o.inBind = append(o.inBind, nsSM)
	}
	if f.Upgrader != nil && n.State().Has(Secure) {
		o.upgrades = upgradable
	}
	for _, b := range f.Inline {
		o.inBind = append(o.inBind, b.Name.Space)
	}
	return o
}

// Wants implements [Feature].
func (ServerSASL2) Wants(e stanza.Element) bool {
	name := e.Name()
	return name.Space == nsSASL2 && slices.Contains([]string{"authenticate", "response", "abort", "next"}, name.Local)
}

// Refuse answers who wants to authenticate where that cannot be. It implements [Refuser].
func (f ServerSASL2) Refuse(_ context.Context, n *Negotiation, e stanza.Element) error {
	switch {
	case n.State().Has(Authenticated):
		return unexpected(e)
	case !n.State().Has(Secure):
		return f.fail(n, "", sasl.ErrEncryptionRequired)
	}
	return f.fail(n, "", sasl.ErrInvalidMechanism)
}

// Use implements [Feature].
func (ServerSASL2) Use(context.Context, *Negotiation, stanza.Element) error { return nil }

// served2 is one exchange of SASL2, seen by the receiving entity.
type served2 struct {
	f       ServerSASL2
	n       *Negotiation
	request stanza.Element
	agent   UserAgent
	server  sasl.Server
	token   *tokenUse // nil without
	acts    bool      // as another account than the one whose credentials were proven
}

// Serve implements [Feature].
func (f ServerSASL2) Serve(ctx context.Context, n *Negotiation, e stanza.Element) error {
	switch {
	case e.Is(nsSASL2, "abort"):
		return f.fail(n, "", sasl.ErrAborted)
	case !e.Is(nsSASL2, "authenticate"):
		return f.fail(n, "", sasl.ErrMalformed)
	}
	s := &served2{f: f, n: n, request: e, agent: readUserAgent(e)}
	err := s.begin(e.Attr("mechanism"))
	var data []byte
	if err == nil {
		data, err = readData2(e.Child(nsSASL2, "initial-response"))
	}
	for {
		var challenge []byte
		var done bool
		if err == nil {
			challenge, done, err = s.server.Next(ctx, data)
		}
		if done && err == nil {
			return s.succeed(ctx, challenge)
		}
		if err != nil {
			return f.fail(n, s.mechanism(), err)
		}
		if err := n.Write(func(w *stanza.Writer) { w.Element(nsSASL2, "challenge", encoded(challenge)) }); err != nil {
			return err
		}
		e, readErr := n.Read(ctx)
		switch {
		case readErr != nil:
			return readErr
		case e.Is(nsSASL2, "response"):
			data, err = readMessage(e)
		case e.Is(nsSASL2, "abort"):
			return f.fail(n, s.mechanism(), sasl.ErrAborted)
		default:
			return unexpected(e)
		}
	}
}

// mechanism is the one of the exchange, as far as it was offered.
func (s *served2) mechanism() string {
	if s.server == nil {
		return ""
	}
	return s.server.Name()
}

// begin starts the mechanism that the client chose.
func (s *served2) begin(mechanism string) (err error) {
	auth := s.n.authenticator(s.f.Authenticator, s.f.For)
	if auth == nil {
		return sasl.ErrInvalidMechanism
	}
	channel := s.n.Channel()
	if s.f.Tokens != nil && !s.request.Child(nsFAST, "fast").IsZero() {
		s.server, s.token, err = s.beginToken(auth, mechanism)
		return err
	}
	s.server, err = auth.Start(mechanism, auth.Offer(channel), channel)
	return err
}

// succeed lets the client in, if its account is one that the stream can have, and does what it
// asks for.
func (s *served2) succeed(ctx context.Context, additional []byte) error {
	n := s.n
	own, account, err := accountOf(s.server.Identity(), n.Domain())
	if err != nil {
		return s.f.fail(n, s.server.Name(), err)
	}
	switch said := n.peer.Bare(); {
	case !n.State().Has(Secure) || said.Localpart() == "" || said == account:
	case own != account || s.server.Identity().Authzid != "": // XEP-0388 §4.4
		return s.f.fail(n, s.server.Name(), sasl.ErrInvalidAuthzid)
	default:
		return &Error{Condition: InvalidFrom, Text: "the header is from another account", Lang: "en"}
	}
	s.acts = own != account
	if additional, err = s.upgrade(ctx, own, additional); err != nil {
		return err
	}
	if s.f.Agent != nil {
		s.f.Agent(s.agent)
	}
	n.c.event("sasl", s.server.Name())
	if err := n.authenticated(account); err != nil {
		return err
	}
	inline, enabled, err := s.inline(ctx)
	if err != nil {
		return err
	}
	full := account
	if n.State().Has(Bound) {
		full = n.c.full
	}
	w := stanza.NewWriter(nil)
	w.Start(nsSASL2, "success")
	if additional != nil {
		writeData2(w, "additional-data", additional)
	}
	w.Element("", "authorization-identifier", full.String())
	w.Payload(answers2(inline))
	w.End()
	b, err := w.Bytes()
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	if n.resumed != nil { // the session goes on at once, without features (XEP-0198 §9.2)
		n.last = b
		return nil
	}
	n.features = true
	if enabled.enabled {
		n.c.setManaged(enabled)
	}
	if b, err = n.offer(b); err != nil {
		return err
	}
	if !enabled.enabled {
		return n.send(b)
	}
	n.c.in.manage()
	n.c.out.manage(b)
	n.c.event("managed", enabled.String())
	return n.c.out.idle(n.bounded)
}

// answers2 is what is said of requests that came inline.
type answers2 []byte

// AppendXML implements [stanza.Payload].
func (a answers2) AppendXML(dst []byte) ([]byte, error) { return append(dst, a...), nil }

// inline does what the client asks for, and returns what is to be said of it.
func (s *served2) inline(ctx context.Context) (answers []byte, enabled management, err error) {
	w := stanza.NewWriter(nil)
	if resume := s.request.Child(nsSM, "resume"); s.f.Resume != nil && !resume.IsZero() {
		if err := s.f.Resume.answer(ctx, s.n, resume, w); err != nil {
			return nil, enabled, err
		}
	}
	if bind := s.request.Child(nsBind2, "bind"); s.f.Bind != nil && !bind.IsZero() && !s.n.State().Has(Bound) {
		if enabled, err = s.bind(ctx, bind, w); err != nil {
			return nil, enabled, err
		}
	}
	if err := s.tokens(ctx, w); err != nil {
		return nil, enabled, err
	}
	answers, err = w.Bytes()
	return answers, enabled, err
}

// bind binds a resource. Where that cannot be, the client is left to ask by [Bind], which can say why.
func (s *served2) bind(ctx context.Context, e stanza.Element, w *stanza.Writer) (enabled management, err error) {
	tag := e.Child(nsBind2, "tag").Text()
	if full, err := s.n.Account().WithResource(tag); tag == "" || err != nil {
		tag = ""
	} else {
		tag = full.Resourcepart()
	}
	full, err := s.f.Bind(ctx, s.n.Account(), tag)
	if err != nil || !full.IsFull() {
		s.n.c.event("bind", "refused")
		return enabled, nil
	}
	if err := s.n.Bound(full); err != nil {
		return enabled, err
	}
	for _, b := range s.f.Inline {
		if asked := e.Child(b.Name.Space, b.Name.Local); !asked.IsZero() {
			b.Asked(ctx, asked)
		}
	}
	w.Start(nsBind2, "bound")
	if enable := e.Child(nsSM, "enable"); s.f.Management != nil && !enable.IsZero() {
		enabled = s.f.Management.grant(enable)
		enabled.write(w)
	}
	w.End()
	return enabled, nil
}

// fail tells the client that the exchange has failed, and ends the stream if
// that was its last attempt. Of err it learns the condition.
func (f ServerSASL2) fail(n *Negotiation, mechanism string, err error) error {
	condition, ok := errors.AsType[sasl.Condition](err)
	if !ok {
		condition = sasl.ErrTemporary
	}
	n.c.event("sasl", "failure: "+string(condition))
	err = n.Write(func(w *stanza.Writer) {
		w.Start(nsSASL2, "failure")
		w.Element(nsSASL, string(condition), "")
		w.End()
	})
	if err != nil {
		return err
	}
	return n.Retry(xml.Name{Space: nsSASL, Local: mechanism}, cmp.Or(max(f.Retries, 0), 3))
}
