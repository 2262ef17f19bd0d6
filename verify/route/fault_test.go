package route_test

import (
	"testing"
	"time"

	"edgejwt/verify/route"
	"edgejwt/verify/strictjson"
)

func TestFaults(t *testing.T) {
	s := func(texts ...string) []string { return texts }
	requiring := func(n route.Requirements) route.Route { return route.Route{Requirements: n} }
	path := func(p route.Path) route.Route { return route.Route{Path: p} }
	bind := func(b route.Binding) route.Route {
		return route.Route{Path: template("/{x}"), Requirements: route.Requirements{ClaimMatches: []route.Binding{b}}}
	}
	for _, c := range []struct {
		name         string
		route        route.Route
		field, found string
	}{
		{"exact, relative", path(exact("a")), "path", "a"},
		{"exact, empty", path(exact("")), "path", ""},
		{"exact, query", path(exact("/a?b")), "path", "/a?b"},
		{"exact, dots", path(exact("/a/../b")), "path", "/a/../b"},
		{"exact, two slashes", path(exact("/a//b")), "path", "/a//b"},
		{"exact, encoded slash", path(exact("/a%2fb")), "path", "/a%2fb"},
		{"prefix, semicolon", path(prefix("/a;")), "path", "/a;"},
		{"prefix, wildcard of another language", path(prefix("/a#")), "path", "/a#"},
		{"template, relative", path(template("{x}")), "path", "{x}"},
		{"template, part of a segment", path(template("/v{x}")), "path", "/v{x}"},
		{"template, brace", path(template("/{x")), "path", "/{x"},
		{"template, brace in a brace", path(template("/{{x}}")), "path", "/{{x}}"},
		{"template, no name", path(template("/{}")), "path", "/{}"},
		{"template, digit in front", path(template("/{1x}")), "path", "/{1x}"},
		{"template, type of another language", path(template("/{x:int}")), "path", "/{x:int}"},
		{"template, twice", path(template("/{x}/{x}")), "path", "/{x}/{x}"},
		{"template, behind the tail", path(template("/{x=**}/y")), "path", "/{x=**}/y"},
		{"template, dots", path(template("/a/../{x}")), "path", "/a/../{x}"},
		{"template, two slashes", path(template("/a//{x}")), "path", "/a//{x}"},
		{"template, nine variables", path(template("/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}")), "path", "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}"},
		{"regex, empty", path(route.Path{Kind: route.Regex}), "path", ""},
		{"regex, no RE2", path(regex(`/(?=a)`)), "path", `/(?=a)`},
		{"regex that leaves its group", path(regex(`/a)|(b`)), "path", `/a)|(b`},
		{"regex of no path", path(regex(`a/b`)), "path", `a/b`},
		{"no kind", path(route.Path{Kind: 99}), "path", ""},
		{"method", route.Route{Methods: s("GET", "GE T")}, "methods", "GE T"},
		{"methods, empty", route.Route{Methods: []string{}}, "methods", ""},
		{"host, URL", route.Route{Hosts: s("https://x")}, "hosts", "https://x"},
		{"host, colon without a port", route.Route{Hosts: s("x:")}, "hosts", "x:"},
		{"method, not in capitals", route.Route{Methods: s("delete")}, "methods", "delete"},
		{"host, star", route.Route{Hosts: s("*")}, "hosts", "*"},
		{"host, star within", route.Route{Hosts: s("a.*.x")}, "hosts", "a.*.x"},
		{"header", route.Route{Headers: []route.Header{{Name: "X-A"}}}, "headers", "X-A"},
		{"header without values", route.Route{Headers: []route.Header{{Name: "x", Values: []string{}}}}, "headers", ""},
		{"auth", route.Route{Auth: 4}, "auth", ""},
		{"mode", route.Route{Mode: 3}, "auth", ""},
		{"none with scopes", route.Route{Auth: route.None, Requirements: route.Requirements{Scopes: s("a")}}, "auth", ""},
		{"none with issuers", route.Route{Auth: route.None, Requirements: route.Requirements{Issuers: s("a")}}, "auth", ""},
		{"none with maxAge", route.Route{Auth: route.None, Requirements: route.Requirements{MaxAge: 1}}, "auth", ""},
		{"none with claims", route.Route{Auth: route.None, Requirements: route.Requirements{RequiredClaims: [][]string{s("a")}}}, "auth", ""},
		{"deny with scopes", route.Route{Auth: route.Deny, Requirements: route.Requirements{Scopes: s("a")}}, "auth", ""},
		{"deny with maxLifetime", route.Route{Auth: route.Deny, Requirements: route.Requirements{MaxLifetime: 1}}, "auth", ""},
		{"deny with a binding", route.Route{Auth: route.Deny, Path: template("/{x}"), Requirements: route.Requirements{ClaimMatches: []route.Binding{{Claim: s("a"), Variable: "x"}}}}, "auth", ""},
		{"deny with opaque tokens", route.Route{Auth: route.Deny, AllowOpaque: true}, "auth", ""},
		{"deny with both", route.Route{Auth: route.Deny, AllowOpaque: true, Requirements: route.Requirements{Clients: s("a")}}, "auth", ""},
		{"scope with a space", requiring(route.Requirements{Scopes: s("a b")}), "scopes", "a b"},
		{"scope with a quote", requiring(route.Requirements{AnyScope: s("a", `"`)}), "anyScope", `"`},
		{"scope with a backslash", requiring(route.Requirements{Permissions: s(`\`)}), "permissions", `\`},
		{"scope beyond ASCII", requiring(route.Requirements{AnyPermission: s("é")}), "anyPermission", "é"},
		{"scope with a line break", requiring(route.Requirements{Scopes: s("a\nb")}), "scopes", "a\nb"},
		{"scope, empty", requiring(route.Requirements{Scopes: s("")}), "scopes", ""},
		{"any scope of none", requiring(route.Requirements{AnyScope: []string{}}), "anyScope", ""},
		{"client, empty", requiring(route.Requirements{Clients: s("")}), "clients", ""},
		{"claim without name", requiring(route.Requirements{Claims: []route.Claim{{Values: values(t, `[1]`)}}}), "claims", ""},
		{"claim without values", requiring(route.Requirements{Claims: []route.Claim{{Name: s("a")}}}), "claims", ""},
		{"claim with null", requiring(route.Requirements{Claims: []route.Claim{{Name: s("a"), Values: []strictjson.Value{{Kind: strictjson.Null, Raw: "null"}}}}}), "claims", "null"},
		{"claim with a list", requiring(route.Requirements{Claims: []route.Claim{{Name: s("a"), Values: values(t, `[[1]]`)}}}), "claims", "[1]"},
		{"required without name", requiring(route.Requirements{RequiredClaims: [][]string{{}}}), "requiredClaims", ""},
		{"binding to nothing", bind(route.Binding{Claim: s("a")}), "claimMatches", ""},
		{"binding to two things", bind(route.Binding{Claim: s("a"), Variable: "x", Host: true}), "claimMatches", ""},
		{"binding to no variable", bind(route.Binding{Claim: s("a"), Variable: "y"}), "claimMatches", "y"},
		{"binding to a header in capitals", bind(route.Binding{Claim: s("a"), Header: "X"}), "claimMatches", "X"},
		{"binding of no claim", bind(route.Binding{Variable: "x"}), "claimMatches", ""},
		{"none with acr", route.Route{Auth: route.None, Requirements: route.Requirements{ACR: s("a")}}, "auth", ""},
		{"none with maxAuthAge", route.Route{Auth: route.None, Requirements: route.Requirements{MaxAuthAge: 1}}, "auth", ""},
		{"deny with acr", route.Route{Auth: route.Deny, Requirements: route.Requirements{ACR: s("a")}}, "auth", ""},
		{"acr with a space", requiring(route.Requirements{ACR: s("a b")}), "acr", "a b"},
		{"acr with a quote", requiring(route.Requirements{ACR: s(`a"`)}), "acr", `a"`},
		{"acr with a backslash", requiring(route.Requirements{ACR: s(`a\`)}), "acr", `a\`},
		{"acr beyond ASCII", requiring(route.Requirements{ACR: s("é")}), "acr", "é"},
		{"acr, empty", requiring(route.Requirements{ACR: s("")}), "acr", ""},
		{"acr of none", requiring(route.Requirements{ACR: []string{}}), "acr", ""},
		{"negative age of the authentication", requiring(route.Requirements{MaxAuthAge: -time.Second}), "maxAge", ""},
		{"negative age", requiring(route.Requirements{MaxAge: -time.Second}), "maxAge", ""},
		{"negative lifetime", requiring(route.Requirements{MaxLifetime: -time.Second}), "maxAge", ""},
	} {
		table, faults := route.NewTable([]route.Route{{}, c.route}, route.Options{})
		if table != nil || len(faults) != 1 || faults[0].Route != 1 || faults[0].Field != c.field ||
			faults[0].Found != c.found || faults[0].Want == "" {
			t.Errorf("%s: %+v, want %s with %q", c.name, faults, c.field, c.found)
		}
	}
}

// TestAllFaultsAtOnce, of all routes.
func TestAllFaultsAtOnce(t *testing.T) {
	_, faults := route.NewTable([]route.Route{
		{Path: exact("x"), Methods: []string{""}},
		{},
		{Hosts: []string{"", "ok"}, Auth: route.None, Requirements: route.Requirements{Scopes: []string{"a"}}},
	}, route.Options{})
	got := ""
	for _, f := range faults {
		got += string(rune('0'+f.Route)) + "." + f.Field + " "
	}
	if got != "0.path 0.methods 2.hosts 2.auth " {
		t.Error(got)
	}
}
