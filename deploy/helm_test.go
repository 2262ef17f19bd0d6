package deploy

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"

	"edgejwt/cmd/edgejwt/validate"
	"edgejwt/deploy/crd"
	"edgejwt/plugin/version"
)

const (
	digest = "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"

	// givenAlways are the values that have no default, as in the Kustomize base.
	givenAlways = "image: {repository: registry.example.com/team/edgejwt, tag: 1.0.0, sha256: " + digest + "}\n" +
		"auth0: {domain: tenant.eu.auth0.com, audience: https://api.example.com}\n"
)

// variants of the chart, by the folder of deploy/istio that says the same.
var variants = map[string]struct{ namespace, values string }{
	"istio/gateway":     {"istio-ingress", "target: {selector: {istio: ingressgateway}}\n"},
	"istio/gateway-api": {"ingress", "target: {targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]}\n"},
	"istio/sidecar":     {"shop", "target: {selector: {app: orders}}\nsidecar: true\n"},
}

func loadChart(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.LoadDir("helm/edgejwt")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// render is what `helm install edgejwt` would send, and what it would then print.
func render(t *testing.T, namespace, values string) (resources, notes string, err error) {
	t.Helper()
	given, err := common.ReadValues([]byte(values))
	if err != nil {
		t.Fatalf("%v in\n%s", err, values)
	}
	c := loadChart(t)
	all, err := util.ToRenderValues(c, given, common.ReleaseOptions{Name: "edgejwt", Namespace: namespace, IsInstall: true}, nil)
	if err != nil {
		return "", "", err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return "", "", err
	}
	var parts []string
	for name, text := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			notes = text
		} else if strings.TrimSpace(text) != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "\n---\n"), notes, nil
}

func bySpec(t *testing.T, text string) map[string]crd.Object {
	t.Helper()
	objects, err := crd.Documents(text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	by := map[string]crd.Object{}
	for _, o := range objects {
		meta := o["metadata"].(crd.Object)
		by[o["kind"].(string)+" "+meta["namespace"].(string)+"/"+meta["name"].(string)] = o["spec"].(crd.Object)
	}
	return by
}

// TestChartIsTheBase: Helm and Kustomize make the same resources of the same values,
// such as Istio's API takes and edgejwt's own command finds nothing to say about.
func TestChartIsTheBase(t *testing.T) {
	known := map[string]*crd.Definitions{}
	for _, name := range []string{"Istio 1.27", "Istio 1.31"} {
		known[name] = definitions(t, name)
	}
	for dir, v := range variants {
		text, notes, err := render(t, v.namespace, givenAlways+v.values)
		if err != nil {
			t.Fatal(dir, err)
		}
		got, want := bySpec(t, text), bySpec(t, strings.ReplaceAll(build(t, dir), strings.Repeat("0", 64), digest))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\nHelm %v\nKustomize %v", dir, got, want)
		}
		objects, err := crd.Documents(text)
		if err != nil || len(objects) != 3 {
			t.Fatalf("%s: %d resources, %v", dir, len(objects), err)
		}
		for name, d := range known {
			for _, o := range objects {
				for _, fault := range d.Judge(o) {
					t.Errorf("%s, %s: %s", dir, name, fault)
				}
			}
		}
		report := validate.Files([]validate.File{{Name: dir, Text: []byte(text)}})
		if len(report.Places) != 1 || !report.Places[0].Valid {
			t.Errorf("%s: edgejwt validate found the configurations %+v, want one that is valid", dir, report.Places)
		}
		for _, f := range withoutPlaceholders(report) {
			t.Errorf("%s: edgejwt validate: %s: %s", dir, f.Path, f.What)
		}
		for _, part := range []string{"WasmPlugin edgejwt in " + v.namespace, "https://tenant.eu.auth0.com/\nfor https://api.example.com.", "edgejwt-provider", "| edgejwt validate -", "logs -"} {
			if !strings.Contains(notes, part) {
				t.Errorf("%s: no %q in\n%s", dir, part, notes)
			}
		}
	}
}

