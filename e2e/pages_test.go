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

var testName = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")

// TestFaultsPage: every row of docs/FAULTS.md names tests, and they are there.
func TestFaultsPage(t *testing.T) {
	var sources strings.Builder
	for _, pattern := range []string{"e2e/*_test.go", "jwks/*_test.go", "plugin/*_test.go"} {
		files, err := filepath.Glob(filepath.Join(harness.Root(), pattern))
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sources.Write(raw)
		}
	}
	rows := tableOf(t, fileInRoot(t, "docs", "FAULTS.md"), "| fault |")
	if len(rows) < 10 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows[1:] {
		tests := testName.FindAllStringSubmatch(row[len(row)-1], -1)
		if len(tests) == 0 {
			t.Errorf("nothing shows %q", row[0])
		}
		for _, test := range tests {
			if !strings.Contains(sources.String(), "func "+test[1]+"(") {
				t.Errorf("%s, which shows %q, is not there", test[1], row[0])
			}
		}
	}
}
