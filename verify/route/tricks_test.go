package route_test

import (
	"errors"
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"

	"edgejwt/verify"
	"edgejwt/verify/route"
)

var update = flag.Bool("update", false, "write TRICKS.md anew")

const refused = "" // by Canonical

// tricks are paths and their canonical form.
var tricks = []struct{ name, path, canonical string }{
	{"plain", "/admin", "/admin"},
	{"root", "/", "/"},
	{"query", "/admin?x=/public", "/admin"},
	{"query of question marks", "/admin??x?", "/admin"},
	{"empty query", "/admin?", "/admin"},
	{"tricks in the query", "/admin?a=%2f..%2f;#%zz", "/admin"},
	{"trailing slash", "/admin/", "/admin"},
	{"trailing slashes", "/admin//", "/admin"},
	{"other case", "/ADMIN", "/ADMIN"},
	{"sub-delimiters", "/a!$&'()*+,=:@b", "/a!$&'()*+,=:@b"},
	{"verb", "/orders/7:cancel", "/orders/7:cancel"},
	{"matrix of dots", "/v1.2/a..b/...", "/v1.2/a..b/..."},
	{"encoded space within", "/a%20b", "/a%20b"},

	{"encoded letter", "/%61dmin", "/admin"},
	{"all encoded", "/%61%64%6d%69%6E", "/admin"},
	{"encoded tilde", "/%7euser", "/~user"},
	{"encoded at sign", "/users/%40me", "/users/@me"},
	{"encoded colon and plus", "/a%3Ab%2Bc", "/a:b+c"},
	{"lower case escape", "/caf%c3%a9", "/caf%C3%A9"},
	{"raw bracket", "/a[1]|{}^`\"<>", "/a%5B1%5D%7C%7B%7D%5E%60%22%3C%3E"},
	{"encoded bracket", "/a%5b1%5d", "/a%5B1%5D"},
	{"four bytes of UTF-8", "/%F0%9F%98%80", "/%F0%9F%98%80"},

	{"dot segment", "/./admin", "/admin"},
	{"dot segment at the end", "/admin/.", "/admin"},
	{"up and down", "/public/../admin", "/admin"},
	{"up at the end", "/admin/x/..", "/admin"},
	{"up to the root", "/public/..", "/"},
	{"encoded dots", "/public/%2e%2e/admin", "/admin"},
	{"half encoded dots", "/public/.%2E/admin", "/admin"},
	{"encoded dot", "/%2e/admin", "/admin"},
	{"above the root", "/../admin", refused},
	{"encoded above the root", "/%2e%2e/admin", refused},
	{"up over an empty segment", "/admin//../x", refused},
	{"up twice over an empty segment", "/a/b//../../admin", refused},

	{"slash in front", "//admin", "/admin"},
	{"slashes in front", "///admin", "/admin"},
	{"slashes within", "/public//x", "/public/x"},
	{"a host in front", "//public/admin", "/public/admin"},

	{"parameter", "/admin;x=1", refused},
	{"empty parameter", "/admin;", refused},
	{"parameter in the middle", "/public;a/admin", refused},
	{"dots with a parameter", "/public/..;/admin", refused},
	{"encoded semicolon", "/admin%3Bx", refused},
	{"backslash", `/public\..\admin`, refused},
	{"backslash in front", `\admin`, refused},
	{"encoded backslash", "/public/..%5cadmin", refused},
	{"encoded slash", "/public%2f..%2fadmin", refused},
	{"encoded slash, upper case", "/orders%2F7", refused},
	{"twice encoded slash", "/public%252f..%252fadmin", refused},
	{"twice encoded letter", "/%2561dmin", refused},
	{"encoded percent sign", "/100%25", refused},
	{"encoded question mark", "/admin%3Fx", refused},
	{"encoded number sign", "/admin%23x", refused},
	{"fragment", "/admin#x", refused},
	{"fragment with a path", "/public#/../admin", refused},
	{"fragment with a query", "/public#?/admin", refused},

	{"encoded NUL", "/admin%00", refused},
	{"encoded NUL and suffix", "/admin%00.png", refused},
	{"raw NUL", "/admin\x00", refused},
	{"encoded line break", "/admin%0d%0aX-A:%20b", refused},
	{"encoded tab", "/admin%09", refused},
	{"raw tab", "/admin\t", refused},
	{"encoded DEL", "/admin%7f", refused},
	{"raw space", "/admin x", refused},
	{"trailing encoded space", "/admin%20", refused},
	{"leading encoded space", "/%20admin", refused},
	{"segment of a space", "/public/%20/x", refused},

	{"raw UTF-8", "/café", refused},
	{"raw Latin-1", "/caf\xe9", refused},
	{"encoded Latin-1", "/caf%E9", refused},
	{"cut UTF-8", "/caf%C3", refused},
	{"UTF-8 cut by a letter", "/caf%C3a%A9", refused},
	{"overlong slash", "/public%c0%afadmin", refused},
	{"overlong dot", "/public/%c0%ae%c0%ae/admin", refused},
	{"overlong in three bytes", "/%e0%80%afadmin", refused},
	{"surrogate", "/%ed%a0%80", refused},
	{"beyond Unicode", "/%f4%90%80%80", refused},
	{"fullwidth slash", "/public%EF%BC%8Fadmin", refused},
	{"fullwidth letter", "/%EF%BD%81dmin", refused},
	{"two dot leader", "/public/%E2%80%A5/admin", refused},
	{"division slash", "/public%E2%88%95admin", refused},
	{"Greek question mark", "/admin%CD%BEx", refused},
	{"yen sign", "/public%C2%A5admin", refused},
	{"no-break space", "/admin%C2%A0", refused},
	{"zero width space", "/ad%E2%80%8Bmin", refused},
	{"byte order mark", "/%EF%BB%BFadmin", refused},
	{"next line", "/admin%C2%85", refused},
	{"line separator", "/admin%E2%80%A8", refused},
	{"replacement character", "/%EF%BF%BD", refused},

	{"bare percent sign", "/100%", refused},
	{"cut escape", "/admin%6", refused},
	{"no hex", "/%zzadmin", refused},
	{"half hex", "/%6zadmin", refused},
	{"Microsoft's escape", "/%u0061dmin", refused},
	{"sign in the escape", "/%+1admin", refused},

	{"absolute form", "http://api.example.com/admin", refused},
	{"authority form", "api.example.com:443", refused},
	{"no slash in front", "admin", refused},
	{"asterisk", "*", refused},
	{"empty", "", refused},
	{"only a query", "?/admin", refused},
	{"at the limit", "/" + strings.Repeat("a", route.MaxPathBytes-1), "/" + strings.Repeat("a", route.MaxPathBytes-1)},
	{"at the limit with a query", "/" + strings.Repeat("a", route.MaxPathBytes-1) + "?aaa", "/" + strings.Repeat("a", route.MaxPathBytes-1)},
	{"over the limit", "/" + strings.Repeat("a", route.MaxPathBytes), refused},
}

