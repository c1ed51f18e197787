// Mellium logs in to a server by SCRAM bound to the channel, with another implementation of
// both: mellium.im/xmpp and mellium.im/sasl.
//
//	mellium ACCOUNT PASSWORD HOST:PORT CA-FILE
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"time"

	"mellium.im/sasl"
	"mellium.im/xmpp"
	"mellium.im/xmpp/jid"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Println("FAILED", err)
		os.Exit(1)
	}
}

func run(account, password, address, caFile string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	addr, err := jid.Parse(account)
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	session, err := xmpp.NewClientSession(ctx, addr, conn,
		xmpp.StartTLS(&tls.Config{RootCAs: pool, ServerName: addr.Domainpart(), MinVersion: tls.VersionTLS13}),
		xmpp.SASL("", password, sasl.ScramSha256Plus),
		xmpp.BindResource(),
	)
	if err != nil {
		return err
	}
	fmt.Println("logged in as", session.LocalAddr(), "by", sasl.ScramSha256Plus.Name)
	return session.Close()
}
