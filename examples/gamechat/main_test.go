package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/stanza"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

const scene = `tybalt has joined the lobby
somebody without a token has not
mercutio has joined the lobby
tybalt sees mercutio: practising, level 9
mercutio sees tybalt: waiting
tybalt invites mercutio to the square, with words
mercutio declines
tybalt invites mercutio to the square, with swords
mercutio accepts
tybalt sees mercutio: a duel on the square, level 9
tybalt hears mercutio: Tybalt, you rat-catcher, will you walk?
mercutio loses the connection
mercutio is back, and hears tybalt: Mercutio, thou consort'st with Romeo.
the lobby tells tybalt: The square closes at midnight.
the lobby tells mercutio: The square closes at midnight.
mercutio is muted, and told so: you may not speak for now
mercutio is put out, and tybalt sees him go
mercutio does not get in again
`

func TestOnce(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-once"}, &out))
	require.Equal(t, scene, out.String())
	require.Error(t, run(t.Context(), []string{"-twice"}, &out))
}

// A scene that goes wrong is an error.
func TestFails(t *testing.T) {
	known := newPlayers("tybalt")
	lobby, err := openLobby(t.Context(), known)
	require.NoError(t, err)
	require.Error(t, play(t.Context(), known, lobby, io.Discard))
	require.NoError(t, lobby.close())
}

// Who is not a friend, or does not know how to ask, is not let into a match.
func TestNotAFriend(t *testing.T) {
	known := newPlayers("tybalt", "romeo")
	lobby, err := openLobby(t.Context(), known)
	require.NoError(t, err)
	tybalt, err := lobby.join(t.Context(), "tybalt", known.signIn("tybalt"))
	require.NoError(t, err)
	romeo, err := lobby.join(t.Context(), "romeo", known.signIn("romeo"))
	require.NoError(t, err)
	swords := Invitation{Arena: "the square", Weapon: "swords"}
	_, err = romeo.invite(t.Context(), tybalt.LocalAddr(), swords)
	require.ErrorIs(t, err, stanza.ServiceUnavailable, "the lobby does not tell that somebody is there")
	for _, s := range []State{{Doing: "cheating", Level: 100}, {Doing: "", Level: 1}, {Doing: strings.Repeat("x", 101), Level: 1}, {Doing: "strolling", Level: 12}} {
		_, err = tybalt.Send(t.Context(), stanza.Presence{To: romeo.LocalAddr(), Payloads: stanza.Payloads{stanza.Marshal(s)}})
		require.NoError(t, err)
	}
	s, err := next(t.Context(), romeo.sees)
	require.NoError(t, err)
	require.Equal(t, "strolling", s.Doing, "all before it are no states of the game")
	require.Equal(t, 12, s.Level)
	_, err = romeo.invite(t.Context(), s.where, swords)
	require.ErrorIs(t, err, stanza.NotAllowed)
	for _, m := range []stanza.Message{{Type: stanza.MessageHeadline, Body: stanza.Plain("The lobby closes.")}, {Type: stanza.MessageChat, Body: stanza.Plain("It was not me.")}} {
		m.To = tybalt.LocalAddr()
		_, err = romeo.Send(t.Context(), m)
		require.NoError(t, err)
	}
	heard, err := next(t.Context(), tybalt.hears)
	require.NoError(t, err)
	require.Equal(t, "romeo: It was not me.", heard, "players do not speak for the lobby")
	for _, p := range []*player{tybalt, romeo} {
		require.NoError(t, p.Close(t.Context()))
		require.NoError(t, p.Wait(t.Context()))
	}
	require.NoError(t, lobby.close())
}

// A pipe that is read line by line.
func lines(t *testing.T) (io.Writer, func(pattern string) []string) {
	r, w := io.Pipe()
	var seen []byte
	return w, func(pattern string) []string {
		re := regexp.MustCompile(pattern)
		buf := make([]byte, 4096)
		for {
			if m := re.FindStringSubmatch(string(seen)); m != nil {
				return m
			}
			n, err := r.Read(buf)
			require.NoError(t, err)
			seen = append(seen, buf[:n]...)
		}
	}
}

// Without -once the lobby can be joined with what it says, until it is interrupted.
func TestStaysOpen(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out, find := lines(t)
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, nil, out) }()
	m := find(`for (\S+) at (\S+); trust (\S+), log in with the token (\S+)\.`)
	c := login(t, jid.MustParse(m[1]), m[2], m[3], m[4])
	require.Equal(t, "you@game.example", c.LocalAddr().Bare().String())
	require.NoError(t, c.Close(t.Context()))
	require.NoError(t, c.Wait(t.Context()))
	interrupt()
	require.NoError(t, <-ended)
	require.NoFileExists(t, m[3])
}

// login is what any client does that is told an address, a certificate and a token.
func login(t *testing.T, addr jid.JID, server, trust, token string) *client.Client {
	t.Helper()
	pem, err := os.ReadFile(trust)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(pem))
	c, err := client.Dial(t.Context(), addr, &client.Options{Address: server, Token: token, TLS: &tls.Config{RootCAs: pool}})
	require.NoError(t, err)
	return c
}
