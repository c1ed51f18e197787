package layering

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// noCodec are the types with AppendXML that have nothing of their own to read back.
var noCodec = map[string]string{
	"stanza.Element":   "is what was read; FuzzRaw and TestTokens_Elements",
	"stanza.Raw":       "is what was read; FuzzRaw",
	"stanza.marshaled": "writes what others encode; TestStructTags",
	"stanza.tokens":    "writes what others encode; TestTokens",
}

// A type that writes itself has a test that reads it back: a fuzz test, or one
// with RoundTrip in its name, of its own package, that speaks of the type.
func TestCodecsReadBack(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	found := 0
	err = filepath.WalkDir(root, func(dir string, d os.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if dir != root {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") {
				return filepath.SkipDir // another module, or none
			}
		}
		written, readBack := codecs(t, dir)
		for name := range written {
			found++
			full := filepath.Base(dir) + "." + name
			if !readBack[name] && noCodec[full] == "" {
				t.Errorf("%s has AppendXML, and no Fuzz or RoundTrip test reads back what it writes", full)
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, found, 12)
}

// codecs returns the types of a folder that have AppendXML, and the names that its
// round-trip tests speak of.
func codecs(t *testing.T, dir string) (written, readBack map[string]bool) {
	t.Helper()
	written, readBack = map[string]bool{}, map[string]bool{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		isTest := strings.HasSuffix(file, "_test.go")
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			switch {
			case !ok:
			case !isTest && fn.Name.Name == "AppendXML" && fn.Recv != nil:
				written[receiver(fn)] = true
			case isTest && (strings.HasPrefix(fn.Name.Name, "Fuzz") || strings.Contains(fn.Name.Name, "RoundTrip")):
				ast.Inspect(fn, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok {
						readBack[id.Name] = true
					}
					return true
				})
			}
		}
	}
	return written, readBack
}

// receiver is the name of the type that a method belongs to.
func receiver(fn *ast.FuncDecl) string {
	typ := fn.Recv.List[0].Type
	if p, ok := typ.(*ast.StarExpr); ok {
		typ = p.X
	}
	if generic, ok := typ.(*ast.IndexExpr); ok {
		typ = generic.X
	}
	if id, ok := typ.(*ast.Ident); ok {
		return id.Name
	}
	return "?"
}
