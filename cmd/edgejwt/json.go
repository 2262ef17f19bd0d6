package main

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"edgejwt/plugin/config"
)

func newJSONCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "json FILE",
		Short: "Write a configuration as JSON, for Envoy's StringValue",
		Long: `json reads a configuration of edgejwt, in YAML or JSON, and writes it as JSON: the
value of the google.protobuf.StringValue that Envoy passes to the plugin. It also takes
the configuration out of a WasmPlugin, an EnvoyExtensionPolicy or a bootstrap. "-" is
the standard input. What the plugin would refuse is not written.

Exit codes: 0 the configuration is written; 1 the plugin refuses it; 2 wrong usage, or
no configuration of edgejwt in the file.`,
		Example: `  edgejwt json edgejwt.yaml
  kubectl get wasmplugin edgejwt -n shop -o yaml | edgejwt json -`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, text, err := readConfig(args[0], cmd.InOrStdin())
			if errors.As(err, new(*config.Error)) {
				return refusal{err}
			}
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if err := json.Indent(&b, text, "", "  "); err != nil {
				return err
			}
			b.WriteByte('\n')
			_, err = cmd.OutOrStdout().Write(b.Bytes())
			return err
		},
	}
}
