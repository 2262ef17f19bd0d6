package route_test

import (
	"errors"
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"

	"edgejwt/internal/attacks/paths"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

var update = flag.Bool("update", false, "write TRICKS.md anew")

func TestTricks(t *testing.T) {
	if len(paths.All) < 60 {
		t.Fatalf("only %d tricks", len(paths.All))
	}
	for _, c := range paths.All {
		got, err := route.Canonical(c.Path, route.Options{})
		if got != c.Canonical || (err == nil) != (c.Canonical != paths.Refused) || err != nil && !errors.Is(err, verify.PathAmbiguous) {
			t.Errorf("%s: %.40q is %.40q, %v; want %.40q", c.Name, c.Path, got, err, c.Canonical)
		}
		if verify.ChallengeOf(err, "api") != "" {
			t.Errorf("%s: there is a challenge", c.Name)
		}
	}
}

func TestIgnoreCase(t *testing.T) {
	for _, c := range []struct{ path, canonical string }{
		{"/ADMIN/x", "/admin/x"},
		{"/%41dmin", "/admin"},
		{"/A%5B%7C", "/a%5B%7C"},
		{"/admin.", paths.Refused},
		{"/admin./x", paths.Refused},
		{"/...", paths.Refused},
		{"/v1.2", "/v1.2"},
		{"/K%C3%A9", paths.Refused},
		{"/%E2%84%AA", paths.Refused}, // the Kelvin sign, whose lower case is k
	} {
		got, err := route.Canonical(c.path, route.Options{IgnoreCase: true})
		if got != c.canonical || (err == nil) != (c.canonical != paths.Refused) {
			t.Errorf("%q is %q, %v; want %q", c.path, got, err, c.canonical)
		}
	}
}

// guarded is a configuration in which each trick would pay.
var guarded = []route.Route{
	{Path: route.Path{Kind: route.Exact, Text: "/admin"}, Auth: route.Deny},
	{Path: route.Path{Kind: route.Prefix, Text: "/public"}, Auth: route.None},
	{Path: route.Path{Kind: route.Template, Text: "/orders/{id}"}, Requirements: route.Requirements{Scopes: []string{"a"}}},
	{Path: route.Path{Kind: route.Prefix, Text: "/a"}, Auth: route.None},
	{Path: route.Path{Kind: route.Exact, Text: "/"}, Auth: route.None},
}

// TestTricksAreListed keeps TRICKS.md, which says what each server would serve
// and what the edge decides; and demands that no server serves under a rule
// that asks for more than the edge's.
func TestTricksAreListed(t *testing.T) {
	table, faults := route.NewTable(guarded, route.Options{})
	if faults != nil {
		t.Fatal(faults)
	}
	var b strings.Builder
	b.WriteString("# What servers make of a path\n\n" +
		"Each line is one path, the route that the edge judges it by, and the path by which a server would look its handler up;\n" +
		"`-` is a refusal. ServeMux is the real one, the others are the models of servers_test.go.\n" +
		"The routes: 0 is exactly `/admin`, 1 begins with `/public`, 2 is `/orders/{id}`, 3 begins with `/a`, 4 is exactly `/`.\n" +
		"Written by `go test ./verify/route -run TricksAreListed -update`; the test fails when it is out of date.\n\n| trick | path | edge |")
	for _, s := range servers {
		b.WriteString(" " + s.name + " |")
	}
	b.WriteString("\n|---|---|---|" + strings.Repeat("---|", len(servers)) + "\n")
	shown := func(s string) string {
		if len(s) > 60 {
			return "(" + strconv.Itoa(len(s)) + " bytes)"
		}
		return "`` " + strings.ReplaceAll(strings.Trim(strconv.Quote(s), `"`), "|", `\|`) + " ``"
	}
	for _, c := range paths.All {
		var m route.Match
		edge := "-"
		if err := table.Find(&route.Request{Path: c.Path}, &m); err == nil {
			edge = "default"
			if m.Index >= 0 {
				edge = strconv.Itoa(m.Index)
			}
		}
		b.WriteString("| " + c.Name + " | " + shown(c.Path) + " | " + edge + " |")
		for _, s := range servers {
			seen, ok := s.sees(c.Path)
			if !ok {
				b.WriteString(" - |")
				continue
			}
			b.WriteString(" " + shown(seen) + " |")
			if want := served(guarded, seen, s.raw); edge != "-" && level(guarded, want) > levelOf(m.Route) {
				t.Errorf("%s: the edge judges %q by route %s, %s serves what route %d is for", c.Name, c.Path, edge, s.name, want)
			}
		}
		b.WriteString("\n")
	}
	if *update {
		if err := os.WriteFile("TRICKS.md", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if listed, err := os.ReadFile("TRICKS.md"); err != nil || string(listed) != b.String() {
		t.Errorf("TRICKS.md is out of date (%v); see its head", err)
	}
}

// TestSpellings: what a request has besides the one reading that all servers share.
func TestSpellings(t *testing.T) {
	for _, c := range []struct {
		method, host, path string
		ignorePort         bool
		want               route.Spelling
	}{
		{"GET", "a.example", "/", false, 0},
		{"GET", "a.example", "/a/", false, route.TrailingSlash},
		{"GET", "a.example:80", "/a", false, route.HostPort},
		{"GET", "a.example:80", "/a", true, 0},
		{"GET", "a.example:", "/a", false, route.HostPort},
		{"GET", "A.example.", "/a", true, route.HostCase | route.HostDot},
		{"GET", "a@b", "/a", false, route.OddHost},
		{"HEAD", "a.example", "/a", false, route.HeadAsGet},
		{"delete", "a.example", "/a", false, route.MethodCase},
		{"head", "a.example", "/a/", false, route.MethodCase | route.HeadAsGet | route.TrailingSlash},
	} {
		if got := route.Spellings(&route.Request{Method: c.method, Host: c.host, Path: c.path}, route.Options{IgnoreHostPort: c.ignorePort}); got != c.want {
			t.Errorf("%s %s%s: %v, want %v", c.method, c.host, c.path, got, c.want)
		}
		if (c.want == 0) != (c.want.Advice() == "") {
			t.Errorf("%v: %q", c.want, c.want.Advice())
		}
	}
}

// TestPlain: what may be sent, and what is canonical only after a change.
func TestPlain(t *testing.T) {
	for path, plain := range map[string]bool{
		"/": true, "/a/b": true, "/a/b/": true, "/a%20b": true, "/caf%C3%A9": true, "/a?x=/../%2f//": true, "/a.b/..c": true, "/caf%c3%a9": true, "/a|b": true,
		"/a//b": false, "/a/./b": false, "/a/../b": false, "/%61": false, "//": false,
		"/a%2fb": false, "/a\\b": false, "/a;b": false, "": false, "*": false, "/..": false, "/a/b//": false,
	} {
		odd := route.Spellings(&route.Request{Method: "GET", Host: "a.example", Path: path}, route.Options{})
		if (odd&route.OddPath == 0) != plain || !plain && odd.Reason() != verify.PathAmbiguous {
			t.Errorf("%q: %v, want plain %v", path, odd, plain)
		}
	}
}
