package deploy

import (
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"edgejwt/cmd/edgejwt/validate"
	"edgejwt/deploy/crd"
)

// published gives the folder of a publisher's module.
func published(t *testing.T, name string) string {
	t.Helper()
	dir, err := crd.Publishers[name].Folder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func definitions(t *testing.T, name string) *crd.Definitions {
	t.Helper()
	d := &crd.Definitions{}
	if err := d.ReadPublished(crd.Publishers[name], t.TempDir()); err != nil {
		t.Fatal(err)
	}
	return d
}

// kustomizing keeps the library's global state to one at a time.
var kustomizing sync.Mutex

// build is what `kubectl apply -k` would send.
func build(t *testing.T, dir string) string {
	t.Helper()
	kustomizing.Lock()
	defer kustomizing.Unlock()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	text, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// installs are the folders to apply, and whose resources they are made of.
var installs = map[string][]string{
	"istio/gateway":        {"Istio 1.27", "Istio 1.31"},
	"istio/gateway-api":    {"Istio 1.27", "Istio 1.31"},
	"istio/sidecar":        {"Istio 1.27", "Istio 1.31"},
	"envoy-gateway/base":   {"Envoy Gateway 1.7", "Envoy Gateway 1.9"},
	"envoy-gateway/http":   {"Envoy Gateway 1.7", "Envoy Gateway 1.9"},
	"envoy-gateway/static": {"Envoy Gateway 1.7", "Envoy Gateway 1.9"},
}

// TestResourcesAreTaken: an API server with these definitions would take all of
// them, and edgejwt's own command finds nothing but the placeholders.
func TestResourcesAreTaken(t *testing.T) {
	known := map[string]*crd.Definitions{}
	for name := range crd.Publishers {
		known[name] = definitions(t, name)
	}
	for dir, by := range installs {
		text := build(t, dir)
		objects, err := crd.Documents(text)
		if err != nil || len(objects) < 2 {
			t.Fatalf("%s: %d resources, %v", dir, len(objects), err)
		}
		for _, name := range by {
			for _, o := range objects {
				for _, fault := range known[name].Judge(o) {
					t.Errorf("%s, %s: %s", dir, name, fault)
				}
			}
		}
		files := []validate.File{{Name: dir, Text: []byte(text)}}
		if bootstrap := bootstrapOf(objects); bootstrap != "" {
			files = append(files, validate.File{Name: dir + " bootstrap", Text: []byte(bootstrap)})
		}
		report := validate.Files(files)
		if len(report.Places) != 1 || !report.Places[0].Valid {
			t.Errorf("%s: edgejwt validate found the configurations %+v, want one that is valid", dir, report.Places)
		}
		for _, f := range withoutPlaceholders(report) {
			t.Errorf("%s: edgejwt validate: %s: %s", dir, f.Path, f.What)
		}
		if n := report.Count(validate.Warning); n != 4 {
			t.Errorf("%s: edgejwt validate warns of %d placeholders, want 4: image, digest, domain, audience", dir, n)
		}
	}
}

// withoutPlaceholders are the findings besides those that the example files are
// meant to have until somebody fills them in.
func withoutPlaceholders(report *validate.Report) (findings []validate.Finding) {
	for _, f := range report.Findings {
		if !strings.HasPrefix(f.What, "placeholder ") {
			findings = append(findings, f)
		}
	}
	return findings
}

// bootstrapOf gives what an EnvoyProxy adds to the proxy's bootstrap.
func bootstrapOf(objects []crd.Object) string {
	for _, o := range objects {
		if o["kind"] == "EnvoyProxy" {
			return o["spec"].(crd.Object)["bootstrap"].(crd.Object)["value"].(string)
		}
	}
	return ""
}

// TestResourcesThatAreNotTaken plants a fault in each kind of resource: who judges
// must see it.
func TestResourcesThatAreNotTaken(t *testing.T) {
	istio, gateway := definitions(t, "Istio 1.31"), definitions(t, "Envoy Gateway 1.9")
	for name, c := range map[string]struct {
		by           *crd.Definitions
		in, from, to string
		want         string
	}{
		"a name that nobody knows":           {istio, "istio/gateway", "imagePullPolicy:", "imagePullpolicy:", "imagePullpolicy"},
		"a failStrategy that is none":        {istio, "istio/gateway", "FAIL_RELOAD", "FAIL_CLOSED", "/spec/failStrategy"},
		"a phase that is none":               {istio, "istio/gateway", "phase: AUTHN", "phase: AUTH", "/spec/phase"},
		"a digest that is none":              {istio, "istio/gateway", `sha256: "0000`, `sha256: "00zz`, "/spec/sha256"},
		"a selector and targetRefs":          {istio, "istio/gateway-api", "  targetRefs:", "  selector: {matchLabels: {a: b}}\n  targetRefs:", "only one of targetRefs or selector"},
		"a TLS mode that is none":            {istio, "istio/gateway", "mode: SIMPLE", "mode: TLS", "/tls/mode"},
		"a port that is none":                {istio, "istio/gateway", "- name: https-keys\n    number: 443", "- name: https-keys\n    number: 70000", "port must be between"},
		"hosts left out":                     {istio, "istio/gateway", "  hosts:\n  - tenant.eu.auth0.com\n", "", "hosts"},
		"an unknown kind":                    {istio, "istio/gateway", "kind: WasmPlugin", "kind: WasmPlugins", "nobody defines"},
		"HTTP code without http":             {gateway, "envoy-gateway/base", "type: Image", "type: HTTP", "http field needs to be set"},
		"an unknown kind of code":            {gateway, "envoy-gateway/base", "type: Image", "type: ConfigMaps", "/code/type"},
		"failOpen as a text":                 {gateway, "envoy-gateway/base", "failOpen: false", "failOpen: \"false\"", "/failOpen"},
		"a target of another group":          {gateway, "envoy-gateway/base", "group: gateway.networking.k8s.io\n    kind: Gateway", "group: apps\n    kind: Gateway", "targetRefs[*].group"},
		"a backend at no port":               {gateway, "envoy-gateway/base", "hostname: tenant.eu.auth0.com\n      port: 443", "hostname: tenant.eu.auth0.com\n      port: 70000", "/fqdn/port"},
		"an address of an unknown scheme":    {istio, "istio/gateway", "url: oci:", "url: ftp:", "spec.url"},
		"a TLS policy that trusts nobody":    {gateway, "envoy-gateway/base", "    wellKnownCACertificates: System\n", "", "must specify either CACertificateRefs"},
		"a path match that is none":          {gateway, "envoy-gateway/base", "type: Exact", "type: Equal", "/path/type"},
		"a bootstrap without what it merges": {gateway, "envoy-gateway/static", "    value: |", "    values: |", "'values'"},
	} {
		text := build(t, c.in)
		changed := strings.Replace(text, c.from, c.to, 1)
		if changed == text {
			t.Errorf("%s: %q is not in %s", name, c.from, c.in)
			continue
		}
		objects, err := crd.Documents(changed)
		if err != nil {
			t.Fatal(name, err)
		}
		var faults []string
		for _, o := range objects {
			faults = append(faults, c.by.Judge(o)...)
		}
		if all := strings.Join(faults, "\n"); !strings.Contains(all, c.want) || strings.Contains(all, "cannot be judged") {
			t.Errorf("%s: want a fault about %q, got:\n%s", name, c.want, all)
		}
	}
}
