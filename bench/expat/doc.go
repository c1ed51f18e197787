// Package expat reads XML with libexpat, the C library behind many XMPP servers
// and clients, to measure and to check against. It is empty unless the build tag
// expat is set; then it needs cgo and the files of Debian's libexpat1-dev.
package expat
