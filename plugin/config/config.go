// Package config parses the plugin's configuration, a JSON text (RFC 8259), into a Config or
// a list of all faults.
//
// Most callers need Parse only. A configuration has the issuers of accepted tokens and
// the sources of their keys (Rule, Keys), the routes and their requirements (package
// route), and the outputs for the API and Envoy. Fields are named as in
// Istio's RequestAuthentication, so that an entry of its jwtRules can be used here.
//
// Parse is strict. It refuses an unknown or mistyped field, a missing audience, an http
// address and rules that contradict each other, because a setting that is ignored could
// leave an API open. Each Fault has the field's path, its value and what was expected.
// Settings that are allowed but often a mistake are warnings in Config.Warnings.
//
// ParsePolicy reads the policy in the metadata of one of Envoy's routes. Fields and
// PolicyFields list every field with its default, bounds and meaning, for the JSON
// schema and docs/configuration.md.
//
// The package does no I/O, does not know the host and keeps no state between calls. All of
// it may be used concurrently.
package config

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"
	"time"

	"edgejwt/jwks"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// Config is a configuration without a fault. It does not refer to the text that it was
// parsed from. It may be shared by goroutines and must not be changed.
type Config struct {
	// Rules has one entry per issuer, at least one and at most MaxRules: auth0
	// first, then jwtRules in their order. No two have the same Issuer.
	Rules []Rule
	// Routes are the routes in their order, at most MaxRoutes. route.NewTable finds no
	// fault in them. nil when there are none.
	Routes []route.Route
	// RouteOptions hold for all routes.
	RouteOptions route.Options
	// RouteMetadata is true when Envoy's routes may have a policy in their metadata, which
	// then replaces Routes: see ParsePolicy.
	RouteMetadata bool
	// Report is true when refusals are only counted and logged (mode: report). The Mode of
	// a route has precedence.
	Report bool
	// DecidePreflights is true when CORS preflights are decided like any other request
	// (corsPreflight: judge). Otherwise they pass without a token, unless their route or
	// policy denies.
	DecidePreflights bool
	// Overrides are the names, as ascii.FoldHeader returns them, of headers that make
	// servers use another method, path or host. They are removed from every request and
	// its trailers. nil with overrideHeaders: keep, and where no route depends on method,
	// path or host.
	Overrides []string
	// XFCCTrustedElements is the number of elements at the end of the header
	// x-forwarded-client-cert that proxies in front have added. With 0 the client's
	// certificate is that of the connection.
	XFCCTrustedElements int
	// ResourceMetadata describes the API to clients (RFC 9728); nil when it is not served.
	ResourceMetadata *ResourceMetadata
	// FilterState is true when decision, route and issuer are written to filter state,
	// for Envoy's later filters and its access log.
	FilterState bool
	// ClearRouteCache is true when Envoy must choose its route again after a change of the
	// headers of an accepted request.
	ClearRouteCache bool
	// Signature says which engine checks signatures.
	Signature Signature
	// TokenCache bounds the cache of verified tokens that rules without one of their own
	// share.
	TokenCache TokenCache
	// Keys are the defaults of the rules' Keys.
	Keys Keys
	// RecordKey authenticates the records in shared data (see jwks.Policy). It is derived
	// by SHA-256 from secret or, without that, from the whole text. It must be kept secret.
	RecordKey [32]byte
	// Realm names the API in WWW-Authenticate (RFC 9110 §11.5): 1 to
	// MaxRealmBytes printable ASCII bytes without quote and backslash.
	Realm string
	// Warnings are about settings that are allowed but often a mistake. Each begins with
	// the path of its field and has no control bytes. The caller logs them once.
	Warnings []string
}

// Signature says which engine checks signatures.
type Signature uint8

const (
	// SignatureGo is the standard library in the module; the zero value.
	SignatureGo Signature = iota
	// SignatureAuto is the host's if it passes verify.ProveHost, otherwise SignatureGo.
	SignatureAuto
	// SignatureHost is the host's. The plugin does not start if it fails verify.ProveHost.
	SignatureHost
)

// TokenCache bounds the cache of verified tokens, for each worker.
type TokenCache struct {
	// Entries is the greatest number of tokens; 0 for no cache.
	Entries int
	// Bytes is the greatest size of all that is kept for the tokens, in bytes.
	Bytes int
}

