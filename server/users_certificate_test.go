package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/parlance-xmpp/xmpp/jid"
	"github.com/parlance-xmpp/xmpp/sasl"
)

// everybody has a user of any name, with the same password.
type everybody struct{ hash string }

func (e everybody) User(_ context.Context, addr jid.JID) (User, error) {
	return User{ID: addr.String(), PasswordHash: e.hash}, nil
}

// A user may log in by certificate. Who has not shown the password gets no token to come back with, as no change of the password
// would end it.
func TestUsers_Certificates(t *testing.T) {
	people := newIssuer(t)
	clients := x509.NewCertPool()
	clients.AddCert(people.cert)
	h := newHouse(t, nil, func(o *Options) {
		o.TLS.ClientAuth, o.TLS.ClientCAs = tls.VerifyClientCertIfGiven, clients
		o.Users = everybody{"$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"}
	})
	cert := people.issue("juliet@capulet.example")
	for mechanism, tt := range map[string]struct {
		response string
		token    bool
	}{
		sasl.External: {"=", false},
		sasl.Plain:    {encode([]byte("\x00juliet\x00U*U")), true},
	} {
		c := h.certified(cert)
		require.Contains(t, c.offer().Mechanisms, mechanism)
		c.raw("<authenticate xmlns='urn:xmpp:sasl:2' mechanism='" + mechanism + "'><initial-response>" + tt.response + "</initial-response>" +
			"<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'/><request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-EXPR'/></authenticate>")
		e := c.next()
		require.Equal(t, "success", e.Name().Local, "%s: %s", mechanism, e)
		require.Equal(t, tt.token, !e.Child("urn:xmpp:fast:0", "token").IsZero(), mechanism)
	}
}
