// Command demo starts Envoy with the plugin, an API behind it and a stand-in
// Auth0 (or a real tenant, by AUTH0_DOMAIN, AUTH0_AUDIENCE, AUTH0_CLIENT_ID and
// AUTH0_CLIENT_SECRET), plays the client-credentials flow and stays up until
// Ctrl-C. Run it through `make run`.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"edgejwt/e2e/demo"
	"edgejwt/e2e/parts"
)

func main() {
	once := flag.Bool("once", os.Getenv("DEMO_EXIT") == "1", "end after the flow (also DEMO_EXIT=1)")
	config := flag.String("config", "", "Envoy's configuration (default envoy.yaml)")
	run := flag.String("run", "", "folder for logs and tokens (default .run)")
	control := flag.String("control", "", "where the stand-in's switches listen (default "+demo.ControlAddress+")")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	root, err := parts.Root()
	if err == nil {
		err = demo.Run(ctx, demo.Options{Root: root, Config: *config, Run: *run, Control: *control, Once: *once})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "\nmake run:", err)
		os.Exit(1)
	}
}
