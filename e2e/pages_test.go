package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"edgejwt/e2e/harness"
)

var link = regexp.MustCompile(`\]\(([^)#]+)(?:#[^)]*)?\)`)

// TestGuideLinks follows the links of the pages to files of the project, and
// holds the test that docs/testing.md shows against the file.
func TestGuideLinks(t *testing.T) {
	pages := []string{"CHANGELOG.md", "CONTRIBUTING.md", "RATIONALE.md", "SECURITY.md"}
	for _, g := range guides(t) {
		pages = append(pages, g.String())
	}
	for _, page := range pages {
		for _, m := range link.FindAllStringSubmatch(fileInRoot(t, page), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(harness.Root(), filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
	if example := fileInRoot(t, "e2e", "policytest", "policy_test.go"); !strings.Contains(fileInRoot(t, "docs", "testing.md"), "```go\n"+example+"```\n") {
		t.Error("docs/testing.md does not show e2e/policytest/policy_test.go as it is")
	}
}

// inRooms are names of files in code spans.
var inRooms = regexp.MustCompile("`((?:verify|jwks|plugin|e2e|docs|deploy)/[A-Za-z0-9_./-]+)`")

// TestContributing: every file that CONTRIBUTING.md and RATIONALE.md name is there.
func TestContributing(t *testing.T) {
	found := 0
	for _, page := range []string{"CONTRIBUTING.md", "RATIONALE.md", "SECURITY.md", "CHANGELOG.md"} {
		for _, m := range inRooms.FindAllStringSubmatch(fileInRoot(t, page), -1) {
			found++
			if _, err := os.Stat(filepath.Join(harness.Root(), m[1])); err != nil {
				t.Errorf("%s names %s, which is not there", page, m[1])
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d files are named", found)
	}
}
