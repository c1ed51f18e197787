package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net"
	"net/http"
	"syscall"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/portable"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/watch"
	"github.com/parlance-xmpp/xmpp/jid"
)

// A Client does things to a server that runs elsewhere on the machine.
type Client struct{ http *http.Client }

var _ Live = (*Client)(nil)

// Dial returns a client of the server that uses the folder of a config. [ErrNotRunning] when there is none.
func Dial(ctx context.Context, c *config.Config) (*Client, error) {
	path := Socket(c)
	dial := func(ctx context.Context) (net.Conn, error) { return new(net.Dialer).DialContext(ctx, "unix", path) }
	nc, err := dial(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, ErrNotRunning
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("the folder %s is somebody else's: run the command as the user of the server (%w)", c.Data, err)
	case err != nil:
		return nil, named(path, err)
	}
	nc.Close()
	return &Client{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}}}, nil
}

// Close ends its connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// post sends a command and returns the answer, unless that is an error.
func (c *Client) post(ctx context.Context, name string, in any) (*http.Response, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://xmppd/v1/"+name, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return nil, fmt.Errorf("the server stopped before it has answered; see whether it is done, or try again (%w)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("the server does not answer: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	var l line[nothing]
	if err := json.NewDecoder(resp.Body).Decode(&l); err != nil || l.Error == nil {
		return nil, fmt.Errorf("the server does not know %q (%s): it is of another version", name, resp.Status)
	}
	return nil, l.Error
}

// ask sends a command and reads the answer into out.
func (c *Client) ask(ctx context.Context, name string, in, out any) error {
	resp, err := c.post(ctx, name, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("the server's answer: %w", err)
	}
	return nil
}

// lines sends a command and yields the answer. The error comes last; it is io.ErrUnexpectedEOF when the server stopped in the middle.
func lines[T any](ctx context.Context, c *Client, name string, in any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		resp, err := c.post(ctx, name, in)
		if err != nil {
			yield(none, err)
			return
		}
		defer resp.Body.Close()
		for d := json.NewDecoder(resp.Body); ; {
			var l line[T]
			err := d.Decode(&l)
			switch {
			case errors.Is(err, io.EOF):
				err = io.ErrUnexpectedEOF
			case err == nil && l.Error != nil:
				err = l.Error
			case err == nil && l.End:
				return
			case err == nil && l.Value == nil:
				err = errors.New("the server's answer makes no sense")
			}
			if err != nil {
				yield(none, err)
				return
			}
			if !yield(*l.Value, nil) {
				return
			}
		}
	}
}

// AddUser implements [Operations].
func (c *Client) AddUser(ctx context.Context, addr jid.JID, password string) error {
	return c.ask(ctx, "user/add", userArgs{addr, password}, &nothing{})
}

// SetPassword implements [Operations].
func (c *Client) SetPassword(ctx context.Context, addr jid.JID, password string) error {
	return c.ask(ctx, "user/passwd", userArgs{addr, password}, &nothing{})
}

// SetDisabled implements [Operations].
func (c *Client) SetDisabled(ctx context.Context, addr jid.JID, disabled bool) error {
	name := "user/enable"
	if disabled {
		name = "user/disable"
	}
	return c.ask(ctx, name, userArgs{Addr: addr}, &nothing{})
}

// DeleteUser implements [Operations].
func (c *Client) DeleteUser(ctx context.Context, addr jid.JID) error {
	return c.ask(ctx, "user/delete", userArgs{Addr: addr}, &nothing{})
}

// Users implements [Operations].
func (c *Client) Users(ctx context.Context, domain jid.JID) iter.Seq2[User, error] {
	return lines[User](ctx, c, "user/list", domainArgs{domain})
}

// Invite implements [Operations].
func (c *Client) Invite(ctx context.Context, r InviteRequest) (i Invitation, err error) {
	err = c.ask(ctx, "invite/new", r, &i)
	return i, err
}

// Export implements [Operations].
func (c *Client) Export(ctx context.Context, w io.Writer, domain jid.JID) error {
	resp, err := c.post(ctx, "export", domainArgs{domain})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(w, resp.Body); err != nil {
		return err
	}
	if text := resp.Trailer.Get(failure); text != "" {
		return errors.New(text)
	}
	return nil
}

// Import implements [Operations].
func (c *Client) Import(ctx context.Context, pieces []portable.Piece) (*portable.Report, error) {
	out := imported{Report: portable.NewReport()}
	if err := c.ask(ctx, "import", importArgs{pieces}, &out); err != nil {
		return nil, err
	}
	for _, s := range out.Skips {
		out.Skipped[s.Skip] += s.Count
	}
	return out.Report, nil
}

// Sessions implements [Live].
func (c *Client) Sessions(ctx context.Context, addr jid.JID) iter.Seq2[Session, error] {
	return lines[Session](ctx, c, "session/list", sessionArgs{Addr: addr})
}

// CloseSessions implements [Live].
func (c *Client) CloseSessions(ctx context.Context, addr jid.JID, text string) (int, error) {
	var out closed
	err := c.ask(ctx, "session/close", sessionArgs{Addr: addr, Text: text}, &out)
	return out.Sessions, err
}

// Watch implements [Live].
func (c *Client) Watch(ctx context.Context, addr jid.JID, content bool, show func(watch.Line) error) error {
	for l, err := range lines[watch.Line](ctx, c, "session/watch", sessionArgs{Addr: addr, Content: content}) {
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			err = show(l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Status implements [Live].
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	err = c.ask(ctx, "status", nothing{}, &s)
	return s, err
}

// Reload implements [Live].
func (c *Client) Reload(ctx context.Context) ([]string, error) {
	var out reloaded
	err := c.ask(ctx, "reload", nothing{}, &out)
	return out.Notes, err
}
