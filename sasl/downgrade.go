package sasl

import (
	"fmt"
	"slices"
	"strings"
)

// downgradeAttributes are the SCRAM extensions by which a server repeats, under
// the protection of the password, what it offered (XEP-0474 §4) and the TLS
// version it speaks (XEP-0515 §4).
func downgradeAttributes(h Hash, offer Offer, channel *Channel) string {
	attrs := ",h=" + offerHash(h, offer)
	if version := tlsVersion(channel); version != "" {
		attrs += ",t=" + version
	}
	return attrs
}

// checkDowngrade compares them with what the client saw. A server need not send
// them. An attacker who leaves them out, or makes them up, changes AuthMessage:
// the exchange fails.
func checkDowngrade(first serverFirst, h Hash, offer Offer, channel *Channel) error {
	if first.offerHash != "" && first.offerHash != offerHash(h, offer) {
		return fmt.Errorf("%w: the server offered something else", ErrDowngrade)
	}
	if mine := tlsVersion(channel); mine != "" && first.tlsVersion != "" && first.tlsVersion != mine {
		return fmt.Errorf("%w: the server speaks TLS %.8q, this side %q", ErrDowngrade, first.tlsVersion, mine)
	}
	return nil
}

// offerHash hashes the sorted names of an offer, with separators that no XML
// can hold.
func offerHash(h Hash, offer Offer) string {
	join := func(names []string) string { return strings.Join(slices.Sorted(slices.Values(names)), "\x1e") }
	s := join(offer.Mechanisms)
	if len(offer.Bindings) > 0 {
		s += "\x1f" + join(offer.Bindings)
	}
	return encodeBase64(h.sum([]byte(s)))
}

// tlsVersion is the number of the TLS version in hexadecimal, "" without TLS.
func tlsVersion(channel *Channel) string {
	if channel == nil || channel.TLS == nil || channel.TLS.Version == 0 {
		return ""
	}
	return fmt.Sprintf("%04x", channel.TLS.Version)
}
