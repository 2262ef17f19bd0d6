package plugin_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// goModules are the folders of the project's Go modules; the first is the plugin's.
var goModules = []string{"..", "../cmd", "../deploy", "../e2e"}

// goOutput runs a go command in a folder as the build does: without the workspace, so
// that the folder's go.mod decides.
func goOutput(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOWORK=off")
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Fatalf("go %v: %v\n%s", args, err, exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// goMod is what these tests read of a go.mod.
type goMod struct {
	Go      string
	Require []struct {
		Path, Version string
		Indirect      bool
	}
	Replace []struct{ Old, New struct{ Path string } }
}

func readGoMod(t *testing.T, dir string) (m goMod) {
	t.Helper()
	if err := json.Unmarshal(goOutput(t, dir, "mod", "edit", "-json"), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestRequirements bounds what a reader of the plugin's sources meets from elsewhere.
func TestRequirements(t *testing.T) {
	const most = 8
	var direct []string
	for _, r := range readGoMod(t, "..").Require {
		if !r.Indirect {
			direct = append(direct, r.Path)
		}
	}
	if len(direct) > most || len(direct) == 0 {
		t.Errorf("%d direct requirements, want 1 to %d: %q", len(direct), most, direct)
	}
}

// TestVersionsAgree: a dependency has one version in all go.mod files, so that the
// tests run with the versions that the module is built with, and each module takes the
// others from this clone.
func TestVersionsAgree(t *testing.T) {
	type found struct{ version, dir string }
	first := map[string]found{}
	for _, dir := range goModules {
		m := readGoMod(t, dir)
		for _, r := range m.Require {
			if strings.HasPrefix(r.Path+"/", "edgejwt/") {
				replaced := slices.ContainsFunc(m.Replace, func(p struct{ Old, New struct{ Path string } }) bool {
					return p.Old.Path == r.Path && p.New.Path == "../"+strings.TrimPrefix(strings.TrimPrefix(r.Path, "edgejwt"), "/")
				})
				if !replaced {
					t.Errorf("%s/go.mod does not take %s from this clone", dir, r.Path)
				}
			}
			if known, ok := first[r.Path]; !ok {
				first[r.Path] = found{r.Version, dir}
			} else if known.version != r.Version {
				t.Errorf("%s: %s in %s, %s in %s", r.Path, known.version, known.dir, r.Version, dir)
			}
		}
		if want := readGoMod(t, goModules[0]).Go; m.Go != want {
			t.Errorf("%s/go.mod is for Go %s, that of the plugin for %s", dir, m.Go, want)
		}
	}
}

// TestWorkspace: go.work joins all modules.
func TestWorkspace(t *testing.T) {
	var work struct{ Use []struct{ DiskPath string } }
	if err := json.Unmarshal(goOutput(t, "..", "work", "edit", "-json", "go.work"), &work); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range work.Use {
		got = append(got, strings.TrimSuffix("../"+strings.TrimPrefix(u.DiskPath, "./"), "/."))
	}
	slices.Sort(got)
	if !slices.Equal(got, goModules) {
		t.Errorf("go.work uses %q, want %q", got, goModules)
	}
}

// TestLinked: which Go modules are linked into the WebAssembly module, and that the
// packages beside this one are all linked. What only tests and tools use is elsewhere.
func TestLinked(t *testing.T) {
	linked := map[string]bool{}
	var modules []string
	for line := range strings.Lines(string(goOutput(t, "..", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}} {{.ImportPath}}", "."))) {
		module, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		linked[name] = true
		if module != "" { // the standard library has none
			modules = append(modules, module)
		}
	}
	slices.Sort(modules)
	modules = slices.Compact(modules)
	want := []string{
		"edgejwt",
		"filippo.io/edwards25519",
		"github.com/hashicorp/golang-lru/v2",
		"github.com/proxy-wasm/proxy-wasm-go-sdk",
		"github.com/tidwall/gjson",
		"github.com/tidwall/match",
		"github.com/tidwall/pretty",
	}
	if !slices.Equal(modules, want) {
		t.Errorf("linked are the modules %q, want %q", modules, want)
	}
	const attacks = "edgejwt/internal/attacks"
	// Libraries that the plugin does not use yet.
	unused := []string{"edgejwt/verify/dpop", "edgejwt/verify/revocation", "edgejwt/verify/statuslist"}
	for _, name := range strings.Fields(string(goOutput(t, "..", "list", "./..."))) {
		testOnly := name == attacks || strings.HasPrefix(name, attacks+"/") || slices.Contains(unused, name)
		if linked[name] == testOnly {
			t.Errorf("%s: linked is %v, want %v", name, linked[name], !testOnly)
		}
	}
}
