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
// same name in a folder below (bootstrap, for init). Nothing here is linked into the
// Wasm module.
//
// Every command exits with 0 when all is well (the configuration is good, the
// request passes), 1 when it is not (refused, invalid), and 2 when it was called
// wrongly or cannot tell (a file is missing, there are no keys).
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"edgejwt/cmd/edgejwt/style"
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

// refusal is an error that ends a command with exitBad.
type refusal struct{ error }

// run is the whole command line; it gives the exit code.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	command, err := root.ExecuteC()
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errBad):
		return exitBad
	}
	code := exitCannot
	if errors.As(err, new(refusal)) {
		code = exitBad
	}
	if wantsJSON(command, args) && !errors.As(err, new(printed)) {
		if err := printJSON(out, struct {
			Error string `json:"error"`
		}{message(err)}); err != nil {
			code = exitCannot
		}
	}
	fmt.Fprintln(errOut, style.For(errOut).Red("edgejwt:")+" "+message(err))
	return code
}

// message is what an error says, without white space around it.
func message(err error) string { return strings.TrimSpace(err.Error()) }

// printed is an error after a JSON document has been printed.
type printed struct{ error }

func (p printed) Unwrap() error { return p.error }

// wantsJSON reports whether --json was given. The arguments are searched too, because an
// unknown command or flag before it ends the parsing of flags.
func wantsJSON(command *cobra.Command, args []string) bool {
	flag := command.Flags().Lookup("json")
	return flag != nil && flag.Value.String() == "true" || slices.Contains(args, "--json")
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "edgejwt",
		Short: "Check edgejwt's configurations and explain its decisions without a proxy",
		Long: `edgejwt checks configurations and explains decisions without a proxy. It runs the
plugin's own code.

Exit codes of every command: 0 all is well; 1 refused or invalid; 2 wrong usage, or
no answer is possible (a file is missing, there are no keys).`,
		Example: `  edgejwt init --domain tenant.eu.auth0.com --audience https://api.example.com --upstream 127.0.0.1:8000 > my.yaml
  edgejwt validate my.yaml
  edgejwt explain --config my.yaml --request 'GET /orders'`,
		Version:       which(),
		SilenceErrors: true, // run prints them
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; %s --help lists the flags", err, cmd.CommandPath())
	})
	root.AddCommand(
		newInitCommand(),
		newValidateCommand(),
		newExplainCommand(),
		newConvertCommand(),
		newJSONCommand(),
		newSchemaCommand(),
		newVersionCommand(),
	)
	return root
}
