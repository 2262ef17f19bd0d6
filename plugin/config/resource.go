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

// wellKnown is the path of RFC 9728 §3.
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
	servers := r.list("authorizationServers", checkIdentifier)
	if !r.has("authorizationServers") {
		for _, rule := range rules {
			if checkIdentifier(rule.Issuer) == "" {
				servers = append(servers, rule.Issuer)
			}
		}
	}
	name, _ := r.printable("resourceName")
	documentation, _ := r.text("resourceDocumentation")
	if documentation != "" {
		page, _, _ := strings.Cut(documentation, "#")
		if _, _, err := jwks.SplitURL(page); err != nil {
			r.wrong("resourceDocumentation", documentation, err.Error())
		}
	}
	document, _ := json.Marshal(struct { // cannot fail: all members are strings
		Resource      string   `json:"resource"`
		Servers       []string `json:"authorization_servers,omitempty"`
		Scopes        []string `json:"scopes_supported,omitempty"`
		Methods       []string `json:"bearer_methods_supported"`
		Name          string   `json:"resource_name,omitempty"`
		Documentation string   `json:"resource_documentation,omitempty"`
	}{resource, servers, r.list("scopesSupported", checkScope), bearerMethods(rules), name, documentation})
	return &ResourceMetadata{Path: wellKnown + path, URL: "https://" + authority + wellKnown + path, Document: document}
}

// identifier splits the resource's identifier. Its path must not be ambiguous, because the
// metadata is served below it.
func (o *object) identifier(resource string) (authority, path string) {
	complaint := checkIdentifier(resource)
	if complaint == "" {
		authority, path, _ = jwks.SplitURL(resource)
		canonical, err := route.Canonical(path, route.Options{})
		if err != nil || canonical != path && canonical+"/" != path {
			complaint = "has a path that can be read in several ways"
		}
	}
	if complaint != "" {
		o.wrong("resource", resource, complaint)
	}
	if path == "/" { // RFC 9728 §3.1
		path = ""
	}
	return authority, path
}

// checkIdentifier requires https, and neither query nor fragment (RFC 9728 §1.2,
// RFC 8414 §2).
func checkIdentifier(url string) string {
	if _, _, err := jwks.SplitURL(url); err != nil {
		return err.Error()
	}
	if strings.Contains(url, "?") {
		return "has a query (?)"
	}
	return ""
}

// checkScope requires a scope of RFC 6749 §3.3.
func checkScope(scope string) string {
	for _, c := range []byte(scope) {
		if c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return "is not a scope (RFC 6749 §3.3: printable ASCII without space, quote and backslash)"
		}
	}
	return ""
}

// bearerMethods lists the methods of RFC 6750 §2 that some rule accepts (RFC 9728 §2). There
// is none for cookies.
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
