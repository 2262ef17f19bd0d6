// Kubectl is kubectl of the version in go.mod, for the tests that run the commands of the
// pages: they do not depend on what a machine has.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
)

func main() { os.Exit(cli.Run(cmd.NewDefaultKubectlCommand())) }
