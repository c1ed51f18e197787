package portable

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server/storage"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/delay"
)

// An Importer keeps pieces in stores. What is there already stays as it is.
type Importer struct {
	Stores storage.Stores
	// Serves reports whether a domain is served; accounts of others are skipped.
	Serves func(domain jid.JID) bool

	id    storage.AccountID // of addr
	addr  jid.JID
	fresh bool // it has no credentials yet
	known *known
}

// known are the messages of an account that were imported, or wait there.
type known struct {
	imported []byte // sums, one behind the other
	waiting  map[[sum]byte]bool
	changed  bool
}

// sum is how much of the SHA-256 of a message is remembered.
const sum = 16

// page is how much is read from a store at a time.
const page = 100

// Apply keeps pieces, in the order of the file. An error is one of the stores; what was kept before it stays, and all may be applied again. It
// is for one goroutine.
func (i *Importer) Apply(ctx context.Context, pieces []Piece) (*Report, error) {
	r := NewReport()
	for _, p := range pieces {
		if err := i.apply(ctx, r, p); err != nil {
			return r, errors.Join(fmt.Errorf("import the %s of %s: %w", p.Kind, p.Addr, err), i.remember(ctx))
		}
	}
	return r, i.remember(ctx)
}

func (i *Importer) apply(ctx context.Context, r *Report, p Piece) error {
	switch {
	case p.Kind == Unknown:
		r.Skipped[Skip{p.Addr, p.What, p.Why}]++
		return nil
	case !i.Serves(p.Addr.Domain()):
		if p.Kind == Account {
			r.Skipped[Skip{p.Addr.Domain(), "an account", "the domain is not served here: add a [[host]] for it"}]++
		}
		return nil
	}
	if p.Addr != i.addr {
		if err := i.remember(ctx); err != nil {
			return err
		}
		if err := i.account(ctx, r, p); err != nil {
			return err
		}
	} else if p.Kind == Account {
		r.Unchanged[Account]++
	}
	changed, why, err := i.keep(ctx, p)
	if changed && err == nil && p.Kind == Credentials && p.Password == "" {
		remark(r, p)
	}
	switch {
	case err != nil:
		return err
	case why != "":
		r.Skipped[Skip{p.Addr, what(p), why}]++
	case p.Kind == Account:
	case changed:
		r.Kept[p.Kind]++
	default:
		r.Unchanged[p.Kind]++
	}
	return nil
}

// remark tells of mechanisms that an account cannot use: a server cannot know that when it offers them, and clients prefer the strongest.
func remark(r *Report, p Piece) {
	for _, h := range []sasl.Hash{sasl.SHA512, sasl.SHA256, sasl.SHA1} {
		if !slices.ContainsFunc(p.Secrets, func(s sasl.Secrets) bool { return s.Hash == h }) {
			r.Skipped[Skip{p.Addr.Domain(), "credentials for " + h.Mechanism(), "the file has none: leave the mechanism out of mechanisms, or clients that prefer it cannot log in"}]++
		}
	}
}

// what is what a piece is, for people.
func what(p Piece) string {
	switch p.Kind {
	case Contact, Request, Message:
		if e, err := stanza.ParseElement([]byte(p.XML)); err == nil {
			who := e.Attr("from")
			if p.Kind == Contact {
				who = e.First().Attr("jid")
			}
			return fmt.Sprintf("the %s %s", p.Kind, who)
		}
	case Private:
		if e, err := stanza.ParseElement([]byte(p.XML)); err == nil {
			return "the private XML " + document(e)
		}
	}
	return "the " + string(p.Kind)
}

// account finds the account of a piece, or makes it.
func (i *Importer) account(ctx context.Context, r *Report, p Piece) error {
	a, err := i.Stores.Accounts.Get(ctx, p.Addr)
	made := false
	if errors.Is(err, storage.ErrNotFound) {
		a = storage.Account{ID: storage.AccountID(rand.Text()), Addr: p.Addr, Created: time.Now()}
		err = i.Stores.Accounts.Create(ctx, a)
		made = true
	}
	if err != nil {
		return err
	}
	i.addr, i.id, i.fresh, i.known = p.Addr, a.ID, len(a.Secrets) == 0, nil
	if p.Kind == Account && made {
		r.Kept[Account]++
	} else if p.Kind == Account {
		r.Unchanged[Account]++
	}
	return nil
}

// keep keeps a piece of the account. Why says why not.
func (i *Importer) keep(ctx context.Context, p Piece) (changed bool, why string, err error) {
	if p.Kind == Blocked {
		return i.block(ctx, p.Blocked)
	}
	if p.Kind == Credentials {
		return i.credentials(ctx, p)
	}
	if p.Kind == Account {
		return false, "", nil
	}
	e, err := stanza.ParseElement([]byte(p.XML))
	if err != nil {
		return false, err.Error(), nil
	}
	switch p.Kind {
	case Contact:
		return i.contact(ctx, e)
	case Request:
		return i.request(ctx, e)
	case Message:
		return i.message(ctx, e)
	case Private:
		if e.Name().Space == "" || e.Name().Space == nsPrivate {
			return false, "it has no namespace of its own", nil
		}
		return i.document(ctx, kindPrivate, document(e), p.XML)
	case VCard:
		return i.document(ctx, kindVCard, "", p.XML)
	}
	return false, notKnown, nil
}

