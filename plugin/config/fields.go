package config

import (
	"slices"
	"strconv"
	"time"

	"edgejwt/jwks"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// Bounds on a configuration as a whole.
const (
	// MaxBytes is the greatest length of the JSON text.
	MaxBytes = 1 << 20
	// MaxPolicyBytes is the greatest length of a policy in the metadata of one of
	// Envoy's routes.
	MaxPolicyBytes = 16 << 10
	// MaxRules is the greatest number of issuers, auth0 included.
	MaxRules = 64
	// MaxTextBytes is the greatest length of one string, inline key sets apart.
	MaxTextBytes = 4 << 10
	// MaxListed is the greatest number of elements of one list, jwtRules and keys.deny apart.
	MaxListed = 64
	// MaxRoutes is the greatest number of routes.
	MaxRoutes = 256
	// MaxDenied is the greatest number of kids in keys.deny.
	MaxDenied = 1000
	// MaxKIDBytes is the greatest length of one kid in keys.deny.
	MaxKIDBytes = 256
	// MinSecretBytes and MaxSecretBytes bound the length of secret.
	MinSecretBytes = 32
	MaxSecretBytes = 256
	// MaxRealmBytes is the greatest length of the realm.
	MaxRealmBytes = 128

	maxClaimPath  = 16  // names that lead to one claim
	maxName       = 64  // bytes of a route's name, and of a query parameter's
	maxHeaderName = 128 // bytes of a header's name, and of a cookie's
)

// Field describes one field of the configuration. The reader, docs/configuration.md and the
// JSON schema all take names, types, defaults and bounds from it.
type Field struct {
	// Name is the field's name in its object.
	Name string
	// Kind is the type of its value; zero when Refused is set.
	Kind Kind
	// Required is true when the field's object is faulty without it.
	Required bool
	// Fields are the fields of the object or of each listed object.
	Fields []Field
	// Default is the value that an absent field means, as it would be written; empty when
	// the field has no default.
	Default string
	// Example is a valid value, for messages; empty when Default is one.
	Example string
	// OneOf are the values of a Choice, and of the elements of some Texts; nil for
	// every other field.
	OneOf []string
	// Min and Max bound, both included, a Duration (in nanoseconds), a Count, Bytes,
	// the length of a Text (in bytes; Max 0 for MaxTextBytes), and for all others
	// the number of elements of a list, or of claims.
	Min, Max int64
	// Limits says what else the value must satisfy.
	Limits string
	// Meaning is what the field does, in one or two sentences.
	Meaning string
	// Refused is why a field that other products have is refused; empty otherwise.
	Refused string

	hidden bool // no message may show the value
}

// Fields lists the fields of the top level of the configuration, the most important first.
// The list is shared and must not be changed.
func Fields() []Field { return fields }

// PolicyFields lists the fields of a policy in an Envoy route's metadata: see
// ParsePolicy. The list is shared and must not be changed.
func PolicyFields() []Field { return policyFields }

// Kind is the type of a field's value.
type Kind uint8

// The kinds. The zero Kind belongs to fields that are refused, whose value is
// not read.
const (
	_ Kind = iota
	// Text: a string of 1 to Field.Max bytes, or MaxTextBytes where that is 0.
	Text
	// Texts: a list of strings.
	Texts
	// TextOrTexts: a string, or a list of strings.
	TextOrTexts
	// Switch: true or false.
	Switch
	// Duration: a string in Go's syntax, such as "1h30m".
	Duration
	// Object: an object with the fields in Field.Fields.
	Object
	// Objects: a list of such objects.
	Objects
	// KeySet: a key set, as an object or as a string that holds one.
	KeySet
	// Choice: one of the strings in Field.OneOf.
	Choice
	// Count: a number without fraction and exponent.
	Count
	// Bytes: the same or a string, such as "16Mi", "512Ki" or "4096".
	Bytes
	// Ways: a list of claims; each is TextOrTexts, the path to the claim.
	Ways
	// Values: a list of strings, numbers, true and false.
	Values
	// Claims: an object whose members are Values, named as the claims are; or a list
	// of objects with the fields in Field.Fields.
	Claims

	scalar // an element of Values
)

// kinds has, for each Kind, its name in docs/configuration.md and the message for a
// value of another type.
var kinds = [...]struct{ name, mismatch string }{
	Text:        {"string", "is not a string"},
	Texts:       {"list of strings", "is not a list of strings"},
	TextOrTexts: {"string or list of strings", "is neither a string nor a list of strings"},
	Switch:      {"true or false", "is neither true nor false (without quotes)"},
	Duration:    {"duration", "is not a duration"},
	Object:      {"object", "is not an object"},
	Objects:     {"list of objects", "is not a list of objects"},
	KeySet:      {"object, or string holding one", "is neither a key set nor a string that holds one"},
	Choice:      {"string", "is not a string"},
	Count:       {"number", "is not a number without fraction"},
	Bytes:       {"number of bytes", "is not a number of bytes"},
	Ways:        {"list of claims", "is not a list of claims"},
	Values:      {"list of strings, numbers, true and false", "is not a list of values"},
	Claims:      {"object of lists, or list of objects", "is neither an object of claims nor a list of objects"},
	scalar:      {"", "is neither a string nor a number nor true or false"},
}

// String is the kind's name as docs/configuration.md has it; empty for the zero Kind.
func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k].name
	}
	return ""
}

