package sasl

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"strings"
)

// scramClient is SCRAM from the client's side (RFC 5802 §5).
type scramClient struct {
	mechanism string
	hash      Hash
	creds     Credentials
	offer     Offer
	channel   *Channel
	min, max  int    // of iterations
	flag      string // the gs2-cbind-flag
	binding   string // the type that the flag names, "" if none

	step      scramStep
	nonce     string // ours; drawn by start unless a test has set it
	header    string // GS2
	firstBare string
	signature []byte // what the server has to prove itself with
}

type scramStep uint8

const (
	sendFirst  scramStep = iota
	awaitFirst           // of the server
	awaitFinal
	proven
)

func (c *scramClient) name() string { return c.mechanism }

func (c *scramClient) start() (initial []byte, err error) {
	username, err := prepare(c.creds.Username)
	if err != nil {
		return nil, fmt.Errorf("sasl: username: %w", err)
	}
	if c.header, err = gs2Header(c.flag, c.creds.Authzid); err != nil {
		return nil, err
	}
	if c.nonce == "" {
		c.nonce = rand.Text()
	}
	c.firstBare = "n=" + escapeName(username) + ",r=" + c.nonce
	c.step = awaitFirst
	return []byte(c.header + c.firstBare), nil
}

func (c *scramClient) next(challenge []byte) ([]byte, error) {
	switch c.step {
	case awaitFirst:
		return c.final(string(challenge))
	case awaitFinal: // a protocol that cannot send data with success sends it before
		if err := c.verify(challenge); err != nil {
			return nil, err
		}
		c.step = proven
		return []byte{}, nil
	}
	return nil, fail(ErrMalformed, "%s: challenge after the last", c.mechanism)
}

// final answers the server-first-message with the proof.
func (c *scramClient) final(challenge string) ([]byte, error) {
	first, err := parseServerFirst(challenge)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(first.nonce, c.nonce) || len(first.nonce) == len(c.nonce) {
		return nil, fail(ErrMalformed, "%s: the server's nonce does not extend ours", c.mechanism)
	}
	if first.iterations < c.min || first.iterations > c.max {
		return nil, fail(ErrIterations, "%s: %d iterations, not between %d and %d", c.mechanism, first.iterations, c.min, c.max)
	}
	if err := checkDowngrade(first, c.hash, c.offer, c.channel); err != nil {
		return nil, err
	}
	var bindingData []byte
	if c.binding != "" {
		if bindingData, err = c.channel.Binding(c.binding); err != nil {
			return nil, err
		}
	}
	salted, err := c.hash.saltPassword(c.creds.Password, first.salt, first.iterations)
	if err != nil {
		return nil, err
	}
	withoutProof := "c=" + encodeBase64(append([]byte(c.header), bindingData...)) + ",r=" + first.nonce
	authMessage := c.firstBare + "," + challenge + "," + withoutProof

	clientKey := c.hash.mac(salted, "Client Key")
	proof := c.hash.mac(c.hash.sum(clientKey), authMessage)
	subtle.XORBytes(proof, proof, clientKey)
	c.signature = c.hash.mac(c.hash.mac(salted, "Server Key"), authMessage)
	c.step = awaitFinal
	return []byte(withoutProof + ",p=" + encodeBase64(proof)), nil
}

// verify checks the server-final-message.
func (c *scramClient) verify(msg []byte) error {
	final, err := parseServerFinal(string(msg))
	switch {
	case err != nil:
		return err
	case final.err != "":
		return remoteError(final.err)
	case !hmac.Equal(final.verifier, c.signature):
		return fail(ErrServerNotProven, "%s: wrong server signature", c.mechanism)
	}
	return nil
}

func (c *scramClient) finish(additional []byte) error {
	switch {
	case c.step == proven && len(additional) == 0:
		return nil
	case c.step == awaitFinal && len(additional) > 0:
		return c.verify(additional)
	case c.step == proven:
		return fail(ErrMalformed, "%s: server signature sent twice", c.mechanism)
	}
	return fail(ErrServerNotProven, "%s: success without a server signature", c.mechanism)
}
