//go:build unix

package store

import (
	"os"
	"syscall"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/config"
)

// give gives files that root has made in the folder to the owner of that: a command of root must not leave what the server, which is
// somebody else, cannot open. A root that may not do so keeps them.
func give(c *config.Config, names ...string) {
	folder, err := os.Stat(c.Data)
	if err != nil || os.Geteuid() != 0 {
		return
	}
	to := folder.Sys().(*syscall.Stat_t)
	for _, name := range names {
		info, err := os.Lstat(name)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if of := info.Sys().(*syscall.Stat_t); of.Uid == 0 && of.Nlink == 1 { // not what the owner has linked to
			_ = os.Lchown(name, int(to.Uid), int(to.Gid))
		}
	}
}
