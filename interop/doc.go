// Package interop runs the library against other XMPP software on loopback:
// our client on Prosody and ejabberd, and other people's clients on our server.
//
// The tests need that software and start it themselves. They run when
// XMPP_INTEROP=1 is set, and then a missing program is a failure; otherwise
// they are skipped. On Debian, .ci/run interop installs what is needed:
//
//	XMPP_INTEROP=1 go test ./interop
//
// Scenarios are conversations by raw streams, played on Prosody, on ejabberd and on our
// server, which have to agree on what the RFCs decide. Those on ours run always. What the others do
// differently is in a table, from which docs/deviations.md is made:
//
//	go generate ./interop
package interop
