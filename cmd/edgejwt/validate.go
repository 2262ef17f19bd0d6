package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"edgejwt/cmd/edgejwt/validate"
)

func newValidateCommand() *cobra.Command {
	var asJSON, strict bool
	cmd := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Judge a configuration and what stands around it",
		Long: `validate finds every configuration of edgejwt in the files, judges it by the
plugin's own parser, and looks for what will bite around it: clusters without
TLS, certificates whose name nobody compares, filters in the wrong order, what
becomes of requests when the plugin fails.

It reads the configuration by itself (JSON or YAML), Envoy's bootstrap and files
of listeners and clusters, Istio's WasmPlugin with ServiceEntry and
DestinationRule, and Envoy Gateway's EnvoyExtensionPolicy. Files that belong
together are named together. "-" is the standard input.

Exit codes: 0 no error (with --strict: and no warning); 1 an error; 2 no
configuration of edgejwt in the files, or a file that is not there.`,
		Example: `  edgejwt validate envoy.yaml
  edgejwt validate wasmplugin.yaml serviceentry.yaml destinationrule.yaml
  edgejwt validate --json --strict - < policy.yaml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			files, err := readFiles(names, cmd.InOrStdin())
			if err != nil {
				return err
			}
			report := validate.Files(files)
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), report)
			} else {
				err = printReport(cmd.OutOrStdout(), report)
			}
			switch {
			case err != nil:
				return err
			case report.Count(validate.Error) > 0 || strict && report.Count(validate.Warning) > 0:
				return errBad
			case len(report.Places) == 0:
				return errors.New("no configuration of edgejwt in these files; one has auth0 or jwtRules in it")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	cmd.Flags().BoolVar(&strict, "strict", false, "exit with 1 for warnings too")
	return cmd
}

// readFiles reads each file; "-" is in.
func readFiles(names []string, in io.Reader) ([]validate.File, error) {
	var files []validate.File
	for _, name := range names {
		text, err := readFile(name, in)
		if err != nil {
			return nil, err
		}
		if name == "-" {
			name = "standard input"
		}
		files = append(files, validate.File{Name: name, Text: text})
	}
	return files, nil
}

// readFile reads one file; "-" is in.
func readFile(name string, in io.Reader) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(in)
	}
	return os.ReadFile(name)
}

func printReport(out io.Writer, report *validate.Report) error {
	for _, f := range report.Findings {
		where := ""
		if f.Path != "" {
			where = f.Path + ": "
		}
		fmt.Fprintf(out, "%s:%d: %s: %s%s\n", f.File, f.Line, f.Severity, where, f.What)
		if f.Why != "" {
			fmt.Fprintf(out, "    why:   %s\n", f.Why)
		}
		if f.Write != "" {
			fmt.Fprintf(out, "    write: %s\n", f.Write)
		}
	}
	for _, p := range report.Places {
		verdict := "the plugin refuses it"
		if p.Valid {
			verdict = "the plugin starts with it"
		}
		fmt.Fprintf(out, "%s:%d: %s: %s\n", p.File, p.Line, p.In, verdict)
	}
	_, err := fmt.Fprintf(out, "%s, %s, %s\n", count(report.Count(validate.Error), "error"),
		count(report.Count(validate.Warning), "warning"), count(report.Count(validate.Hint), "hint"))
	return err
}

// count writes a number with its noun.
func count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
