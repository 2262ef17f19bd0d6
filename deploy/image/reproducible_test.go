package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReproducible packs HEAD in two clones in different folders, the way that a
// stranger would, and compares all that came out.
func TestReproducible(t *testing.T) {
	dir := t.TempDir()
	clones := []string{filepath.Join(dir, "a"), filepath.Join(dir, "another folder", "with a longer name")}
	from := "../.."
	for _, clone := range clones {
		run(t, "git", "clone", "-q", from, clone)
		run(t, "make", "-C", clone, "image")
		from = clone // whatever HEAD is by now
	}
	one, other := tree(t, clones[0]), tree(t, clones[1])
	if len(one) != len(other) || len(one) < 15 {
		t.Errorf("%d and %d files", len(one), len(other))
	}
	for name, hash := range one {
		if other[name] != hash {
			t.Errorf("%s differs", name)
		}
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	for _, v := range os.Environ() { // what this test was started with is not a stranger's
		if !strings.HasPrefix(v, "MAKE") && !strings.HasPrefix(v, "MFLAGS=") && !strings.HasPrefix(v, "IMAGE=") && !strings.HasPrefix(v, "SOURCE_DATE_EPOCH=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// tree is the hash of each file in a clone's dist.
func tree(t *testing.T, clone string) map[string]string {
	t.Helper()
	dist := filepath.Join(clone, "dist")
	hashes := map[string]string{}
	err := filepath.WalkDir(dist, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dist, path)
		hashes[name] = sum(read(t, path))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hashes
}
