// Image packs the module in dist/ as OCI images, with a bill of materials and
// SHA-256 sums, and pushes them if a registry is named.
//
//	image
//	image -push registry.example.com/team/edgejwt:1.2.3
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"edgejwt/deploy/image"
)

func main() {
	root := flag.String("root", ".", "the project's `folder`")
	push := flag.String("push", "", "push to `registry/name[:tag]`")
	source := flag.String("source", os.Getenv("SOURCE_URL"), "the sources' `address`, for the annotation org.opencontainers.image.source")
	flag.Parse()
	if flag.NArg() != 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *root, *push, *source); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, root, push, source string) error {
	origin, err := image.OriginOf(ctx, root, os.Getenv)
	if err != nil {
		return err
	}
	origin.Source = source
	dist := filepath.Join(root, "dist")
	images, err := image.Write(ctx, image.Options{Root: root, Dist: dist, Origin: origin})
	if err != nil {
		return err
	}
	for _, i := range images {
		fmt.Printf("%-40s %s\n", i.Tag, i.Digest)
	}
	if push == "" {
		fmt.Printf("\nThe images are in %s, an OCI layout; the module itself is %s.\n"+
			"Next: push them with make image IMAGE=<registry>/<name>:<tag>\n",
			filepath.Join(dist, "image"), filepath.Join(dist, "edgejwt.wasm"))
		return nil
	}
	pushed, err := image.Push(ctx, dist, push, images)
	for _, name := range pushed {
		fmt.Println("pushed oci://" + name)
	}
	if err != nil {
		return err
	}
	// make manifests takes the first one, unless it is given another.
	if err := os.WriteFile(filepath.Join(dist, "pushed"), []byte(strings.Join(pushed, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	fmt.Println("\nNext: make manifests DOMAIN=<your tenant's domain> AUDIENCE=<your API's identifier>")
	return nil
}
