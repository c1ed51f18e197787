// Package stream negotiates XML streams (RFC 6120) and carries stanzas over them.
package stream
