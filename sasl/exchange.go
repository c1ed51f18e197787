package sasl

import "context"

// maxMessage bounds a message of the peer, in bytes. The largest honest ones
// carry a token.
const maxMessage = 64 << 10

// clientMechanism is what differs between mechanisms on the client's side.
// clientExchange calls it in order and never again after an error.
type clientMechanism interface {
	name() string
	start() ([]byte, error)
	next(challenge []byte) ([]byte, error)
	finish(additional []byte) error
}

// clientExchange makes a [Client] of a mechanism: it refuses calls out of order.
type clientExchange struct {
	mech  clientMechanism
	phase phase
}

type phase uint8

const (
	fresh phase = iota
	asked       // server: the client has been asked for its initial response
	running
	over
)

func (c *clientExchange) Name() string { return c.mech.name() }

func (c *clientExchange) Start() ([]byte, error) {
	if c.phase != fresh {
		return nil, c.outOfOrder("start")
	}
	initial, err := c.mech.start()
	return initial, c.then(err)
}

func (c *clientExchange) Next(challenge []byte) ([]byte, error) {
	if c.phase != running {
		return nil, c.outOfOrder("challenge")
	}
	if len(challenge) > maxMessage {
		c.phase = over
		return nil, fail(ErrMalformed, "%s: challenge of %d bytes", c.Name(), len(challenge))
	}
	response, err := c.mech.next(challenge)
	return response, c.then(err)
}

func (c *clientExchange) Finish(additional []byte) error {
	if c.phase != running {
		return c.outOfOrder("success")
	}
	c.phase = over
	if len(additional) > maxMessage {
		return fail(ErrMalformed, "%s: additional data of %d bytes", c.Name(), len(additional))
	}
	return c.mech.finish(additional)
}

func (c *clientExchange) then(err error) error {
	c.phase = running
	if err != nil {
		c.phase = over
	}
	return err
}

func (c *clientExchange) outOfOrder(what string) error {
	c.phase = over
	return fail(ErrMalformed, "%s: %s out of order", c.Name(), what)
}

// oneMessage is the rest of a client mechanism that says all in its initial
// response.
type oneMessage struct{}

func (oneMessage) next([]byte) ([]byte, error) {
	return nil, fail(ErrMalformed, "challenge to a mechanism that has none")
}

func (oneMessage) finish(additional []byte) error {
	if len(additional) > 0 {
		return fail(ErrMalformed, "success with additional data in a mechanism that has none")
	}
	return nil
}

// serverMechanism is what differs between mechanisms on the server's side.
// serverExchange calls it in order and never again after an error. All
// mechanisms here let the client speak first.
type serverMechanism interface {
	name() string
	// next returns an identity when done.
	next(ctx context.Context, response []byte) (challenge []byte, id *Identity, err error)
}

// serverExchange makes a [Server] of a mechanism: it asks for an initial response
// that was not sent, and refuses calls out of order.
type serverExchange struct {
	mech  serverMechanism
	phase phase
	id    Identity
}

func (s *serverExchange) Name() string       { return s.mech.name() }
func (s *serverExchange) Identity() Identity { return s.id }

func (s *serverExchange) Next(ctx context.Context, response []byte) (challenge []byte, done bool, err error) {
	if s.phase == over {
		return nil, false, fail(ErrMalformed, "%s: response out of order", s.Name())
	}
	if s.phase == fresh && response == nil {
		s.phase = asked
		return []byte{}, false, nil
	}
	s.phase = over // until it goes well
	if len(response) > maxMessage {
		return nil, false, fail(ErrMalformed, "%s: response of %d bytes", s.Name(), len(response))
	}
	challenge, id, err := s.mech.next(ctx, response)
	switch {
	case err != nil:
		return nil, false, err
	case id != nil:
		s.id = *id
		return challenge, true, nil
	}
	s.phase = running
	return challenge, false, nil
}

// authorize is the last step of every mechanism.
func (a *Authenticator) authorize(ctx context.Context, id Identity) (*Identity, error) {
	if id.Username == "" {
		return nil, fail(ErrNotAuthorized, "credentials without an account")
	}
	if err := a.opts.Authorize(ctx, id); err != nil {
		return nil, storeError(err)
	}
	return &id, nil
}

// prepareUsername prepares the username of a client.
func (a *Authenticator) prepareUsername(username string) (string, error) {
	prepared, err := a.opts.PrepareUsername(username)
	if err != nil || prepared == "" {
		return "", &failure{kind: ErrNotAuthorized, text: "username cannot be prepared", cause: err}
	}
	return prepared, nil
}
