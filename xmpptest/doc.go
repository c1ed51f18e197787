// Package xmpptest is for tests of programs that speak XMPP.
//
// # A server
//
// [NewServer] starts a whole server inside the test, without a socket; its
// clients log in over verified TLS as they would anywhere:
//
//	srv := xmpptest.NewServer(t)
//	bot := srv.Dial(t, "bot", mux)      // an account made on the spot
//	user := srv.Dial(t, "juliet", nil)
//
// # A pipe
//
// [Pipe] joins two sessions in memory, without server or login: what one sends
// the other receives. It suits tests of extensions, both halves at once.
//
// # A payload
//
// [RoundTrip] holds what reads and writes itself to that: what was read is written, and reads back.
//
// # A transcript
//
// [Play] and [PlayHandler] hold a program to a conversation that anyone who
// reads the specification can review:
//
//	# testdata/ping.xmpp, from XEP-0199 §4.2
//	C: <iq type='get' id='$id' to='example.org'><ping xmlns='urn:xmpp:ping'/></iq>
//	S: <iq type='result' id='$id' from='example.org'/>
//
// C: is the side under test, S: the other one, played by the transcript. Elements
// go on over lines until the next label. They are compared parsed, so quotes,
// order of attributes and blanks between elements do not matter. $name stands for whatever is
// there when it is first seen, and for the same from then on. Lines
// before the first label may set the addresses:
//
//	local: juliet@example.org/balcony
//	remote: example.org
//
// With XMPPTEST_UPDATE=1 in the environment the C: lines are written anew from
// what the program did; read the difference before you believe it.
package xmpptest
