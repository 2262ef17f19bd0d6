package config

import (
	"encoding/json"
	"slices"
	"strings"

	"edgejwt/jwks"
	"edgejwt/verify"
	"edgejwt/verify/ascii"
	"edgejwt/verify/route"
)

// wellKnown is RFC 9728 §3.
const wellKnown = "/.well-known/oauth-protected-resource"

// resourceMetadata reads the field of that name; nil when it is absent.
func (o *object) resourceMetadata(rules []Rule) *ResourceMetadata {
	r := o.child("resourceMetadata")
	if r == nil {
		return nil
	}
	resource, ok := r.required("resource")
	authority, path := "", ""
	if ok {
		authority, path = r.identifier(resource)
	}
	servers := r.list("authorizationServers", wantIdentifier)
	for i := 0; i < len(rules) && !r.has("authorizationServers"); i++ {
		if wantIdentifier(rules[i].Issuer) == "" {
			servers = append(servers, rules[i].Issuer)
		}
	}
	name, _ := r.plain("resourceName")
	documentation, _ := r.text("resourceDocumentation")
	if documentation != "" {
		page, _, _ := strings.Cut(documentation, "#")
		if _, _, err := jwks.SplitURL(page); err != nil {
			r.wrong("resourceDocumentation", documentation, err.Error())
		}
	}
	document, _ := json.Marshal(struct { // texts always have a form
		Resource      string   `json:"resource"`
		Servers       []string `json:"authorization_servers,omitempty"`
		Scopes        []string `json:"scopes_supported,omitempty"`
		Methods       []string `json:"bearer_methods_supported"`
		Name          string   `json:"resource_name,omitempty"`
		Documentation string   `json:"resource_documentation,omitempty"`
	}{resource, servers, r.list("scopesSupported", wantScope), bearerMethods(rules), name, documentation})
	return &ResourceMetadata{Path: wellKnown + path, URL: "https://" + authority + wellKnown + path, Document: document}
}

// identifier splits the resource's. Its path is served, so it must be one that
// can be read in one way only.
func (o *object) identifier(resource string) (authority, path string) {
	want := wantIdentifier(resource)
	if want == "" {
		authority, path, _ = jwks.SplitURL(resource)
		canonical, err := route.Canonical(path, route.Options{})
		if err != nil || canonical != path && canonical+"/" != path {
			want = "has a path that can be read in several ways"
		}
	}
	if want != "" {
		o.wrong("resource", resource, want)
	}
	if path == "/" { // RFC 9728 §3.1
		path = ""
	}
	return authority, path
}

// wantIdentifier demands https, and neither query nor fragment (RFC 9728 §1.2,
// RFC 8414 §2).
func wantIdentifier(url string) string {
	if _, _, err := jwks.SplitURL(url); err != nil {
		return err.Error()
	}
	if strings.IndexByte(url, '?') >= 0 {
		return "has a query (?)"
	}
	return ""
}

// wantScope is RFC 6749 §3.3.
func wantScope(scope string) string {
	for i := 0; i < len(scope); i++ {
		if c := scope[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return "is not a scope (RFC 6749 §3.3: printable ASCII without space, quote and backslash)"
		}
	}
	return ""
}

// bearerMethods lists those of RFC 6750 §2 by which a token is taken (RFC 9728 §2);
// a cookie is none of them.
func bearerMethods(rules []Rule) []string {
	methods := []string{}
	takes := func(method string, fits func(l verify.TokenLocation) bool) {
		if slices.ContainsFunc(rules, func(r Rule) bool { return slices.ContainsFunc(r.Locations, fits) }) {
			methods = append(methods, method)
		}
	}
	takes("header", func(l verify.TokenLocation) bool {
		return l.In == verify.InHeader && l.Name == verify.Authorization.Name && ascii.EqualFold(l.Prefix, verify.Authorization.Prefix)
	})
	takes("query", func(l verify.TokenLocation) bool { return l.In == verify.InQuery && l.Name == "access_token" })
	return methods
}
