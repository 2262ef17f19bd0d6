package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"edgejwt/plugin/version"
)

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long:  "version prints the version of edgejwt, its commit if the build has one, and Go's version.\n\nExit code: 0.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), which())
			return err
		},
	}
}

// which is the version, with the commit and the Go that it was built from and by
// where the build noted them.
func which() string {
	text := "edgejwt " + version.Number
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return text
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			text += " " + setting.Value
		}
	}
	return text + " " + info.GoVersion
}
