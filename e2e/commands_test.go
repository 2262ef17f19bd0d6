package e2e

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"edgejwt/deploy/cluster"
	"edgejwt/deploy/crd"
	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
	"edgejwt/e2e/parts"
)

// notRun are the commands that this test does not run, by page and first words, and
// why. Their shell syntax is checked.
var notRun = map[string]string{
	"docs/testing.md: mkdir -p dist tests":                            "TestCopiedPolicyTest runs them",
	"deploy/RUNBOOK.md: kubectl -n istio-ingress port-forward":        "the stand-in for an API server has no pods to forward to",
	"deploy/istio/README.md: docker run":                              "needs Docker; the registry that it starts is another one here",
	"deploy/istio/README.md: make build\ndocker exec":                 "needs Docker and a cluster of kind",
	"deploy/image/README.md: git clone":                               "names a host that stands for yours; TestReproducible packs in two clones",
	"deploy/image/README.md: image=$(head -n 1 dist/pushed)\ncosign":  "signs with an identity of yours",
	"deploy/image/README.md: cosign verify":                           "asks a public log for a signature",
	"deploy/image/README.md: git tag":                                 "runs all tests; TestRelease runs it with a small Makefile",
	"docs/providers/auth0.md: auth0 apis create":                      "changes a tenant of yours",
	"docs/providers/google.md: gcloud auth":                           "needs an account of yours",
	"docs/providers/README.md: edgejwt explain --config edgejwt.yaml": "fetches the keys of a provider of yours",
}

// shown are parts of what blocks of commands print, by page and first words; "!" is
// before what they must not print. PAGE is the folder that stands for /etc/envoy.
var shown = map[string][]string{
	"deploy/istio/README.md: make image IMAGE=registry.example.com/team/edgejwt:1.2.3":                               {"pushed oci://", "dist/manifests/istio/sidecar\n", "Next: apply"},
	"deploy/istio/README.md: kubectl kustomize":                                                                      {"WasmPlugin: the plugin starts with it", "0 errors", "wasmplugin.extensions.istio.io/edgejwt created"},
	"deploy/istio/README.md: kubectl -n istio-ingress get":                                                           {"wasmplugin.extensions.istio.io/edgejwt ", "serviceentry.networking.istio.io/edgejwt-provider ", "edgejwt:", "HTTP/2 401"},
	"deploy/istio/README.md: curl":                                                                                   {"HTTP/2 200"},
	"deploy/istio/README.md: make image IMAGE=registry.example.com/team/edgejwt:1.2.4":                               {"+  url: oci://", "edgejwt:1.2.4", "wasmplugin.extensions.istio.io/edgejwt configured"},
	"deploy/istio/README.md: kubectl apply":                                                                          {"wasmplugin.extensions.istio.io/edgejwt configured"},
	"deploy/istio/README.md: kubectl delete":                                                                         {`wasmplugin.extensions.istio.io "edgejwt" deleted`, `serviceentry.networking.istio.io "edgejwt-provider" deleted`},
	"deploy/istio/README.md: make image IMAGE=127.0.0.1:5001":                                                        {"image registry:5000/edgejwt:dev@sha256:", "the plugin starts with it"},
	"deploy/envoy-gateway/README.md: kubectl kustomize":                                                              {"EnvoyExtensionPolicy: the plugin starts with it", "0 errors", "envoyextensionpolicy.gateway.envoyproxy.io/edgejwt created", "backendtlspolicy.gateway.networking.k8s.io/edgejwt-keys created"},
	"deploy/envoy-gateway/README.md: kubectl -n ingress get":                                                         {"envoyextensionpolicy.gateway.envoyproxy.io/edgejwt ", "httproute.gateway.networking.k8s.io/edgejwt-keys ", "the plugin starts with it", "edgejwt:", "HTTP/2 401"},
	"deploy/envoy-gateway/README.md: curl":                                                                           {"HTTP/2 200"},
	"deploy/envoy-gateway/README.md: make image IMAGE=registry.example.com/team/edgejwt:1.2.4":                       {"edgejwt:1.2.4", "envoyextensionpolicy.gateway.envoyproxy.io/edgejwt configured"},
	"deploy/envoy-gateway/README.md: kubectl delete":                                                                 {`envoyextensionpolicy.gateway.envoyproxy.io "edgejwt" deleted`},
	"deploy/helm/edgejwt/README.md: helm template edgejwt deploy/helm/edgejwt -n istio-ingress -f values.yaml |":     {"the plugin starts with it", "STATUS: deployed", "WasmPlugin edgejwt in istio-ingress"},
	"deploy/helm/edgejwt/README.md: helm status":                                                                     {"STATUS: deployed", "wasmplugin.extensions.istio.io/edgejwt ", "edgejwt:", "HTTP/2 401"},
	"deploy/helm/edgejwt/README.md: helm template edgejwt deploy/helm/edgejwt -n istio-ingress -f values.yaml --set": {"Happy Helming", "superseded", "Rollback was a success"},
	"deploy/helm/edgejwt/README.md: helm uninstall":                                                                  {`release "edgejwt" uninstalled`},
	"deploy/image/README.md: make image\n":                                                                           {"an OCI layout", "Next: push", "dist/SHA256SUMS\n"},
	"deploy/image/README.md: make image IMAGE=":                                                                      {"pushed oci://", "Next: make manifests"},
	"deploy/image/README.md: cd dist":                                                                                {"edgejwt.wasm: OK"},
	"deploy/RUNBOOK.md: curl -sSf":                                                                                   {`"keys"`},
	"deploy/RUNBOOK.md: cluster=auth0\n":                                                                             {"auth0::added_via_api::true"},
	"deploy/RUNBOOK.md: curl -sSi":                                                                                   {"HTTP/2 401", `"error":"token_missing"`},
	"deploy/RUNBOOK.md: curl -sS 127.0.0.1:9901/config_dump":                                                         {"!there is no"},
	"deploy/envoy/README.md: edgejwt validate":                                                                       {"the plugin starts with it", "0 errors", "configuration 'PAGE/envoy.yaml' OK"},
	"deploy/envoy/README.md: curl -sSf":                                                                              {"LIVE", `edgejwt_build_info{version="`, "HTTP/2 401", "HTTP/2 200"},
	"deploy/envoy/README.md: cp":                                                                                     {"cluster_manager.cds.update_success: ", "listener_manager.lds.update_rejected: "},
	"docs/providers/kubernetes.md: kubectl get":                                                                      {"jwks_uri"},
	"docs/providers/kubernetes.md: kubectl create":                                                                   {"clusterrolebinding.rbac.authorization.k8s.io/oidc-reviewer created"},
}

