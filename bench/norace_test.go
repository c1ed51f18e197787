//go:build !race

package bench

const pooled = true