const (
	millisecond = int64(time.Millisecond)
	second      = int64(time.Second)
	minute      = int64(time.Minute)
	hour        = int64(time.Hour)
	day         = 24 * hour
)

// Limits and meanings of several fields.
const (
	outputLimits = "no header of HTTP itself, none that holds a token, none twice in a rule"
	scopeLimits  = "scopes as in RFC 6749 §3.3, none twice"
	claimMeaning = "The name of a top-level claim, taken literally, or the list of names that leads to a nested one."
	noCondition  = "is a condition, and Envoy has chosen its route already; let Envoy's route match it"
)

// Values of several fields.
var (
	algorithms = verify.Algorithms()
	modes      = []string{"enforce", "report"}
	spellings  = []string{"trailingSlash", "head", "port", "pathCase"} // see Policy.Spellings
)

// Bounds that meanings name.
var (
	listKiB   = strconv.Itoa(verify.MaxListBytes >> 10)
	listSigns = strconv.Itoa(verify.MaxListSigns)
)

// fields is the top level. The values of signature are in the order of Signature.
var fields = []Field{
	{Name: "auth0", Kind: Object, Fields: auth0Fields,
		Limits:  "this, jwtRules, or both",
		Meaning: "An Auth0 tenant: issuer and key set follow from its domain."},
	{Name: "jwtRules", Kind: Objects, Fields: ruleFields, Max: MaxRules,
		Limits:  strconv.Itoa(MaxRules) + " issuers in all, no issuer twice",
		Meaning: "One entry per issuer, for any provider; Istio's names."},
	{Name: "routes", Kind: Objects, Fields: routeFields, Max: MaxRoutes,
		Meaning: "Who may do what: the first route that matches applies; for what matches none see unmatched."},
	{Name: "unmatched", Kind: Choice, Default: "token", OneOf: []string{"token", "deny"},
		Meaning: "What a request needs that no route matches: token, a valid token and nothing more; deny refuses it."},
	{Name: "hostPort", Kind: Choice, Default: "exact", OneOf: []string{"exact", "ignored"},
		Meaning: "What Envoy's routes make of the port of the request's host: exact, they take it for a part of the host; ignored, they leave it out (ignore_port_in_host_matching, which Istio, Envoy Gateway and the Gateway API set)."},
	{Name: "ignorePathCase", Kind: Switch, Default: "false",
		Meaning: "True when the servers behind ignore the case of paths; then routes do, too."},
	{Name: "routeMetadata", Kind: Switch, Default: "false",
		Meaning: "True lets Envoy's routes carry a policy in their metadata (filter_metadata, key edgejwt, string policy: the JSON of one route without conditions); for such a route it takes the place of routes. No Envoy route may then be chosen by a header that edgejwt sets or removes, and who sends an identity header himself is refused."},
	{Name: "mode", Kind: Choice, Default: "enforce", OneOf: modes,
		Meaning: "What a refusal does: enforce stops the request; report only counts and logs what would have been refused."},
	{Name: "corsPreflight", Kind: Choice, Default: "pass", OneOf: []string{"pass", "judge"},
		Meaning: "What a CORS preflight is, to which browsers give no token: pass lets it through, except where its route says auth: deny; judge takes it for a request like any other, which is right where Envoy's cors filter answers browsers before the plugin."},
	{Name: "overrideHeaders", Kind: Choice, Default: "remove", OneOf: []string{"remove", "keep"},
		Meaning: "What becomes of the headers by which servers take another method, path or host (x-http-method-override, x-http-method, x-method-override, _method, x-original-url, x-rewrite-url, x-forwarded-host, script-name and their like), where a rule depends on one of these: remove takes them out of every request, and with routeMetadata refuses it; keep leaves them to the API."},
	{Name: "xfccTrustedElements", Kind: Count, Default: "0", Max: 16,
		Meaning: "Where TLS ends before this proxy: how many elements at the end of x-forwarded-client-cert proxies in front have added; the client's certificate is the first of these. 0: it is that of the connection, and the header is not read."},
	{Name: "keys", Kind: Object, Fields: keysFields,
		Meaning: "How key sets are fetched and kept, for all issuers whose rule says nothing else."},
	{Name: "tokenCache", Kind: Object, Fields: cacheFields,
		Meaning: "The cache of verified tokens, for each worker. Issuers whose rule has no tokenCache share it."},
	{Name: "signature", Kind: Choice, Default: "go", OneOf: []string{"go", "auto", "host"},
		Meaning: "Which engine checks signatures: go is that of the plugin, host that of Envoy; auto takes Envoy's where it proves itself at the start."},
	{Name: "secret", Kind: Text, Min: MinSecretBytes, Max: MaxSecretBytes, hidden: true,
		Limits:  "letters, digits and + / = - _; make one by openssl rand -hex 32",
		Meaning: "Protects the key sets that workers share from other Wasm plugins of the proxy; without it the whole configuration does, as far as nobody else knows it. Listeners with the same secret share one fetch."},
	{Name: "realm", Kind: Text, Default: "api", Max: MaxRealmBytes,
		Limits:  "printable ASCII characters, no quote, no backslash",
		Meaning: "The name of the API in WWW-Authenticate."},
	{Name: "resourceMetadata", Kind: Object, Fields: resourceFields,
		Meaning: "Serves /.well-known/oauth-protected-resource (RFC 9728) and names it in challenges."},
	{Name: "filterState", Kind: Switch, Default: "false",
		Meaning: "True sets edgejwt.decision, edgejwt.route and edgejwt.issuer for Envoy's later filters and its access log, as wasm.edgejwt.…"},
	{Name: "clearRouteCache", Kind: Switch, Default: "false",
		Meaning: "True lets Envoy choose its route again after the headers of an accepted request have changed."},
}

