package stream

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/stanza"
)

const (
	nsUpgrade      = "urn:xmpp:sasl:upgrade:0"  // XEP-0480
	nsSCRAMUpgrade = "urn:xmpp:scram-upgrade:0" // §3
)

// An Upgrader lets clients add what a server needs for further SCRAM mechanisms of their account, where
// it has been kept for others only (XEP-0480). Methods may run concurrently.
type Upgrader interface {
	// Missing returns the hash functions that the account has no secrets for and should have.
	Missing(ctx context.Context, account jid.JID) ([]sasl.Hash, error)
	// Add keeps secrets of the account's password, for one of those.
	Add(ctx context.Context, account jid.JID, s sasl.Secrets) error
}

// upgradable are the hash functions that can be upgraded to.
var upgradable = []sasl.Hash{sasl.SHA512, sasl.SHA256}

// task is the name of the upgrade to a hash function.
func task(h sasl.Hash) string { return "UPGR-" + h.Mechanism() }

// tasksIn returns the upgrades that an element lists.
func tasksIn(e stanza.Element) (hashes []sasl.Hash) {
	for c := range e.Children() {
		for _, h := range upgradable {
			if c.Is(nsUpgrade, "upgrade") && strings.TrimSpace(c.Text()) == task(h) && !slices.Contains(hashes, h) {
				hashes = append(hashes, h)
			}
		}
	}
	return hashes
}

// writeTasks lists them.
func writeTasks(w *stanza.Writer, hashes []sasl.Hash) {
	for _, h := range hashes {
		w.Element(nsUpgrade, "upgrade", task(h))
	}
}

// upgrade has the client do the upgrades that it asked for and that the account needs, and returns the
// additional data that is still to be told. Only who has proven the password may, over TLS.
func (s *served2) upgrade(ctx context.Context, account jid.JID, additional []byte) ([]byte, error) {
	asked := tasksIn(s.request)
	if s.f.Upgrader == nil || len(asked) == 0 || s.token != nil || !strings.HasPrefix(s.server.Name(), "SCRAM-") || !s.n.State().Has(Secure) {
		return additional, nil
	}
	missing, err := s.f.Upgrader.Missing(ctx, account)
	if err != nil {
		s.n.c.event("upgrade", "the store could not be asked")
		return additional, nil // another time
	}
	for _, h := range asked {
		if !slices.Contains(missing, h) {
			continue
		}
		secrets, err := s.upgradeTo(ctx, h, additional)
		additional = nil
		if err != nil {
			return nil, err
		}
		if err := s.f.Upgrader.Add(ctx, account, secrets); err != nil {
			s.n.c.event("upgrade", "could not be stored")
		} else {
			s.n.c.event("upgrade", string(h))
		}
	}
	return additional, nil
}

// upgradeTo does one upgrade.
func (s *served2) upgradeTo(ctx context.Context, h sasl.Hash, additional []byte) (sasl.Secrets, error) {
	n := s.n
	err := n.Write(func(w *stanza.Writer) {
		w.Start(nsSASL2, "continue")
		if additional != nil {
			writeData2(w, "additional-data", additional)
		}
		w.Start("", "tasks")
		w.Element("", "task", task(h))
		w.End()
		w.End()
	})
	if err != nil {
		return sasl.Secrets{}, err
	}
	if e, err := n.Read(ctx); err != nil {
		return sasl.Secrets{}, err
	} else if !e.Is(nsSASL2, "next") || e.Attr("task") != task(h) {
		return sasl.Secrets{}, s.f.abort(n, e)
	}
	secrets := sasl.Secrets{Hash: h, Salt: sasl.NewSalt(), Iterations: sasl.DefaultIterations}
	err = n.Write(func(w *stanza.Writer) {
		w.Start(nsSASL2, "task-data")
		w.Start(nsSCRAMUpgrade, "salt")
		w.Attr("iterations", strconv.Itoa(secrets.Iterations))
		w.Text(encoded(secrets.Salt))
		w.End()
		w.End()
	})
	if err != nil {
		return secrets, err
	}
	e, err := n.Read(ctx)
	if err != nil {
		return secrets, err
	}
	salted, err := readMessage(e.Child(nsSCRAMUpgrade, "hash"))
	if err == nil && e.Is(nsSASL2, "task-data") {
		secrets, err = sasl.SaltedSecrets(h, salted, secrets.Salt, secrets.Iterations)
	} else {
		err = sasl.ErrMalformed
	}
	if err != nil {
		return secrets, s.f.abort(n, e)
	}
	return secrets, nil
}

