package daemon

import (
	"time"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/certs"
)

// late is how long before the end of a certificate the log speaks of it at every look: what is made here is made anew before.
const late = 7 * 24 * time.Hour

// doubts logs which certificates clients will not accept, now or soon. They are shown all the same: another one there is not.
func (d *daemon) doubts() {
	for _, h := range d.house.Config().Hosts {
		cert := d.house.Certificates().Of(h.Domain)
		if cert == nil {
			continue
		}
		log, now := d.Log.With("host", h.Domain, "file", h.Cert, "ends", cert.NotAfter.Format(time.DateOnly)), time.Now()
		switch {
		case now.After(cert.NotAfter):
			log.Error("the certificate has ended: clients will not accept it; renew it and reload")
		case now.Before(cert.NotBefore):
			log.Error("the certificate has not begun: clients will not accept it; set the clock of the machine, or wait", "begins", cert.NotBefore.Format(time.DateOnly))
		case cert.VerifyHostname(certs.Name(h.Domain)) != nil:
			log.Error("the certificate is for other names: clients will not accept it; get one for the domain of the accounts", "names", cert.DNSNames)
		case now.Add(late).After(cert.NotAfter):
			log.Warn("the certificate ends soon; renew it and reload")
		}
	}
}

// renew reads the certificates again.
func (d *daemon) renew() error {
	err := d.house.Renew()
	d.doubts()
	return err
}

// certificates are when those that are shown end.
func (d *daemon) certificates() map[string]time.Time {
	ends := map[string]time.Time{}
	for _, h := range d.house.Config().Hosts {
		if cert := d.house.Certificates().Of(h.Domain); cert != nil {
			ends[h.Domain.String()] = cert.NotAfter
		}
	}
	return ends
}
