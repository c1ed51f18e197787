package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// help says how a command is used, on less than a screen.
func help(c *cobra.Command, _ []string) {
	out := c.OutOrStdout()
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	fmt.Fprintf(out, "%s\n\nUsage: %s", text, strings.TrimSuffix(c.UseLine(), " [flags]"))
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(out, " COMMAND\n\n")
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(out, "  %-12s%s\n", sub.Name(), sub.Short)
			}
		}
	} else {
		fmt.Fprintln(out)
	}
	var flags []string
	add := func(f *pflag.Flag) {
		if !f.Hidden {
			value, usage := pflag.UnquoteUsage(f)
			flags = append(flags, fmt.Sprintf("  %-20s%s", strings.TrimSpace("-"+f.Name+" "+value), usage))
		}
	}
	c.LocalNonPersistentFlags().VisitAll(add)
	c.InheritedFlags().VisitAll(add)
	if !c.HasParent() {
		c.PersistentFlags().VisitAll(add)
	}
	if len(flags) > 0 {
		fmt.Fprintf(out, "\n%s\n", strings.Join(flags, "\n"))
	}
	if c.Example != "" {
		fmt.Fprintf(out, "\nSuch as: %s\n", c.Example)
	}
}
