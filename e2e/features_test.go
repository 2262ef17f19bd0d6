package e2e

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"edgejwt/e2e/harness"
	"edgejwt/plugin/config"
)

var quoted = regexp.MustCompile("`([^`]+)`")

// TestEveryFeatureHasATest: FEATURES.md names, for each feature, tests that there
// are, and leaves out no field of the configuration.
func TestEveryFeatureHasATest(t *testing.T) {
	tests, fields := testsOfTheProject(t), map[string]bool{}
	rows := tableOf(t, fileInRoot(t, "e2e", "FEATURES.md"), "| feature |")
	for _, row := range rows[1:] {
		if len(row) != 3 {
			t.Errorf("a row of %d cells: %q", len(row), row)
			continue
		}
		for _, name := range quoted.FindAllStringSubmatch(row[1], -1) {
			fields[name[1]] = true
		}
		named := quoted.FindAllStringSubmatch(row[2], -1)
		if len(named) == 0 {
			t.Errorf("%s: no test shows it", row[0])
		}
		for _, name := range named {
			if !tests[name[1]] {
				t.Errorf("%s: there is no test %s", row[0], name[1])
			}
		}
	}
	known := map[string]bool{}
	var walk func([]config.Field)
	walk = func(list []config.Field) {
		for _, f := range list {
			if f.Refused != "" {
				continue
			}
			if known[f.Name] = true; !fields[f.Name] {
				t.Errorf("FEATURES.md has no row with the field %s", f.Name)
			}
			walk(f.Fields)
		}
	}
	walk(config.Fields())
	for name := range fields {
		if !known[name] {
			t.Errorf("FEATURES.md names %s, which is no field of the configuration", name)
		}
	}
}

// testsOfTheProject are all tests, by folder and name: "verify/route.TestTricks".
func testsOfTheProject(t *testing.T) map[string]bool {
	t.Helper()
	tests := map[string]bool{}
	err := filepath.WalkDir(harness.Root(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && path != harness.Root() && (strings.HasPrefix(name, ".") || name == "testdata") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(harness.Root(), filepath.Dir(path))
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				tests[filepath.ToSlash(folder)+"."+f.Name.Name] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}
