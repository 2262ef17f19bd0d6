// Package route says which rule of the operator applies to a request, and
// whether a token whose signature was verified satisfies it.
//
// Most callers need three calls: NewTable once, with the routes of the
// configuration; Table.Find for each request; Match.Check for its token. The
// first route whose conditions all hold applies; where none does, a valid token
// is needed and nothing more.
//
// # One path, several servers
//
// The edge and the server behind it must mean the same path, and servers differ:
// some resolve dot segments, merge slashes, cut ";params", take a backslash for
// a slash, decode twice; some do nothing of that. So the path is judged in one
// canonical form (Canonical), whether or not Envoy normalises. What a canonical
// form cannot settle is refused. And where the path was not sent in that form,
// every other reading that a server may make of it must come to the same route
// with the same variables; else the request is refused with
// verify.PathAmbiguous. A trick thus never reaches a laxer rule.
//
// A table that has no condition on paths judges none and refuses none.
//
// # Not judged here
//
// Headers by which some servers take another method, path or host than the
// request's own (X-HTTP-Method-Override, X-Original-URL, X-Forwarded-Host) are not
// looked at: whoever asks must see to it that they do not reach the server, as the
// configuration's overrideHeaders does. Servers that ignore the case of paths need
// Options.IgnoreCase.
//
// The files: canonical.go reads paths, with escape.go and segments.go, and
// readings.go what else they may mean; pattern.go, host.go and headers.go match, table.go decides, need.go and claim.go judge the
// token, fault.go the operator's words.
package route

import (
	"time"

	"edgejwt/verify/strictjson"
)

// Auth says what a route asks of a request.
type Auth uint8

const (
	// Required: a valid token. The zero value, and what matches no route.
	Required Auth = iota
	// Optional: a valid token or none. A bad one is refused.
	Optional
	// None: nothing; tokens are not looked at.
	None
	// Deny: refuses every request, with verify.RouteDenied; tokens are not looked at.
	Deny
)

// Mode says what becomes of a request that the route refuses.
type Mode uint8

const (
	// Inherit takes the mode that holds for the whole configuration.
	Inherit Mode = iota
	// Enforce refuses it.
	Enforce
	// Report counts it and lets it through.
	Report
)

// Route is one rule: conditions, all of which must hold, and what is then asked.
// A condition that is left out holds for every request. A list that is given but
// empty is a fault.
type Route struct {
	// Name is the operator's, for metrics, log and filter state; may be empty.
	Name string

	Path Path
	// Methods are compared as RFC 9110 §9.1 has it, with case. HEAD, which most
	// servers answer by the handler of GET, is another spelling of GET: see Table.Find.
	Methods []string
	// Hosts are names ("api.example.com"), or "*." and a name for everything
	// below it at any depth, but not the name itself; with or without a port. A
	// request's capitals, trailing dot, and a port that no name has are another
	// spelling: see Table.Find.
	Hosts []string
	// Headers must all hold. The client chooses what it sends: a header may make
	// a rule stricter for the honest, but never stand guard.
	Headers []Header

	Auth Auth
	Mode Mode
	// AllowOpaque lets bearer tokens pass that are no JWS, for an API that asks
	// their issuer itself. They prove nothing here.
	AllowOpaque bool
	// Requirements is what a token must have besides being valid.
	Requirements Requirements
}

// Kind is the kind of a path's condition.
type Kind uint8

const (
	// Any holds for every path. The zero value.
	Any Kind = iota
	// Exact holds for one path.
	Exact
	// Prefix holds for a path and everything below: "/public" for /public and
	// /public/x, not for /publicity.
	Prefix
	// Template holds for paths of a shape: "/orders/{id}". "{id}" stands for one
	// whole segment that is not empty; "{rest=**}", as the last, for any number
	// of segments, also none.
	Template
	// Regex holds for paths that a regular expression matches as a whole.
	Regex
)

// Path is a condition on the path. Texts are written as the path that is meant,
// with or without escapes ("/a b" is "/a%20b"), and are compared with the
// canonical form. A slash at the end of a request's path that the condition lacks,
// or the reverse, is another spelling: see Table.Find.
type Path struct {
	Kind Kind
	// Text is the path of Exact and Prefix, the Template, or the expression of Regex
	// in RE2's syntax, which must match the whole canonical path.
	Text string
}

