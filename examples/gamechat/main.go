// Command gamechat is the lobby of a game, in one file: players log in with the tokens of the game, see what their friends are playing,
// invite each other to matches and talk.
//
//	go run ./examples/gamechat -once
//
// plays a scene and ends. Without -once the lobby then stays open. docs/embedding.md explains the pieces.
package main

import (
	"context"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/devcert"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// ---- What the game has to say ---------------------------------------------------

// NS is the game's own namespace: it tells these elements from everybody else's.
const NS = "urn:example:duel"

// A State is what friends see of a player. It travels in presence.
type State struct {
	XMLName xml.Name `xml:"urn:example:duel state"`
	Doing   string   `xml:"doing,attr"`
	Level   int      `xml:"level,attr"`
}

// An Invitation asks a player to a match; the answer is whether to expect them. It travels in a query.
type Invitation struct {
	XMLName xml.Name `xml:"urn:example:duel invitation"`
	Arena   string   `xml:"arena"`
	Weapon  string   `xml:"weapon"`
}

// A Reply is the answer.
type Reply struct {
	XMLName  xml.Name `xml:"urn:example:duel reply"`
	Accepted bool     `xml:"accepted,attr"`
}

// ---- The game's own players -----------------------------------------------------

// players are whom the game knows, and the tokens that its login has given out. The server asks them, and
// keeps no accounts of its own.
type players struct {
	mu       sync.Mutex // guards the fields below
	ids      map[string]string
	sessions map[string]string // names, by token
}

// signIn is the game's login, which has its own way to know who somebody is.
func (p *players) signIn(name string) (token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	token = rand.Text()
	p.sessions[token] = name
	return token
}

// User implements server.Users: whom the game knows, the server knows.
func (p *players) User(_ context.Context, addr jid.JID) (server.User, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if id, ok := p.ids[addr.Localpart()]; ok {
		return server.User{ID: id, Name: addr.Localpart()}, nil
	}
	return server.User{}, server.ErrNoUser
}

// VerifyToken implements server.TokenVerifier: whoever is in the game is in the lobby.
func (p *players) VerifyToken(ctx context.Context, token string) (server.User, error) {
	p.mu.Lock()
	name, ok := p.sessions[token]
	p.mu.Unlock()
	if !ok {
		return server.User{}, server.ErrNoUser
	}
	return p.User(ctx, address(name))
}

// ---- The lobby ------------------------------------------------------------------

const domain = "game.example"

func address(name string) jid.JID { return jid.MustParse(name + "@" + domain) }

// A lobby is the server, inside the game's own process.
type lobby struct {
	*server.Server
	certificates *devcert.Authority // for a game that is being written; yours has a real certificate
	listener     net.Listener
	served       chan error
}

func openLobby(ctx context.Context, users server.Users) (*lobby, error) {
	certificates, err := devcert.New(domain)
	if err != nil {
		return nil, err
	}
	srv, err := server.New(&server.Options{
		Domains: []string{domain},
		TLS:     certificates.ServerConfig(),
		Users:   users,
		Logger:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &lobby{srv, certificates, listener, make(chan error, 1)}
	go func() { l.served <- srv.Serve(ctx, listener) }()
	return l, nil
}

// close says goodbye to everybody.
func (l *lobby) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(l.Shutdown(ctx), <-l.served)
}

// ---- A player's side ------------------------------------------------------------

// A player is one who has logged in. What comes to them is put into channels, for the scene to look at.
type player struct {
	*client.Client
	friends map[string]jid.JID // where those are that have shown themselves; of the handlers alone
	sees    chan sighting
	hears   chan string
}

// A sighting is a friend, and what they do.
type sighting struct {
	friend string
	where  jid.JID
	State
}

// join logs in to the lobby with a token of the game.
func (l *lobby) join(ctx context.Context, name, token string) (*player, error) {
	p := &player{friends: make(map[string]jid.JID), sees: make(chan sighting, 16), hears: make(chan string, 16)}
	mux := muxer.New()
	mux.PresencePayload(stanza.PresenceAvailable, NS, "state", p.seen)
	mux.Message(stanza.MessageChat, p.told)
	mux.IQ(stanza.IQSet, NS, "invitation", p.invited)
	var err error
	p.Client, err = client.Dial(ctx, address(name), &client.Options{
		Token:   token,
		Handler: mux,
		Address: l.listener.Addr().String(),
		TLS:     l.certificates.ClientConfig(),
	})
	return p, err
}

// show tells the player's friends what the player does.
func (p *player) show(ctx context.Context, s State) error {
	_, err := p.Send(ctx, stanza.Presence{Payloads: stanza.Payloads{stanza.Marshal(s)}})
	return err
}

// seen is called when a friend shows what they do.
func (p *player) seen(ctx context.Context, shown *stanza.Presence) error {
	if shown.From.Bare() == xmpp.SessionFrom(ctx).LocalAddr().Bare() {
		return nil // our own: it comes to all devices of a player
	}
	s := sighting{friend: shown.From.Localpart(), where: shown.From}
	state, _ := shown.Payloads.Element(NS, "state")
	if err := state.Decode(&s.State); err != nil {
		return err
	}
	p.friends[s.friend] = s.where
	p.sees <- s
	return nil
}

// await waits until a friend is seen to do something.
func (p *player) await(ctx context.Context, doing string) (s sighting, err error) {
	for s.Doing != doing && err == nil {
		s, err = next(ctx, p.sees)
	}
	return s, err
}

// tell says something to another player.
func (p *player) tell(ctx context.Context, name, text string) error {
	_, err := p.Send(ctx, stanza.Message{To: address(name), Type: stanza.MessageChat, Body: stanza.Plain(text)})
	return err
}

// told is called when somebody says something.
func (p *player) told(_ context.Context, m *stanza.Message) error {
	p.hears <- m.From.Localpart() + ": " + m.Body.String()
	return nil
}

// invite asks a friend to a match, and returns the answer.
func (p *player) invite(ctx context.Context, friend jid.JID, to Invitation) (Reply, error) {
	answer, err := p.Query(ctx, stanza.IQ{Type: stanza.IQSet, To: friend, Payload: stanza.Marshal(to)})
	if err != nil {
		return Reply{}, err
	}
	var reply Reply
	return reply, answer.Decode(&reply)
}

// invited answers invitations. Friends are welcome, with swords.
func (p *player) invited(_ context.Context, iq *stanza.IQ) (stanza.Payload, error) {
	if p.friends[iq.From.Localpart()] != iq.From {
		return nil, stanza.NotAllowed
	}
	var to Invitation
	if err := iq.Decode(&to); err != nil {
		return nil, stanza.BadRequest
	}
	return stanza.Marshal(Reply{Accepted: to.Weapon == "swords"}), nil
}

// ---- The scene ------------------------------------------------------------------

// play is the scene. It fails where something does not happen as it should.
func play(ctx context.Context, known *players, lobby *lobby, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	say := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }

	// The game makes friends; the lobby need not ask them.
	if err := lobby.AddContact(ctx, address("tybalt"), address("mercutio")); err != nil {
		return err
	}
	tybalt, err := lobby.join(ctx, "tybalt", known.signIn("tybalt"))
	if err != nil {
		return err
	}
	defer tybalt.Close(ctx)
	say("tybalt has joined the lobby")
	if _, err := lobby.join(ctx, "mercutio", "a-token-that-he-made-up"); !errors.Is(err, client.ErrCredentials) {
		return fmt.Errorf("somebody got in without a token of the game: %v", err)
	}
	say("somebody without a token has not")
	mercutio, err := lobby.join(ctx, "mercutio", known.signIn("mercutio"))
	if err != nil {
		return err
	}
	defer mercutio.Close(ctx)
	say("mercutio has joined the lobby")

	// They show themselves, and see each other.
	if err := errors.Join(tybalt.show(ctx, State{Doing: "waiting", Level: 12}), mercutio.show(ctx, State{Doing: "practising", Level: 9})); err != nil {
		return err
	}
	opponent, err := tybalt.await(ctx, "practising")
	if err != nil {
		return err
	}
	say("tybalt sees %s: %s, level %d", opponent.friend, opponent.Doing, opponent.Level)
	if _, err := mercutio.await(ctx, "waiting"); err != nil {
		return err
	}
	say("mercutio sees tybalt: waiting")

	// They agree on a match.
	for _, weapon := range []string{"words", "swords"} {
		say("tybalt invites %s to the square, with %s", opponent.friend, weapon)
		reply, err := tybalt.invite(ctx, opponent.where, Invitation{Arena: "the square", Weapon: weapon})
		if err != nil {
			return err
		}
		if reply.Accepted {
			say("%s accepts", opponent.friend)
		} else {
			say("%s declines", opponent.friend)
		}
	}
	if err := mercutio.show(ctx, State{Doing: "a duel on the square", Level: 9}); err != nil {
		return err
	}
	if opponent, err = tybalt.await(ctx, "a duel on the square"); err != nil {
		return err
	}
	say("tybalt sees %s: %s, level %d", opponent.friend, opponent.Doing, opponent.Level)

	// And they talk.
	if err := mercutio.tell(ctx, "tybalt", "Tybalt, you rat-catcher, will you walk?"); err != nil {
		return err
	}
	heard, err := next(ctx, tybalt.hears)
	if err != nil {
		return err
	}
	say("tybalt hears %s", heard)
	return nil
}

// next waits for what comes to a player.
func next[T any](ctx context.Context, from <-chan T) (v T, err error) {
	select {
	case v = <-from:
		return v, nil
	case <-ctx.Done():
		return v, context.Cause(ctx)
	}
}

// ---- The program ----------------------------------------------------------------

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gamechat:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("gamechat", flag.ContinueOnError)
	flags.SetOutput(out)
	once := flags.Bool("once", false, "end after the scene")
	if err := flags.Parse(args); err != nil {
		return err
	}
	known := &players{ids: map[string]string{"tybalt": "1", "mercutio": "2", "you": "3"}, sessions: make(map[string]string)}
	lobby, err := openLobby(ctx, known)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lobby.close()) }()
	if err := play(ctx, known, lobby, out); err != nil || *once {
		return err
	}
	trust, err := lobby.certificates.WriteFile()
	if err != nil {
		return err
	}
	defer os.Remove(trust)
	fmt.Fprintf(out, "\nThe lobby stays open for %s at %s; trust %s, log in with the token %s. Interrupt to stop.\n",
		address("you"), lobby.listener.Addr(), trust, known.signIn("you"))
	<-ctx.Done()
	return nil
}
