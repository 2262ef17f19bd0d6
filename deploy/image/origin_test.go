package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edgejwt/plugin/version"
)

// TestOrigin walks a folder from an unpacked archive to a release.
func TestOrigin(t *testing.T) {
	dir := t.TempDir()
	env := map[string]string{}
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=x", "-c", "user.email=x@example.com"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_COMMITTER_DATE=2026-03-04T05:06:07Z")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	edit := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	check := func(step, version, revision string, created time.Time) {
		t.Helper()
		o, err := OriginOf(t.Context(), dir, func(name string) string { return env[name] })
		if err != nil || o.Version != version || o.Revision != revision || !o.Created.Equal(created) {
			t.Errorf("%s: %+v, %v", step, o, err)
		}
	}
	committed := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	check("an archive", version.Number, "", time.Unix(0, 0))
	git("init", "-q")
	if _, err := OriginOf(t.Context(), dir, os.Getenv); err == nil {
		t.Error("a repository that git cannot describe has no version")
	}
	edit("one")
	git("add", ".")
	git("commit", "-qm", "one")
	head := git("rev-parse", "HEAD")
	check("a commit", version.Number+"-"+head[:12], head, committed)
	git("tag", "-m", "x", "unrelated")
	git("tag", "-m", "x", "v1.2.3")
	check("tags that are not the version's", version.Number+"-"+head[:12], head, committed)
	git("tag", "-m", "x", "v"+version.Number)
	check("a release", version.Number, head, committed)
	env["SOURCE_DATE_EPOCH"] = "86400"
	check("with a date", version.Number, head, time.Unix(86400, 0))
	env["SOURCE_DATE_EPOCH"] = "yesterday"
	if _, err := OriginOf(t.Context(), dir, func(name string) string { return env[name] }); err == nil {
		t.Error("yesterday is no number")
	}
	delete(env, "SOURCE_DATE_EPOCH")
	edit("two")
	check("changed", version.Number+"-"+head[:12]+"-dirty", "", committed)
}