// credentials gives an account that has none those of the file.
func (i *Importer) credentials(ctx context.Context, p Piece) (bool, string, error) {
	if !i.fresh {
		return false, "", nil
	}
	all := p.Secrets
	if len(all) == 0 && p.Password != "" {
		for _, h := range []sasl.Hash{sasl.SHA512, sasl.SHA256, sasl.SHA1} {
			s, err := sasl.NewSecrets(h, p.Password, 0)
			if err != nil {
				return false, "the password has characters that cannot be used: set another with xmppd user passwd", nil
			}
			all = append(all, s)
		}
	}
	if p.Disabled {
		if err := i.Stores.Accounts.SetDisabled(ctx, i.id, true); err != nil {
			return false, "", err
		}
	}
	if len(all) == 0 {
		return false, "there are none that this program knows: set a password with xmppd user passwd", nil
	}
	i.fresh = false
	return true, "", i.Stores.Accounts.SetSecrets(ctx, i.id, all)
}

func (i *Importer) block(ctx context.Context, who jid.JID) (bool, string, error) {
	for after := (jid.JID{}); ; {
		some, err := i.Stores.Blocklists.List(ctx, i.id, after, page)
		if err != nil || slices.Contains(some, who) {
			return false, "", err
		}
		if len(some) < page {
			return true, "", i.Stores.Blocklists.Add(ctx, i.id, 0, who)
		}
		after = some[len(some)-1]
	}
}

// document keeps a document if there is no other of that name.
func (i *Importer) document(ctx context.Context, kind, name, text string) (bool, string, error) {
	now, err := i.Stores.Documents.Get(ctx, i.id, kind, name)
	switch {
	case err == nil && bytes.Equal(asRead(now), []byte(text)):
		return false, "", nil
	case err == nil:
		return false, "there is another one already", nil
	case !errors.Is(err, storage.ErrNotFound):
		return false, "", err
	}
	return true, "", i.Stores.Documents.Set(ctx, i.id, kind, name, []byte(text), storage.DocumentLimits{})
}

// asRead is XML as [Read] has it that reads what [Export] has written of it: clients order attributes in other ways.
func asRead(b []byte) []byte {
	f := &reader{d: xml.NewDecoder(bytes.NewReader(xmlwire.NewNode(b, stanza.NS).AppendTo(nil, NS)))}
	t, err := f.d.Token()
	start, ok := t.(xml.StartElement)
	if err != nil || !ok {
		return b
	}
	e, err := f.element(start.Copy())
	if err != nil {
		return b
	}
	if again, err := e.AppendXML(nil); err == nil {
		return again
	}
	return b
}

// document is the name under which private XML is kept.
func document(e stanza.Element) string { return e.Name().Local + " " + e.Name().Space }

// message keeps a message for when the account comes online, unless it was imported before.
func (i *Importer) message(ctx context.Context, e stanza.Element) (bool, string, error) {
	b, err := e.AppendXML(nil)
	if err != nil {
		return false, "", err
	}
	raw, err := stanza.Parse(b)
	if err != nil {
		return false, err.Error(), nil
	}
	if h := raw.Header(); h.To.IsZero() {
		h.To = i.addr
		if b, err = stanza.AppendWith(nil, raw, h); err != nil {
			return false, "", err
		}
	} else if h.To.Bare() != i.addr {
		return false, "it is for somebody else", nil
	}
	if err := i.learn(ctx); err != nil {
		return false, "", err
	}
	if i.known.has(b) {
		return false, "", nil
	}
	stored := time.Now()
	for d := range e.Children() {
		var then delay.Delay
		if d.Is(delay.NS, "delay") && d.Decode(&then) == nil && then.From.Bare() == i.addr.Domain() && !then.Stamp.IsZero() {
			stored = then.Stamp
		}
	}
	if _, err := i.Stores.Offline.Add(ctx, i.id, storage.OfflineLimits{}, storage.OfflineMessage{Stored: stored, Stanza: b}); err != nil {
		return false, "", err
	}
	i.known.add(b)
	return true, "", nil
}

// learn reads which messages were imported, or wait.
func (i *Importer) learn(ctx context.Context) error {
	if i.known != nil {
		return nil
	}
	k := &known{waiting: map[[sum]byte]bool{}}
	var err error
	if k.imported, err = i.Stores.Documents.Get(ctx, i.id, kindSeen, ""); err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	k.imported = slices.Clone(k.imported)
	for after := uint64(0); ; {
		some, err := i.Stores.Offline.List(ctx, i.id, after, page)
		if err != nil {
			return err
		}
		for _, m := range some {
			k.waiting[sumOf(asRead(m.Stanza))] = true
			after = m.ID
		}
		if len(some) < page {
			i.known = k
			return nil
		}
	}
}

// remember writes down which messages were imported, so that they do not come again once they are delivered.
func (i *Importer) remember(ctx context.Context) error {
	if i.known == nil || !i.known.changed {
		return nil
	}
	i.known.changed = false
	return i.Stores.Documents.Set(ctx, i.id, kindSeen, "", i.known.imported, storage.DocumentLimits{})
}

func sumOf(message []byte) [sum]byte {
	all := sha256.Sum256(message)
	return [sum]byte(all[:sum])
}

func (k *known) has(message []byte) bool {
	s := sumOf(message)
	if k.waiting[s] {
		return true
	}
	for one := range slices.Chunk(k.imported, sum) {
		if bytes.Equal(one, s[:]) {
			return true
		}
	}
	return false
}

func (k *known) add(message []byte) {
	s := sumOf(message)
	k.waiting[s], k.changed = true, true
	k.imported = append(k.imported, s[:]...)
}
