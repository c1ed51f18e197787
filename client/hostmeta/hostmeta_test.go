package hostmeta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parlance-xmpp/xmpp/internal/leaktest"
	"github.com/parlance-xmpp/xmpp/jid"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

var example = jid.MustParse("example.org")

// A web is what web servers hand out, by URL; a text that is a URL redirects.
type web struct {
	pages map[string]string
	asked []string
}

func (w *web) RoundTrip(r *http.Request) (*http.Response, error) {
	w.asked = append(w.asked, r.URL.String())
	page, ok := w.pages[r.URL.String()]
	answer := &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: r}
	status, rest, _ := strings.Cut(page, " ")
	switch {
	case !ok:
		return nil, fmt.Errorf("dial tcp: lookup %s: no such host", r.URL.Host)
	case status == "404" || status == "500":
		_, _ = fmt.Sscan(status, &answer.StatusCode)
		page = rest
	case strings.HasPrefix(page, "http") || strings.HasPrefix(page, "file:"):
		answer.StatusCode = http.StatusFound
		answer.Header.Set("Location", page)
		page = ""
	}
	answer.Body = io.NopCloser(strings.NewReader(page))
	return answer, nil
}

const (
	xrdURL = "https://example.org/.well-known/host-meta"
	jrdURL = "https://example.org/.well-known/host-meta.json"
)

func xrd(links string) string {
	return "<?xml version='1.0' encoding='utf-8'?>\n<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n" + links + "</XRD>\n"
}

func written(endpoints []Endpoint) string {
	var list []string
	for _, e := range endpoints {
		list = append(list, strings.TrimPrefix(string(e.Method), "urn:xmpp:alt-connections:")+" "+e.URL)
	}
	return strings.Join(list, ", ")
}

// What is asked for, where it may lead, and what is made of it: XEP-0156 §2.
func TestXEP0156_2_Find(t *testing.T) {
	const (
		link     = "<Link rel='urn:xmpp:alt-connections:websocket' href='wss://web.example.org:443/ws'/>"
		linkJSON = `{"links":[{"rel":"urn:xmpp:alt-connections:xbosh","href":"https://web.example.org/bosh"}]}`
		ws       = "websocket wss://web.example.org:443/ws"
		bosh     = "xbosh https://web.example.org/bosh"
	)
	for _, tt := range []struct {
		name   string
		domain string // example.org if empty
		pages  map[string]string
		want   string
		asked  string // in place of both forms
		is     error
		text   string
	}{
		{name: "XML", pages: map[string]string{xrdURL: xrd(link)}, want: ws, asked: xrdURL},
		{name: "JSON, where there is no XML", pages: map[string]string{xrdURL: "404 ", jrdURL: linkJSON}, want: bosh},
		{name: "JSON, where the XML is damaged", pages: map[string]string{xrdURL: "<XRD>", jrdURL: linkJSON}, want: bosh},
		{name: "JSON, where the XML has nothing", pages: map[string]string{xrdURL: xrd(""), jrdURL: linkJSON}, want: bosh},
		{name: "JSON, where the XML is out of order", pages: map[string]string{xrdURL: "500 " + xrd(link), jrdURL: linkJSON}, want: bosh},
		{name: "nothing", pages: map[string]string{xrdURL: "404 ", jrdURL: "404 "}, is: ErrNone, text: "hostmeta: example.org: hostmeta: the domain names no endpoint"},
		{name: "nothing in either", pages: map[string]string{xrdURL: xrd(""), jrdURL: "{}"}, is: ErrNone, text: "names no endpoint"},
		{name: "no server", text: "no such host"},
		{name: "out of order", pages: map[string]string{xrdURL: "500 ", jrdURL: "404 "}, text: "hostmeta: example.org: the web server answers with status 500"},

		{name: "redirected", pages: map[string]string{xrdURL: "https://www.example.org/xrd", "https://www.example.org/xrd": xrd(link)},
			want: ws, asked: xrdURL + " https://www.example.org/xrd"},
		{name: "redirected on", pages: map[string]string{xrdURL: "https://a/", "https://a/": "https://b/", "https://b/": "https://c/", "https://c/": xrd(link)},
			want: ws, asked: xrdURL + " https://a/ https://b/ https://c/"},
		{name: "IDN", domain: "bücher.example", pages: map[string]string{"https://xn--bcher-kva.example/.well-known/host-meta": xrd(link)},
			want: ws, asked: "https://xn--bcher-kva.example/.well-known/host-meta"},
		{name: "IPv6", domain: "[2001:db8::1]", pages: map[string]string{"https://[2001:db8::1]/.well-known/host-meta": xrd(link)},
			want: ws, asked: "https://[2001:db8::1]/.well-known/host-meta"},
		{name: "an account", domain: "juliet@example.org/balcony", pages: map[string]string{xrdURL: xrd(link)}, want: ws, asked: xrdURL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &web{pages: tt.pages}
			domain := example
			if tt.domain != "" {
				domain = jid.MustParse(tt.domain)
			}
			endpoints, err := Find(t.Context(), domain, &Options{Transport: w})
			if got := written(endpoints); got != tt.want || (err == nil) != (tt.want != "") || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("Find = %s, %v; want %s, %v", got, err, tt.want, tt.is)
			}
			if err != nil && !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v, want %s", err, tt.text)
			}
			want := tt.asked
			if want == "" {
				want = xrdURL + " " + jrdURL
			}
			if got := strings.Join(w.asked, " "); got != want {
				t.Errorf("asked for %s, want %s", got, want)
			}
		})
	}
	if _, err := Find(t.Context(), jid.JID{}, nil); err == nil {
		t.Error("no domain is no error")
	}
}