var auth0Fields = slices.Concat([]Field{
	{Name: "domain", Kind: Text, Required: true, Example: "tenant.eu.auth0.com",
		Limits:  "the bare name in lower case",
		Meaning: "The tenant's domain or custom domain; the issuer is https://{domain}/."},
	{Name: "audience", Kind: TextOrTexts, Required: true, Example: "https://api.example.com", Min: 1, Max: MaxListed,
		Limits:  "no value twice",
		Meaning: "The API's identifier, or several; a token must be for one of them."},
	{Name: "cluster", Kind: Text, Default: "outbound|443||{domain}", Example: "auth0",
		Meaning: "The Envoy cluster that reaches the domain; the default is Istio's name for it."},
}, optionFields)

var ruleFields = slices.Concat([]Field{
	{Name: "issuer", Kind: Text, Required: true, Example: "https://tenant.eu.auth0.com/",
		Meaning: "The provider's iss, compared byte for byte, a slash at the end included."},
	{Name: "audiences", Kind: TextOrTexts, Example: "https://api.example.com", Min: 1, Max: MaxListed,
		Limits:  "required, unless anyAudience is true; no value twice",
		Meaning: "A token must be for one of these, compared byte for byte."},
	{Name: "anyAudience", Kind: Switch, Default: "false",
		Limits:  "not beside audiences",
		Meaning: "True accepts the issuer's tokens for any audience (RFC 8725 §3.9 advises against it)."},
	{Name: "jwksUri", Kind: Text, Example: "https://tenant.eu.auth0.com/.well-known/jwks.json",
		Limits:  "https; without jwksUri and jwks, the issuer is asked by OpenID discovery",
		Meaning: "The address of the provider's key set."},
	{Name: "jwks", Kind: KeySet,
		Limits:  "at least one usable key; not beside jwksUri or jwksCluster",
		Meaning: "The key set itself; nothing is fetched."},
	{Name: "jwksCluster", Kind: Text, Default: "outbound|{port}||{host}", Example: "auth0",
		Meaning: "The Envoy cluster that reaches the key set; the default is Istio's name for jwksUri's or the issuer's host."},
	{Name: "allowHttp", Kind: Switch, Default: "false",
		Limits:  "not with jwks",
		Meaning: "Also take http for jwksUri, or for the issuer and the discovered jwks_uri. For a key server on this machine or inside the mesh; the cluster decides about TLS."},
	{Name: "jwksHost", Kind: Text, Example: "www.googleapis.com",
		Limits:  "only with OpenID discovery; host or host:port",
		Meaning: "A host, besides the issuer's, on which the discovered key set may lie; jwksCluster then reaches it."},
	{Name: "discoveryCluster", Kind: Text, Default: "outbound|{port}||{issuer's host}", Example: "issuer",
		Limits:  "only with jwksHost",
		Meaning: "The Envoy cluster that reaches the issuer's discovery document."},
	{Name: "timeout", Refused: "is not a field of a rule; write the time that a fetch may take as keys.timeout in the rule"},
	{Name: "spaceDelimitedClaims", Refused: "is not a field of a rule; only scope and scp are read as words parted by spaces"},
}, optionFields)

