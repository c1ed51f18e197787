package main

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
)

// pages are those of the web application.
func (p *program) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", p.login)
	mux.HandleFunc("POST /ban", p.ban)
	return mux
}

// login gives whoever knows a password a token. The chat server checks it, and afterwards needs not be shown it again.
func (p *program) login(w http.ResponseWriter, r *http.Request) {
	addr, err := address(r.FormValue("name"))
	if err == nil {
		err = p.chat.CheckPassword(r.Context(), addr, r.FormValue("password"))
	}
	switch {
	case err == nil:
		fmt.Fprint(w, p.users.newSession(addr.Localpart()))
	case errors.Is(err, sasl.ErrNotAuthorized), errors.Is(err, sasl.ErrAccountDisabled):
		http.Error(w, "wrong name or password", http.StatusUnauthorized)
	default:
		http.Error(w, "try again later", http.StatusServiceUnavailable)
	}
}

// ban is a page for moderators; who they are is left out here. The table is changed first, and then the chat is told.
func (p *program) ban(w http.ResponseWriter, r *http.Request) {
	addr, err := address(r.FormValue("name"))
	if err == nil {
		p.users.ban(addr.Localpart())
		err = p.chat.LogOut(r.Context(), addr)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// address is that of a user in the chat.
func address(name string) (jid.JID, error) { return jid.New(name, domain, "") }
