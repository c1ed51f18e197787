// Command gamechat is the lobby of a game, in one file: players log in with the tokens of the game, see what their friends are playing,
// invite each other to matches and talk. They come back when the network fails; who runs the game announces, mutes and puts out.
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
	"net"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"time"

	"github.com/parlance-xmpp/xmpp"
	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/module"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/sasl"
	"github.com/parlance-xmpp/xmpp/server"
	"github.com/parlance-xmpp/xmpp/server/devcert"
	"github.com/parlance-xmpp/xmpp/stanza"
)

// ---- What the game has to say ---------------------------------------------------

// NS is the game's own namespace: it tells these elements from everybody else's.
const NS = "urn:example:duel"

// A State is what friends see of a player. It travels in presence, to all of them whenever it changes: so it is small, and
// what changes every second does not belong there.
type State struct {
	XMLName xml.Name `xml:"urn:example:duel state"`
	Doing   string   `xml:"doing,attr"`
	Level   int      `xml:"level,attr"`
}

// check finds what no program of this game sends: a friend's may be another one.
func (s State) check() error {
	if s.Doing == "" || len(s.Doing) > 100 || s.Level < 1 || s.Level > 99 {
		return errors.New("not a state of this game")
	}
	return nil
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
	mu       sync.Mutex             // guards the fields below
	known    map[string]server.User // by name
	sessions map[string]string      // names, by token
}

func newPlayers(names ...string) *players {
	p := &players{known: make(map[string]server.User), sessions: make(map[string]string)}
	for i, name := range names {
		p.known[name] = server.User{ID: strconv.Itoa(i + 1), Name: name}
	}
	return p
}

// signIn is the game's login, which has its own way to know who somebody is.
func (p *players) signIn(name string) (token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	token = rand.Text()
	p.sessions[token] = name
	return token
}

// ban keeps a player out from now on.
func (p *players) ban(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if u, ok := p.known[name]; ok {
		u.Disabled = true
		p.known[name] = u
	}
}

// User implements server.Users: whom the game knows, the server knows.
func (p *players) User(_ context.Context, addr jid.JID) (server.User, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.find(addr.Localpart())
}

// VerifyToken implements server.TokenVerifier: whoever is in the game is in the lobby.
func (p *players) VerifyToken(_ context.Context, token string) (server.User, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.find(p.sessions[token])
}

// find is called with mu held.
func (p *players) find(name string) (server.User, error) {
	if u, ok := p.known[name]; ok {
		return u, nil
	}
	return server.User{}, server.ErrNoUser
}

// ---- The lobby ------------------------------------------------------------------

const domain = "game.example"

// address is that of a player. The names in this file are fit for one; for those that people choose there are jid.New and
// jid.EscapeLocalpart.
func address(name string) jid.JID { return jid.MustParse(name + "@" + domain) }

// A lobby is the server, inside the game's own process.
type lobby struct {
	*server.Server
	moderator    *moderator
	certificates *devcert.Authority // for a game that is being written; yours has a real certificate
	listener     net.Listener
	served       chan error
}

func openLobby(ctx context.Context, users server.Users) (*lobby, error) {
	certificates, err := devcert.New(domain)
	if err != nil {
		return nil, err
	}
	m := &moderator{muted: make(map[string]bool)}
	srv, err := server.New(&server.Options{
		Domains: []string{domain},
		TLS:     certificates.ServerConfig(),
		Users:   users,
		Modules: []module.Module{m},
	})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, srv.Shutdown(ctx))
	}
	l := &lobby{srv, m, certificates, listener, make(chan error, 1)}
	go func() { l.served <- srv.Serve(ctx, listener) }()
	return l, nil
}

// close says goodbye to everybody.
func (l *lobby) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(l.Shutdown(ctx), <-l.served)
}

// announce tells everybody who is there something.
func (l *lobby) announce(text string) {
	for s := range l.Sessions() {
		s.Send(stanza.Message{From: s.Addr().Domain(), To: s.Addr(), Type: stanza.MessageHeadline, Body: stanza.Plain(text)})
	}
}

