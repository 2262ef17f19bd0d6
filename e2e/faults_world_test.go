package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"edgejwt/e2e/harness"
	"edgejwt/jwks"
	"edgejwt/verify"
)

// faultModule compiles the plugin, by the steps of the shipped one, with a fault
// laid over package verify.
func faultModule(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const finds = "func (a *Authorizer) read(headers [][2]string) *request {\n"
	extract := fileInRoot(t, "plugin", "authz", "request.go")
	if !strings.Contains(extract, finds) {
		t.Fatal("plugin/authz/request.go has no place for the fault any more")
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(harness.Root(), "plugin", "authz", "request.go"): write("request.go", strings.Replace(extract, finds, finds+"\tplanted(headers)\n", 1)),
		filepath.Join(harness.Root(), "plugin", "authz", "planted.go"): write("planted.go",
			strings.Replace(fileInRoot(t, "e2e", "faults", "plant", "planted.go"), "package plant\n", "package authz\n", 1)),
	}})
	if err != nil {
		t.Fatal(err)
	}
	module := filepath.Join(dir, "fault.wasm")
	build := exec.Command("make", "build", "WASM="+module, "GOFLAGS=-buildvcs=false -overlay="+write("overlay.json", string(overlay)))
	build.Dir = harness.Root()
	build.Env = append(os.Environ(), "MAKEFLAGS=", "MFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return module
}

// vandalModule compiles the plugin that spoils shared data.
func vandalModule(t *testing.T) string {
	t.Helper()
	module := filepath.Join(t.TempDir(), "vandal.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-o", module, "./faults/vandal")
	build.Dir = filepath.Join(harness.Root(), "e2e")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return module
}

// vandalFilter is that plugin as a filter, under our vm_id.
func vandalFilter(module string) string {
	return `- name: vandal
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
    config:
      name: vandal
      vm_config: {vm_id: edgejwt, runtime: envoy.wasm.runtime.v8, code: {local: {filename: ` + module + `}}}
`
}

// recordOf is the name of the usual tenant's key set in shared data, for a plugin
// with this configuration. Only who knows that can tell it. The vandal finds
// nothing under a wrong one, and then the test fails.
func recordOf(w *harness.World, plugin string) string {
	policy := jwks.Policy{URL: w.Auth0.Issuer() + ".well-known/jwks.json", Issuer: w.Auth0.Issuer(), Cluster: "auth0", Algorithms: []string{verify.RS256}}
	key := sha256.Sum256([]byte("edgejwt configuration " + plugin))
	name := hmac.New(sha256.New, key[:])
	name.Write([]byte("name\x00" + policy.SourceID()))
	return "edgejwt/keys/" + strconv.Itoa(jwks.RecordFormat) + "/" + base64.RawURLEncoding.EncodeToString(name.Sum(nil)[:16])
}
