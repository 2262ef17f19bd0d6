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
	resource, _ := r.required("resource")
	authority, path, ok := r.identifier("resource", resource)
	if !ok {
		path = ""
	} else if canonical, err := route.Canonical(path, route.Options{}); err != nil || canonical != strings.TrimSuffix(path, "/") && canonical != path {
		r.fault("resource", quoteURL(resource), "has a path that can be read in several ways, or ends in slashes")
	}
	if path == "/" { // RFC 9728 §3.1
		path = ""
	}
	servers := r.list("authorizationServers", func(server string) string {
		return wantIdentifier(server)
	})
	if !r.has("authorizationServers") {
		for i := range rules {
			if wantIdentifier(rules[i].Issuer) == "" {
				servers = append(servers, rules[i].Issuer)
			}
		}
	}
	scopes := r.list("scopesSupported", wantScope)
	name, _ := r.plain("resourceName")
	documentation, _ := r.text("resourceDocumentation")
	if documentation != "" {
		if _, _, err := SplitURL(documentation[:indexEither(documentation, '#', '#')]); err != nil {
			r.fault("resourceDocumentation", quoteURL(documentation), err.Error())
		}
	}
	if !isAudience(rules, resource) {
		r.warn("resource", quoteURL(resource), "is no rule's audience: a client that asks for a token for it (RFC 8707) may get one that is refused")
	}

	var d jsonObject
	d.text("resource", resource)
	d.texts("authorization_servers", servers)
	d.texts("scopes_supported", scopes)
	d.list("bearer_methods_supported", bearerMethods(rules))
	d.text("resource_name", name)
	d.text("resource_documentation", documentation)
	return &ResourceMetadata{Path: wellKnown + path, URL: "https://" + authority + wellKnown + path, Document: d.bytes()}
}

// identifier splits an address that names something: https, with neither query nor
// fragment (RFC 9728 §1.2, RFC 8414 §2).
func (o *object) identifier(name, url string) (authority, path string, ok bool) {
	if url == "" {
		return "", "", false // already told
	}
	if want := wantIdentifier(url); want != "" {
		o.fault(name, quoteURL(url), want)
		return "", "", false
	}
	authority, path, _ = SplitURL(url)
	return authority, path, true
}

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
	if !isVisible(scope) || strings.IndexByte(scope, ' ') >= 0 || strings.IndexByte(scope, '"') >= 0 || strings.IndexByte(scope, '\\') >= 0 {
		return "is not a scope (RFC 6749 §3.3: printable ASCII without space, quote and backslash)"
	}
	return ""
}

func isAudience(rules []Rule, resource string) bool {
	for i := range rules {
		if rules[i].AnyAudience {
			return true
		}
		for _, audience := range rules[i].Audiences {
			if audience == resource {
				return true
			}
		}
	}
	return false
}

// bearerMethods names those of RFC 6750 §2 by which a token is taken (RFC 9728 §2);
// a cookie is none of them.
func bearerMethods(rules []Rule) (methods []string) {
	header, query := false, false
	for i := range rules {
		for _, l := range rules[i].Locations {
			header = header || l.In == verify.InHeader && l.Name == verify.Authorization.Name && ascii.EqualFold(l.Prefix, verify.Authorization.Prefix)
			query = query || l.In == verify.InQuery && l.Name == "access_token"
		}
	}
	if header {
		methods = append(methods, "header")
	}
	if query {
		methods = append(methods, "query")
	}
	return methods
}

// jsonObject writes an object (RFC 8259). Members of no value are left out.
type jsonObject []byte

func (d *jsonObject) name(name string) {
	separator := byte(',')
	if len(*d) == 0 {
		separator = '{'
	}
	*d = append(*d, separator)
	d.string(name)
	*d = append(*d, ':')
}

func (d *jsonObject) text(name, value string) {
	if value != "" {
		d.name(name)
		d.string(value)
	}
}

func (d *jsonObject) texts(name string, values []string) {
	if values != nil {
		d.list(name, values)
	}
}

func (d *jsonObject) list(name string, values []string) {
	d.name(name)
	*d = append(*d, '[')
	for i, value := range values {
		if i > 0 {
			*d = append(*d, ',')
		}
		d.string(value)
	}
	*d = append(*d, ']')
}

// string writes a text (§7), which is valid UTF-8.
func (d *jsonObject) string(text string) {
	const hex = "0123456789abcdef"
	b := append(*d, '"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	*d = append(b, '"')
}

func (d *jsonObject) bytes() []byte { return append(*d, '}') }
