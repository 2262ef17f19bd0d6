// Package deploy holds what a user applies; its only Go code besides tests packs
// images (deploy/image).
package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRelease runs release.sh in a small project whose Makefile only notes what
// it is asked for. That the real one gives the same bytes twice is tested in
// deploy/image.
func TestRelease(t *testing.T) {
	dir, notes := t.TempDir(), filepath.Join(t.TempDir(), "notes")
	put := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		for _, v := range os.Environ() {
			if !strings.HasPrefix(v, "MAKE") && !strings.HasPrefix(v, "MFLAGS=") && !strings.HasPrefix(v, "GOCACHE=") {
				cmd.Env = append(cmd.Env, v)
			}
		}
		cmd.Env = append(cmd.Env, "IMAGE=registry.example.com/edgejwt", "NOTES="+notes)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	git := func(args ...string) {
		t.Helper()
		if out, err := run("git", append([]string{"-c", "user.name=x", "-c", "user.email=x@example.com"}, args...)...); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	release := func(step, want string) string {
		t.Helper()
		out, err := run("deploy/release.sh")
		if (err == nil) != (want == "") || !strings.Contains(out, want) {
			t.Errorf("%s: %v\n%s", step, err, out)
		}
		return out
	}
	script, err := os.ReadFile("release.sh")
	if err != nil {
		t.Fatal(err)
	}
	put("deploy/release.sh", string(script))
	put(".gitignore", "/dist/\n")
	set := func(number string) {
		put("plugin/version/version.go", "package version\n\nconst Number = \""+number+"\"\n")
	}
	set("1.2.3-dev")
	put("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n- 1.2.4\n")
	put("Makefile", "test:\n\t@echo test >>$$NOTES\nimage:\n\t@echo image $(IMAGE) >>$$NOTES; mkdir -p dist; echo the same >dist/SHA256SUMS\n")
	git("init", "-q")
	git("add", ".")
	git("commit", "-qm", "one")
	release("no tag", "HEAD bears no tag")
	git("tag", "-am", "x", "v1.2.3")
	put("stray", "")
	release("changes", "?? stray")
	if err := os.Remove(filepath.Join(dir, "stray")); err != nil {
		t.Fatal(err)
	}
	release("a tag that is not the version's", "the tag is v1.2.3, plugin/version/version.go says 1.2.3-dev")
	retag := func(tag string) {
		t.Helper()
		git("commit", "-qam", tag)
		git("tag", "-fam", "x", tag)
	}
	set("1.2.3")
	retag("v1.2.3")
	release("not in the changelog", `CHANGELOG.md has no entry "## [1.2.3]"`)
	put("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n## [1.2.4] - 2026-03-01\n\n## [1.2.3] - 2026-02-01\n")
	retag("v1.2.3")
	release("a release", "")
	noted, err := os.ReadFile(notes)
	if want := "test\nimage\nimage\nimage registry.example.com/edgejwt\n"; err != nil || string(noted) != want {
		t.Errorf("asked for\n%swant\n%s%v", noted, want, err)
	}
	if sums, err := os.ReadFile(filepath.Join(dir, "dist/release/SHA256SUMS")); err != nil || string(sums) != "the same\n" {
		t.Errorf("%q %v", sums, err)
	}
	put("Makefile", "test:\nimage:\n\t@mkdir -p dist; pwd >dist/SHA256SUMS\n")
	set("1.2.4")
	retag("v1.2.4")
	release("two builds that differ", "differ")
}