// TestChartValues looks at what each value changes.
func TestChartValues(t *testing.T) {
	const gateway = "target: {selector: {istio: ingressgateway}}\n"
	for name, c := range map[string]struct {
		values string
		has    []string
		lacks  []string
	}{
		"nothing more": {gateway, []string{"name: edgejwt\n", "name: edgejwt-provider\n", "hostPort: ignored\n"}, []string{"imagePullSecret", "unmatched"}},
		"a name":       {gateway + "name: orders\n", []string{"name: orders\n", "name: orders-provider\n"}, []string{"\n  name: edgejwt\n", "name: edgejwt-provider"}},
		"no tag":       {strings.Replace(givenAlways, "tag: 1.0.0, ", "", 1) + gateway, []string{"url: oci://registry.example.com/team/edgejwt:" + version.Number + "\n"}, nil},
		"a secret":     {gateway + "image: {repository: r.example/e, sha256: " + digest + ", pullSecret: mine, pullPolicy: Always}\n", []string{`imagePullSecret: "mine"`, "imagePullPolicy: Always"}, nil},
		"audiences":    {gateway + "auth0: {domain: t.example, audience: [a, b]}\n", []string{"audience:\n      - a\n      - b\n"}, nil},
		"before 1.27":  {gateway + "failStrategy: FAIL_CLOSE\n", []string{"failStrategy: FAIL_CLOSE\n"}, []string{"FAIL_RELOAD"}},
		"keys of another release": {gateway + "provider: false\n", []string{"kind: WasmPlugin"},
			[]string{"ServiceEntry", "DestinationRule"}},
		"routes": {gateway + "pluginConfig: {routes: [{path: {prefix: /public}, auth: none}]}\n",
			[]string{"hostPort: ignored\n", "unmatched: deny\n"}, nil},
		"routes, and the rest for every token": {gateway + "pluginConfig: {routes: [{path: {prefix: /public}, auth: none}], unmatched: token, hostPort: exact}\n",
			[]string{"hostPort: exact\n", "unmatched: token\n"}, []string{"deny", "ignored"}},
		"more configuration": {gateway + `pluginConfig:
  auth0: {forwardOriginalToken: false, outputClaimToHeaders: [{header: x-org, claim: org_id}]}
  tokenCache: {entries: 1000000}
  filterState: false
  routes: [{path: {prefix: /public}, auth: none}]
`, []string{"domain: tenant.eu.auth0.com", "audience: https://api.example.com", "forwardOriginalToken: false", "filterState: false", "header: x-org", "prefix: /public"}, []string{"cluster:"}},
	} {
		values := c.values
		for _, line := range strings.SplitAfter(givenAlways, "\n") {
			if key, _, ok := strings.Cut(line, ":"); ok && !strings.Contains("\n"+values, "\n"+key+":") {
				values += line
			}
		}
		text, _, err := render(t, "ingress", values)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, part := range c.has {
			if !strings.Contains(text, part) {
				t.Errorf("%s: no %q in\n%s", name, part, text)
			}
		}
		for _, part := range c.lacks {
			if strings.Contains(text, part) {
				t.Errorf("%s: %q in\n%s", name, part, text)
			}
		}
		if report := validate.Files([]validate.File{{Name: name, Text: []byte(text)}}); len(report.Places) != 1 || !report.Places[0].Valid {
			t.Errorf("%s: the plugin would not start: %+v", name, report)
		}
	}
}

