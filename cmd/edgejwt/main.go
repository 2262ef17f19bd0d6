// Command edgejwt checks configurations of the plugin and explains its decisions,
// without a proxy, by the code that runs in Envoy.
//
//	go install ./cmd/edgejwt
//	edgejwt validate envoy.yaml
//	edgejwt explain --config policy.yaml --request 'GET /orders/7' --token -
//
// It calls the plugin's own packages, config and authz, and would be wrong with any
// other version of them: its Go module takes them from the same clone. Each command
// has a file here, which reads flags and prints; the work is done by the package of the
// same name in a folder below. Nothing here is linked into the Wasm module.
//
// Every command exits with 0 when all is well (the configuration is good, the
// request passes), 1 when it is not (refused, invalid), and 2 when it was called
// wrongly or cannot tell (a file is missing, there are no keys to judge by).
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// The exit codes of every command.
const (
	exitOK     = 0
	exitBad    = 1
	exitCannot = 2
)

// errBad ends a command with exitBad when it has already printed why.
var errBad = errors.New("not good")

// run is the whole command line; it gives the exit code.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.Execute()
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errBad):
		return exitBad
	}
	fmt.Fprintln(errOut, "edgejwt: "+strings.TrimSpace(err.Error()))
	return exitCannot
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "edgejwt",
		Short: "Try edgejwt's configurations and decisions without a proxy",
		Long: `edgejwt tries configurations and requests without a proxy, by the very code that
the plugin runs at the edge.

Exit codes: 0 all is well; 1 refused or invalid; 2 wrong usage, or cannot tell.`,
		SilenceErrors: true, // run prints them
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		newValidateCommand(),
		newExplainCommand(),
		newConvertCommand(),
		newSchemaCommand(),
		newVersionCommand(),
	)
	return root
}
