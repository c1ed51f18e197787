package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The guide shows code that is tested, and its commands print what it says.
func TestGuide(t *testing.T) {
	const root = "../.."
	var code strings.Builder
	for _, pattern := range []string{"examples/embedded/*.go", "examples/gamechat/main.go", "server/example_users_test.go", "client/example_inside_test.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			if strings.HasSuffix(file, "guide_test.go") {
				continue
			}
			b, err := os.ReadFile(file)
			require.NoError(t, err)
			code.Write(b)
		}
	}
	b, err := os.ReadFile(filepath.Join(root, "docs/embedding.md"))
	require.NoError(t, err)
	var shown, ran int
	var printed string // by the last command
	for i, part := range strings.Split(string(b), "```") {
		kind, block, _ := strings.Cut(part, "\n")
		switch {
		case i%2 == 0:
			for line := range strings.Lines(part) {
				command, ok := strings.CutPrefix(line, "    ")
				if !ok {
					continue
				}
				args := strings.Fields(command)
				require.Equal(t, "go", args[0])
				cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
				cmd.Dir = root
				out, err := cmd.Output()
				require.NoError(t, err, command)
				printed = string(out)
				ran++
			}
		case kind == "text":
			require.Equal(t, printed, block)
		default:
			require.Equal(t, "go", kind)
			require.Contains(t, code.String(), block)
			shown++
		}
	}
	require.Equal(t, 2, ran)
	require.Equal(t, 16, shown)
}