// errUpgrade ends a stream on which an upgrade came to nothing: there is no word for it that
// leaves the stream in a state that both sides know.
var errUpgrade = errors.New("stream: sasl: the client broke off an upgrade")

func (f ServerSASL2) abort(n *Negotiation, e stanza.Element) error {
	condition := sasl.ErrMalformed
	switch {
	case e.Is(nsSASL2, "abort"):
		condition = sasl.ErrAborted
	case !e.Is(nsSASL2, "next") && !e.Is(nsSASL2, "task-data"): // such as authentication again (XEP-0388 §4.8)
		return unexpected(e)
	}
	return errors.Join(f.fail(n, "", condition), errUpgrade)
}

// upgrades returns the upgrades to ask for: none unless the password is at hand, and the exchange is bound
// to the channel, so that nobody else gets to see what is as good as the password.
func (a *attempt2) upgrades() []sasl.Hash {
	if a.ticket != nil || a.f.Credentials.Password == "" || !strings.HasSuffix(a.exchange.Name(), "-PLUS") {
		return nil
	}
	return a.offer.upgrades
}

// proceed does the task that the server asks for before it says success.
func (a *attempt2) proceed(ctx context.Context, n *Negotiation, e stanza.Element) error {
	if !a.proven { // once is enough: XEP-0480 §2.3 shows it again
		additional, err := readData2(e.Child(nsSASL2, "additional-data"))
		if err == nil {
			err = a.exchange.Finish(additional)
		}
		if err != nil {
			return fmt.Errorf("stream: %w", err)
		}
		a.proven = true
	}
	var to sasl.Hash
	for t := range e.Child(nsSASL2, "tasks").Children() {
		for _, h := range a.upgrades() {
			if to == "" && strings.TrimSpace(t.Text()) == task(h) && !slices.Contains(a.upgraded, h) {
				to = h
			}
		}
	}
	a.upgraded = append(a.upgraded, to)
	if to == "" {
		_ = n.Write(abort2)
		return fmt.Errorf("stream: %w", errTasks)
	}
	err := n.Write(func(w *stanza.Writer) {
		w.Start(nsSASL2, "next")
		w.Attr("task", task(to))
		w.End()
	})
	if err != nil {
		return err
	}
	answer, err := n.Read(ctx)
	if err != nil {
		return err
	}
	salted, err := a.salted(to, answer)
	if err != nil {
		_ = n.Write(abort2)
		return fmt.Errorf("stream: %w", err)
	}
	n.c.event("upgrade", string(to))
	return n.Write(func(w *stanza.Writer) {
		w.Start(nsSASL2, "task-data")
		w.Element(nsSCRAMUpgrade, "hash", base64.StdEncoding.EncodeToString(salted))
		w.End()
	})
}

// salted does the work that the server asks for, within what the policy allows.
func (a *attempt2) salted(h sasl.Hash, e stanza.Element) ([]byte, error) {
	salt := e.Child(nsSCRAMUpgrade, "salt")
	data, err := readMessage(salt)
	iterations, convErr := strconv.Atoi(salt.Attr("iterations"))
	if err != nil || convErr != nil || !e.Is(nsSASL2, "task-data") || len(data) == 0 {
		return nil, sasl.ErrMalformed
	}
	return h.SaltedPassword(a.f.Credentials.Password, data, iterations, a.f.Policy)
}
