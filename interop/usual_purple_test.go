//go:build unix

package interop

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/client"
	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/muxer"
	"github.com/parlance-xmpp/xmpp/stanza"
	"github.com/parlance-xmpp/xmpp/xep/carbons"
)

// buildPurple builds the client that is made of libpurple, and returns the name of the program.
func buildPurple(t *testing.T) string {
	t.Helper()
	need(t, "gcc", "pkg-config")
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "purple").Output()
	require.NoError(t, err, "libpurple-dev is missing; .ci/run interop installs what is needed")
	name := filepath.Join(t.TempDir(), "purple")
	command(t, "gcc", append([]string{"-w", "-o", name, "testdata/purple/purple.c"}, strings.Fields(string(flags))...)...)
	return name
}

// A purple is a client made of libpurple, which says what happens.
type purple struct {
	*process
	t     *testing.T
	taken map[int]bool // lines of its output
}

// startPurple has somebody log in by a client made of libpurple. It trusts the authority of the file.
func startPurple(t *testing.T, program, account, address, ca string) *purple {
	t.Helper()
	dir := t.TempDir()
	authorities := filepath.Join(dir, "authorities")
	require.NoError(t, os.Mkdir(authorities, 0o700))
	pem, err := os.ReadFile(ca)
	require.NoError(t, err)
	write(t, filepath.Join(authorities, "ca.pem"), pem)
	// libpurple wants the certificate to be for the name that it connects to
	p := &purple{start(t, program, account, "localhost:"+port(address), authorities, filepath.Join(dir, "purple")), t, map[int]bool{}}
	p.does(usualPassword)
	return p
}

// does has the client do something.
func (p *purple) does(order string, args ...any) {
	p.t.Helper()
	_, err := fmt.Fprintf(p.stdin, order+"\n", args...)
	require.NoError(p.t, err)
}

// tells waits for a line of the client with some text, and takes it.
func (p *purple) tells(text string) (line string) {
	p.t.Helper()
	p.until(p.t, text, func(output string) bool {
		lines := strings.Split(output, "\n")
		for i := range lines {
			if !p.taken[i] && strings.Contains(lines[i], text) {
				p.taken[i], line = true, lines[i]
				return true
			}
		}
		return false
	})
	return line
}

// TestUsualPurple: two people with clients made of libpurple, as Pidgin and Finch are, have from xmppd what they expect of a server. libpurple
// 2.14 has no carbons, and stream management without resumption: what was under way when a connection is lost comes to the next one.
func TestUsualPurple(t *testing.T) {
	program := buildPurple(t)
	u := startUsual(t, "closed", "juliet", "romeo")
	way := startProxy(t, u.address)
	juliet := startPurple(t, program, "juliet@localhost/balcony", u.address, u.ca)
	juliet.tells("online juliet@localhost/balcony")
	romeo := startPurple(t, program, "romeo@localhost/orchard", way.address, u.ca)
	romeo.tells("online romeo@localhost/orchard")

	juliet.does("add romeo@localhost")
	romeo.tells("asked juliet@localhost")
	romeo.does("allow juliet@localhost")
	juliet.tells("appears romeo@localhost available")
	romeo.does("add juliet@localhost")
	juliet.tells("asked romeo@localhost")
	juliet.does("allow romeo@localhost")
	romeo.tells("appears juliet@localhost available")
	romeo.does("status away looking at the balcony")
	juliet.tells("presence romeo@localhost away looking at the balcony")
	juliet.does("status dnd with the nurse")
	romeo.tells("presence juliet@localhost dnd with the nurse")

	romeo.does("say juliet@localhost do you hear me?")
	juliet.tells("heard romeo@localhost/orchard do you hear me?")
	juliet.does("say romeo@localhost I <b>do</b>, & more")
	romeo.tells("heard juliet@localhost/balcony I do, & more")

	juliet.does("card <vCard xmlns='vcard-temp'><FN>Juliet Capulet</FN></vCard>")
	for _, p := range []*purple{juliet, romeo} { // she first: then the server has it
		p.does("info juliet@localhost")
		require.Contains(t, p.tells("info juliet@localhost"), "Juliet Capulet")
	}

	juliet.does("block romeo@localhost")
	romeo.tells("leaves juliet@localhost")
	romeo.does("say juliet@localhost and now?")
	romeo.tells("bounced juliet@localhost service-unavailable")
	juliet.does("unblock romeo@localhost")
	romeo.tells("appears juliet@localhost dnd with the nurse")
	romeo.does("say juliet@localhost hear me again")
	juliet.tells("heard romeo@localhost/orchard hear me again")
	require.NotContains(t, juliet.text(), "and now?")

	tablet := secondDevice(t, u)
	romeo.does("say juliet@localhost to all of you")
	juliet.tells("heard romeo@localhost/orchard to all of you")
	require.Equal(t, "to all of you", <-tablet)
	juliet.does("say romeo@localhost from the balcony")
	romeo.tells("heard juliet@localhost/balcony from the balcony")
	require.Equal(t, "from the balcony", <-tablet)

	way.hush()
	juliet.does("say romeo@localhost lost on the way")
	require.Equal(t, "lost on the way", <-tablet) // the server has handled it
	way.cut()
	romeo.tells("failed")
	juliet.tells("leaves romeo@localhost")
	juliet.does("say romeo@localhost come back")
	require.Equal(t, "come back", <-tablet)
	romeo.does("connect")
	romeo.tells("heard juliet@localhost/balcony lost on the way")
	romeo.tells("heard juliet@localhost/balcony come back")
	romeo.tells("appears juliet@localhost dnd with the nurse")
	juliet.tells("appears romeo@localhost")

	juliet.does("remove romeo@localhost")
	romeo.tells("leaves juliet@localhost")
	for _, p := range []*purple{juliet, romeo} {
		p.does("quit")
		p.tells("offline")
		<-p.done
	}
}

// secondDevice logs juliet in on another device, with our client, and returns what it gets copies of.
func secondDevice(t *testing.T, u *usualServer) <-chan string {
	t.Helper()
	pem, err := os.ReadFile(u.ca)
	require.NoError(t, err)
	authorities := x509.NewCertPool()
	require.True(t, authorities.AppendCertsFromPEM(pem))
	heard := make(chan string, 10)
	mux := muxer.New()
	copies := carbons.New(func(_ context.Context, c carbons.Copy) {
		if m, err := c.Message(); err == nil && m.Body.String() != "" {
			heard <- m.Body.String()
		}
	})
	copies.Register(mux)
	c, err := client.Dial(t.Context(), jid.MustParse("juliet@localhost/tablet"), &client.Options{
		Address: u.address, TLS: &tls.Config{RootCAs: authorities}, Password: usualPassword, Handler: mux,
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	require.NoError(t, copies.Enable(t.Context(), c))
	_, err = c.Send(t.Context(), stanza.Presence{Priority: -1})
	require.NoError(t, err)
	return heard
}
