package e2e

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"edgejwt/e2e/harness"
	"edgejwt/plugin/config"

	"go.yaml.in/yaml/v3"
)

var updateGuides = flag.Bool("update-guides", false, "write the outputs of docs/ anew")

// guideBlock is a fenced piece of a page.
type guideBlock struct {
	lang, name string // name is what its first line, a comment, calls the file
	text       string // without the fences and their indentation
	line       int
	from, to   int // in the page's lines: what is between the fences
	indent     string
}

var (
	fence     = regexp.MustCompile("^( *)```([a-z]*)$")
	firstLine = regexp.MustCompile(`^(?:#|//) ([A-Za-z0-9_-]+\.[a-z]+)$`)
)

// guide is a page of docs/.
type guide struct {
	path   string
	lines  []string
	blocks []guideBlock
}

// guides are all pages of docs/, with what stands in fences.
func guides(t *testing.T) []guide {
	t.Helper()
	all := pagesIn(t, "docs")
	if len(all) < 13 {
		t.Fatalf("docs/ has %d pages only", len(all))
	}
	return all
}

// pagesIn are all pages of a folder, with what stands in fences.
func pagesIn(t *testing.T, folder string) (all []guide) {
	t.Helper()
	root := filepath.Join(harness.Root(), folder)
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".md") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		g := guide{path: path, lines: strings.Split(string(raw), "\n")}
		open := -1
		for i, line := range g.lines {
			switch m := fence.FindStringSubmatch(line); {
			case m == nil:
			case open < 0:
				g.blocks = append(g.blocks, guideBlock{lang: m[2], line: i + 1, from: i + 1, indent: m[1]})
				open = i
			default:
				b := &g.blocks[len(g.blocks)-1]
				b.to, open = i, -1
				for _, l := range g.lines[b.from:i] {
					b.text += strings.TrimPrefix(l, b.indent) + "\n"
				}
				if name := firstLine.FindStringSubmatch(strings.SplitN(b.text, "\n", 2)[0]); name != nil {
					b.name = name[1]
				}
			}
		}
		if open >= 0 {
			t.Errorf("%s:%d: the fence is not closed", path, open+1)
		}
		all = append(all, g)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// named gives the text of the page's file.
func (g *guide) named(name string) (string, bool) {
	for _, b := range g.blocks {
		if b.name == name {
			return b.text, true
		}
	}
	return "", false
}

func (g *guide) String() string {
	short, _ := filepath.Rel(harness.Root(), g.path)
	return short
}

// TestGuideCommands runs every command of the pages in a folder with the page's
// files, and compares what it prints with what the page shows.
func TestGuideCommands(t *testing.T) {
	tools := t.TempDir()
	build := exec.Command("go", "build", "-o", tools, "./edgejwt")
	build.Dir = filepath.Join(harness.Root(), "cmd")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the command line cannot be built: %v\n%s", err, out)
	}
	ran := 0
	for _, g := range guides(t) {
		dir := t.TempDir()
		for _, b := range g.blocks {
			if b.name != "" {
				if err := os.WriteFile(filepath.Join(dir, b.name), []byte(b.text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		for i := len(g.blocks) - 1; i >= 0; i-- { // from below, so that -update-guides moves no line that is still needed
			b := g.blocks[i]
			if b.lang != "console" {
				continue
			}
			var shown []string
			for _, line := range strings.Split(strings.TrimSuffix(b.text, "\n"), "\n") {
				command, is := strings.CutPrefix(line, "$ ")
				if !is {
					continue
				}
				ran++
				run := exec.Command("sh", "-c", command)
				run.Dir = dir
				run.Env = append(os.Environ(), "PATH="+tools+":"+os.Getenv("PATH"))
				out, err := run.CombinedOutput()
				if err != nil {
					t.Errorf("%s:%d: %s: %v", &g, b.line, command, err)
				}
				shown = append(shown, line)
				if text := strings.TrimRight(string(out), "\n"); text != "" {
					shown = append(shown, strings.Split(text, "\n")...)
				}
			}
			if want := strings.Join(shown, "\n") + "\n"; want != b.text {
				if !*updateGuides {
					t.Errorf("%s:%d shows something else than is printed (-update-guides writes it anew):\n%s", &g, b.line, want)
				}
				for j := range shown {
					shown[j] = b.indent + shown[j]
				}
				g.lines = append(g.lines[:b.from:b.from], append(shown, g.lines[b.to:]...)...)
			}
		}
		if *updateGuides {
			if err := os.WriteFile(g.path, []byte(strings.Join(g.lines, "\n")), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if ran < 15 {
		t.Errorf("only %d commands", ran)
	}
}

// TestGuideConfigurations holds every configuration of the pages against the
// plugin's parser.
func TestGuideConfigurations(t *testing.T) {
	parsed := 0
	for _, g := range guides(t) {
		for _, b := range g.blocks {
			if b.lang != "yaml" {
				continue
			}
			decoder := yaml.NewDecoder(strings.NewReader(b.text))
			for {
				var tree any
				if err := decoder.Decode(&tree); err != nil {
					if err.Error() != "EOF" {
						t.Errorf("%s:%d: %v", &g, b.line, err)
					}
					break
				}
				fields, _ := tree.(map[string]any)
				if fields["auth0"] == nil && fields["jwtRules"] == nil {
					continue
				}
				parsed++
				raw, err := json.Marshal(tree)
				if err == nil {
					_, err = config.Parse(raw)
				}
				if err != nil {
					t.Errorf("%s:%d: %v", &g, b.line, err)
				}
			}
		}
	}
	if parsed < 10 {
		t.Errorf("only %d configurations", parsed)
	}
}

// TestGuidePrograms compiles the Python of the pages, and asks the app that is left
// behind the edge, by ASGI.
func TestGuidePrograms(t *testing.T) {
	python := filepath.Join(harness.Root(), ".tools/venv/bin/python")
	dir := t.TempDir()
	for _, g := range guides(t) {
		for _, b := range g.blocks {
			if b.lang != "python" {
				continue
			}
			file := filepath.Join(dir, b.name)
			if err := os.WriteFile(file, []byte(b.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(python, "-m", "py_compile", file).CombinedOutput(); err != nil {
				t.Errorf("%s:%d: %s", &g, b.line, out)
			}
		}
	}
	const ask = `
import asyncio
from after import app

async def ask(path, **headers):
    said = []
    async def receive():
        return {"type": "http.request"}
    async def send(message):
        said.append(message)
    await app({"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]}, receive, send)
    print(said[0]["status"], said[1]["body"].decode())

asyncio.run(ask("/orders", x_jwt_sub="auth0|anna"))
asyncio.run(ask("/orgs/acme/orders"))
`
	run := exec.Command(python, "-c", ask)
	run.Dir = dir
	out, err := run.CombinedOutput()
	const want = "200 {\"orders\":[],\"for\":\"auth0|anna\"}\n200 {\"orders\":[],\"of\":\"acme\"}\n"
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s, want\n%s", err, out, want)
	}
}
