package hostmeta_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/parlance-xmpp/xmpp/client/hostmeta"
	"github.com/parlance-xmpp/xmpp/jid"
)

// document stands for the domain's web server.
type document string

func (d document) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(d))), Request: r}, nil
}

func ExampleFind() {
	transport := document(`<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>
  <Link rel='urn:xmpp:alt-connections:xbosh' href='https://web.example.com:5280/bosh'/>
  <Link rel='urn:xmpp:alt-connections:websocket' href='wss://web.example.com:443/ws'/>
</XRD>`)
	endpoints, err := hostmeta.Find(context.Background(), jid.MustParse("example.com"), &hostmeta.Options{Transport: transport})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range endpoints {
		fmt.Println(e.Method, e.URL)
	}
	// Output:
	// urn:xmpp:alt-connections:websocket wss://web.example.com:443/ws
	// urn:xmpp:alt-connections:xbosh https://web.example.com:5280/bosh
}
