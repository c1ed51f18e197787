//go:build race

package bench

// pooled is false where pools forget on purpose, as they do where races are
// looked for: then what is lent by them is allocated now and again.
const pooled = false
