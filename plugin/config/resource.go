package config

import (
	"strings"

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
		if _, _, err := SplitURL(documentation[:indexEither(documentation, '#', '#')]); err != nil {
			r.wrong("resourceDocumentation", documentation, err.Error())
		}
	}
	document := `{"resource":` + jsonText(resource) +
		jsonList("authorization_servers", servers) +
		jsonList("scopes_supported", r.list("scopesSupported", wantScope)) +
		`,"bearer_methods_supported":[` + bearerMethods(rules) + `]`
	if name != "" {
		document += `,"resource_name":` + jsonText(name)
	}
	if documentation != "" {
		document += `,"resource_documentation":` + jsonText(documentation)
	}
	return &ResourceMetadata{Path: wellKnown + path, URL: "https://" + authority + wellKnown + path, Document: []byte(document + "}")}
}

// identifier splits the resource's. Its path is served, so it must be one that
// can be read in one way only.
func (o *object) identifier(resource string) (authority, path string) {
	want := wantIdentifier(resource)
	if want == "" {
		authority, path, _ = SplitURL(resource)
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
	if _, _, err := SplitURL(url); err != nil {
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
func bearerMethods(rules []Rule) string {
	header, query := "", ""
	for i := range rules {
		for j := range rules[i].Locations {
			l := &rules[i].Locations[j]
			switch {
			case l.In == verify.InHeader && l.Name == verify.Authorization.Name && ascii.EqualFold(l.Prefix, verify.Authorization.Prefix):
				header = `"header"`
			case l.In == verify.InQuery && l.Name == "access_token":
				query = `"query"`
			}
		}
	}
	if header != "" && query != "" {
		header += ","
	}
	return header + query
}

// jsonList writes a member, unless there is nothing in it.
func jsonList(name string, texts []string) string {
	member := `,"` + name + `":`
	for i, text := range texts {
		before := ","
		if i == 0 {
			before = "["
		}
		member += before + jsonText(text)
	}
	if texts == nil {
		return ""
	}
	return member + "]"
}

// jsonText writes a string (RFC 8259 §7) of printable characters.
func jsonText(text string) string {
	b := []byte{'"'}
	for i := 0; i < len(text); i++ {
		if text[i] == '"' || text[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, text[i])
	}
	return string(append(b, '"'))
}