// optionFields are those that auth0 and jwtRules have in common.
var optionFields = []Field{
	{Name: "algorithms", Kind: Texts, Default: "[" + verify.RS256 + "]", Example: "[" + verify.RS256 + "]", OneOf: algorithms, Min: 1, Max: MaxListed,
		Limits:  "none twice",
		Meaning: "The accepted signature algorithms."},
	{Name: "clockSkew", Kind: Duration, Default: "60s", Max: 10 * minute,
		Meaning: "How far the provider's clock may be off when times in a token are checked."},
	{Name: "maxTokenBytes", Kind: Bytes, Default: inBytes(verify.DefaultTokenBytes, Bytes), Min: verify.MinTokenBytes, Max: verify.MaxTokenBytes,
		Meaning: "The greatest length of a token; a longer one is refused, and the longer a bad token may be, the more it costs to refuse it. Envoy's max_request_headers_kb (60 unless it is set) bounds all headers together."},
	{Name: "senderConstraint", Kind: Choice, Default: "whenBound", OneOf: []string{"whenBound", "required", "ignore"},
		Meaning: "Whether the sender of a token must prove that it is his: whenBound, where the token is bound to a key or a certificate (cnf); required, always, and tokens that are not bound are refused; ignore, never."},
	{Name: "fromHeaders", Kind: Objects, Default: "[{name: " + verify.Authorization.Name + ", prefix: " + strconv.Quote(verify.Authorization.Prefix) + "}]", Min: 1, Max: MaxListed,
		Meaning: "Headers in which the token is looked for; with this, fromCookies or fromParams, no longer in the default place.",
		Fields: []Field{
			{Name: "name", Kind: Text, Required: true, Example: "authorization",
				Limits:  "no pseudo header, no cookie, none that overrideHeaders removes, no two that differ by their signs only",
				Meaning: "A header in which the token may stand; case does not matter."},
			{Name: "prefix", Kind: Text, Example: `"Bearer "`,
				Limits:  "printable ASCII, may be empty, no space in front",
				Meaning: "What stands before the token in that header."},
			{Name: "list", Kind: Switch, Default: "false",
				Limits:  "not for authorization; sec-websocket-protocol is always a list",
				Meaning: "True: the header is a list with commas (RFC 9110 §5.6.1), and the token is the element with the prefix or, without a prefix, the element with a dot."},
		}},
	{Name: "fromCookies", Kind: Texts, Example: "[session]", Min: 1, Max: MaxListed,
		Limits:  "cookies' names (RFC 6265 §4.1.1), none twice",
		Meaning: "Cookies in which the token is looked for; requests with more than " + listKiB + " KiB of cookies, or " + listSigns + " equals signs in them, are then refused."},
	{Name: "fromParams", Kind: Texts, Example: "[access_token]", Min: 1, Max: MaxListed,
		Limits:  "each of at most " + strconv.Itoa(maxName) + " bytes, none twice",
		Meaning: "Parameters of the URL in which the token is looked for; requests with a query of more than " + listKiB + " KiB or " + listSigns + " equals signs are then refused. URLs are logged in many places (RFC 6750 §2.3)."},
	{Name: "keys", Kind: Object, Fields: inheriting(keysFields),
		Meaning: "How the key set of this issuer is fetched and kept. What is left out is as in the configuration's keys; deny adds to its deny. With jwks, only deny."},
	{Name: "tokenCache", Kind: Object, Fields: inheriting(cacheFields),
		Meaning: "A cache for this issuer's verified tokens alone, so that tokens of other issuers push none of them out. What is left out is as in the configuration's tokenCache."},
	{Name: "forwardOriginalToken", Kind: Switch, Default: "true",
		Meaning: "False takes the token out of the request before the API sees it (Istio's default is false)."},
	{Name: "outputPayloadToHeader", Kind: Text, Example: "x-jwt-payload",
		Limits:  outputLimits,
		Meaning: "The header that carries the token's payload, as base64url, to the API."},
	{Name: "outputPayloadPadding", Kind: Switch, Default: "false",
		Limits:  "only beside outputPayloadToHeader",
		Meaning: "True pads that base64url with equals signs, as jwt_authn does with pad_forward_payload_header."},
	{Name: "outputClaimToHeaders", Kind: Objects, Max: MaxListed,
		Meaning: "Single claims that are handed to the API.",
		Fields: []Field{
			{Name: "header", Kind: Text, Required: true, Example: "x-jwt-sub",
				Limits:  outputLimits,
				Meaning: "The header that carries the claim; what a client sends in it is removed."},
			outputClaim, outputEncoding,
		}},
	{Name: "outputClaimToFilterState", Kind: Objects, Max: MaxListed,
		Meaning: "Single claims that are handed to Envoy's later filters and its access log.",
		Fields: []Field{
			{Name: "key", Kind: Text, Required: true, Example: "edgejwt.sub", Max: 128,
				Limits:  "letters, digits, dots, hyphens, underscores; none twice in a rule, none of filterState's",
				Meaning: "The filter state's name; Envoy puts wasm. before it."},
			outputClaim, outputEncoding,
		}},
}

