package sasl

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"slices"
	"strconv"
)

// scramServer is SCRAM from the server's side (RFC 5802 §5).
type scramServer struct {
	auth      *Authenticator
	mechanism string
	hash      Hash
	plus      bool
	offer     Offer
	channel   *Channel

	nonce       string // ours; drawn by first unless a test has set it
	answered    bool   // the server-first-message is out
	clientFirst clientFirst
	binding     []byte // cbind-input as it has to be
	fullNonce   string
	serverFirst string
	username    string // prepared
	account     account
}

func (s *scramServer) name() string { return s.mechanism }

func (s *scramServer) next(ctx context.Context, response []byte) ([]byte, *Identity, error) {
	if !s.answered {
		challenge, err := s.first(ctx, string(response))
		s.answered = true
		return challenge, nil, err
	}
	return s.final(ctx, string(response))
}

// first answers the client-first-message, for unknown accounts as for others.
func (s *scramServer) first(ctx context.Context, response string) (challenge []byte, err error) {
	if s.clientFirst, err = parseClientFirst(response); err != nil {
		return nil, err
	}
	bindingData, err := s.checkFlag()
	if err != nil {
		return nil, err
	}
	s.binding = append([]byte(s.clientFirst.raw), bindingData...)
	if s.username, err = s.auth.prepareUsername(s.clientFirst.username); err != nil {
		return nil, err
	}
	if s.account, err = s.auth.account(ctx, s.username, s.hash); err != nil {
		return nil, err
	}
	if s.nonce == "" {
		s.nonce = rand.Text()
	}
	s.fullNonce = s.clientFirst.nonce + s.nonce
	s.serverFirst = "r=" + s.fullNonce + ",s=" + encodeBase64(s.account.Salt) + ",i=" + strconv.Itoa(s.account.Iterations)
	if !s.auth.opts.OmitDowngradeProtection {
		s.serverFirst += downgradeAttributes(s.hash, s.offer, s.channel)
	}
	return []byte(s.serverFirst), nil
}

// checkFlag holds what the client thinks of channel binding against what was
// offered (§6). It returns the data to bind to, if any.
func (s *scramServer) checkFlag() ([]byte, error) {
	flag, binding := s.clientFirst.flag, s.clientFirst.gs2.binding
	switch {
	case s.plus != (flag == 'p'):
		return nil, fail(ErrMalformed, "%s: channel binding flag is %q", s.mechanism, flag)
	case flag == 'y' && s.offer.binds():
		return nil, fail(ErrNotAuthorized, "%s: the client has not seen the channel binding that was offered", s.mechanism)
	case flag != 'p':
		return nil, nil
	case len(s.offer.Bindings) > 0 && !slices.Contains(s.offer.Bindings, binding):
		return nil, fail(ErrNotAuthorized, "%s: channel binding %.40q was not offered", s.mechanism, binding)
	}
	data, err := s.channel.Binding(binding)
	if err != nil {
		return nil, &failure{kind: ErrNotAuthorized, text: s.mechanism, cause: err}
	}
	return data, nil
}

// final checks the proof and answers with ours.
func (s *scramServer) final(ctx context.Context, response string) ([]byte, *Identity, error) {
	final, err := parseClientFinal(response)
	if err != nil {
		return nil, nil, err
	}
	if final.nonce != s.fullNonce {
		return nil, nil, fail(ErrNotAuthorized, "%s: another nonce", s.mechanism)
	}
	if !hmac.Equal(final.binding, s.binding) {
		return nil, nil, fail(ErrNotAuthorized, "%s: channel bindings differ", s.mechanism)
	}
	authMessage := s.clientFirst.bare + "," + s.serverFirst + "," + final.withoutProof
	if err := s.account.verdict(s.provesKey(final.proof, authMessage)); err != nil {
		return nil, nil, err
	}
	id, err := s.auth.authorize(ctx, Identity{Username: s.username, Authzid: s.clientFirst.authzid})
	if err != nil {
		return nil, nil, err
	}
	signature := s.hash.mac(s.account.ServerKey, authMessage)
	return []byte("v=" + encodeBase64(signature)), id, nil
}

// provesKey reports whether a proof was made with the key whose hash is stored.
func (s *scramServer) provesKey(proof []byte, authMessage string) bool {
	clientKey := s.hash.mac(s.account.StoredKey, authMessage) // ClientSignature, until the XOR
	if len(proof) != len(clientKey) {
		return false
	}
	subtle.XORBytes(clientKey, clientKey, proof)
	return hmac.Equal(s.hash.sum(clientKey), s.account.StoredKey)
}
