package deploy

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"edgejwt/cmd/edgejwt/validate"
	"edgejwt/deploy/crd"
	"edgejwt/deploy/manifests"
)

var own = manifests.Options{
	Image:  "oci://ghcr.io/acme/edgejwt:1.2.3@sha256:" + digest,
	Domain: "login.acme.io", Audience: "https://api.acme.io",
	Namespace: "edge-system", Gateway: "public", Selector: "app=shop-gateway",
	ModuleURL: "https://files.acme.io/edgejwt.wasm", ModuleSHA256: strings.Repeat("ab", 32),
}

// TestManifests: what `make manifests` writes has no placeholder any more, is taken
// by the API servers that know these resources, and validate finds nothing in it.
func TestManifests(t *testing.T) {
	dir := t.TempDir()
	folders, err := manifests.Write(os.DirFS("."), dir, own)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(folders, manifests.Folders) || len(folders) != len(installs) {
		t.Errorf("written: %v", folders)
	}
	known := map[string]*crd.Definitions{}
	for name := range crd.Publishers {
		known[name] = definitions(t, name)
	}
	wanted := map[string][]string{
		"istio/gateway":        {"oci://ghcr.io/acme/edgejwt:1.2.3\n", digest, "app: shop-gateway\n", "namespace: edge-system\n"},
		"istio/gateway-api":    {"oci://ghcr.io/acme/edgejwt:1.2.3\n", digest, "name: public\n", "namespace: edge-system\n"},
		"istio/sidecar":        {"oci://ghcr.io/acme/edgejwt:1.2.3\n", digest, "app: shop-gateway\n", "cluster: outbound|8443||login.acme.io\n"},
		"envoy-gateway/base":   {"ghcr.io/acme/edgejwt:1.2.3\n", digest, "name: public\n", "cluster: httproute/edge-system/edgejwt-keys/rule/0\n"},
		"envoy-gateway/static": {"ghcr.io/acme/edgejwt:1.2.3\n", digest, "cluster: auth0\n", "sni: login.acme.io\n"},
		"envoy-gateway/http":   {own.ModuleURL + "\n", own.ModuleSHA256, "cluster: httproute/edge-system/edgejwt-keys/rule/0\n"},
	}
	for _, folder := range folders {
		text := build(t, filepath.Join(dir, folder))
		for _, want := range append(wanted[folder], "audience: https://api.acme.io\n", "domain: login.acme.io\n") {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q:\n%s", folder, want, text)
			}
		}
		for _, left := range []string{"example.com", "tenant.eu", strings.Repeat("0", 64), "1.0.0", "namespace: ingress", "istio-ingress", "name: edge\n", "app: orders"} {
			if strings.Contains(text, left) {
				t.Errorf("%s still has %q:\n%s", folder, left, text)
			}
		}
		objects, err := crd.Documents(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, by := range installs[folder] {
			for _, o := range objects {
				for _, fault := range known[by].Judge(o) {
					t.Errorf("%s, %s: %s", folder, by, fault)
				}
			}
		}
		report := validate.Files([]validate.File{{Name: folder, Text: []byte(text)}})
		if len(report.Places) != 1 || !report.Places[0].Valid || len(report.Findings) > 0 {
			t.Errorf("%s: %+v", folder, report)
		}
	}
}

