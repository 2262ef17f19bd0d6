package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use: "schema",
		RunE: func(*cobra.Command, []string) error {
			return errors.New("schema is not there yet")
		},
	}
}
