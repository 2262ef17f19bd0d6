// Manifests writes the manifests of deploy/istio and deploy/envoy-gateway with your
// values to dist/manifests, and says what edgejwt validate finds in them. The values
// come from the environment; manifests.Options says what each is. IMAGE is, unless it
// is set, what `make image IMAGE=…` has pushed last.
//
//	IMAGE=registry.example.com/team/edgejwt:1.2.3@sha256:… DOMAIN=tenant.eu.auth0.com AUDIENCE=https://api.example.com manifests
//
// Exit codes: 0 written, though there may be warnings; 1 a value is missing or wrong,
// or the plugin would not start with the manifests.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"edgejwt/cmd/edgejwt/validate"
	"edgejwt/deploy/manifests"
)

func main() {
	root := flag.String("root", ".", "the project's `folder`")
	flag.Parse()
	if flag.NArg() != 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(root string) error {
	options := manifests.Options{
		Image: os.Getenv("IMAGE"), Domain: os.Getenv("DOMAIN"), Audience: os.Getenv("AUDIENCE"),
		Namespace: os.Getenv("NAMESPACE"), Gateway: os.Getenv("GATEWAY"), Selector: os.Getenv("SELECTOR"),
		ModuleURL: os.Getenv("MODULE_URL"), ModuleSHA256: os.Getenv("MODULE_SHA256"),
	}
	if options.Image == "" {
		// What `make image IMAGE=…` pushed last. Without it, Write says what is missing.
		pushed, err := os.ReadFile(filepath.Join(root, "dist", "pushed"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		options.Image, _, _ = strings.Cut(string(pushed), "\n")
	}
	if options.ModuleURL != "" && options.ModuleSHA256 == "" {
		module, err := os.ReadFile(filepath.Join(root, "dist", "edgejwt.wasm"))
		if err != nil {
			return fmt.Errorf("MODULE_URL is set and MODULE_SHA256 is not, and the module is not built: %w", err)
		}
		sum := sha256.Sum256(module)
		options.ModuleSHA256 = hex.EncodeToString(sum[:])
	}
	dir := filepath.Join(root, "dist", "manifests")
	folders, err := manifests.Write(os.DirFS(filepath.Join(root, "deploy")), dir, options)
	if err != nil {
		return err
	}
	fmt.Println("image", strings.TrimPrefix(options.Image, "oci://"))
	refused := false
	for _, folder := range folders {
		ok, err := check(filepath.Join(dir, folder))
		if err != nil {
			return err
		}
		refused = refused || !ok
	}
	if refused {
		return errors.New("the plugin would not start with these manifests")
	}
	fmt.Println("\nNext: apply the one that fits (kubectl apply -k), then see that it works: deploy/istio/README.md, deploy/envoy-gateway/README.md")
	return nil
}

// check builds a folder as kubectl would, and prints what validate finds in it. ok
// is false when there is an error among it.
func check(folder string) (ok bool, err error) {
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return false, err
	}
	text, err := resources.AsYaml()
	if err != nil {
		return false, err
	}
	fmt.Println(folder)
	report := validate.Files([]validate.File{{Name: folder, Text: text}})
	for _, f := range report.Findings {
		fmt.Printf("  %s: %s: %s\n", f.Severity, f.Path, f.What)
	}
	return report.Count(validate.Error) == 0, nil
}
