package client

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/parlance-xmpp/xmpp/stream"
)

// errNoServer is why a client ends whose server was in the same program.
var errNoServer = errors.New("client: the server has shut down")

// enter connects to a server in the same program, which asks for no proof.
func (d *dialing) enter(ctx context.Context, previous *stream.Conn) (*stream.Conn, error) {
	ctx, cancel := d.bound(ctx)
	defer cancel()
	own := d.account.Bare()
	d.event("connect", "the server in this program")
	nc, err := d.opts.Server.DialAccount(ctx, own)
	if errors.Is(err, net.ErrClosed) {
		return nil, fmt.Errorf("%w: %w", errNoServer, err)
	}
	if err != nil {
		return nil, classify(ctx, err)
	}
	config := d.config
	config.Previous, config.Features = previous, d.features()
	config.Proven, config.InsecurePlaintext = own, true
	conn, err := stream.Initiate(ctx, nc, &config)
	if err != nil {
		return nil, classify(ctx, err)
	}
	d.loggedIn = true
	return conn, nil
}
