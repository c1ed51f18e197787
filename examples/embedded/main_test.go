package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/parlance-xmpp/xmpp/internal/leaktest"
)

func TestMain(m *testing.M) {
	cost = bcrypt.MinCost // the race detector has enough to do
	leaktest.Main(m)
}

const toured = `juliet has logged in to the web page and got a token
juliet's token logs in to the chat, by OAUTHBEARER
juliet's password does too, by SCRAM-SHA-512-PLUS
romeo's password logs in, by PLAIN
romeo's password logs in, by SCRAM-SHA-512-PLUS
the concierge tells juliet: Good evening, juliet. There are 3 of us.
juliet was banned, and her clients are out
juliet's token does not log in any more
`

func TestOnce(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-once"}, &out))
	require.Equal(t, toured, out.String())
	require.Error(t, run(t.Context(), []string{"-twice"}, &out))
}

// Without -once the program stays until it is interrupted, and an interrupt is no failure.
func TestInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	out := watch{until: "Interrupt to stop", then: interrupt}
	require.NoError(t, run(ctx, nil, &out))
	require.Contains(t, out.String(), toured)
}

// watch calls a function when it has been written a text.
type watch struct {
	bytes.Buffer
	until string
	then  func()
}

func (w *watch) Write(b []byte) (int, error) {
	n, err := w.Buffer.Write(b)
	if strings.Contains(w.String(), w.until) {
		w.then()
	}
	return n, err
}

// What goes wrong on the tour is the error of the program.
func TestFails(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	out := watch{until: "romeo's password logs in", then: interrupt}
	require.ErrorIs(t, run(ctx, []string{"-once"}, &out), context.Canceled)
}

func TestPages(t *testing.T) {
	p, err := newProgram()
	require.NoError(t, err)
	require.NoError(t, p.web.Close())
	require.NoError(t, p.clients.Close())
	defer p.chat.Shutdown(t.Context())
	require.NoError(t, p.users.add("juliet", "secret"))
	for _, name := range []string{"juliet", "JULIET", "", "friar laurence", "juliet@app.example"} {
		require.ErrorIs(t, p.users.add(name, "guess"), errTaken, "%q", name)
	}
	post := func(page, name, password string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, page, strings.NewReader(url.Values{"name": {name}, "password": {password}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		p.pages().ServeHTTP(w, r)
		return w.Code
	}
	for _, tt := range []struct {
		page, name, password string
		want                 int
	}{
		{"/login", "Juliet", "secret", http.StatusOK},
		{"/login", "juliet", "guess", http.StatusUnauthorized},
		{"/login", "tybalt", "guess", http.StatusUnauthorized},
		{"/login", "concierge", "", http.StatusUnauthorized},
		{"/login", "", "", http.StatusUnauthorized},
		{"/ban", "tybalt", "", http.StatusBadRequest},
		{"/ban", "juliet", "", http.StatusOK},
		{"/login", "juliet", "secret", http.StatusUnauthorized},
	} {
		require.Equal(t, tt.want, post(tt.page, tt.name, tt.password), "%s %s", tt.page, tt.name)
	}
}
