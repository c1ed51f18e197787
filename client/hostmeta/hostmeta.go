package hostmeta

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/parlance-xmpp/xmpp/jid"
)

// An Endpoint is where and how a server can be reached.
type Endpoint struct {
	Method Method
	URL    string // of printable ASCII; begins with wss:// for WebSocket, with https:// for BOSH
}

// A Method is a way to connect: the link relation of XEP-0156 §2.1.
type Method string

// The methods, in the order in which Find returns their endpoints.
const (
	WebSocket Method = "urn:xmpp:alt-connections:websocket" // RFC 7395
	BOSH      Method = "urn:xmpp:alt-connections:xbosh"     // XEP-0206
)

// ErrNone: the domain's web server was reached, and names no endpoint that can be used.
var ErrNone = errors.New("hostmeta: the domain names no endpoint")

// Options adjusts [Find]. Nil and the zero value are ready to use.
type Options struct {
	// Transport makes the requests; it verifies certificates, and may go through a proxy. Nil
	// means [http.DefaultTransport]. Redirects are followed by Find.
	Transport http.RoundTripper
	// Timeout bounds all of Find. Zero means 10 s, negative no bound.
	Timeout time.Duration
}

const (
	maxBody      = 64 << 10 // bytes of a document
	maxRedirects = 3
	maxText      = 500 // bytes of an error, which may quote the web server
)

// Find fetches the domain's document and returns its endpoints, at least one unless there is an
// error. The document has no order of its own (XEP-0156 §2.2).
//
// Both forms are tried: the one in XML, which every domain that takes part must have, and where
// that gives nothing the one in JSON.
func Find(ctx context.Context, domain jid.JID, opts *Options) ([]Endpoint, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Timeout = cmp.Or(o.Timeout, 10*time.Second); o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Timeout)
		defer cancel()
	}
	host, err := hostOf(domain)
	if err != nil {
		return nil, fmt.Errorf("hostmeta: %w", err)
	}
	client := &http.Client{Transport: o.Transport, CheckRedirect: checkRedirect}
	var errs []error
	for _, form := range []struct {
		path, accept string
		parse        func([]byte) ([]Endpoint, error)
	}{
		{"/.well-known/host-meta", "application/xrd+xml", parseXRD},
		{"/.well-known/host-meta.json", "application/jrd+json, application/json", parseJRD},
	} {
		address := url.URL{Scheme: "https", Host: host, Path: form.path}
		body, err := fetch(ctx, client, address.String(), form.accept)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		endpoints, err := form.parse(body)
		if len(endpoints) > 0 {
			return endpoints, nil
		}
		errs = append(errs, cmp.Or(err, ErrNone))
	}
	return nil, fmt.Errorf("hostmeta: %s: %w", host, either(errs))
}

// either returns the error that tells most, of the two forms: that there is nothing tells least.
func either(errs []error) error {
	for _, err := range errs {
		if !errors.Is(err, ErrNone) {
			return err
		}
	}
	return ErrNone
}

// hostOf returns the domain as a URL has it: in A-labels, or an address.
func hostOf(domain jid.JID) (string, error) {
	if domain.IsZero() {
		return "", errors.New("there is no domain")
	}
	name := domain.Domainpart()
	if addr, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		if addr.Is6() {
			return "[" + addr.String() + "]", nil
		}
		return addr.String(), nil
	}
	host, err := idna.Lookup.ToASCII(strings.TrimSuffix(name, "."))
	if err != nil || host == "" {
		return "", fmt.Errorf("%.40q is no name for the DNS", name)
	}
	return host, nil
}

// checkRedirect keeps to HTTPS (XEP-0156 §2.2).
func checkRedirect(r *http.Request, via []*http.Request) error {
	switch {
	case r.URL.Scheme != "https":
		return errors.New("redirected to where there is no TLS")
	case r.URL.User != nil:
		return errors.New("redirected with a password")
	case len(via) > maxRedirects:
		return errors.New("redirected too often")
	}
	return nil
}

// fetch returns a document.
func fetch(ctx context.Context, client *http.Client, address, accept string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", accept)
	answer, err := client.Do(r)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the URL, which a redirect may have chosen
		}
		if len(err.Error()) > maxText {
			err = errors.New("the web server's answer makes no sense")
		}
		return nil, err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return nil, ErrNone
	default:
		return nil, fmt.Errorf("the web server answers with status %d", answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = fmt.Errorf("the document is larger than %d bytes", maxBody)
	}
	return body, err
}
