//go:build !unix

package metrics

// usageOf knows nothing here.
func usageOf() (usage, bool) { return usage{}, false }
