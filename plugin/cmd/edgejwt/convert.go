package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newConvertCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "convert",
		Short:  "Write edgejwt's configuration for what another filter does",
		Hidden: true,
		RunE: func(*cobra.Command, []string) error {
			return errors.New("convert is not there yet")
		},
	}
}