// TestManifestsWithLess: what may be left out is left as it is, and old files go.
func TestManifestsWithLess(t *testing.T) {
	dir := t.TempDir()
	if _, err := manifests.Write(os.DirFS("."), dir, own); err != nil {
		t.Fatal(err)
	}
	folders, err := manifests.Write(os.DirFS("."), dir, manifests.Options{Image: own.Image, Domain: own.Domain, Audience: "https://a.acme.io,urn:b: c"})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(folders, "envoy-gateway/http") {
		t.Error("envoy-gateway/http is there without an address of the module")
	}
	numbers := own
	numbers.Namespace, numbers.Gateway, numbers.Selector = "123", "true", "app=1"
	odd := t.TempDir()
	if _, err := manifests.Write(os.DirFS("."), odd, numbers); err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[string]string{"istio/sidecar": "app: \"1\"\n", "istio/gateway-api": "name: \"true\"\n", "envoy-gateway/base": "namespace: \"123\"\n"} {
		if text := build(t, filepath.Join(odd, folder)); !strings.Contains(text, want) {
			t.Errorf("%s has no %s:\n%s", folder, want, text)
		}
	}
	text := build(t, filepath.Join(dir, "istio/gateway"))
	for _, want := range []string{"audience:\n      - https://a.acme.io\n      - 'urn:b: c'\n", "namespace: istio-ingress\n", "istio: ingressgateway\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestManifestsRefuse: each value that cannot be right is named, and nothing is
// written.
func TestManifestsRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*manifests.Options)
		want   string
	}{
		"no image":                   {func(o *manifests.Options) { o.Image = "" }, "IMAGE is not set"},
		"an image without digest":    {func(o *manifests.Options) { o.Image = "ghcr.io/acme/edgejwt:1" }, "IMAGE="},
		"an image without tag":       {func(o *manifests.Options) { o.Image = "ghcr.io/acme/edgejwt@sha256:" + digest }, "IMAGE="},
		"an image without registry":  {func(o *manifests.Options) { o.Image = "edgejwt:1@sha256:" + digest }, "IMAGE="},
		"a digest of zeros":          {func(o *manifests.Options) { o.Image = "ghcr.io/acme/edgejwt:1@sha256:" + strings.Repeat("0", 64) }, "IMAGE="},
		"a digest that is too short": {func(o *manifests.Options) { o.Image = "ghcr.io/acme/edgejwt:1@sha256:abc" }, "IMAGE="},
		"no domain":                  {func(o *manifests.Options) { o.Domain = "" }, "DOMAIN is not set"},
		"a domain with a scheme":     {func(o *manifests.Options) { o.Domain = "https://login.acme.io" }, "DOMAIN="},
		"a domain with a slash":      {func(o *manifests.Options) { o.Domain = "login.acme.io/" }, "DOMAIN="},
		"a domain with more YAML":    {func(o *manifests.Options) { o.Domain = "a.b\nfailStrategy: FAIL_OPEN" }, "DOMAIN="},
		"no audience":                {func(o *manifests.Options) { o.Audience = "" }, "AUDIENCE is not set"},
		"an empty audience":          {func(o *manifests.Options) { o.Audience = "a,,b" }, "AUDIENCE="},
		"a namespace that is none":   {func(o *manifests.Options) { o.Namespace = "a/b" }, "NAMESPACE="},
		"a Gateway that is none":     {func(o *manifests.Options) { o.Gateway = "Edge " }, "GATEWAY="},
		"a domain that is a number":  {func(o *manifests.Options) { o.Domain = "1.2" }, "DOMAIN="},
		"two labels":                 {func(o *manifests.Options) { o.Selector = "a=b,c=d" }, "SELECTOR="},
		"a module over HTTP":         {func(o *manifests.Options) { o.ModuleURL = "http://files.acme.io/x" }, "MODULE_URL="},
		"a module without sum":       {func(o *manifests.Options) { o.ModuleSHA256 = "" }, "MODULE_SHA256 is not set"},
	} {
		t.Run(name, func(t *testing.T) {
			o, dir := own, filepath.Join(t.TempDir(), "made")
			c.change(&o)
			if _, err := manifests.Write(os.DirFS("."), dir, o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want %q, got %v", c.want, err)
			}
			if _, err := os.Stat(dir); !os.IsNotExist(err) {
				t.Error("something was written")
			}
		})
	}
	if _, err := manifests.Write(os.DirFS("."), t.TempDir(), manifests.Options{}); strings.Count(err.Error(), " is not set: ") != 3 {
		t.Errorf("want all three that are missing, got %v", err)
	}
}