// putOut ends the sessions of a player, who does not get in again. The game's table is changed first.
func (l *lobby) putOut(ctx context.Context, known *players, name string) error {
	known.ban(name)
	return l.LogOut(ctx, address(name))
}

// A moderator is a module of the server: it sees what players send before anybody gets it.
type moderator struct {
	mu    sync.Mutex // guards muted
	muted map[string]bool
}

// Install implements module.Module.
func (m *moderator) Install(h module.Host) error {
	h.Hook(module.Hooks{Outbound: m.outbound})
	return nil
}

// outbound refuses what a muted player says; the player's client is told why.
func (m *moderator) outbound(_ context.Context, s module.Session, t *module.Transit) error {
	if t.Header().Kind == stanza.KindMessage && m.isMuted(s.Addr().Localpart()) {
		return &stanza.Error{Condition: stanza.NotAllowed, Text: "you may not speak for now", Lang: "en"}
	}
	return nil
}

func (m *moderator) isMuted(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.muted[name]
}

func (m *moderator) mute(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.muted[name] = true
}

// ---- A player's side ------------------------------------------------------------

// A player is one who has logged in. What comes to them is put into channels, for the scene to look at.
type player struct {
	*client.Client
	line    line
	friends map[string]jid.JID // where those are that have shown themselves; of the handlers alone
	sees    chan sighting
	hears   chan string
	changes chan xmpp.Status // of the connection
}

// A sighting is a friend, and what they do: nothing, if they are gone.
type sighting struct {
	friend string
	where  jid.JID
	State
}

// join logs in to the lobby with a token of the game. The client stays: when the connection is lost, it makes another one, goes
// on with its session, and gets what was sent to it meanwhile.
func (l *lobby) join(ctx context.Context, name, token string) (*player, error) {
	p := &player{
		friends: make(map[string]jid.JID),
		sees:    make(chan sighting, 16), hears: make(chan string, 16), changes: make(chan xmpp.Status, 16),
	}
	mux := muxer.New()
	mux.PresencePayload(stanza.PresenceAvailable, NS, "state", p.seen)
	mux.Presence(stanza.PresenceUnavailable, p.gone)
	mux.Message(stanza.MessageChat, p.told)
	mux.Message(stanza.MessageHeadline, p.announced)
	mux.Message(stanza.MessageError, p.refused)
	mux.IQ(stanza.IQSet, NS, "invitation", p.invited)
	mux.Event(p.changed)
	var err error
	p.Client, err = client.Dial(ctx, address(name), &client.Options{
		Token:     token,
		Handler:   mux,
		Address:   l.listener.Addr().String(),
		TLS:       l.certificates.ClientConfig(),
		Dialer:    &p.line,
		Reconnect: client.Backoff{Min: 50 * time.Millisecond, Max: time.Minute}, // players are impatient
	})
	return p, err
}

// leave logs out, also when the scene was interrupted. Nothing of the player is left running then.
func (p *player) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = p.Close(ctx)
	_ = p.Wait(ctx)
}

// A line is a player's network, for the scene to cut. Your client needs none.
type line struct {
	net.Dialer
	mu   sync.Mutex // guards last
	last net.Conn
}

// DialContext is that of the Dialer.
func (l *line) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	nc, err := l.Dialer.DialContext(ctx, network, address)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = nc
	return nc, err
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last.Close()
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
	err := state.Decode(&s.State)
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return err // it is logged, and nothing has happened
	}
	p.friends[s.friend] = s.where
	return put(ctx, p.sees, s)
}

// gone is called when a friend has left.
func (p *player) gone(ctx context.Context, shown *stanza.Presence) error {
	if p.friends[shown.From.Localpart()] != shown.From {
		return nil // another device
	}
	delete(p.friends, shown.From.Localpart())
	return put(ctx, p.sees, sighting{friend: shown.From.Localpart(), where: shown.From})
}

// await waits until a friend is seen to do something.
func (p *player) await(ctx context.Context, doing string) (sighting, error) {
	for {
		if s, err := next(ctx, p.sees); err != nil || s.Doing == doing {
			return s, err
		}
	}
}

