package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newExplainCommand() *cobra.Command {
	return &cobra.Command{
		Use: "explain",
		RunE: func(*cobra.Command, []string) error {
			return errors.New("explain is not there yet")
		},
	}
}
