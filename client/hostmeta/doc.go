// Package hostmeta finds the other ways to a domain's server, by WebSocket and by
// BOSH, where the DNS cannot be asked or its servers cannot be reached (XEP-0156).
//
//	endpoints, err := hostmeta.Find(ctx, jid.MustParse("example.org"), nil)
//
// A domain names them in a document that only its own web server can hand out: it
// is fetched over HTTPS alone, wherever that redirects to, and nothing is
// returned that is not protected by TLS itself. So whoever answers at an
// [Endpoint] with a certificate for the host of its URL speaks for the domain.
//
// It is a package of its own, because net/http is larger than all the rest of a client.
package hostmeta
