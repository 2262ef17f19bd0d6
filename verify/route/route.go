// Package route finds the route of the configuration that applies to a request, and checks
// whether a token satisfies it.
//
// Most callers need three calls: NewTable once, with the routes of the configuration;
// Table.Find for each request; Match.Check for its token. The first route whose
// conditions all hold applies. When no route matches, the request needs a valid token
// and nothing more.
//
// # Readings of a path
//
// Servers parse paths differently. Some resolve dot segments, merge slashes, remove
// ";params", treat a backslash as a slash or decode twice; others do none of this. So
// routes are compared with one canonical form of the path (Canonical), whether or not
// Envoy normalises paths. Paths that have no safe canonical form are refused. If the path
// was not sent in its canonical form, every other reading of it must match the same
// route with the same variables. Otherwise the request is refused with
// verify.PathAmbiguous. So no spelling of a path selects a weaker route.
//
// A table without conditions on paths does not read paths and refuses none.
//
// # Limits
//
// This package ignores headers that make some servers use another method, path or host
// than the request's own (X-HTTP-Method-Override, X-Original-URL, X-Forwarded-Host). The
// caller must keep them from the server, as the configuration's overrideHeaders does.
// Servers that ignore the case of paths need Options.IgnoreCase.
//
// # Files
//
// route.go has the types of the configuration, fault.go checks and compiles them.
// table.go finds the route, with paths.go and pattern.go for paths and conditions.go for
// hosts, methods and headers. requirements.go checks tokens and compares the strictness
// of two routes.
package route

import (
	"time"

	"edgejwt/verify/strictjson"
)

// Auth says whether a route requires a token.
type Auth uint8

const (
	// Required: the request must have a valid token. The zero value, and the value for
	// requests that match no route.
	Required Auth = iota
	// Optional: the request may have a token. An invalid token is refused.
	Optional
	// None: the request needs no token. Tokens are not read.
	None
	// Deny: every request is refused with verify.RouteDenied. Tokens are not read.
	Deny
)

// Mode says what happens to a request that the route refuses.
type Mode uint8

const (
	// Inherit: the mode of the configuration applies.
	Inherit Mode = iota
	// Enforce: it is refused.
	Enforce
	// Report: it is counted and passes.
	Report
)

// Route has conditions, which must all hold, and requirements. A condition that is left
// out holds for every request. A list that is not nil but empty is a fault.
type Route struct {
	// Name is for metrics, log and filter state. It may be empty.
	Name string

	Path Path
	// Methods are compared with case (RFC 9110 §9.1). HEAD is another reading of GET
	// (see Table.Find), because most servers handle it like GET.
	Methods []string
	// Hosts are names ("api.example.com"), or "*." and a name for all names below that
	// name at any depth. Each may have a port. Capitals, a trailing dot and a port that
	// no name has make other readings of a request's host; see Table.Find.
	Hosts []string
	// Headers must all hold. Clients choose their headers, so a condition on headers
	// does not protect a route.
	Headers []Header

	Auth Auth
	Mode Mode
	// AllowOpaque lets tokens pass unchecked that are not a JWS (verify.IsOpaque), for
	// an API that checks them itself.
	AllowOpaque bool
	// Requirements is what a token must have besides being valid.
	Requirements Requirements
}

// Kind is the kind of a condition on the path.
type Kind uint8

const (
	// Any matches every path. The zero value.
	Any Kind = iota
	// Exact matches one path.
	Exact
	// Prefix matches a path and everything below it: "/public" matches /public and
	// /public/x, but not /publicity.
	Prefix
	// Template matches segment by segment: "/orders/{id}". "{id}" matches one whole
	// segment that is not empty. "{rest=**}" must be the last; it matches any number of
	// segments, including none.
	Template
	// Regex matches paths that a regular expression matches as a whole.
	Regex
)

// Path is a condition on the path. Texts may be written with or without escapes ("/a b" is
// "/a%20b"). They are compared with the canonical form of the request's path. A trailing
// slash that only one of condition and request has makes another reading; see Table.Find.
type Path struct {
	Kind Kind
	// Text is the path of Exact and Prefix, the template, or the expression of Regex in
	// RE2 syntax.
	Text string
}

// String describes the condition for people, such as "/orders and below".
func (p *Path) String() string {
	switch p.Kind {
	case Any:
		return "every path"
	case Prefix:
		return p.Text + " and below"
	case Regex:
		return "regex " + p.Text
	}
	return p.Text
}

