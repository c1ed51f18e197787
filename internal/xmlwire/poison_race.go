//go:build race

package xmlwire

const poison = true