// ResourceMetadata is the metadata of the API (RFC 9728).
type ResourceMetadata struct {
	// Path is the path of the metadata: /.well-known/oauth-protected-resource, followed by
	// the path of the resource (§3.1).
	Path string
	// URL is the URL of the metadata, for resource_metadata in challenges (§5.1). It has no
	// quotes and no backslashes.
	URL string
	// Document is the metadata, a JSON object.
	Document []byte
}

// Rule says which tokens of one issuer are valid, where its keys come from, and which
// outputs are made of a token.
type Rule struct {
	// Path is the rule's path in the configuration, for messages: "auth0" or "jwtRules[0]".
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

	// MaxTokenBytes is the greatest length of a token.
	MaxTokenBytes int
	// SenderConstraint says whether the issuer's tokens must be bound to their sender, and
	// whether that is checked.
	SenderConstraint verify.SenderConstraint

	// JWKSURI is the address of the key set as configured, https unless AllowHTTP;
	// empty with Discovery and with an inline set.
	JWKSURI string
	// AllowHTTP also takes http for JWKSURI, or with Discovery for Issuer and the
	// discovered jwks_uri.
	AllowHTTP bool
	// Discovery is true when the address of the key set comes from the discovery document
	// at Authority and RequestPath (OpenID Connect Discovery 1.0 §4).
	Discovery bool
	// Cluster is the Envoy cluster that reaches the key set; empty with an inline set. With
	// Discovery it also reaches Authority, unless DiscoveryCluster is set.
	Cluster string
	// KeysHost is a host (host or host:port, in lower case), besides the issuer's own, that
	// a discovered key set may be on; empty for none.
	KeysHost string
	// DiscoveryCluster is the Envoy cluster that reaches Authority when KeysHost is set;
	// otherwise empty.
	DiscoveryCluster string
	// Authority is host or host:port (RFC 3986 §3.2) of JWKSURI or of the
	// discovery document, in lower case; empty with an inline set.
	Authority string
	// RequestPath is the path, with query, of JWKSURI or of the discovery document; empty
	// with an inline set.
	RequestPath string
	// InlineJWKS is the text of the inline key set (RFC 7517 §5); nil without one.
	InlineJWKS []byte
	// InlineSet is InlineJWKS, parsed: at least one usable key; nil without one.
	InlineSet *jwks.Set

	// Keys says how the key set is fetched and kept. With an inline set only Deny matters.
	Keys Keys
	// TokenCache bounds the rule's own cache of verified tokens; nil when it shares that of
	// the configuration.
	TokenCache *TokenCache

	// Locations are the token locations, at least one: fromHeaders, then fromCookies, then
	// fromParams. Without these three it is verify.Authorization.
	Locations []verify.TokenLocation
	// ForwardOriginalToken is false when the token is removed from accepted requests.
	ForwardOriginalToken bool
	// OutputPayloadToHeader is the header, in lower case, for the token's payload as
	// base64url; empty for none.
	OutputPayloadToHeader string
	// OutputPayloadPadding is true when that base64url has its padding.
	OutputPayloadPadding bool
	// OutputClaimToHeaders are claims that are written to headers for the API.
	OutputClaimToHeaders []ClaimHeader
	// OutputClaimToFilterState are claims that are written to filter state, for Envoy's
	// later filters and its access log.
	OutputClaimToFilterState []ClaimState
}

// ClaimHeader is one claim that is written to a header.
type ClaimHeader struct {
	// Header is the header's name in lower case; no other output of the rule has it.
	Header string
	// Claim is the path to the claim: at least one name of a member, from the outermost
	// object on. No character in a name is special.
	Claim []string
	// Encoding is the encoding of the claim in the header.
	Encoding verify.Encoding
}

// ClaimState is one claim that is written to filter state.
type ClaimState struct {
	// Key is the name of the filter state without "wasm.", which the host prepends.
	Key string
	// Claim is as in ClaimHeader.
	Claim []string
	// Encoding is as in ClaimHeader.
	Encoding verify.Encoding
}