// Nothing is asked for, and nothing returned, without TLS, and nobody can make it take
// much memory or time (S9).
func TestSec_HostMeta(t *testing.T) {
	good := xrd("<Link rel='urn:xmpp:alt-connections:websocket' href='wss://web.example.org/ws'/>")
	for _, tt := range []struct {
		name  string
		pages map[string]string
		asked int
		text  string
	}{
		{name: "redirected to plain text", asked: 2, text: "no TLS",
			pages: map[string]string{xrdURL: "http://example.org/xrd", "http://example.org/xrd": good}},
		{name: "redirected to plain text later", asked: 3, text: "no TLS",
			pages: map[string]string{xrdURL: "https://a/", "https://a/": "http://a/", "http://a/": good}},
		{name: "redirected in a circle", asked: 2 + maxRedirects, text: "redirected too often",
			pages: map[string]string{xrdURL: xrdURL}},
		{name: "redirected with a password", asked: 2, text: "redirected with a password",
			pages: map[string]string{xrdURL: "https://juliet:secret@a/", "https://juliet:secret@a/": good}},
		{name: "redirected to a file", asked: 2, text: "no TLS", pages: map[string]string{xrdURL: "file:///etc/hosts"}},
		{name: "redirected to what is no URL", asked: 2, text: "no sense",
			pages: map[string]string{xrdURL: "https://a:b/" + strings.Repeat("secret", 1000)}},
		{name: "too large", asked: 2, text: "larger than 65536 bytes",
			pages: map[string]string{xrdURL: good + strings.Repeat(" ", maxBody)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &web{pages: tt.pages}
			endpoints, err := Find(t.Context(), example, &Options{Transport: w})
			if err == nil || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "secret") {
				t.Errorf("Find = %v, %v; want %s", endpoints, err, tt.text)
			}
			if len(w.asked) != tt.asked || slices.ContainsFunc(w.asked, func(s string) bool { return !strings.HasPrefix(s, "https://") }) {
				t.Errorf("asked for %q, want %d, none without TLS", w.asked, tt.asked)
			}
		})
	}
}

// endless is a web server whose document never ends.
type endless struct{}

func (e endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func (e endless) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(e), Request: r}, nil
}

// A document that does not end is not read to its end.
func TestSec_EndlessDocument(t *testing.T) {
	if _, err := Find(t.Context(), example, &Options{Transport: endless{}}); err == nil || !strings.Contains(err.Error(), "larger") {
		t.Errorf("Find = %v, want that it is too large", err)
	}
}

// silent is a web server that says nothing.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestTimeout(t *testing.T) {
	for _, tt := range []struct{ option, deadline, want time.Duration }{
		{want: 10 * time.Second},
		{option: time.Minute, want: time.Minute},
		{option: -1, deadline: time.Hour, want: time.Hour},
		{deadline: time.Second, want: time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			if tt.deadline > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.deadline)
				defer cancel()
			}
			begin := time.Now()
			_, err := Find(ctx, example, &Options{Transport: silent{}, Timeout: tt.option})
			if took := time.Since(begin); took != tt.want || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Find = %v after %v; want %v after %v", err, took, context.DeadlineExceeded, tt.want)
			}
		})
	}
}