var outputClaim = Field{Name: "claim", Kind: TextOrTexts, Required: true, Example: "sub", Min: 1, Max: maxClaimPath,
	Limits:  "no control characters",
	Meaning: claimMeaning}

// The values of encoding are in the order of verify.Encoding.
var outputEncoding = Field{Name: "encoding", Kind: Choice, Default: "plain", OneOf: []string{"plain", "percent", "base64url"},
	Meaning: "How the claim is written: as it is, with %XX for what a header cannot carry, or as base64url. A text that a list or an object could give is left out, but with percent."}

// inheriting are the fields of an object of a rule whose absent fields have the values of
// the object of that name at the top level.
func inheriting(fields []Field) []Field {
	fields = slices.Clone(fields)
	for i := range fields {
		if f := &fields[i]; f.Default != "" {
			f.Default, f.Example = "", f.Default
		}
	}
	return fields
}

var keysFields = []Field{
	{Name: "refresh", Kind: Duration, Default: FormatDuration(jwks.DefaultRefresh), Min: second, Max: day,
		Limits:  "not under keys.cooldown",
		Meaning: "The wanted time between two fetches of a key set."},
	{Name: "maxStale", Kind: Duration, Default: FormatDuration(jwks.DefaultMaxStale), Min: second, Max: 30 * day,
		Limits:  "not under keys.refresh",
		Meaning: "How old a key set may get while the provider cannot be reached; then requests get 503."},
	{Name: "cooldown", Kind: Duration, Default: FormatDuration(jwks.DefaultCooldown), Min: second, Max: hour,
		Meaning: "The least time between two early fetches for unknown kids, for the whole process."},
	{Name: "jitter", Kind: Duration, Default: "0s", Max: 10 * minute,
		Meaning: "The longest random delay of an early fetch. It keeps a fleet of proxies from asking the provider all at once: set it to the number of proxies divided by the requests a second that the provider answers. Requests that would wait for longer than keys.wait get 503."},
	{Name: "timeout", Kind: Duration, Default: FormatDuration(jwks.DefaultTimeout), Min: 100 * millisecond, Max: minute,
		Meaning: "How long one fetch may take."},
	{Name: "wait", Kind: Duration, Default: FormatDuration(jwks.DefaultWait), Min: 100 * millisecond, Max: 30 * second,
		Meaning: "How long a request may be held back for keys."},
	{Name: "tick", Kind: Duration, Default: FormatDuration(jwks.DefaultTick), Min: 100 * millisecond, Max: int64(jwks.MaxTick),
		Meaning: "The time between two looks at the shared key sets: how soon a change reaches every worker."},
	{Name: "deny", Kind: Texts, Example: "[kid-of-the-leaked-key]", Max: MaxDenied,
		Limits:  "each of 1 to " + strconv.Itoa(MaxKIDBytes) + " bytes",
		Meaning: "Kids that are refused at once, whatever a key set says: the emergency brake."},
}

