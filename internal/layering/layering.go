// Package layering holds the rules on which package may import which, drawn in
// docs/architecture.md, as a test.
package layering