// indented is a command in a block without fences, which no test would find.
var indented = regexp.MustCompile(`^ {4,}(\$ )?(kubectl|helm|make|curl|edgejwt|envoy|docker|go|git|cosign|cp|mv|cd) `)

// TestPageCommands runs the commands of all pages of deploy/ and docs/ that stand in
// blocks of shell (TestGuideCommands runs those that are shown with what they print).
//
// Those of a page run one after another in a copy of the project. kubectl and helm
// are real and talk to a stand-in for an API server, which has the definitions of
// Istio and Envoy Gateway; images go to a registry on this machine; the API is an
// Envoy with the files of deploy/envoy. Addresses are those of this run.
func TestPageCommands(t *testing.T) {
	p := laidOut(t)
	p.start()
	p.eventually("a valid token passes", func() bool { return p.status("/orders", bearer(p.auth0.Token())...) == 200 })
	s := newPageShell(t, p)
	used := map[string]bool{}
	for _, g := range append(pagesIn(t, "deploy"), pagesIn(t, "docs")...) {
		var blocks []guideBlock
		for _, b := range g.blocks {
			if b.lang == "sh" {
				blocks = append(blocks, b)
				used[keyOf(notRun, &g, b.text)], used[keyOf(shown, &g, b.text)] = true, true
			}
		}
		inFence := false
		for i, line := range g.lines {
			if fence.MatchString(line) {
				inFence = !inFence
			} else if !inFence && indented.MatchString(line) {
				t.Errorf("%s:%d: a command that stands in no fence is not tested: %s", &g, i+1, line)
			}
		}
		if len(blocks) == 0 {
			continue
		}
		t.Run(g.String(), func(t *testing.T) {
			s.begin(t, &g)
			for _, b := range blocks {
				if keyOf(notRun, &g, b.text) != "" {
					if out, err := exec.Command("sh", "-n", "-c", b.text).CombinedOutput(); err != nil {
						t.Errorf("%s:%d: %s%v", &g, b.line, out, err)
					}
					continue
				}
				out, err := s.run(b.text)
				if err != nil {
					t.Errorf("%s:%d: %v\n%s%s", &g, b.line, err, b.text, out)
				}
				for _, want := range shown[keyOf(shown, &g, b.text)] {
					want, not := strings.CutPrefix(strings.ReplaceAll(want, "PAGE", p.dir), "!")
					if strings.Contains(out, want) == not {
						t.Errorf("%s:%d: prints %q %v:\n%s%s", &g, b.line, want, not, b.text, out)
					}
				}
			}
			if left := append(s.api.Objects("WasmPlugin"), s.api.Objects("EnvoyExtensionPolicy")...); len(left) > 0 {
				t.Errorf("%s leaves %v in the cluster", &g, left)
			}
		})
	}
	for key := range notRun {
		if !used[key] {
			t.Errorf("notRun: no page has %q", key)
		}
	}
	for key := range shown {
		if !used[key] {
			t.Errorf("shown: no page has %q", key)
		}
	}
}

