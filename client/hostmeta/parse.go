package hostmeta

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/parlance-xmpp/xmpp/internal/xmlwire"
)

const (
	nsXRD        = "http://docs.oasis-open.org/ns/xri/xrd-1.0"
	maxURL       = 2048
	maxEndpoints = 16
)

// A link is one of a document, of whatever kind.
type link struct {
	Rel  string `json:"rel"`
	Href string `json:"href"`
}

// parseXRD reads the form in XML (RFC 6415 §3). The reader is that of XMPP, which refuses
// document types and entities; comments, which it refuses too, are nothing to refuse here.
func parseXRD(b []byte) ([]Endpoint, error) {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	r := xmlwire.NewReader(bytes.NewReader(withoutComments(b)), xmlwire.Limits{})
	h, err := r.Header()
	if err != nil {
		return nil, fmt.Errorf("the document cannot be read: %w", err)
	}
	if h.Name.Space != nsXRD || h.Name.Local != "XRD" {
		return nil, errors.New("the document is no XRD")
	}
	var links []link
	for {
		e, err := r.Next()
		if err == io.EOF {
			return usable(links), nil
		}
		if err != nil {
			return nil, fmt.Errorf("the document cannot be read: %w", err)
		}
		if n := xmlwire.NewNode(e.Raw, h.ContentNS); n.Is(nsXRD, "Link") {
			var l link
			l.Rel, _ = n.Attr("", "rel")
			l.Href, _ = n.Attr("", "href")
			links = append(links, l)
		}
	}
}

// withoutComments cuts comments out. Between the marks of one there is no other.
func withoutComments(b []byte) []byte {
	const begin, end = "<!--", "-->"
	out := make([]byte, 0, len(b))
	for {
		before, rest, found := bytes.Cut(b, []byte(begin))
		out = append(out, before...)
		if !found {
			return out
		}
		if _, b, found = bytes.Cut(rest, []byte(end)); !found {
			return append(out, begin...) // for the reader to refuse
		}
	}
}

// parseJRD reads the form in JSON (RFC 6415 appendix A).
func parseJRD(b []byte) ([]Endpoint, error) {
	var document struct {
		Links []link `json:"links"`
	}
	if err := json.Unmarshal(b, &document); err != nil {
		return nil, fmt.Errorf("the document cannot be read: %w", err)
	}
	return usable(document.Links), nil
}

// usable returns the endpoints among links, each once, by method.
func usable(links []link) []Endpoint {
	var endpoints []Endpoint
	for _, way := range []struct {
		method Method
		scheme string
	}{
		{WebSocket, "wss"},
		{BOSH, "https"},
	} {
		for _, l := range links {
			if l.Rel != string(way.method) || len(endpoints) == maxEndpoints {
				continue
			}
			if address := secure(l.Href, way.scheme); address != "" {
				if e := (Endpoint{way.method, address}); !slices.Contains(endpoints, e) {
					endpoints = append(endpoints, e)
				}
			}
		}
	}
	return endpoints
}

// secure returns a URL in normal form if it can be used: if it has the scheme, which
// stands for TLS, and nothing that does not belong there. Otherwise it returns nothing.
func secure(href, scheme string) string {
	href = strings.TrimSpace(href)
	if len(href) > maxURL || strings.ContainsFunc(href, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return ""
	}
	u, err := url.Parse(href)
	if err != nil || u.Scheme != scheme || !validHost(u) || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return ""
	}
	if s := u.String(); !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return s
	}
	return ""
}

// validHost reports whether the host of a URL is a name or an address, and its port, if it has
// one, can be connected to.
func validHost(u *url.URL) bool {
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return false
		}
	}
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	name, err := idna.Lookup.ToASCII(host)
	return err == nil && name != ""
}
