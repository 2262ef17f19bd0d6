package validate

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const (
	zeros   = "0000000000000000000000000000000000000000000000000000000000000000"
	oneSHA  = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
	ownHost = "login.acme.io"
)

func placeholders(files ...File) (lines []string) {
	for _, f := range Files(files).Findings {
		if what, ok := strings.CutPrefix(f.What, "placeholder "); ok {
			lines = append(lines, fmt.Sprintf("%s %d %s", f.Severity, f.Line, what))
		}
	}
	return lines
}

// TestPlaceholders: each value of an example file that is still there is warned of,
// and a file of the reader's own is not.
func TestPlaceholders(t *testing.T) {
	plugin := func(url, digest, config string) string {
		return "kind: WasmPlugin\nmetadata: {name: edgejwt}\nspec:\n  url: " + url + "\n  sha256: \"" + digest + "\"\n  pluginConfig: " + config + "\n"
	}
	policy := func(url, digest, config string) string {
		return "kind: EnvoyExtensionPolicy\nspec:\n  wasm:\n  - name: edgejwt\n    code: {type: Image, image: {url: " + url + ", sha256: \"" + digest + "\"}}\n    config: " + config + "\n"
	}
	filter := func(config, address string) string {
		return "'@type': type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\n" +
			"config:\n  configuration:\n    '@type': type.googleapis.com/google.protobuf.StringValue\n    value: '" + config + "'\n" +
			"---\n'@type': type.googleapis.com/envoy.config.cluster.v3.Cluster\nname: auth0\nload_assignment:\n" +
			"  endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: " + address + ", port_value: 443}}}}]}]\n"
	}
	const (
		own       = "{auth0: {domain: " + ownHost + ", audience: https://api.acme.io, cluster: auth0}}"
		ownJSON   = `{"auth0": {"domain": "` + ownHost + `", "audience": "https://api.acme.io", "cluster": "auth0"}}`
		exampleJS = `{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "https://api.example.com", "cluster": "auth0"}}`
	)
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"nothing of the example's", plugin("oci://ghcr.io/acme/edgejwt:2", oneSHA, own), nil},
		{"the image", plugin("oci://registry.example.com/team/edgejwt:1.0.0", oneSHA, own), []string{"warning 4 oci://registry.example.com/team/edgejwt:1.0.0 in url"}},
		{"the image's tag", plugin("oci://ghcr.io/acme/edgejwt:1.0.0", oneSHA, own), []string{"warning 4 tag 1.0.0 in url"}},
		{"a tag that ends like it", plugin("oci://ghcr.io/acme/edgejwt:11.0.0", oneSHA, own), nil},
		{"a registry's port", plugin("oci://registry.example.com:5000/edgejwt:2", oneSHA, own), []string{"warning 4 oci://registry.example.com:5000/edgejwt:2 in url"}},
		{"a host that only begins like it", plugin("oci://registry.example.com.acme.io/edgejwt:2", oneSHA, own), nil},
		{"a host that only ends like it", plugin("oci://registry-example.com/edgejwt:2", oneSHA, own), nil},
		{"the digest", plugin("oci://ghcr.io/acme/edgejwt:2", zeros, own), []string{"warning 5 digest of zeros in sha256"}},
		{"no digest", plugin("oci://ghcr.io/acme/edgejwt:2", "", own), nil},
		{"the domain", plugin("oci://ghcr.io/acme/edgejwt:2", oneSHA, "{auth0: {domain: tenant.eu.auth0.com, audience: a}}"), []string{"warning 6 tenant.eu.auth0.com in domain"}},
		{"the audience", plugin("oci://ghcr.io/acme/edgejwt:2", oneSHA, "{auth0: {domain: "+ownHost+", audience: https://api.example.com}}"),
			[]string{"warning 6 https://api.example.com in audience"}},
		{"one of the audiences", plugin("oci://ghcr.io/acme/edgejwt:2", oneSHA, "{auth0: {domain: "+ownHost+", audience: [a, https://api.example.com]}}"),
			[]string{"warning 6 https://api.example.com in audience"}},
		{"rules", plugin("oci://ghcr.io/acme/edgejwt:2", oneSHA, "{jwtRules: [{issuer: https://login.example.org/, audiences: [https://a.example.net], jwksUri: https://login.example.org/keys}]}"),
			[]string{"warning 6 https://login.example.org/ in issuer", "warning 6 https://a.example.net in audiences", "warning 6 https://login.example.org/keys in jwksUri"}},
		{"a claim's name, and a route's host", plugin("oci://ghcr.io/acme/edgejwt:2", oneSHA,
			"{auth0: {domain: "+ownHost+", audience: a}, unmatched: deny, routes: [{hosts: [a.example.com], claims: {'https://example.com/roles': [admin]}}]}"), nil},
		{"a configuration that is refused", plugin("oci://ghcr.io/acme/edgejwt:2", oneSHA, "{auth0: {domain: tenant.eu.auth0.com, audiences: a}}"),
			[]string{"warning 6 tenant.eu.auth0.com in domain"}},
		{"Envoy Gateway's", policy("registry.example.com/team/edgejwt:1.0.0", zeros, "{auth0: {domain: tenant.eu.auth0.com, audience: https://api.example.com, cluster: a}}"),
			[]string{"warning 5 registry.example.com/team/edgejwt:1.0.0 in url", "warning 5 digest of zeros in sha256",
				"warning 6 tenant.eu.auth0.com in domain", "warning 6 https://api.example.com in audience"}},
		{"Envoy Gateway's, replaced", policy("ghcr.io/acme/edgejwt:2", oneSHA, own), nil},
		{"Envoy's", filter(exampleJS, "tenant.eu.auth0.com"), []string{"warning 5 tenant.eu.auth0.com in domain", "warning 5 https://api.example.com in audience"}},
		{"Envoy's, replaced", filter(ownJSON, ownHost), nil},
		{"Envoy's, with a stand-in on this machine", filter(exampleJS, "127.0.0.1"), nil},
		{"a configuration by itself", "auth0: {domain: tenant.eu.auth0.com, audience: https://api.example.com}\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := placeholders(File{"file.yaml", []byte(c.text)}); !slices.Equal(got, c.want) {
				t.Errorf("got %q\nwant %q in\n%s", got, c.want, c.text)
			}
		})
	}
}

// TestPlaceholdersOfEnvoyYAML: the file that `make run` starts has a stand-in.
func TestPlaceholdersOfEnvoyYAML(t *testing.T) {
	text, err := os.ReadFile("../../../envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := placeholders(File{"envoy.yaml", text}); len(got) > 0 {
		t.Errorf("%q", got)
	}
}