// TestChartRefuses plants a fault in the values: Helm must refuse them before
// anything is sent, with the name of what is wrong.
func TestChartRefuses(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"no audience":                  {", audience: https://api.example.com", "", "audience"},
		"an empty audience":            {"https://api.example.com", "''", "/auth0/audience"},
		"no audiences":                 {"https://api.example.com", "[]", "/auth0/audience"},
		"no domain":                    {"domain: tenant.eu.auth0.com, ", "", "domain"},
		"a domain with a scheme":       {"tenant.eu.auth0.com", "https://tenant.eu.auth0.com", "/auth0/domain"},
		"a domain with a port":         {"tenant.eu.auth0.com", "'tenant.eu.auth0.com:443'", "/auth0/domain"},
		"a domain in upper case":       {"tenant.eu.auth0.com", "Tenant.eu.auth0.com", "/auth0/domain"},
		"no digest":                    {", sha256: " + digest, "", "sha256"},
		"a digest with its name":       {digest, "sha256:" + digest, "/image/sha256"},
		"a digest that is too short":   {digest, digest[1:], "/image/sha256"},
		"the example's digest":         {digest, "'" + strings.Repeat("0", 64) + "'", "/image/sha256"},
		"no repository":                {"repository: registry.example.com/team/edgejwt, ", "", "repository"},
		"a repository with a scheme":   {"repository: ", "repository: oci://", "/image/repository"},
		"a repository with a tag":      {"team/edgejwt", "'team/edgejwt:1.0.0'", "/image/repository"},
		"an unknown value":             {"image:", "images: {}\nimage:", "images"},
		"an unknown value of image":    {"tag:", "tags: x, tag:", "tags"},
		"an unknown value of auth0":    {"domain:", "cluster: x, domain:", "cluster"},
		"no target":                    {"target: {selector: {istio: ingressgateway}}", "", "/target"},
		"two targets":                  {"ingressgateway}", "ingressgateway}, targetRefs: [{kind: Gateway, name: edge}]", "/target"},
		"a target without a name":      {"selector: {istio: ingressgateway}", "targetRefs: [{kind: Gateway}]", "/target"},
		"a sidecar by targetRefs":      {"selector: {istio: ingressgateway}}", "targetRefs: [{kind: Gateway, name: edge}]}\nsidecar: true", "/target"},
		"failing open":                 {"target:", "failStrategy: FAIL_OPEN\ntarget:", "/failStrategy"},
		"a sidecar as a text":          {"target:", "sidecar: 'true'\ntarget:", "/sidecar"},
		"another domain behind back":   {"target:", "pluginConfig: {auth0: {domain: evil.example}}\ntarget:", "/pluginConfig/auth0"},
		"another audience behind":      {"target:", "pluginConfig: {auth0: {audience: other}}\ntarget:", "/pluginConfig/auth0"},
		"a name that Kubernetes lacks": {"target:", "name: Edge_JWT\ntarget:", "/name"},
	} {
		good := givenAlways + "target: {selector: {istio: ingressgateway}}\n"
		bad := strings.Replace(good, c.from, c.to, 1)
		if bad == good {
			t.Errorf("%s: %q is not in the values", name, c.from)
			continue
		}
		if text, _, err := render(t, "ingress", bad); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want a fault about %q, got %v\n%s", name, c.want, err, text)
		}
	}
}

// TestChartPage renders the values that the page shows.
func TestChartPage(t *testing.T) {
	page, err := os.ReadFile("helm/edgejwt/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	values, _, found := strings.Cut(rest, "```")
	text, _, err := render(t, "istio-ingress", values)
	if err != nil || !found {
		t.Fatal(err)
	}
	report := validate.Files([]validate.File{{Name: "README.md", Text: []byte(text)}})
	if len(report.Places) != 1 || !report.Places[0].Valid || len(withoutPlaceholders(report)) > 0 {
		t.Errorf("%+v", report)
	}
}

// TestChartVersion: the chart installs the module of its own version.
func TestChartVersion(t *testing.T) {
	if m := loadChart(t).Metadata; m.Version != version.Number || m.AppVersion != version.Number {
		t.Errorf("Chart.yaml says %s and %s, plugin/version says %s", m.Version, m.AppVersion, version.Number)
	}
}
