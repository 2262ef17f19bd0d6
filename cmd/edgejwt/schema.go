package main

import (
	"github.com/spf13/cobra"

	"edgejwt/cmd/edgejwt/schema"
)

func newSchemaCommand() *cobra.Command {
	var policy bool
	cmd := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration",
		Long: `schema prints the configuration's JSON Schema (draft 2020-12), for editors and
pipelines. It is made from the list of fields that the plugin's parser uses, and accepts
whatever the plugin accepts.

An editor with the YAML language server reads it from a comment in the file:

    # yaml-language-server: $schema=edgejwt.schema.json

Exit code: 0.`,
		Example: `  edgejwt schema > edgejwt.schema.json
  edgejwt schema --policy        # of a policy in an Envoy route's metadata`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text := schema.Configuration()
			if policy {
				text = schema.Policy()
			}
			_, err := cmd.OutOrStdout().Write(text)
			return err
		},
	}
	cmd.Flags().BoolVar(&policy, "policy", false, "the schema of a policy in the metadata of one of Envoy's routes")
	return cmd
}
