package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/portable"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/watch"
	"github.com/parlance-xmpp/xmpp/jid"
)

// Socket is where commands reach the server that uses a folder.
func Socket(c *config.Config) string { return c.Path("xmppd.sock") }

// maxRequest bounds what is read at a time.
const maxRequest = 64 << 20

// A Door is a socket that others reach the server through.
type Door struct {
	path   string
	srv    *http.Server
	leave  context.CancelCauseFunc // ends what does not end by itself
	served chan error

	working sync.WaitGroup // on commands
}

// Listen opens the socket, which only the owner of the process can use. Whoever does so holds the folder's lock, so that what is there is
// nobody's any more.
func Listen(c *config.Config, live Live, log *slog.Logger) (*Door, error) {
	path := Socket(c)
	ln, err := private(path)
	if err != nil {
		return nil, fmt.Errorf("the socket for commands: %w", err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	d := &Door{path: path, leave: cancel, served: make(chan error, 1)}
	d.srv = &http.Server{
		Handler: d.counted(handler(live, log)), BaseContext: func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	go func() { d.served <- d.srv.Serve(ln) }()
	return d, nil
}

// private listens on a socket that never was anybody else's: it is made where nobody else can look, and then put into its place.
func private(path string) (net.Listener, error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".s") // which is for the owner only
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	hidden := filepath.Join(dir, "s")
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: hidden, Net: "unix"})
	if err != nil {
		return nil, named(hidden, err)
	}
	ln.SetUnlinkOnClose(false)
	if err = os.Chmod(hidden, 0o600); err == nil {
		err = os.Rename(hidden, path)
	}
	if err != nil {
		ln.Close()
		return nil, err
	}
	return ln, nil
}

// named is the error of who wants to use a socket of that name.
func named(path string, err error) error {
	if len(path) > 100 && errors.Is(err, syscall.EINVAL) { // there is room for about 107 bytes
		return fmt.Errorf("%w: the name is too long for a socket; choose a shorter folder for data", err)
	}
	return err
}

// counted notes who is at work.
func (d *Door) counted(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.working.Add(1)
		defer d.working.Done()
		h.ServeHTTP(w, r)
	})
}

// errStopped is the error of a command that the server did not wait for.
var errStopped = errors.New("the server has stopped in the middle of it")

// How long commands have that were given before the socket is closed, and who gave them to take the answer.
const (
	finish = 2 * time.Second
	take   = time.Second
)

// Close closes the socket and waits until nobody is served any more. What takes long is broken off, and who does not read is left.
func (d *Door) Close() error {
	late := time.AfterFunc(finish, func() { d.leave(errStopped) })
	defer late.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), finish+take)
	defer cancel()
	err := d.srv.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = d.srv.Close()
	}
	d.leave(errStopped)
	d.working.Wait()
	if served := <-d.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if failure := os.Remove(d.path); !errors.Is(failure, fs.ErrNotExist) { // maybe the folder was removed
		err = errors.Join(err, failure)
	}
	return err
}

// The arguments of commands.
type (
	userArgs struct {
		Addr     jid.JID `json:"jid"`
		Password string  `json:"password,omitempty"`
	}
	domainArgs struct {
		Domain jid.JID `json:"domain,omitzero"`
	}
	sessionArgs struct {
		Addr    jid.JID `json:"jid,omitzero"`
		Text    string  `json:"text,omitempty"`
		Content bool    `json:"content,omitempty"`
	}
	importArgs struct {
		Pieces []portable.Piece `json:"pieces"`
	}
	nothing struct{}
	closed  struct {
		Sessions int `json:"sessions"`
	}
	reloaded struct {
		Notes []string `json:"notes"`
	}
	imported struct {
		*portable.Report
		Skips []skipped
	}
	// skipped is a skip and how often.
	skipped struct {
		portable.Skip
		Count int
	}
)