// Keys says how key sets are fetched and kept: see jwks.Policy. Fields has the bounds.
type Keys struct {
	// Refresh is the longest time between two scheduled fetches; at least Cooldown.
	Refresh time.Duration
	// MaxStale is the greatest age of a set that is used; at least Refresh.
	MaxStale time.Duration
	// Cooldown is the least time between two early fetches for unknown kids.
	Cooldown time.Duration
	// Jitter bounds the random delay of an early fetch.
	Jitter time.Duration
	// Timeout bounds the time of one fetch.
	Timeout time.Duration
	// Wait bounds the time that a request waits for keys.
	Wait time.Duration
	// Tick is the time between two reads of the shared key sets, at most jwks.MaxTick.
	Tick time.Duration
	// Deny lists kids that are never accepted.
	Deny []string
}

// Equal reports whether both say the same.
func (k *Keys) Equal(other *Keys) bool {
	mine, others := k.durations(), other.durations()
	for i := range mine {
		if *mine[i].value != *others[i].value {
			return false
		}
	}
	return slices.Equal(k.Deny, other.Deny)
}

// keysDuration is a duration of Keys and the name of its field.
type keysDuration struct {
	name  string
	value *time.Duration
}

func (k *Keys) durations() []keysDuration {
	return []keysDuration{{"refresh", &k.Refresh}, {"maxStale", &k.MaxStale}, {"cooldown", &k.Cooldown}, {"jitter", &k.Jitter},
		{"timeout", &k.Timeout}, {"wait", &k.Wait}, {"tick", &k.Tick}}
}

// Parse parses a configuration from the JSON text that the host passes to the plugin, at
// most MaxBytes long. It does not keep the text.
//
// The error is an *Error with all faults, in the order of the text; the Config is then nil.
// For a text that is not JSON, or that has a member twice, it has only that fault.
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
	c.DecidePreflights = root.choice("corsPreflight") == 1
	c.Signature = Signature(max(root.choice("signature"), 0))
	c.FilterState = root.switched("filterState")
	c.ClearRouteCache = root.switched("clearRouteCache")
	r.keys, r.tokenCache = root.keys(), root.tokenCache()
	c.Keys, c.TokenCache = r.keys, r.tokenCache
	rules := root.rules()
	for _, rule := range rules {
		c.Rules = append(c.Rules, rule.Rule)
	}
	root.routes(c, rules)
	c.Overrides = root.overridden(c)
	c.XFCCTrustedElements = root.number("xfccTrustedElements")
	if c.XFCCTrustedElements > 0 {
		root.warn("xfccTrustedElements", strconv.Itoa(c.XFCCTrustedElements), "believes what x-forwarded-client-cert says of the client's certificate: only proxies that set it may reach this listener")
	}
	c.ResourceMetadata = root.resourceMetadata(c.Rules)
	c.Warnings = r.sortedWarnings()
	return c
}

// realm reads the realm, which is quoted in WWW-Authenticate.
func (o *object) realm() string {
	realm := o.textOr("realm")
	if strings.ContainsFunc(realm, func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) {
		o.fault("realm", quote(realm), "may only have printable ASCII characters, no quote and no backslash"+example(o.field("realm")))
	}
	return realm
}

// tokenCache reads the field tokenCache, or returns its defaults.
func (o *object) tokenCache() TokenCache {
	t := o.childOrDefault("tokenCache")
	return TokenCache{Entries: t.number("entries"), Bytes: t.number("bytes")}
}

// ruleTokenCache reads the field tokenCache of a rule; nil when it is absent.
func (o *object) ruleTokenCache() *TokenCache {
	t := o.child("tokenCache")
	if t == nil {
		return nil
	}
	cache := o.r.tokenCache
	if t.has("entries") {
		cache.Entries = t.number("entries")
	}
	if t.has("bytes") {
		cache.Bytes = t.number("bytes")
	}
	return &cache
}

// recordKey derives Config.RecordKey from secret or, without one, from the whole text, which
// other plugins of the proxy do not get either.
func (o *object) recordKey(document []byte) [sha256.Size]byte {
	if secret, ok := o.secret(); ok {
		return sha256.Sum256([]byte("edgejwt secret " + secret))
	}
	return sha256.Sum256(append([]byte("edgejwt configuration "), document...))
}

// secret reads the field secret. It accepts only characters of generated secrets, so that a
// sentence or a placeholder of a template is refused.
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
