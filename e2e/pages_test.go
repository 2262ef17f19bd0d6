package e2e

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"edgejwt/e2e/harness"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// page is a Markdown file of the project.
type page struct {
	path string // from the project's folder, with slashes
	text string
}

// pages are all Markdown files of the project.
func pages(t *testing.T) (all []page) {
	t.Helper()
	root := harness.Root()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "dist" || name == "testdata") {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		short, err := filepath.Rel(root, path)
		all = append(all, page{filepath.ToSlash(short), string(text)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 30 {
		t.Fatalf("only %d pages found", len(all))
	}
	return all
}

// linksOf gives what a page links to or shows, and the anchors that its headings have
// on GitHub.
func linksOf(p page) (links []string, anchors map[string]bool) {
	source := []byte(p.text)
	anchors = map[string]bool{}
	document := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	ast.Walk(document, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			links = append(links, string(n.Destination))
		case *ast.Image:
			links = append(links, string(n.Destination))
		case *ast.Heading:
			anchor := anchorOf(string(textOf(n, source)))
			for i, first := 1, anchor; anchors[anchor]; i++ {
				anchor = first + "-" + strconv.Itoa(i)
			}
			anchors[anchor] = true
		}
		return ast.WalkContinue, nil
	})
	return links, anchors
}

// textOf is what a reader sees of a heading.
func textOf(n ast.Node, source []byte) (seen []byte) {
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		switch child := child.(type) {
		case *ast.Text:
			seen = append(seen, child.Segment.Value(source)...)
		case *ast.String:
			seen = append(seen, child.Value...)
		default:
			seen = append(seen, textOf(child, source)...)
		}
	}
	return seen
}

// anchorOf is the anchor that GitHub gives a heading.
func anchorOf(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}, strings.ToLower(heading))
}

// TestLinks follows every relative link of every page to a file of the project, and
// to a heading where it names one.
func TestLinks(t *testing.T) {
	all := pages(t)
	anchors, links := map[string]map[string]bool{}, map[string][]string{}
	for _, p := range all {
		links[p.path], anchors[p.path] = linksOf(p)
	}
	followed, toHeadings := 0, 0
	for _, p := range all {
		for _, link := range links[p.path] {
			if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
				continue
			}
			followed++
			file, anchor, named := strings.Cut(link, "#")
			target := p.path
			if file != "" {
				target = path.Join(path.Dir(p.path), file)
			}
			info, err := os.Stat(filepath.Join(harness.Root(), filepath.FromSlash(target)))
			switch {
			case !filepath.IsLocal(target):
				t.Errorf("%s: %s leaves the project", p.path, link)
				continue
			case err != nil:
				t.Errorf("%s: %s: %v", p.path, link, err)
				continue
			case info.IsDir():
				target = path.Join(target, "README.md")
			}
			if !named {
				continue
			}
			toHeadings++
			if !anchors[target][anchor] {
				t.Errorf("%s: %s: %s has no heading for that", p.path, link, target)
			}
		}
	}
	if followed < 150 || toHeadings < 15 {
		t.Errorf("only %d links were followed, %d of them to headings", followed, toHeadings)
	}
}

// TestAnchors: headings that occur, as GitHub names them.
func TestAnchors(t *testing.T) {
	_, got := linksOf(page{text: "# A `code` span, and a [link](x)\n## Why 503, and not 401?\n## Again\n## Again\n```\n# no heading\n```\nSetext: it's one\n---\n"})
	want := map[string]bool{"a-code-span-and-a-link": true, "why-503-and-not-401": true, "again": true, "again-1": true, "setext-its-one": true}
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestShownTest: docs/testing.md shows the test of e2e/policytest as it is.
func TestShownTest(t *testing.T) {
	if example := fileInRoot(t, "e2e", "policytest", "policy_test.go"); !strings.Contains(fileInRoot(t, "docs", "testing.md"), "```go\n"+example+"```\n") {
		t.Error("docs/testing.md does not show e2e/policytest/policy_test.go as it is")
	}
}

// TestCopiedPolicyTest runs the commands by which docs/testing.md makes a Go module of
// the folder e2e/policytest, in a folder beside a clone.
func TestCopiedPolicyTest(t *testing.T) {
	commands := ""
	for _, b := range blocksOf(fileInRoot(t, "docs", "testing.md")) {
		if b.kind == "sh" && strings.Contains(b.text, "go mod init") {
			commands = b.text
		}
	}
	if commands == "" {
		t.Fatal("docs/testing.md does not show how to copy the folder")
	}
	dir := t.TempDir()
	if err := os.Symlink(harness.Root(), filepath.Join(dir, "edgejwt")); err != nil {
		t.Fatal(err)
	}
	run := exec.Command("sh", "-ec", commands)
	run.Dir = dir
	run.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := run.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// inProject are names of files in code spans.
var inProject = regexp.MustCompile("`((?:verify|jwks|plugin|internal|cmd|e2e|docs|deploy)/[A-Za-z0-9_./-]+)`")

// TestContributing: every file that CONTRIBUTING.md and RATIONALE.md name is there.
func TestContributing(t *testing.T) {
	found := 0
	for _, page := range []string{"CONTRIBUTING.md", "RATIONALE.md", "SECURITY.md", "CHANGELOG.md"} {
		for _, m := range inProject.FindAllStringSubmatch(fileInRoot(t, page), -1) {
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
