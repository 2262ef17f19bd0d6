package attacks_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestModuleDoesNotContainTheAttacks keeps the tables, and the libraries that make
// their tokens, out of what is built for Envoy.
func TestModuleDoesNotContainTheAttacks(t *testing.T) {
	list := exec.Command("go", "list", "-deps", ".")
	list.Dir = "../.."
	list.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if !slices.Contains(packages, "edgejwt/verify") {
		t.Fatalf("edgejwt/verify is not in the list: %q", packages)
	}
	for _, name := range packages {
		for _, testOnly := range []string{"edgejwt/internal/attacks", "github.com/golang-jwt/", "github.com/go-jose/"} {
			if strings.HasPrefix(name, testOnly) {
				t.Errorf("the module contains %s", name)
			}
		}
	}
}