var cacheFields = []Field{
	{Name: "entries", Kind: Count, Default: "10000", Max: 1_000_000,
		Meaning: "The greatest number of tokens; 0 for no cache."},
	{Name: "bytes", Kind: Bytes, Default: "16Mi", Min: 64 << 10, Max: 1 << 30,
		Meaning: "The greatest size of all that is kept for them."},
}

var resourceFields = []Field{
	{Name: "resource", Kind: Text, Required: true, Example: "https://api.example.com",
		Limits:  "https, neither query nor fragment",
		Meaning: "The API's identifier, which clients ask tokens for (RFC 8707)."},
	{Name: "authorizationServers", Kind: Texts, Default: "the rules' issuers", Example: "[https://tenant.eu.auth0.com/]", Min: 1, Max: MaxListed,
		Limits:  "https, neither query nor fragment, none twice",
		Meaning: "The issuers from which clients may get tokens."},
	{Name: "scopesSupported", Kind: Texts, Example: "[read:orders]", Min: 1, Max: MaxListed,
		Limits:  scopeLimits,
		Meaning: "The scopes that clients may ask for."},
	{Name: "resourceName", Kind: Text, Example: "Orders", Max: 256,
		Meaning: "The API's name, for people."},
	{Name: "resourceDocumentation", Kind: Text, Example: "https://api.example.com/docs",
		Limits:  "https",
		Meaning: "The address of a page for developers."},
}

// routeFields are the fields of one route. Those of path are in the order of route.Kind.
var routeFields = slices.Concat([]Field{
	{Name: "path", Kind: Object, Example: "{prefix: /public}",
		Limits:  "exactly one of its fields",
		Meaning: "Which paths the route is for; without it, every path.",
		Fields: []Field{
			{Name: "exact", Kind: Text, Example: "/orders",
				Limits:  "a path that can be read in one way only",
				Meaning: "One path."},
			{Name: "prefix", Kind: Text, Example: "/public",
				Limits:  "a path that can be read in one way only",
				Meaning: "A path and everything below it: /public is for /public and /public/x, not for /publicity."},
			{Name: "template", Kind: Text, Example: "/orders/{id}",
				Limits:  "at most " + strconv.Itoa(route.MaxVariables) + " variables, none twice",
				Meaning: "Paths of a shape: {id} stands for one segment, {rest=**}, as the last, for any number of them."},
			{Name: "regex", Kind: Text, Example: "/v[12]/orders",
				Limits:  "RE2",
				Meaning: "An expression that the whole path matches."},
		}},
	{Name: "methods", Kind: Texts, Example: "[GET, POST]", Min: 1, Max: MaxListed,
		Limits:  "none twice",
		Meaning: "The request's methods. What is said of GET is also asked of HEAD, but GET opens nothing to HEAD: name both."},
	{Name: "hosts", Kind: Texts, Example: "[api.example.com]", Min: 1, Max: MaxListed,
		Limits:  "none twice; a port not with hostPort: ignored",
		Meaning: "The request's hosts, with or without port; *.example.com is for everything below it. A client chooses what it names, as far as Envoy's domains let it."},
	{Name: "headers", Kind: Objects, Min: 1, Max: MaxListed,
		Meaning: "Headers that must all be there; a client chooses what it sends.",
		Fields: []Field{
			{Name: "name", Kind: Text, Required: true, Example: "x-api-version",
				Limits:  "none that the plugin writes for the API, none that overrideHeaders removes; for host there is hosts",
				Meaning: "The header's name; case does not matter. A request in which another spelling of it (x_a, x.a for x-a) decides whether the condition holds is refused."},
			{Name: "values", Kind: Texts, Example: `["2"]`, Min: 1, Max: MaxListed,
				Limits:  "none twice",
				Meaning: "What the header may be; without it, anything."},
		}},
}, accessFields)

