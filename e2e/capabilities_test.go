package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"edgejwt/e2e/harness"
	"edgejwt/e2e/parts"
)

// The list of capabilities in deploy/envoy/live/listeners.yaml.
const (
	listStart = "                capability_restriction_config:\n"
	listEnd   = "              configuration:\n"
	listTitle = "                  allowed_capabilities:\n"
	listItem  = "                    "
)

// restricted is what Envoy logs when a module calls what it may not.
const restricted = "Attempted call to restricted proxy-wasm capability"

// TestCapabilities: the list that the production files ship is what the module
// asks for, no more and no less. With -update it is written anew.
func TestCapabilities(t *testing.T) {
	text := fileInRoot(t, "deploy", "envoy", "live", "listeners.yaml")
	before, rest, _ := strings.Cut(text, listTitle)
	shipped, after, ok := strings.Cut(rest, listEnd)
	if !ok {
		t.Fatal("no list of capabilities")
	}
	want := ""
	for _, name := range capabilitiesOf(t, filepath.Join(harness.Root(), "dist", "edgejwt.wasm")) {
		want += listItem + name + ": {}\n"
	}
	switch {
	case shipped == want:
	case *update:
		if err := os.WriteFile(filepath.Join(harness.Root(), "deploy/envoy/live/listeners.yaml"), []byte(before+listTitle+want+listEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("listeners.yaml lists\n%s\nthe module needs\n%s", shipped, want)
	}
}

// TestCapabilityLeftOut: Envoy heeds the list, and loads a module that lacks
// something all the same. This is why the list is made from the module, and why
// its comment warns.
func TestCapabilityLeftOut(t *testing.T) {
	p := laidOut(t, listItem+"proxy_define_metric: {}\n", "", listItem+"proxy_on_request_headers: {}\n", "")
	p.start()
	p.eventually("the listener is there", func() bool { return p.status("/health") != 0 })
	if got := p.status("/orders"); got == 401 {
		t.Error("the plugin checks requests, though Envoy may not tell it of them")
	}
	if out := p.envoy.Output(); !strings.Contains(out, restricted+": proxy_define_metric") {
		t.Errorf("the module defines metrics, though it may not")
	}
}

// capabilitiesOf is what Envoy can restrict: each import by its own name, and the
// exports by which Envoy calls.
func capabilitiesOf(t *testing.T, module string) (names []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "run", "./trim", "-list", module)
	cmd.Dir = filepath.Join(harness.Root(), "cmd")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	for line := range strings.Lines(string(out)) {
		kind, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case kind == "import":
			_, name, _ = strings.Cut(name, ".")
			names = append(names, name)
		case strings.HasPrefix(name, "proxy_on_"):
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

var envoyVersion = regexp.MustCompile(`/1\.(\d+)\.\d+/`)

// olderEnvoy is true before 1.40.
func olderEnvoy(t *testing.T) bool {
	t.Helper()
	if os.Getenv("E2E_ENVOY") == "" {
		return false
	}
	out, err := exec.CommandContext(t.Context(), parts.EnvoyBinary(harness.Root()), "--version").Output()
	version := envoyVersion.FindSubmatch(out)
	if err != nil || version == nil {
		t.Fatalf("which Envoy is this? %s %v", out, err)
	}
	minor, err := strconv.Atoi(string(version[1]))
	if err != nil {
		t.Fatal(err)
	}
	return minor < 40
}
