package layering

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/parlance-xmpp/xmpp"

// A listed package, as go list prints it.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// list returns the packages of the core module.
func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", module+"/...").Output()
	require.NoError(t, err)
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else {
			require.NoError(t, err)
		}
		all = append(all, p)
	}
}

// in reports whether a package of the module is one of the given folders or
// below one.
func in(path string, folders ...string) bool {
	path = strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	return slices.ContainsFunc(folders, func(f string) bool {
		return path == f || f != "" && strings.HasPrefix(path, f+"/")
	})
}

// Nouns and verbs open no socket, so extensions work on every session and are
// tested without one. What they depend on is either here too or somebody
// else's: mellium.im/xmlstream brings in net for its error values.
func TestExtensionsOpenNoSocket(t *testing.T) {
	for _, p := range list(t) {
		if !in(p.ImportPath, "", "jid", "stanza", "muxer", "module", "roster", "presence", "xep", "internal/xmlwire", "internal/xmltags") {
			continue
		}
		for _, imp := range p.Imports {
			if imp == "net" || imp == "crypto/tls" || imp == "os/exec" || imp == "net/http" {
				t.Errorf("%s imports %s", p.ImportPath, imp)
			}
		}
		for _, dep := range p.Deps {
			if in(dep, "server/storage", "sasl") && in(p.ImportPath, "module", "xep") {
				continue // what is kept, and under which name: interfaces and values
			}
			if in(dep, "stream", "client", "component", "server", "sasl", "internal/session") && strings.HasPrefix(dep, module) {
				t.Errorf("%s depends on %s", p.ImportPath, dep)
			}
		}
	}
}

// Roles know no extension. The server's own work includes the roster (RFC 6121
// §2), and it assembles a default mux.
func TestRolesKnowNoExtension(t *testing.T) {
	for _, p := range list(t) {
		if !in(p.ImportPath, "sasl", "stream", "client", "component", "internal/session", "server") || in(p.ImportPath, "server/servertest", "server/usual") {
			continue
		}
		allowed := []string{}
		if p.ImportPath == module+"/server" {
			allowed = []string{"muxer", "module", "roster", "xep/delay", "xep/disco", "xep/ping"}
		}
		for _, imp := range p.Imports {
			if in(imp, "muxer", "roster", "presence", "xep") && strings.HasPrefix(imp, module) && !in(imp, allowed...) {
				t.Errorf("%s imports %s", p.ImportPath, imp)
			}
		}
	}
}

// Package sasl knows nothing of XMPP, and jid, xmlwire and xmltags nothing of what
// is built on them.
func TestFoundations(t *testing.T) {
	for _, p := range list(t) {
		if !in(p.ImportPath, "sasl", "jid", "internal/xmlwire", "internal/xmltags") {
			continue
		}
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, module) && !in(dep, "sasl", "internal/xmlwire") {
				t.Errorf("%s depends on %s", p.ImportPath, dep)
			}
		}
	}
}

// Testing tools stay out of programs.
func TestProgramsDoNotImportTesting(t *testing.T) {
	for _, p := range list(t) {
		if in(p.ImportPath, "xmpptest", "internal/leaktest", "internal/pgtest", "server/servertest", "server/cluster/clustertest", "internal/layering", "internal/conformance", "interop", "server/storage/storagetest") {
			continue
		}
		if slices.Contains(p.Deps, "testing") {
			t.Errorf("%s depends on testing", p.ImportPath)
		}
	}
}

// Requirements stay few; whatever needs more is a module of its own.
func TestRequirements(t *testing.T) {
	allowed := []string{
		"golang.org/x/crypto", "golang.org/x/net", "golang.org/x/text",
		"mellium.im/xmlstream", "github.com/coder/websocket", "github.com/stretchr/testify",
	}
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	require.NoError(t, err)
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	require.NoError(t, json.Unmarshal(out, &mod))
	require.NotEmpty(t, mod.Require)
	for _, r := range mod.Require {
		if !r.Indirect && !slices.Contains(allowed, r.Path) {
			t.Errorf("the core requires %s", r.Path)
		}
	}
}

// Every random number here is a secret or may become one.
func TestRandomNumbers(t *testing.T) {
	for _, p := range list(t) {
		for _, imp := range p.Imports {
			if strings.HasPrefix(imp, "math/rand") {
				t.Errorf("%s imports %s; use crypto/rand", p.ImportPath, imp)
			}
		}
	}
}
