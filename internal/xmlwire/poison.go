//go:build !race

package xmlwire

// poison makes readers overwrite what they have lent when the lease ends.
const poison = false