// tell says something to another player.
func (p *player) tell(ctx context.Context, name, text string) error {
	_, err := p.Send(ctx, stanza.Message{To: address(name), Type: stanza.MessageChat, Body: stanza.Plain(text)})
	return err
}

// told is called when somebody says something.
func (p *player) told(ctx context.Context, m *stanza.Message) error {
	return put(ctx, p.hears, m.From.Localpart()+": "+m.Body.String())
}

// announced is called when the lobby says something, or somebody who would like to be it.
func (p *player) announced(ctx context.Context, m *stanza.Message) error {
	if xmpp.OriginOf(xmpp.SessionFrom(ctx).LocalAddr(), m.From) != xmpp.FromServer {
		return nil
	}
	return put(ctx, p.hears, m.Body.String())
}

// refused is called when something that the player has said comes back.
func (p *player) refused(ctx context.Context, m *stanza.Message) error {
	return put(ctx, p.hears, m.Error.Text)
}

// changed is called when the connection is lost, and when the player is back: a game shows it.
func (p *player) changed(ctx context.Context, e xmpp.Event) error {
	return put(ctx, p.changes, e.Status)
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
	defer tybalt.leave()
	say("tybalt has joined the lobby")
	if _, err := lobby.join(ctx, "mercutio", "a-token-that-he-made-up"); !errors.Is(err, client.ErrCredentials) {
		return fmt.Errorf("somebody got in without a token of the game: %v", err)
	}
	say("somebody without a token has not")
	mercutio, err := lobby.join(ctx, "mercutio", known.signIn("mercutio"))
	if err != nil {
		return err
	}
	defer mercutio.leave()
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
	if err := interlude(ctx, tybalt, mercutio, say); err != nil {
		return err
	}
	return curtain(ctx, known, lobby, tybalt, mercutio, say)
}

// interlude is about the network: it fails, and nothing is lost.
func interlude(ctx context.Context, tybalt, mercutio *player, say func(string, ...any)) error {
	mercutio.line.cut()
	if err := mercutio.become(ctx, xmpp.Suspended); err != nil {
		return err
	}
	say("mercutio loses the connection")
	if err := tybalt.tell(ctx, "mercutio", "Mercutio, thou consort'st with Romeo."); err != nil {
		return err
	}
	if err := mercutio.become(ctx, xmpp.Resumed); err != nil {
		return err
	}
	heard, err := next(ctx, mercutio.hears)
	if err != nil {
		return err
	}
	say("mercutio is back, and hears %s", heard)
	return nil
}

// become waits for a change of the connection.
func (p *player) become(ctx context.Context, status xmpp.Status) error {
	for {
		if s, err := next(ctx, p.changes); err != nil || s == status {
			return err
		}
	}
}

// curtain is about those who run the game.
func curtain(ctx context.Context, known *players, lobby *lobby, tybalt, mercutio *player, say func(string, ...any)) error {
	lobby.announce("The square closes at midnight.")
	for _, p := range []*player{tybalt, mercutio} {
		heard, err := next(ctx, p.hears)
		if err != nil {
			return err
		}
		say("the lobby tells %s: %s", p.LocalAddr().Localpart(), heard)
	}
	lobby.moderator.mute("mercutio")
	if err := mercutio.tell(ctx, "tybalt", "A plague o' both your houses!"); err != nil {
		return err
	}
	heard, err := next(ctx, mercutio.hears)
	if err != nil {
		return err
	}
	say("mercutio is muted, and told so: %s", heard)
	if err := lobby.putOut(ctx, known, "mercutio"); err != nil {
		return err
	}
	if _, err := tybalt.await(ctx, ""); err != nil {
		return err
	}
	say("mercutio is put out, and tybalt sees him go")
	if err := mercutio.Wait(ctx); !errors.Is(err, sasl.ErrAccountDisabled) {
		return fmt.Errorf("mercutio was put out: %v", err)
	}
	say("mercutio does not get in again")
	return nil
}

// put hands the scene what has come. A handler never waits for longer than its session lasts.
func put[T any](ctx context.Context, to chan<- T, v T) error {
	select {
	case to <- v:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
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
	known := newPlayers("tybalt", "mercutio", "you")
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
