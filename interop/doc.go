// Package interop runs the library against other XMPP software on loopback:
// our client on Prosody and ejabberd, and other people's clients on our server.
//
// The tests need that software and start it themselves. They run when
// XMPP_INTEROP=1 is set, and then a missing program is a failure; otherwise
// they are skipped. On Debian, .ci/run interop installs what is needed:
//
//	XMPP_INTEROP=1 go test ./interop
package interop
