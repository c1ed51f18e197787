package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/control"
	"github.com/parlance-xmpp/xmpp/cmd/xmppd/internal/portable"
	"github.com/parlance-xmpp/xmpp/jid"
)

func (p *program) export() *cobra.Command {
	of := ""
	c := &cobra.Command{
		Use: "export [FILE]", Short: "Write all accounts to a file that other servers read (XEP-0227)",
		Long: `Write accounts with their SCRAM secrets, contacts, offline messages, private
XML, vCards and blocklists to a file that other servers read (XEP-0227), or to
the standard output. Who has the file can pose as the server: keep it secret.`,
		Args: cobra.MaximumNArgs(1),
		RunE: p.run(func(ctx context.Context, args []string) error {
			d, err := domain(of)
			if err != nil {
				return err
			}
			return p.reach(ctx, func(o control.Operations) error {
				if len(args) == 0 || args[0] == "-" {
					return o.Export(ctx, p.stdout, d)
				}
				return exportTo(ctx, o, d, args[0])
			})
		}),
	}
	c.Flags().StringVar(&of, "domain", "", "only the accounts of a `domain`")
	return c
}

// exportTo writes a file, which is there when it is complete; into what is no file, such as a pipe or /dev/stdout, it writes as it goes.
func exportTo(ctx context.Context, o control.Operations, d jid.JID, name string) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(o.Export(ctx, f, d), f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".export-*") // for its owner only
	if err != nil {
		return err
	}
	err = o.Export(ctx, f, d)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func (p *program) imports() *cobra.Command {
	return &cobra.Command{
		Use: "import FILE", Short: "Read accounts from such a file",
		Long: `Read accounts from a file of XEP-0227 and from files that it includes; - is the
standard input. What is there already stays as it is, so that it can be done
again. Whatever was not read is said. Devices that are online see it at their
next login.`,
		Args: cobra.ExactArgs(1),
		RunE: p.run(func(ctx context.Context, args []string) error {
			return p.reach(ctx, func(o control.Operations) error {
				r, err := p.importFrom(ctx, o, args[0])
				return errors.Join(p.report(r), err)
			})
		}),
	}
}

// batch is how many bytes are handed over at a time, more or less.
const batch = 1 << 20

// importFrom reads a file and hands it over in parts.
func (p *program) importFrom(ctx context.Context, o control.Operations, name string) (*portable.Report, error) {
	all := portable.NewReport()
	var in io.Reader = p.stdin
	var open portable.Open
	if name != "-" {
		root, err := os.OpenRoot(filepath.Dir(name)) // nothing that lies elsewhere is included
		if err != nil {
			return all, err
		}
		defer root.Close()
		f, err := root.Open(filepath.Base(name))
		if err != nil {
			return all, err
		}
		defer f.Close()
		in, open = f, func(name string) (io.ReadCloser, error) { return root.Open(name) }
	}
	var part []portable.Piece
	size := 0
	hand := func() error {
		r, err := o.Import(ctx, part)
		if r != nil {
			all.Add(r)
		}
		part, size = part[:0], 0
		return err
	}
	for piece, err := range portable.Read(in, open) {
		if err != nil {
			return all, errors.Join(fmt.Errorf("%s: %w", name, err), hand())
		}
		part = append(part, piece)
		if size += len(piece.XML) + 200; size > batch {
			if err := hand(); err != nil {
				return all, err
			}
		}
	}
	return all, hand()
}

// report says what an import has done.
func (p *program) report(r *portable.Report) error {
	kinds := []portable.Kind{
		portable.Account, portable.Credentials, portable.Contact, portable.Request, portable.Message, portable.Private, portable.VCard, portable.Blocked,
	}
	for _, k := range kinds {
		if r.Kept[k]+r.Unchanged[k] > 0 {
			fmt.Fprintf(p.stdout, "%s: %d new, %d there already\n", k, r.Kept[k], r.Unchanged[k])
		}
	}
	for _, s := range r.Skips() {
		who := ""
		if !s.Addr.IsZero() {
			who = " " + s.Addr.String()
		}
		times := ""
		if n := r.Skipped[s]; n > 1 {
			times = fmt.Sprintf(" (%d times)", n)
		}
		fmt.Fprintf(p.stdout, "skipped%s: %s: %s%s\n", who, s.What, s.Why, times)
	}
	_, err := fmt.Fprintf(p.stdout, "%d skipped\n", count(r.Skipped))
	return err
}

func count(skipped map[portable.Skip]int) (n int) {
	for _, times := range skipped {
		n += times
	}
	return n
}