// keyOf is the longest key of a table that a block of a page begins with, or "".
func keyOf[V any](table map[string]V, g *guide, text string) (key string) {
	for k := range table {
		if strings.HasPrefix(g.String()+": "+text, k) && len(k) > len(key) {
			key = k
		}
	}
	return key
}

// pageShell is what the commands of pages find.
type pageShell struct {
	root     *testing.T
	edge     *production
	api      *cluster.Server
	tools    string // folder of kubectl, helm, edgejwt
	env      []string
	registry string // host:port
	dir      string // where the page's commands run
	replace  *strings.Replacer
}

func newPageShell(t *testing.T, edge *production) *pageShell {
	t.Helper()
	s := &pageShell{root: t, edge: edge, tools: t.TempDir()}
	istio, gateway := &crd.Definitions{}, &crd.Definitions{}
	for name, d := range map[string]*crd.Definitions{"Istio 1.31": istio, "Envoy Gateway 1.9": gateway} {
		if err := d.ReadPublished(crd.Publishers[name], t.TempDir()); err != nil {
			t.Fatal(err)
		}
	}
	s.api = &cluster.Server{
		Judge: func(o crd.Object) []string {
			if strings.Contains(o["apiVersion"].(string), "istio") {
				return istio.Judge(o)
			}
			return gateway.Judge(o)
		},
		Log: func(string, string, string) string { return edge.envoy.Output() },
		Raw: map[string]string{"/.well-known/openid-configuration": `{"issuer":"https://kubernetes.default.svc","jwks_uri":"https://10.0.0.1/openid/v1/jwks"}`},
	}
	for _, pod := range []string{
		"{apiVersion: v1, kind: Pod, metadata: {name: gateway-1, namespace: istio-ingress, labels: {istio: ingressgateway}}, spec: {containers: [{name: istio-proxy}]}}",
		"{apiVersion: v1, kind: Pod, metadata: {name: edge-1, namespace: envoy-gateway-system, labels: {gateway.envoyproxy.io/owning-gateway-name: edge}}, spec: {containers: [{name: envoy}]}}",
	} {
		if err := s.api.Add(pod); err != nil {
			t.Fatal(err)
		}
	}
	api := httptest.NewServer(s.api)
	t.Cleanup(api.Close)
	images := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(images.Close)
	s.registry = strings.TrimPrefix(images.URL, "http://")

	build := func(folder string, packages ...string) {
		t.Helper()
		command := exec.Command("go", append([]string{"build", "-o", s.tools + "/"}, packages...)...)
		command.Dir = filepath.Join(harness.Root(), folder)
		command.Env = append(os.Environ(), "GOWORK=off")
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", packages, err, out)
		}
	}
	build("cmd", "./edgejwt")
	build("deploy/cluster/tools", "./kubectl", "helm.sh/helm/v4/cmd/helm")

	home := t.TempDir()
	put := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	put("kubeconfig", cluster.Kubeconfig(api.URL), 0o600)
	put("roots.pem", string(edge.auth0.CA())+pemOf(t, filepath.Join(edge.dir, "tls/tls.crt")), 0o600)
	_, port, _ := net.SplitHostPort(edge.host)
	put(".curlrc", fmt.Sprintf("cacert = %s\nconnect-to = \"%s:443:127.0.0.1:%s\"\nconnect-to = \"%s:8443:127.0.0.1:%s\"\nconnect-to = \"%s:443:%s\"\nmax-time = 20\n",
		filepath.Join(home, "roots.pem"), productionHost, port, productionHost, port, edge.auth0.Domain(), edge.auth0.Address()), 0o600)
	// An editor that changes something, and an Envoy that ends when it has read its
	// configuration: the one that answers runs already.
	put("editor", "#!/bin/sh\nsed -i 's/max_concurrent_streams: 100/max_concurrent_streams: 200/' \"$1\"\n", 0o755)
	if err := os.WriteFile(filepath.Join(s.tools, "envoy"), []byte("#!/bin/sh\nexec "+parts.EnvoyBinary(harness.Root())+" \"$@\" --mode validate --disable-hot-restart --log-level warning\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GOWORK=") && !strings.HasPrefix(v, "GOFLAGS=") && !strings.HasPrefix(v, "MAKE") && !strings.HasPrefix(v, "MFLAGS=") {
			s.env = append(s.env, v)
		}
	}
	s.env = append(s.env, "PATH="+s.tools+":"+os.Getenv("PATH"), "KUBECONFIG="+filepath.Join(home, "kubeconfig"), "KUBECACHEDIR="+home, "CURL_HOME="+home,
		"HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home, "DOCKER_CONFIG="+home, "EDITOR="+filepath.Join(home, "editor"),
		"GOBIN="+t.TempDir(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=x", "GIT_AUTHOR_EMAIL=x@example.com", "GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x@example.com",
		"AUTH0_DOMAIN="+edge.auth0.Domain(), "AUTH0_CLIENT_ID="+auth0.DefaultClientID, "AUTH0_CLIENT_SECRET="+auth0.DefaultClientSecret)
	s.replace = strings.NewReplacer(
		"registry.example.com", s.registry, "127.0.0.1:5001", s.registry,
		"tenant.eu.auth0.com", edge.auth0.Domain(),
		"/etc/envoy", edge.dir, "127.0.0.1:9901", edge.envoy.Admin, "127.0.0.1:9902", edge.metrics,
	)
	return s
}