// policyFields are the fields of a policy in the metadata of an Envoy route.
var policyFields = slices.Concat([]Field{
	{Name: "path", Refused: noCondition},
	{Name: "methods", Refused: noCondition},
	{Name: "hosts", Refused: noCondition},
	{Name: "headers", Refused: noCondition},
	{Name: "spellings", Kind: Texts, Example: "[trailingSlash]", OneOf: spellings, Min: 1, Max: MaxListed,
		Limits:  "only in a policy of routeMetadata",
		Meaning: "Spellings that no other Envoy route matches: trailingSlash (a slash at the path's end), head (HEAD for GET), port (a port in the host), pathCase (capitals in the path, with ignorePathCase). Others are refused where policies may stand in Envoy's routes."},
}, accessFields)

// accessFields are the fields of a route that are not conditions. The values of auth are in
// the order of route.Auth.
var accessFields = slices.Concat([]Field{
	{Name: "name", Kind: Text, Example: "orders-write", Max: maxName,
		Limits:  "letters, digits, dots, hyphens, underscores; none twice",
		Meaning: "The route's name in metrics, log and filter state."},
	{Name: "auth", Kind: Choice, Default: "required", OneOf: []string{"required", "optional", "none", "deny"},
		Limits:  "none and deny only without all that is demanded of a token, deny without allowOpaque",
		Meaning: "Whether a token is needed: required; optional, where a bad one is still refused; none, where tokens are not looked at; deny, where nobody passes, whatever the token."},
	{Name: "anonymousPasses", Kind: Switch, Default: "false",
		Limits:  "only with auth: optional beside something that is demanded of a token",
		Meaning: "True: what the route demands is demanded of tokens only, and a request without one passes. Without it such a route is refused, for who drops his token would pass."},
	{Name: "mode", Kind: Choice, Example: "report", OneOf: modes,
		Meaning: "Takes the place of the configuration's mode."},
	{Name: "allowOpaque", Kind: Switch, Default: "false",
		Meaning: "True lets bearer tokens pass that are no JWS, for an API that asks their issuer itself."},
}, requirementFields)

