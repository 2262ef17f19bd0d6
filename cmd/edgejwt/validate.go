package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"edgejwt/cmd/edgejwt/style"
	"edgejwt/cmd/edgejwt/validate"
)

func newValidateCommand() *cobra.Command {
	var asJSON, strict bool
	cmd := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Check a configuration and what surrounds it",
		Long: `validate finds every configuration of edgejwt in the files and checks it with the
plugin's own parser. Then it looks for mistakes around it: clusters without TLS,
certificates whose name is not checked, filters in the wrong order, requests that
pass when the plugin fails.

It reads configurations of edgejwt (JSON or YAML), Envoy's bootstrap and files of
listeners and clusters, Istio's WasmPlugin with ServiceEntry and DestinationRule,
and Envoy Gateway's EnvoyExtensionPolicy. Give files that belong together in one
call. A file whose name ends in .json must be JSON. "-" is the standard input.

Exit codes: 0 no error (with --strict: and no warning); 1 an error; 2 no
configuration of edgejwt in the files, or a file that is not there.`,
		Example: `  edgejwt validate envoy.yaml
  edgejwt validate wasmplugin.yaml serviceentry.yaml destinationrule.yaml
  edgejwt validate --json --strict - < policy.yaml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			files, unread := readFiles(names, cmd.InOrStdin())
			if unread != nil && !asJSON {
				return unread
			}
			v := validation{Report: validate.Files(files)}
			isBad := v.Count(validate.Error) > 0 || strict && v.Count(validate.Warning) > 0
			cannot := unread
			if cannot == nil && !isBad && len(v.Places) == 0 {
				cannot = errors.New("no configuration of edgejwt in these files; one has auth0 or jwtRules in it")
			}
			var err error
			if asJSON {
				if cannot != nil {
					v.Error = message(cannot)
				}
				err = printJSON(cmd.OutOrStdout(), v)
			} else {
				err = printReport(cmd.OutOrStdout(), v.Report)
			}
			switch {
			case err != nil:
				return err
			case cannot != nil:
				return printed{cannot}
			case isBad:
				return errBad
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the report as JSON")
	cmd.Flags().BoolVar(&strict, "strict", false, "exit with 1 for warnings too")
	return cmd
}

// validation is a report, and what kept the command from a verdict.
type validation struct {
	*validate.Report
	Error string `json:"error,omitempty"`
}

// printReport prints a report for people. A reason that several findings have is printed
// with the first of them.
func printReport(out io.Writer, report *validate.Report) error {
	paint := style.For(out)
	colour := map[validate.Severity]func(string) string{validate.Error: paint.Red, validate.Warning: paint.Yellow, validate.Hint: paint.Cyan}
	explained := map[string]bool{}
	for _, f := range report.Findings {
		what, at := f.What, f.Path
		if f.Field != "" {
			what, at = f.Field+": "+f.What, strings.TrimSuffix(strings.TrimSuffix(f.Path, f.Field), " ")
		}
		fmt.Fprintf(out, "%s:%d: %s %s\n", f.File, f.Line, colour[f.Severity](string(f.Severity)+":"), what)
		if f.Why != "" && !explained[f.Why] {
			explained[f.Why] = true
			fmt.Fprintf(out, "    why:   %s\n", f.Why)
		}
		if f.Write != "" {
			fmt.Fprintf(out, "    write: %s\n", f.Write)
		}
		if at != "" {
			fmt.Fprintf(out, "    %s\n", paint.Faint("at:    "+at))
		}
	}
	for _, p := range report.Places {
		verdict := paint.Red("the plugin refuses it")
		if p.Valid {
			verdict = paint.Green("the plugin starts with it")
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