// handler answers commands.
func handler(live Live, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	one(mux, "user/add", func(ctx context.Context, a userArgs) (nothing, error) {
		return nothing{}, live.AddUser(ctx, a.Addr, a.Password)
	})
	one(mux, "user/passwd", func(ctx context.Context, a userArgs) (nothing, error) {
		return nothing{}, live.SetPassword(ctx, a.Addr, a.Password)
	})
	one(mux, "user/disable", func(ctx context.Context, a userArgs) (nothing, error) {
		return nothing{}, live.SetDisabled(ctx, a.Addr, true)
	})
	one(mux, "user/enable", func(ctx context.Context, a userArgs) (nothing, error) {
		return nothing{}, live.SetDisabled(ctx, a.Addr, false)
	})
	one(mux, "user/delete", func(ctx context.Context, a userArgs) (nothing, error) {
		return nothing{}, live.DeleteUser(ctx, a.Addr)
	})
	many(mux, "user/list", func(ctx context.Context, a domainArgs) iter.Seq2[User, error] { return live.Users(ctx, a.Domain) })
	one(mux, "invite/new", live.Invite)
	many(mux, "session/list", func(ctx context.Context, a sessionArgs) iter.Seq2[Session, error] { return live.Sessions(ctx, a.Addr) })
	one(mux, "session/close", func(ctx context.Context, a sessionArgs) (closed, error) {
		n, err := live.CloseSessions(ctx, a.Addr, a.Text)
		return closed{n}, err
	})
	many(mux, "session/watch", func(ctx context.Context, a sessionArgs) iter.Seq2[watch.Line, error] {
		return func(yield func(watch.Line, error) bool) {
			err := live.Watch(ctx, a.Addr, a.Content, func(l watch.Line) error {
				if !yield(l, nil) {
					return errGone
				}
				return nil
			})
			if err != nil && !errors.Is(err, errGone) {
				yield(watch.Line{}, err)
			}
		}
	})
	one(mux, "status", func(ctx context.Context, _ nothing) (Status, error) { return live.Status(ctx) })
	one(mux, "reload", func(ctx context.Context, _ nothing) (reloaded, error) {
		notes, err := live.Reload(ctx)
		return reloaded{notes}, err
	})
	one(mux, "import", func(ctx context.Context, a importArgs) (imported, error) {
		r, err := live.Import(ctx, a.Pieces)
		i := imported{Report: r}
		if err == nil {
			for _, s := range r.Skips() {
				i.Skips = append(i.Skips, skipped{s, r.Skipped[s]})
			}
		}
		return i, err
	})
	mux.HandleFunc("POST /v1/export", func(w http.ResponseWriter, r *http.Request) { export(live, log, w, r) })
	return mux
}

// errGone is the error of who has gone.
var errGone = errors.New("control: nobody listens any more")

// one answers a command with one value.
func one[In, Out any](mux *http.ServeMux, name string, do func(context.Context, In) (Out, error)) {
	mux.HandleFunc("POST /v1/"+name, func(w http.ResponseWriter, r *http.Request) {
		in, ok := arguments[In](w, r)
		if !ok {
			return
		}
		out, err := do(r.Context(), in)
		if err != nil {
			refuse(w, because(r.Context(), err))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out)
	})
}

// A line is one of an answer of many.
type line[T any] struct {
	Value *T     `json:"value,omitempty"`
	Error *Error `json:"error,omitempty"`
	End   bool   `json:"end,omitempty"`
}

// many answers a command with lines.
func many[In, Out any](mux *http.ServeMux, name string, do func(context.Context, In) iter.Seq2[Out, error]) {
	mux.HandleFunc("POST /v1/"+name, func(w http.ResponseWriter, r *http.Request) {
		in, ok := arguments[In](w, r)
		if !ok {
			return
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		e, flusher := json.NewEncoder(w), http.NewResponseController(w)
		for v, err := range do(r.Context(), in) {
			l := line[Out]{Value: &v}
			if err != nil {
				l = line[Out]{Error: errorOf(because(r.Context(), err))}
			}
			if e.Encode(l) != nil || flusher.Flush() != nil || err != nil {
				return
			}
		}
		_ = e.Encode(line[Out]{End: true})
	})
}

// arguments reads those of a command. It is false when they were refused.
func arguments[In any](w http.ResponseWriter, r *http.Request) (in In, ok bool) {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil && !errors.Is(err, io.EOF) {
		refuse(w, fmt.Errorf("%w: %w", ErrInvalid, err))
		return in, false
	}
	return in, true
}

// because is the error of a command with the reason, if it was broken off.
func because(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// refuse answers with an error.
func refuse(w http.ResponseWriter, err error) {
	e := errorOf(err)
	code := map[string]int{"not-found": http.StatusNotFound, "exists": http.StatusConflict, "invalid": http.StatusBadRequest}[e.Kind]
	if code == 0 {
		code = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(line[nothing]{Error: e})
}

// failure is the trailer that says what has gone wrong after all went well for a while.
const failure = "Xmppd-Error"

func export(live Live, log *slog.Logger, w http.ResponseWriter, r *http.Request) {
	in, ok := arguments[domainArgs](w, r)
	if !ok {
		return
	}
	out := &begun{ResponseWriter: w}
	err := because(r.Context(), live.Export(r.Context(), out, in.Domain))
	switch {
	case err == nil:
	case !out.something:
		refuse(w, err)
	default:
		log.Error("an export was broken off", "err", err)
		w.Header().Set(http.TrailerPrefix+failure, err.Error())
	}
}

// begun notes that something was written.
type begun struct {
	http.ResponseWriter
	something bool
}

func (b *begun) Write(p []byte) (int, error) {
	if !b.something {
		b.Header().Set("Content-Type", "application/xml; charset=utf-8")
	}
	b.something = true
	return b.ResponseWriter.Write(p)
}
