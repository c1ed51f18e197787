// Package bench measures the library's XML layer against encoding/xml and
// libexpat, on the same bytes in one run, and holds it to budgets.
//
// All of it is in the tests: README.md shows the commands and the figures.
// libexpat takes part when the build tag expat is set, which needs a C compiler
// and Debian's libexpat1-dev.
//
// It is a module of its own, so that nothing of it reaches programs that use
// the library.
package bench