func TestTricks(t *testing.T) {
	if len(tricks) < 60 {
		t.Fatalf("only %d tricks", len(tricks))
	}
	for _, c := range tricks {
		got, err := route.Canonical(c.path, route.Options{})
		if got != c.canonical || (err == nil) != (c.canonical != refused) || err != nil && !errors.Is(err, verify.PathAmbiguous) {
			t.Errorf("%s: %.40q is %.40q, %v; want %.40q", c.name, c.path, got, err, c.canonical)
		}
		if verify.ChallengeOf(err, "api") != "" {
			t.Errorf("%s: there is a challenge", c.name)
		}
	}
}

func TestIgnoreCase(t *testing.T) {
	for _, c := range []struct{ path, canonical string }{
		{"/ADMIN/x", "/admin/x"},
		{"/%41dmin", "/admin"},
		{"/A%5B%7C", "/a%5B%7C"},
		{"/admin.", refused},
		{"/admin./x", refused},
		{"/...", refused},
		{"/v1.2", "/v1.2"},
		{"/K%C3%A9", refused},
		{"/%E2%84%AA", refused}, // the Kelvin sign, whose lower case is k
	} {
		got, err := route.Canonical(c.path, route.Options{IgnoreCase: true})
		if got != c.canonical || (err == nil) != (c.canonical != refused) {
			t.Errorf("%q is %q, %v; want %q", c.path, got, err, c.canonical)
		}
	}
}

// guarded is a configuration in which each trick would pay.
var guarded = []route.Route{
	{Path: route.Path{Kind: route.Exact, Text: "/admin"}},
	{Path: route.Path{Kind: route.Prefix, Text: "/public"}, Auth: route.None},
	{Path: route.Path{Kind: route.Template, Text: "/orders/{id}"}},
	{Path: route.Path{Kind: route.Prefix, Text: "/a"}, Auth: route.None},
	{Path: route.Path{Kind: route.Exact, Text: "/"}, Auth: route.None},
}

// TestTricksAreListed keeps TRICKS.md, which says what each server would serve
// and what the edge decides; and demands that no server serves under a rule that
// is not the edge's.
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
	for _, c := range tricks {
		var m route.Match
		edge := "-"
		if err := table.Find(&route.Request{Path: c.path}, &m); err == nil {
			edge = "default"
			if m.Index >= 0 {
				edge = strconv.Itoa(m.Index)
			}
		}
		b.WriteString("| " + c.name + " | " + shown(c.path) + " | " + edge + " |")
		for _, s := range servers {
			seen, ok := s.sees(c.path)
			if !ok {
				b.WriteString(" - |")
				continue
			}
			b.WriteString(" " + shown(seen) + " |")
			if want := served(guarded, seen, s.raw); edge != "-" && want != m.Index {
				t.Errorf("%s: the edge judges %q by route %s, %s serves what route %d is for", c.name, c.path, edge, s.name, want)
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

// TestPlain: what may be sent, and what is canonical only after a change.
func TestPlain(t *testing.T) {
	for path, plain := range map[string]bool{
		"/": true, "/a/b": true, "/a/b/": true, "/a%20b": true, "/caf%C3%A9": true, "/a?x=/../%2f//": true, "/a.b/..c": true, "/caf%c3%a9": true, "/a|b": true,
		"/a//b": false, "/a/./b": false, "/a/../b": false, "/%61": false, "//": false,
		"/a%2fb": false, "/a\\b": false, "/a;b": false, "": false, "*": false, "/..": false, "/a/b//": false,
	} {
		err := route.Plain(path)
		if (err == nil) != plain || err != nil && verify.ReasonOf(err) != verify.PathAmbiguous {
			t.Errorf("%q: %v, want plain %v", path, err, plain)
		}
	}
}
