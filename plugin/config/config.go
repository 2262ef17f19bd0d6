// Package config reads the plugin's configuration: one JSON text (RFC 8259) in,
// a Config or every fault at once out.
//
// Most callers need Parse only. A configuration says who issues the accepted tokens
// and where their keys come from (Rule, Keys), what routes demand of a token
// (package route), and what the API and Envoy learn of it. Fields are named as in
// Istio's RequestAuthentication, so that an entry of its jwtRules can be used here.
//
// Parse is strict. It refuses an unknown or mistyped field, a missing audience, an
// http address and rules that contradict each other: a setting that is ignored would
// leave an API open. Each Fault has the field's path, what is written there and what
// was expected. What is allowed but often a mistake is a warning in Config.Warnings.
//
// ParsePolicy reads the policy in the metadata of one of Envoy's routes. Fields and
// PolicyFields list every field with its default, bounds and meaning, for the JSON
// schema and docs/configuration.md.
//
// The package does no I/O, knows nothing of the host and keeps no state between
// calls. Everything in it may be used concurrently.
package config

import (
	"crypto/sha256"
	"strings"
	"time"

	"edgejwt/jwks"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// Config is a configuration without a fault. Nothing in it refers to the text
// that it was read from. Whoever holds it may share it, but must not change it.
type Config struct {
	// Rules has one entry per issuer, at least one and at most MaxRules: auth0
	// first, then jwtRules in their order. No two have the same Issuer.
	Rules []Rule
	// Routes are the operator's routes in their order, at most MaxRoutes, without
	// a fault that route.NewTable would find; nil when there are none.
	Routes []route.Route
	// RouteOptions hold for all routes.
	RouteOptions route.Options
	// RouteMetadata is true when Envoy's own routes may carry a policy in their
	// metadata, which then takes the place of Routes: see ParsePolicy.
	RouteMetadata bool
	// Report is true when refusals are only counted and logged (mode: report). A
	// route's own Mode goes before it.
	Report bool
	// JudgePreflights is true when CORS preflights are requests like any other
	// (corsPreflight: judge). Else they pass without a token, except where their
	// route or policy denies.
	JudgePreflights bool
	// Overrides are the names, as ascii.FoldHeader gives them, of the headers by which
	// servers take another method, path or host, and which every request and its
	// trailers lose. nil with overrideHeaders: keep, and where no rule depends on
	// method, path or host.
	Overrides []string
	// ResourceMetadata describes the API to clients (RFC 9728); nil when it is not
	// to be served.
	ResourceMetadata *ResourceMetadata
	// FilterState is true when decision, route and issuer are written to filter state,
	// for Envoy's later filters and its access log.
	FilterState bool
	// ClearRouteCache is true when Envoy is to choose its route again after the
	// headers of an accepted request have changed.
	ClearRouteCache bool
	// Signature says which engine checks signatures.
	Signature Signature
	// TokenCache bounds the cache of verified tokens.
	TokenCache TokenCache
	// Keys says how key sets are fetched and kept, for every rule.
	Keys Keys
	// RecordKey is what the records in shared data are authenticated by (see
	// jwks.Policy): the SHA-256 of secret or, without that, of the whole text. It must
	// be kept secret.
	RecordKey [32]byte
	// Realm names the API in WWW-Authenticate (RFC 9110 §11.5): 1 to
	// MaxRealmBytes printable ASCII bytes without quote and backslash.
	Realm string
	// Warnings are sentences, each led by its field's path, about settings that
	// are allowed but often a mistake. No control bytes; for the log, once.
	Warnings []string
}

// Signature names an engine, or how one is chosen.
type Signature uint8

const (
	// SignatureGo is crypto in the module itself; the zero value.
	SignatureGo Signature = iota
	// SignatureAuto is the host's where it proves itself at the start, else Go's.
	SignatureAuto
	// SignatureHost is the host's.
	SignatureHost
)

// TokenCache bounds the cache of verified tokens, for each worker.
type TokenCache struct {
	// Entries is the greatest number of tokens; 0 for no cache.
	Entries int
	// Bytes is the greatest size of all that is kept for them.
	Bytes int
}

// ResourceMetadata is what clients learn of the API by RFC 9728.
type ResourceMetadata struct {
	// Path is where it is served: /.well-known/oauth-protected-resource, with the
	// resource's own path behind it (§3.1).
	Path string
	// URL is its absolute address, for resource_metadata in challenges (§5.1): no
	// quotes and no backslashes.
	URL string
	// Document is the JSON object that is served.
	Document []byte
}

// Rule says which tokens of one issuer are valid, where its keys come from and
// what the API learns of a token.
type Rule struct {
	// Path is where the rule stands, for messages: "auth0" or "jwtRules[0]".
	Path string

	// Issuer is compared byte for byte with the claim "iss" (RFC 7519 §4.1.1).
	Issuer string
	// Audiences are the accepted values of "aud" (RFC 7519 §4.1.3), compared byte
	// for byte. Empty exactly when AnyAudience is true.
	Audiences []string
	// AnyAudience is true when the audience is deliberately not checked.
	AnyAudience bool
	// Algorithms are the accepted values of "alg" (RFC 7518 §3.1), at least one.
	Algorithms []string
	// ClockSkew is the tolerance for exp, nbf and iat, not negative.
	ClockSkew time.Duration

	// JWKSURI is the https address of the key set as configured; empty with
	// Discovery and with an inline set.
	JWKSURI string
	// Discovery is true when the address of the key set has to be asked for at
	// Authority and RequestPath (OpenID Connect Discovery 1.0 §4).
	Discovery bool
	// Cluster is the Envoy cluster that reaches the key set; empty with an inline
	// set. With Discovery it also answers Authority, unless DiscoveryCluster does.
	Cluster string
	// KeysHost is the host (host or host:port, in lower case), besides the issuer's
	// own, on which a discovered key set may lie; empty for none.
	KeysHost string
	// DiscoveryCluster is the Envoy cluster that answers Authority when KeysHost is
	// set; else empty.
	DiscoveryCluster string
	// Authority is host or host:port (RFC 3986 §3.2) of JWKSURI or of the
	// discovery document, in lower case; empty with an inline set.
	Authority string
	// RequestPath is path and query to ask for at Authority; empty with an inline set.
	RequestPath string
	// InlineJWKS is the text of the inline key set (RFC 7517 §5); nil without one.
	InlineJWKS []byte
	// InlineSet is InlineJWKS, parsed: at least one usable key; nil without one.
	InlineSet *jwks.Set

	// Locations are the token locations, at least one: fromHeaders, then fromCookies,
	// then fromParams. With any of the three given, the default location is not among
	// them.
	Locations []verify.TokenLocation
	// ForwardOriginalToken is false when the API must not see the token.
	ForwardOriginalToken bool
	// OutputPayloadToHeader is the header, in lower case, that carries the
	// token's payload as base64url to the API; empty for none.
	OutputPayloadToHeader string
	// OutputClaimToHeaders are single claims that the API gets as headers.
	OutputClaimToHeaders []ClaimHeader
	// OutputClaimToFilterState are single claims that are written to filter state, for
	// Envoy's later filters and its access log.
	OutputClaimToFilterState []ClaimState
}

// ClaimHeader is one claim that the API gets as a header.
type ClaimHeader struct {
	// Header is the header's name in lower case; no other output of the rule has it.
	Header string
	// Claim leads to the claim from the outermost object on, one member's name per
	// step; nothing in a name is syntax. At least one name.
	Claim []string
	// Encoding is how the claim becomes a value.
	Encoding verify.Encoding
}

// ClaimState is one claim that is written to filter state.
type ClaimState struct {
	// Key is the filter state's name without the "wasm." that the host puts in
	// front.
	Key string
	// Claim is as in ClaimHeader.
	Claim []string
	// Encoding is as in ClaimHeader.
	Encoding verify.Encoding
}

// Keys says how key sets are fetched and kept. Fields has the bounds.
type Keys struct {
	// Refresh is the wanted time between two fetches; at least Cooldown.
	Refresh time.Duration
	// MaxStale is the age at which a set that could not be fetched anew is no
	// longer used; at least Refresh.
	MaxStale time.Duration
	// Cooldown is the least time between two early fetches for unknown kids.
	Cooldown time.Duration
	// Timeout is how long one fetch may take.
	Timeout time.Duration
	// Wait is how long a request may be held back for keys.
	Wait time.Duration
	// Tick is the time between two looks at the shared key sets, at most jwks.MaxTick.
	Tick time.Duration
	// Deny lists kids that are never accepted, whatever a key set says.
	Deny []string
}

// Parse reads a configuration from a JSON text as it reaches the plugin.
//
// The error is an *Error with every fault that could be found, sorted by place;
// then the Config is nil. Of a text that is no JSON, or that has a member twice,
// only that is reported.
func Parse(document []byte) (*Config, error) {
	r := new(reader)
	if root := r.open(string(document), &configDocument); root != nil {
		c := r.config(root)
		c.RecordKey = root.recordKey(document)
		if len(r.faults) == 0 {
			return c, nil
		}
	}
	return nil, r.refusal()
}

// config reads the top level.
func (r *reader) config(root *object) *Config {
	c := new(Config)
	c.Realm = root.realm()
	r.removesOverrides = root.choice("overrideHeaders") == 0
	c.Report = root.choice("mode") == 1
	if c.Report {
		root.warn("mode", `"report"`, "refuses no request, whatever its token")
	}
	c.JudgePreflights = root.choice("corsPreflight") == 1
	c.Signature = Signature(max(root.choice("signature"), 0))
	c.FilterState = root.switched("filterState")
	c.ClearRouteCache = root.switched("clearRouteCache")
	rules := root.rules()
	for _, rule := range rules {
		c.Rules = append(c.Rules, rule.Rule)
	}
	root.routes(c, rules)
	c.Overrides = root.overridden(c)
	c.Keys = root.keys()
	c.TokenCache = root.tokenCache()
	c.ResourceMetadata = root.resourceMetadata(c.Rules)
	c.Warnings = r.sortedWarnings()
	return c
}

// realm reads the realm, which stands between quotes in WWW-Authenticate.
func (o *object) realm() string {
	realm := o.textOr("realm")
	if strings.ContainsFunc(realm, func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) {
		o.fault("realm", quote(realm), "may only have printable ASCII characters, no quote and no backslash"+example(o.field("realm")))
	}
	return realm
}

// tokenCache reads the top level's field tokenCache, or gives its defaults.
func (o *object) tokenCache() TokenCache {
	t := o.childOrDefault("tokenCache")
	return TokenCache{Entries: t.number("entries"), Bytes: t.number("bytes")}
}

// recordKey returns Config.RecordKey: from secret or, without one, from the whole
// text, which other plugins of the proxy do not get either.
func (o *object) recordKey(document []byte) [sha256.Size]byte {
	if secret, ok := o.secret(); ok {
		return sha256.Sum256([]byte("edgejwt secret " + secret))
	}
	return sha256.Sum256(append([]byte("edgejwt configuration "), document...))
}

// secret reads the top level's field secret. It takes only the characters of generated
// secrets, so that a sentence or a template's placeholder is refused.
func (o *object) secret() (string, bool) {
	secret, ok := o.text("secret")
	if !ok {
		return "", false
	}
	for _, c := range []byte(secret) {
		if !isAlphanumeric(c) && strings.IndexByte("+/=-_", c) < 0 {
			o.fault("secret", "", "may only have letters, digits and + / = - _ (make one by openssl rand -hex 32)")
			return "", false
		}
	}
	return secret, true
}