// begin makes a copy of the project for a page, with the page's own files and a token
// in it.
func (s *pageShell) begin(t *testing.T, g *guide) {
	t.Helper()
	s.dir = t.TempDir()
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = harness.Root()
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		info, err := os.Lstat(filepath.Join(harness.Root(), name))
		if err != nil || !info.Mode().IsRegular() {
			continue // removed and not yet committed, or a link to the tools
		}
		text, err := os.ReadFile(filepath.Join(harness.Root(), name))
		if err == nil {
			err = os.MkdirAll(filepath.Dir(filepath.Join(s.dir, name)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(s.dir, name), text, info.Mode().Perm())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	files := map[string]string{"token.txt": s.edge.auth0.Token()}
	for _, b := range g.blocks {
		if b.name != "" {
			files[b.name] = s.replace.Replace(b.text)
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := s.run("git init -q && git add . && git commit -qm page"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// run gives what commands print; the first that fails ends them.
func (s *pageShell) run(commands string) (string, error) {
	command := exec.Command("sh", "-e", "-c", s.replace.Replace(commands))
	command.Dir, command.Env = s.dir, s.env
	out, err := command.CombinedOutput()
	return string(out), err
}

func pemOf(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if block, _ := pem.Decode(text); err != nil || block == nil {
		t.Fatal(file, err)
	}
	return string(text)
}

// TestRunbookLog holds what the runbook says of a missing cluster against a proxy
// that lacks it: what is logged, what is counted, and what clients get.
func TestRunbookLog(t *testing.T) {
	p := laidOut(t, `"cluster": "auth0"`, `"cluster": "nowhere"`)
	p.start()
	const page = "deploy/RUNBOOK.md"
	var block guideBlock
	var runbook guide
	for _, g := range pagesIn(t, "deploy") {
		for _, b := range g.blocks {
			if g.String() == page && b.lang == "log" {
				block, runbook = b, g
			}
		}
	}
	if block.text == "" {
		t.Fatal(page + " shows no log")
	}
	p.eventually("requests with a token get 503", func() bool {
		resp, body := p.do("GET", "/orders", bearer(p.auth0.Token())...)
		return resp != nil && resp.StatusCode == 503 && strings.Contains(body, "keys_unavailable")
	})
	if got := p.status("/orders"); got != 401 {
		t.Errorf("without a token: %d", got)
	}
	failed := func() (n uint64) {
		stats, err := p.envoy.Stats("edgejwt_jwks_fetch_failures")
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range stats {
			if strings.Contains(name, "kind=unknown_cluster") {
				n += uint64(value)
			}
		}
		return n
	}
	before := failed()
	p.eventually("failed fetches are counted", func() bool { return failed() > before })
	// The first few are not logged: the proxy may still be starting the cluster.
	p.eventually("the plugin logs why", func() bool { return strings.Contains(p.envoy.Output(), `keys of "`) })
	var lines []string
	for line := range strings.Lines(p.envoy.Output()) {
		if i := strings.Index(line, `keys of "`); i >= 0 {
			line = strings.NewReplacer(p.auth0.Domain(), "tenant.eu.auth0.com", "nowhere", "auth0").Replace(line[i:])
			if !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		} else if strings.Contains(line, "nowhere") {
			t.Errorf("Envoy itself names the cluster: %s", line)
		}
	}
	if got := strings.Join(lines, ""); got != block.text {
		if *updateGuides {
			text := slices.Concat(runbook.lines[:block.from], strings.Split(strings.TrimSuffix(got, "\n"), "\n"), runbook.lines[block.to:])
			if err := os.WriteFile(runbook.path, []byte(strings.Join(text, "\n")), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		t.Errorf("%s:%d shows something else than is logged (-update-guides writes it anew):\n%s", page, block.line, got)
	}
	clusters, err := p.envoy.Get("/clusters")
	if err != nil || strings.Contains(clusters, "nowhere::") {
		t.Errorf("%v\n%s", err, clusters)
	}
}