// Which links of a document are endpoints.
func TestXEP0156_2_Links(t *testing.T) {
	link := func(rel, href string) string { return "<Link rel='" + rel + "' href='" + href + "'/>" }
	const ws, bosh = string(WebSocket), string(BOSH)
	for _, tt := range []struct{ name, in, want string }{
		{"the example of the XEP", xrd(link(bosh, "https://web.example.com:5280/bosh") + link(ws, "wss://web.example.com:443/ws")),
			"websocket wss://web.example.com:443/ws, xbosh https://web.example.com:5280/bosh"},
		{"twice", xrd(link(ws, "wss://a/") + link(ws, "wss://b/") + link(ws, "wss://a/")), "websocket wss://a/, websocket wss://b/"},
		{"comments", xrd("<!-- <Link> -->" + link(ws, "wss://a/") + "<!---->"), "websocket wss://a/"},
		{"a comment before", "<?xml version='1.0'?><!-- a - b --><XRD xmlns='" + nsXRD + "'>" + link(ws, "wss://a/") + "</XRD>", "websocket wss://a/"},
		{"a byte order mark", "\ufeff" + xrd(link(ws, "wss://a/")), "websocket wss://a/"},
		{"prefixes", "<x:XRD xmlns:x='" + nsXRD + "'><x:Link rel='" + ws + "' href='wss://a/?a=b&amp;c=d'/></x:XRD>", "websocket wss://a/?a=b&c=d"},
		{"other children", xrd("<Subject>a</Subject><Link rel='lrdd' template='https://a/{uri}'/>" + link(ws, "wss://a/")), "websocket wss://a/"},

		{"no TLS", xrd(link(ws, "ws://a/") + link(bosh, "http://a/")), ""},
		{"the wrong scheme", xrd(link(ws, "https://a/") + link(bosh, "wss://a/")), ""},
		{"other schemes", xrd(link(ws, "javascript:alert(1)") + link(bosh, "file:///etc/passwd") + link(ws, "wss:a") + link(ws, "//a/")), ""},
		{"no host", xrd(link(ws, "wss:///a") + link(ws, "wss://:443/a") + link(ws, "")), ""},
		{"a password", xrd(link(ws, "wss://a:b@c/") + link(ws, "wss://a@c/")), ""},
		{"a fragment", xrd(link(ws, "wss://a/#b")), ""},
		{"ports", xrd(link(ws, "wss://a:0/") + link(ws, "wss://a:65536/") + link(ws, "wss://a:x/") + link(ws, "wss://a:1/")), "websocket wss://a:1/"},
		{"hosts that are none", xrd(link(ws, "wss://a_!b/") + link(ws, "wss://a&lt;b/") + link(ws, "wss://[::1]/")), "websocket wss://[::1]/"},
		{"control characters", xrd(link(ws, "wss://a/&#10;b") + link(ws, "wss://a/&#9;b") + link(ws, "wss://a/b c") + link(ws, "wss://a/\u202e")), ""},
		{"long", xrd(link(ws, "wss://a/"+strings.Repeat("a", maxURL))), ""},
		{"another namespace", strings.ReplaceAll(xrd(link(ws, "wss://a/")), nsXRD, "urn:other"), ""},
		{"no namespace", "<XRD>" + link(ws, "wss://a/") + "</XRD>", ""},
		{"further in", xrd("<Property>" + link(ws, "wss://a/") + "</Property>"), ""},
		{"a document type", "<!DOCTYPE XRD [<!ENTITY a 'wss://a/'>]>" + xrd(link(ws, "&a;")), ""},
		{"an open comment", xrd(link(ws, "wss://a/") + "<!-- "), ""},
		{"HTML", "<!DOCTYPE html><html><body>It works!</body></html>", ""},
		{"cut", strings.TrimSuffix(xrd(link(ws, "wss://a/")), "</XRD>\n"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			endpoints, err := parseXRD([]byte(tt.in))
			if got := written(endpoints); got != tt.want {
				t.Errorf("got %s, %v; want %s", got, err, tt.want)
			}
		})
	}
	var many strings.Builder
	for i := range 1000 {
		many.WriteString(link(ws, fmt.Sprintf("wss://a/%d", i)))
	}
	if endpoints, err := parseXRD([]byte(xrd(many.String()))); len(endpoints) != maxEndpoints {
		t.Errorf("%d endpoints, %v; want %d", len(endpoints), err, maxEndpoints)
	}
}

// Whatever a document is, what comes out is for TLS, and fit for a log.
func FuzzDocuments(f *testing.F) {
	f.Add([]byte(xrd("<Link rel='urn:xmpp:alt-connections:xbosh' href='https://web.example.com:5280/bosh'/><!-- -->")))
	f.Add([]byte(`{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://web.example.com:443/ws"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, _ := parseXRD(slices.Clone(b))
		j, _ := parseJRD(b)
		for _, list := range [][]Endpoint{x, j} {
			if len(list) > maxEndpoints {
				t.Errorf("%d endpoints", len(list))
			}
			for _, e := range list {
				scheme := map[Method]string{WebSocket: "wss://", BOSH: "https://"}[e.Method]
				if scheme == "" || !strings.HasPrefix(e.URL, scheme) || secure(e.URL, strings.TrimSuffix(scheme, "://")) != e.URL {
					t.Errorf("%q by %s", e.URL, e.Method)
				}
				if bytes.ContainsFunc([]byte(e.URL), func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
					t.Errorf("%q is not printable", e.URL)
				}
			}
		}
	})
}
