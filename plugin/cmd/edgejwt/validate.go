package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newValidateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "validate",
		RunE: func(*cobra.Command, []string) error {
			return errors.New("validate is not there yet")
		},
	}
}
