package xmpptest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/internal/session"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// patience bounds how long a transcript waits for the side under test.
const patience = 10 * time.Second

// Play runs a program once for each transcript that glob names: the session
// it gets is the C: side, and everything the program sends must stand there, in
// that order. The test fails if the program returns an error or leaves a part
// of the transcript unsaid.
func Play(t *testing.T, glob string, program func(ctx context.Context, s xmpp.Session) error) {
	t.Helper()
	each(t, glob, nil, program)
}

// PlayHandler runs the C: side of each transcript with a handler: it gets what
// S: says, and what it answers or sends must stand there.
func PlayHandler(t *testing.T, glob string, h xmpp.Handler) {
	t.Helper()
	each(t, glob, h, nil)
}

func each(t *testing.T, glob string, h xmpp.Handler, program func(context.Context, xmpp.Session) error) {
	t.Helper()
	files, err := filepath.Glob(glob)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("xmpptest: no transcript is named %s", glob)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			script, err := readTranscript(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := play(t.Context(), script, h, program); err != nil {
				t.Error(err)
			}
		})
	}
}

// play runs one transcript.
func play(ctx context.Context, script *transcript, h xmpp.Handler, program func(context.Context, xmpp.Session) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%s: nothing happens for %v", script.name, patience))
	defer cancel()
	sent := make(chan stanza.Element, 64)
	c := &spoken{conn: newConn(script.local, script.remote)}
	c.conn.send = func(e stanza.Element) error {
		select {
		case sent <- e:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	last := newLast(h)
	s := session.New(c, session.Options{Handler: last})
	s.Start(s)
	finished := make(chan error, 1)
	if program == nil {
		finished <- nil
	} else {
		go func() { finished <- program(ctx, s) }()
	}
	err := script.conduct(ctx, c.conn, sent, finished)
	if err == nil {
		err = script.over(ctx, c.conn, last, sent, finished)
	}
	cancel()
	_ = s.Close(context.Background())
	return errors.Join(err, s.Wait())
}

// conduct plays the S: side and listens to the other.
func (script *transcript) conduct(ctx context.Context, c *conn, sent <-chan stanza.Element, finished chan error) error {
	v := make(variables)
	update, changed := os.Getenv("XMPPTEST_UPDATE") != "", false
	for i := range script.turns {
		turn := &script.turns[i]
		if !turn.client {
			e, err := stanza.ParseElement([]byte(v.expand(turn.xml)))
			if err != nil {
				return fmt.Errorf("%s:%d: %w", script.name, turn.line, err)
			}
			if err := c.push(e); err != nil {
				return fmt.Errorf("%s:%d: the session is closed", script.name, turn.line)
			}
			continue
		}
		got, err := script.listen(ctx, turn, sent, finished)
		if err != nil {
			return err
		}
		want, err := stanza.ParseElement([]byte(turn.xml))
		if err != nil {
			return fmt.Errorf("%s:%d: %w", script.name, turn.line, err)
		}
		if diff := v.compare(want, got); diff != "" {
			if !update {
				return fmt.Errorf("%s:%d: %s\n got %s\nwant %s", script.name, turn.line, diff, got, turn.xml)
			}
			turn.xml, changed = v.contract(got.String()), true
		}
	}
	if changed {
		return script.write()
	}
	return nil
}

// listen waits for what the side under test sends next.
func (script *transcript) listen(ctx context.Context, turn *turn, sent <-chan stanza.Element, finished chan error) (stanza.Element, error) {
	for {
		select {
		case e := <-sent:
			return e, nil
		default:
		}
		select {
		case e := <-sent:
			return e, nil
		case err := <-finished:
			if err != nil {
				return stanza.Element{}, fmt.Errorf("%s:%d: the program ended: %w", script.name, turn.line, err)
			}
			finished <- nil // it may have sent before it returned, and its handler may yet
			select {
			case e := <-sent:
				return e, nil
			case <-ctx.Done():
				return stanza.Element{}, fmt.Errorf("%s:%d: want %s: %w", script.name, turn.line, turn.xml, context.Cause(ctx))
			}
		case <-ctx.Done():
			return stanza.Element{}, fmt.Errorf("%s:%d: want %s: %w", script.name, turn.line, turn.xml, context.Cause(ctx))
		}
	}
}

// over waits until the program has returned and all that arrived has been
// handled, without another word.
func (script *transcript) over(ctx context.Context, c *conn, last *last, sent <-chan stanza.Element, finished chan error) error {
	if err := c.push(last.stanza); err != nil {
		return fmt.Errorf("%s: the session is closed", script.name)
	}
	for handled := last.handled; finished != nil || handled != nil; {
		select {
		case err := <-finished:
			if err != nil {
				return fmt.Errorf("%s: the program: %w", script.name, err)
			}
			finished = nil
		case <-handled:
			handled = nil
		case e := <-sent:
			return fmt.Errorf("%s: at the end, unexpected %s", script.name, e)
		case <-ctx.Done():
			return fmt.Errorf("%s: the program does not return: %w", script.name, context.Cause(ctx))
		}
	}
	select {
	case e := <-sent:
		return fmt.Errorf("%s: at the end, unexpected %s", script.name, e)
	default:
		return nil
	}
}

// A last is a handler that notices when everything before its own stanza has
// been handled.
type last struct {
	next    xmpp.Handler
	stanza  stanza.Element
	id      string
	handled chan struct{}
}

func newLast(next xmpp.Handler) *last {
	if next == nil {
		next = xmpp.Unhandled
	}
	l := &last{next: next, id: stanza.NewID(), handled: make(chan struct{})}
	b, err := stanza.Message{ID: l.id, Type: stanza.MessageHeadline}.AppendXML(nil)
	if err != nil {
		panic(err)
	}
	l.stanza = stanza.NewElement(b)
	return l
}

func (l *last) HandleStanza(ctx context.Context, st *stanza.Raw) (stanza.Payload, error) {
	if st.Header().ID == l.id {
		close(l.handled)
		return nil, nil
	}
	return l.next.HandleStanza(ctx, st)
}

func (l *last) OutgoingStanza(ctx context.Context, st stanza.Stanza) (stanza.Stanza, error) {
	if o, ok := l.next.(xmpp.Outgoing); ok {
		return o.OutgoingStanza(ctx, st)
	}
	return st, nil
}

// spoken is a conn that sends addresses as they are: a client leaves its own out.
type spoken struct{ *conn }

func (c *spoken) Send(ctx context.Context, s stanza.Stanza, h stanza.Header) (xmpp.Receipt, error) {
	return c.write(ctx, s, h)
}