// Header is a condition on a request header.
type Header struct {
	// Name is in lower case. Other spellings that some servers take for the same
	// header (see ascii.FoldHeader) are another reading: see Table.Find.
	Name string
	// Values: the header must be one of these, in one line. Empty: it must be there.
	// What several lines say, or lines under a name that some servers take for this
	// one, is another spelling: see Table.Find.
	Values []string
}

// Requirements is what a route needs of a valid token. Empty fields need nothing.
type Requirements struct {
	// Scopes must all be in the claims "scope" (RFC 8693 §4.2) or "scp", which are
	// strings parted by spaces or lists of strings; of AnyScope, one.
	Scopes, AnyScope []string
	// Permissions must all be in the list "permissions" (Auth0); of
	// AnyPermission, one.
	Permissions, AnyPermission []string
	// Claims must each be, or be a list that holds, one of the values; see Claim.
	Claims []Claim
	// ClaimMatches bind claims to the request.
	ClaimMatches []Binding
	// RequiredClaims must be there and not null. Each is a way, see Claim.Name.
	RequiredClaims [][]string
	// Issuers and Audiences are those of "iss" and "aud" that the route takes.
	Issuers, Audiences []string
	// Subjects are those of "sub"; Clients those of "azp" and "client_id", of
	// which one must be there, and both must be listed where both are.
	Subjects, Clients []string
	// TokenTypes are those of the header's "typ", compared without case and
	// without "application/" (RFC 7515 §4.1.9). Where a token's is "at+jwt", it
	// must also have what RFC 9068 §2.2 demands.
	TokenTypes []string
	// MaxAge bounds the time since the user proved who he is ("auth_time", OpenID
	// Connect Core §2) or, in tokens without that, since "iat". 0: any.
	MaxAge time.Duration
	// MaxLifetime bounds the time from "iat" to "exp". 0: any.
	MaxLifetime time.Duration
}

// Claim is a claim and the values that will do.
type Claim struct {
	// Name leads to the claim from the outermost object on, one member's name per
	// step. Nothing in a name is syntax.
	Name []string
	// Values are strings, numbers (compared as numbers, exactly: 1 is 1.0) and
	// booleans.
	Values []strictjson.Value
	// SpaceDelimited takes a claim that is a string for the list of its words,
	// which spaces part, as "scope" is (RFC 8693 §4.2); the string as a whole does
	// not count then. No other claim is looked at, unlike with Requirements.Scopes.
	SpaceDelimited bool
}

// Binding says that a claim must be, or be a list that holds, what the request
// says: exactly one of Variable, Header and Host. A number is compared as it is
// spelled. What the request leaves out or empty matches nothing.
type Binding struct {
	Claim []string
	// Variable is one of the template, compared decoded, with its case.
	Variable string
	// Header is a header's name in lower case. Lines that differ match nothing, in
	// whatever spelling of the name (see ascii.FoldHeader); a line of this very
	// name must be there.
	Header string
	// Host is the request's host: lower case, without port and trailing dot.
	Host bool
}

// Options hold for all routes of a table.
type Options struct {
	// IgnoreCase is for servers that ignore the case of paths. They are seldom
	// alone in what they ignore, so it also refuses segments that end in a dot,
	// and characters outside of ASCII, whose case every server folds its own way.
	IgnoreCase bool
	// IgnoreHostPort is for Envoys whose routes ignore the port of the host
	// (ignore_port_in_host_matching): it is then no part of the host, and no host of
	// a route may have one.
	IgnoreHostPort bool
	// DenyUnmatched refuses, with verify.RouteDenied, what no route matches.
	DenyUnmatched bool
	// Report is the mode of what no route matches and of routes that inherit theirs.
	Report bool
}

// Request is what routes are chosen by.
type Request struct {
	// Method, Host and Path are the pseudo headers :method, :authority and :path.
	Method, Host, Path string
	// Headers are name and value, names in lower case, a repeated one once per line.
	Headers [][2]string
}