// Header is a condition on a request header.
type Header struct {
	// Name is in lower case. Names that some servers do not distinguish from it
	// (ascii.FoldHeader) make other readings; see Table.Find.
	Name string
	// Values are the accepted values of the header, which must be in one line. If empty,
	// the header must be present. Several lines make other readings; see Table.Find.
	Values []string
}

// Requirements is what a route requires of a valid token. Empty fields require nothing.
type Requirements struct {
	// The token must have all Scopes, and one of AnyScope. The claims are "scope" (RFC
	// 8693 §4.2) and "scp": strings separated by spaces, or lists of strings.
	Scopes, AnyScope []string
	// The token must have all Permissions, and one of AnyPermission, in the list
	// "permissions" (Auth0).
	Permissions, AnyPermission []string
	// Each of Claims must be one of its values, or a list that contains one.
	Claims []Claim
	// ClaimMatches bind claims to the request.
	ClaimMatches []Binding
	// RequiredClaims must be present and not null. Each is a path as Claim.Name is.
	RequiredClaims [][]string
	// Issuers and Audiences are the accepted values of "iss" and "aud".
	Issuers, Audiences []string
	// Subjects are the accepted values of "sub". Clients are those of "azp" and
	// "client_id": the token must have at least one of the two claims, and each that it
	// has must be accepted.
	Subjects, Clients []string
	// TokenTypes are the accepted values of the header's "typ", compared without case and
	// without "application/" (RFC 7515 §4.1.9). A token with "at+jwt" must have the claims
	// that RFC 9068 §2.2 requires.
	TokenTypes []string
	// MaxAge bounds the time since the user authenticated ("auth_time", OpenID Connect
	// Core §2) or, in tokens without that, since "iat". 0 means no bound.
	MaxAge time.Duration
	// ACR are the accepted values of "acr", the class of the user's authentication, the
	// preferred one first; MaxAuthAge bounds the time since "auth_time". Both claims are
	// required then (RFC 9470 §4, §6). What the token lacks of this, the user can get by
	// authenticating again.
	ACR        []string
	MaxAuthAge time.Duration
	// MaxLifetime bounds the time from "iat" to "exp". 0 means no bound.
	MaxLifetime time.Duration
}

// Claim is a claim and its accepted values.
type Claim struct {
	// Name is the path to the claim: names of members from the outermost object on. No
	// character in a name is special.
	Name []string
	// Values are strings, numbers (compared as numbers, exactly: 1 is 1.0) and
	// booleans.
	Values []strictjson.Value
	// SpaceDelimited compares the words of a string that are separated by spaces, as in
	// "scope" (RFC 8693 §4.2), and not the string as a whole. Unlike with
	// Requirements.Scopes, no other claim counts.
	SpaceDelimited bool
}

// Binding requires that a claim is a text of the request, or a list that contains it. The
// text is exactly one of Variable, Header and Host. A number is compared as it is
// spelled in the token. An empty or missing text matches nothing.
type Binding struct {
	Claim []string
	// Variable is a variable of the route's template. Its value is compared decoded and
	// with its case.
	Variable string
	// Header is the name of a header in lower case. The request must have a line with
	// this name, and all lines with a name that some servers do not distinguish from it
	// (ascii.FoldHeader) must have the same value.
	Header string
	// Host is the request's host in lower case, without port and trailing dot.
	Host bool
}

// Options hold for all routes of a table.
type Options struct {
	// IgnoreCase is for servers that ignore the case of paths. Such servers often ignore
	// a dot at the end of a segment too, and fold non-ASCII letters in different ways. So
	// paths with these are refused.
	IgnoreCase bool
	// IgnoreHostPort is for Envoys whose routes ignore the port of the host
	// (ignore_port_in_host_matching). Ports of requests are ignored, and no host of a
	// route may have one.
	IgnoreHostPort bool
	// DenyUnmatched refuses requests that match no route, with verify.RouteDenied.
	DenyUnmatched bool
	// Report is true when refusals are only reported, for routes with the mode Inherit
	// and for requests that match no route.
	Report bool
}

// Request has the parts of a request that select a route.
type Request struct {
	// Method, Host and Path are the pseudo headers :method, :authority and :path.
	Method, Host, Path string
	// Headers are name and value of each header line, names in lower case.
	Headers [][2]string
}
