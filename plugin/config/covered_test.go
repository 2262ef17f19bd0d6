package config

import (
	"strings"
	"testing"

	"edgejwt/verify/route"
)

// pathOfTest reads "prefix /a" as a condition.
func pathOfTest(s string) route.Path {
	kind, text, _ := strings.Cut(s, " ")
	return route.Path{Kind: map[string]route.Kind{"any": route.Any, "exact": route.Exact, "prefix": route.Prefix, "template": route.Template, "regex": route.Regex}[kind], Text: text}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"any", "exact /a", true}, {"any", "regex /a", true}, {"any", "any", true},
		{"prefix /", "any", true}, {"prefix /", "regex /a", true}, {"template /{x=**}", "any", true}, {"prefix /a", "any", false}, {"exact /", "any", false},
		{"prefix /a", "prefix /a", true}, {"prefix /a", "prefix /a/", true}, {"prefix /a", "exact /a", true}, {"prefix /a", "exact /a/b", true},
		{"prefix /a", "exact /ab", false}, {"prefix /a/b", "prefix /a", false}, {"prefix /a", "template /a/{x}", true}, {"prefix /a", "template /{x}", false},
		{"exact /a", "exact /a/", false}, {"exact /a/", "exact /a/", true}, {"prefix /a/", "prefix /a", false}, {"prefix /a/", "exact /a/b", true}, {"prefix /a/", "exact /a", false}, {"exact /a", "prefix /a", false}, {"exact /a", "exact /b", false}, {"exact /", "exact /", true},
		{"exact /a", "template /a/{x=**}", false},
		{"template /{x}", "exact /a", true}, {"template /{x}", "exact /", false}, {"template /{x}", "exact /a/b", false}, {"template /{x}", "prefix /a", false},
		{"template /{x}", "template /{y}", true}, {"template /a/{x}", "template /{y}/a", false}, {"template /{x}/a", "exact /b/a", true},
		{"template /a/{x=**}", "prefix /a", true}, {"template /a/{x=**}", "exact /a", true}, {"template /a/{x=**}", "exact /b", false},
		{"template /a/{x}/{y=**}", "prefix /a", false}, {"template /a/{x}/{y=**}", "prefix /a/b", true},
		{"exact /{x}", "exact /a", false}, {"exact /{x}", "template /{x}", false},
		{"regex /a", "regex /a", true}, {"regex /a", "regex /b", false}, {"regex /a", "exact /a", false}, {"prefix /a", "regex /a", false},
	} {
		a, b := pathOfTest(c.a), pathOfTest(c.b)
		if got := covers(&a, &b); got != c.want {
			t.Errorf("%s covers %s: %v", c.a, c.b, got)
		}
	}
}

func TestCoveredBy(t *testing.T) {
	get, both := []string{"GET"}, []string{"GET", "POST"}
	for _, c := range []struct {
		name           string
		earlier, later route.Route
		want           int
	}{
		{"nothing asked", route.Route{}, route.Route{Methods: get}, 0},
		{"fewer methods", route.Route{Methods: get}, route.Route{Methods: both}, -1},
		{"more methods", route.Route{Methods: both}, route.Route{Methods: get}, 0},
		{"HEAD of GET", route.Route{Methods: get}, route.Route{Methods: []string{"HEAD"}}, -1},
		{"GET of HEAD", route.Route{Methods: []string{"HEAD"}}, route.Route{Methods: get}, -1},
		{"every method", route.Route{Methods: get}, route.Route{}, -1},
		{"other host", route.Route{Hosts: []string{"a"}}, route.Route{Hosts: []string{"b"}}, -1},
		{"same host", route.Route{Hosts: []string{"a"}}, route.Route{Hosts: []string{"a"}}, 0},
		{"header", route.Route{Headers: []route.Header{{Name: "x"}}}, route.Route{Headers: []route.Header{{Name: "x"}}}, -1},
	} {
		if got := coveredBy([]route.Route{c.earlier, c.later}, 1); got != c.want {
			t.Errorf("%s: %d", c.name, got)
		}
	}
}
