//go:build linux

// Package pgtest starts a PostgreSQL for tests: a cluster in a temporary folder, on a socket there, without a
// network. It is one for each test process, and ends with it.
//
//	func TestMain(m *testing.M) { leaktest.Main(pgtest.Tests(m)) }
//
//	func TestX(t *testing.T) { db, err := sql.Open("pgx", pgtest.Database(t)); … }
package pgtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A cluster is a running PostgreSQL.
type cluster struct {
	bin, dir string
	as       *syscall.Credential // nil for the own user
	server   *exec.Cmd
}

var errNone = errors.New("there is no PostgreSQL (initdb) on this machine")

var (
	once      sync.Once
	running   *cluster
	failure   error
	databases atomic.Int32
)

// Tests are the tests of a package that use a cluster, for its TestMain.
func Tests(m *testing.M) interface{ Run() int } { return tests{m} }

type tests struct{ *testing.M }

// Run runs the tests, and stops the cluster if one was started.
func (m tests) Run() int {
	code := m.M.Run()
	if running != nil {
		running.stop()
	}
	return code
}

// Database returns the address of an empty database, which is dropped when the test ends. Where there is no PostgreSQL the
// test is skipped; with XMPP_POSTGRES=1, as in CI, it fails.
func Database(t testing.TB) string {
	t.Helper()
	once.Do(func() { running, failure = start() })
	if failure != nil {
		if errors.Is(failure, errNone) && os.Getenv("XMPP_POSTGRES") == "" {
			t.Skip(failure)
		}
		t.Fatal(failure)
	}
	name := fmt.Sprint("test", databases.Add(1))
	running.sql(t, "CREATE DATABASE "+name)
	t.Cleanup(func() { running.sql(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	return fmt.Sprintf("host=%s user=%s dbname=%s sslmode=disable", running.dir, superuser, name)
}

const superuser = "tester"

// start makes a cluster and waits until it answers.
func start() (*cluster, error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	c := &cluster{bin: bin}
	if c.dir, err = os.MkdirTemp("", "pg"); err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 { // which PostgreSQL refuses to be
		if c.as, err = postgres(); err != nil {
			return nil, err
		}
		if err := os.Chown(c.dir, int(c.as.Uid), int(c.as.Gid)); err != nil {
			return nil, err
		}
	}
	if out, err := c.command("initdb", "-D", filepath.Join(c.dir, "data"), "-U", superuser, "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("pgtest: initdb: %w\n%s", err, out)
	}
	if err := c.serve(); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

// serve starts the server and waits until it answers.
func (c *cluster) serve() error {
	c.server = c.command("postgres", "-D", filepath.Join(c.dir, "data"), "-k", c.dir, "-c", "listen_addresses=", "-c", "max_connections=200")
	var output strings.Builder
	c.server.Stderr = &output
	c.server.SysProcAttr.Pdeathsig = syscall.SIGQUIT // with the tests, however they end
	if err := c.server.Start(); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	for range 300 {
		if c.command("pg_isready", "-q", "-h", c.dir).Run() == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("pgtest: PostgreSQL does not start:\n%s", output.String())
}

// Crash ends the cluster in the middle of whatever it does, and starts it again. Connections are lost.
func Crash(t testing.TB) {
	t.Helper()
	_ = running.server.Process.Signal(syscall.SIGQUIT) // an immediate shutdown: the next start recovers
	_ = running.server.Wait()
	if err := running.serve(); err != nil {
		t.Fatal(err)
	}
}

// find returns the folder of PostgreSQL's programs, the newest if there are several.
func find() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.SortFunc(found, func(a, b string) int { return versionOf(b) - versionOf(a) })
	if p, err := exec.LookPath("initdb"); err == nil {
		found = append(found, p)
	}
	if len(found) == 0 {
		return "", errNone
	}
	return filepath.Dir(found[0]), nil
}

func versionOf(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// postgres is the user that Debian's package makes, or nobody.
func postgres() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(u.Uid)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.Atoi(u.Gid)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
	}
	return nil, errors.New("pgtest: PostgreSQL does not run as root, and there is no other user")
}

// command is a program of PostgreSQL's, run as its user.
func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as, Setpgid: true}
	return cmd
}

// sql runs a statement.
func (c *cluster) sql(t testing.TB, statement string) {
	t.Helper()
	if out, err := c.command("psql", "-q", "-h", c.dir, "-U", superuser, "-d", "postgres", "-c", statement).CombinedOutput(); err != nil {
		t.Fatalf("psql: %v\n%s", err, out)
	}
}

// stop stops the server and removes the folder.
func (c *cluster) stop() {
	if c.server != nil && c.server.Process != nil {
		_ = c.server.Process.Signal(syscall.SIGINT) // a fast shutdown
		_ = c.server.Wait()
	}
	if err := os.RemoveAll(c.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
	}
}