// requirementFields are the requirements of a route for a valid token.
var requirementFields = []Field{
	{Name: "scopes", Kind: Texts, Example: "[write:orders]", Min: 1, Max: MaxListed,
		Limits:  scopeLimits,
		Meaning: "The scopes (claim scope or scp) that a token needs, every one."},
	{Name: "anyScope", Kind: Texts, Example: "[read:orders, write:orders]", Min: 1, Max: MaxListed,
		Limits:  scopeLimits,
		Meaning: "Scopes of which a token needs one."},
	{Name: "permissions", Kind: Texts, Example: "[write:orders]", Min: 1, Max: MaxListed,
		Limits:  scopeLimits,
		Meaning: "The permissions (Auth0's claim) that a token needs, every one."},
	{Name: "anyPermission", Kind: Texts, Example: "[read:orders, write:orders]", Min: 1, Max: MaxListed,
		Limits:  scopeLimits,
		Meaning: "Permissions of which a token needs one."},
	{Name: "claims", Kind: Claims, Example: "{org_id: [org_123]}", Min: 1, Max: MaxListed,
		Limits:  "no null, no list, no object among the values",
		Meaning: "Claims that must each be, or be a list that holds, one of the values; an object for top-level claims, by their literal names, a list for nested ones.",
		Fields: []Field{
			routeClaim,
			{Name: "values", Kind: Values, Required: true, Example: "[admin]", Min: 1, Max: MaxListed,
				Meaning: "The values of which one will do; numbers are compared as numbers."},
			{Name: "spaceDelimited", Kind: Switch, Default: "false",
				Meaning: "True takes a claim that is a string for the list of its words, which spaces part."},
		}},
	{Name: "claimMatches", Kind: Objects, Min: 1, Max: MaxListed,
		Limits:  "exactly one of variable, header and host",
		Meaning: "Claims that must be, or be a list that holds, what the request says.",
		Fields: []Field{
			routeClaim,
			{Name: "variable", Kind: Text, Example: "org",
				Limits:  "one of the route's template",
				Meaning: "The claim must be what this variable stands for."},
			{Name: "header", Kind: Text, Example: "x-tenant",
				Limits:  "none that the plugin writes for the API, none that overrideHeaders removes",
				Meaning: "The claim must be what this header says, and each other spelling of it (x_a, x.a for x-a) that is sent too."},
			{Name: "host", Kind: Switch, Default: "false",
				Meaning: "True: the claim must be the request's host, in lower case and without port."},
		}},
	{Name: "requiredClaims", Kind: Ways, Example: "[email, [address, country]]", Min: 1, Max: MaxListed,
		Limits:  "each a name or a list of 1 to " + strconv.Itoa(maxClaimPath) + " names",
		Meaning: "Claims that must be there and not null; a list of names leads to a nested one."},
	{Name: "issuers", Kind: Texts, Example: "[https://tenant.eu.auth0.com/]", Min: 1, Max: MaxListed,
		Limits:  "none twice",
		Meaning: "The issuers whose tokens the route takes."},
	{Name: "audiences", Kind: Texts, Example: "[https://api.example.com]", Min: 1, Max: MaxListed,
		Limits:  "none twice",
		Meaning: "A token must, besides what its rule demands, be for one of these."},
	{Name: "subjects", Kind: Texts, Example: "[auth0|5f7c8ec7c33c6c004bbafe82]", Min: 1, Max: MaxListed,
		Limits:  "none twice",
		Meaning: "The subjects (sub) that the route takes."},
	{Name: "clients", Kind: Texts, Example: "[my-client-id]", Min: 1, Max: MaxListed,
		Limits:  "none twice",
		Meaning: "The clients (azp, client_id) that the route takes."},
	{Name: "tokenTypes", Kind: Texts, Example: "[at+jwt]", Min: 1, Max: MaxListed,
		Limits:  "none twice",
		Meaning: "The values of typ that the route takes; with at+jwt a token must also have what RFC 9068 demands."},
	{Name: "maxAge", Kind: Duration, Example: "1h", Min: second, Max: 366 * day,
		Meaning: "The greatest age of the login (auth_time) or, in tokens without that, of the token (iat)."},
	{Name: "acr", Kind: Texts, Example: "[urn:example:mfa]", Min: 1, Max: MaxListed,
		Limits:  "printable ASCII without space, quote and backslash, none twice",
		Meaning: "The classes of authentication (acr) that the route takes, the preferred one first; a token without one of them gets 401 and a challenge to authenticate again (RFC 9470)."},
	{Name: "maxAuthAge", Kind: Duration, Example: "5m", Min: second, Max: 366 * day,
		Limits:  "whole seconds",
		Meaning: "The greatest age of the login (auth_time), which the token must have; an older one gets 401 and a challenge to authenticate again (RFC 9470)."},
	{Name: "maxLifetime", Kind: Duration, Example: "24h", Min: second, Max: 366 * day,
		Meaning: "The greatest time from iat to exp."},
}

var routeClaim = Field{Name: "claim", Kind: TextOrTexts, Required: true, Example: "org_id", Min: 1, Max: maxClaimPath,
	Limits:  "no control characters",
	Meaning: claimMeaning}
