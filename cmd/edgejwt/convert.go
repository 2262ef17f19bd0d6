package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"edgejwt/cmd/edgejwt/convert"
)

func newConvertCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "convert [FILE]",
		Short: "Turn another filter's configuration into edgejwt's",
		Long: `convert reads the configuration of another filter, and writes one for edgejwt:

  - Envoy's jwt_authn, alone or in a listener or bootstrap, with the RBAC filters behind it
  - Istio's RequestAuthentication with the AuthorizationPolicies of the same workload
  - Envoy Gateway's SecurityPolicy

The output is never laxer than the input without a comment. What edgejwt cannot express
becomes stricter, with a comment. Where that is impossible, nothing is written. Without
a file, standard input is read.

Exit codes: 0 the configuration is written; 2 wrong usage, or it cannot be converted.`,
		Example: `  edgejwt convert envoy.yaml > edgejwt.yaml
  kubectl get requestauthentication,authorizationpolicy -n shop -o yaml | edgejwt convert
  edgejwt convert --json listener.yaml | jq .routes`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := "-"
			if len(args) > 0 {
				name = args[0]
			}
			text, err := readFile(name, cmd.InOrStdin())
			if err != nil {
				return err
			}
			result, err := convert.Convert(text)
			if err != nil {
				return err
			}
			if !asJSON {
				_, err = cmd.OutOrStdout().Write(result.YAML)
				return err
			}
			for _, comment := range result.Comments {
				fmt.Fprintln(cmd.ErrOrStderr(), "# "+comment)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), string(result.JSON))
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON, and the comments to standard error")
	return cmd
}
