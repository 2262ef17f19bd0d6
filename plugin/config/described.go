//go:build !wasip1

package config

// kindNames are for people; see Kind.String.
var kindNames = [...]string{
	Text:        "string",
	Texts:       "list of strings",
	TextOrTexts: "string or list of strings",
	Switch:      "true or false",
	Duration:    "duration",
	Object:      "object",
	Objects:     "list of objects",
	KeySet:      "object, or string holding one",
	Choice:      "string",
	Count:       "number",
	Bytes:       "number of bytes",
	Ways:        "list of claims",
	Values:      "list of strings, numbers, true and false",
	Claims:      "object of lists, or list of objects",
}

// String is the kind's name as FIELDS.md has it; empty for the zero Kind.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return ""
}

// Field describes one field of the configuration, for tools and people. The reader
// takes names, types, defaults and bounds from the same list.
type Field struct {
	// Name is the field's name in its object.
	Name string
	// Kind is the type of its value; zero when Refused is set.
	Kind Kind
	// Required is true when the field's object is faulty without it.
	Required bool
	// Fields are the fields of the object or of each listed object.
	Fields []Field
	// Default is what an absent field means, as one would write it; empty when
	// the field has no default.
	Default string
	// Example is a good value, for messages; empty when Default is one.
	Example string
	// OneOf are the values of a Choice, and of the elements of some Texts; nil for
	// every other field. It is not to be changed.
	OneOf []string
	// Min and Max bound, both included, a Duration (in nanoseconds), a Count, Bytes,
	// the length of a Text (in bytes; Max 0 for MaxTextBytes), and for all others
	// the number of elements of a list, or of claims.
	Min, Max int64
	// Limits says what else is demanded of the value.
	Limits string
	// Meaning is one sentence.
	Meaning string
	// Refused is why a known name is refused; empty for every other field.
	Refused string
}

// Fields lists the top level of the configuration, in the order in which a
// reader would want to learn of it.
func Fields() []Field { return describe("", fields) }

// PolicyFields lists the fields of a policy in an Envoy route's metadata: see
// ParsePolicy.
func PolicyFields() []Field { return describe("routes[].", policyFields) }

// describe copies fields and adds what they mean.
func describe(path string, fields []field) (all []Field) {
	for _, f := range fields {
		if f.Name == "" {
			all = append(all, describe(path, f.Fields)...)
			continue
		}
		text, ok := descriptions[path+f.Name]
		if !ok {
			text = descriptions[common(path)+f.Name]
		}
		below := path + f.Name + "."
		if f.Kind == Objects || f.Kind == Claims {
			below = path + f.Name + "[]."
		}
		described := Field{f.Name, f.Kind, f.Required, describe(below, f.Fields), f.Default, f.Example, f.OneOf, f.Min, f.Max, text.limits, text.meaning, f.Refused}
		if f.Refused != "" {
			described.Limits, described.Meaning = "", ""
		}
		all = append(all, described)
	}
	return all
}

// common is the path under which descriptions has what auth0 and jwtRules share.
func common(path string) string {
	for _, owner := range []string{"auth0.", "jwtRules[]."} {
		if len(path) >= len(owner) && path[:len(owner)] == owner {
			return "*." + path[len(owner):]
		}
	}
	return path
}

// description is what a field's type does not say.
type description struct{ limits, meaning string }

const (
	outputLimits = "no header of HTTP itself, none that holds a token, none twice in a rule"
	wayMeaning   = "The name of a top-level claim, taken literally, or the list of names that leads to a nested one."
	encoded      = "How the claim is written: as it is, with %XX for what a header cannot carry, or as base64url. A text that a list or an object could give is left out, but with percent."
	ofScopes     = "scopes as in RFC 6749 §3.3, none twice"
)

// descriptions has one entry for each field that is not refused, by its path.
var descriptions = map[string]description{
	"auth0":     {"this, jwtRules, or both", "An Auth0 tenant: issuer and key set follow from its domain."},
	"jwtRules":  {"64 issuers in all, no issuer twice", "One entry per issuer, for any provider; Istio's names."},
	"routes":    {"", "Who may do what: the first route that matches applies; for what matches none see unmatched."},
	"unmatched": {"", "What a request needs that no route matches: token, a valid token and nothing more; deny refuses it."},
	"hostPort": {"", "What Envoy's routes make of the port of the request's host: exact, they take it for a part of the host; ignored, they leave it out " +
		"(ignore_port_in_host_matching, which Istio, Envoy Gateway and the Gateway API set)."},
	"ignorePathCase": {"", "True when the servers behind ignore the case of paths; then routes do, too."},
	"routeMetadata": {"", "True lets Envoy's routes carry a policy in their metadata (filter_metadata, key edgejwt, string policy: the JSON of one route without conditions); " +
		"for such a route it takes the place of routes. No Envoy route may then be chosen by a header that edgejwt sets or removes, and who sends an identity header himself is refused."},
	"mode": {"", "What a refusal does: enforce stops the request; report only counts and logs what would have been refused."},
	"corsPreflight": {"", "What a CORS preflight is, to which browsers give no token: pass lets it through, except where its route says auth: deny; " +
		"judge takes it for a request like any other, which is right where Envoy's cors filter answers browsers before the plugin."},
	"overrideHeaders": {"", "What becomes of the headers by which servers take another method, path or host (x-http-method-override, x-http-method, x-method-override, _method, " +
		"x-original-url, x-rewrite-url, x-forwarded-host), where a rule depends on one of these: remove takes them out of every request, and with routeMetadata refuses it; keep leaves them to the API."},
	"keys":       {"", "How key sets are fetched and kept."},
	"tokenCache": {"", "The cache of verified tokens, for each worker."},
	"signature":  {"", "Which engine checks signatures: go is that of the plugin, host that of Envoy; auto takes Envoy's where it proves itself at the start."},
	"secret": {"letters, digits and + / = - _; make one by openssl rand -hex 32",
		"Protects the key sets that workers share from other Wasm plugins of the proxy; without it the whole configuration does, as far as nobody else knows it. Listeners with the same secret share one fetch."},
	"realm":            {"printable ASCII characters, no quote, no backslash", "The name of the API in WWW-Authenticate."},
	"resourceMetadata": {"", "Serves /.well-known/oauth-protected-resource (RFC 9728) and names it in challenges."},
	"filterState":      {"", "True tells edgejwt.decision, edgejwt.route and edgejwt.issuer to Envoy's later filters and its access log, as wasm.edgejwt.…"},
	"clearRouteCache":  {"", "True lets Envoy choose its route again after the headers of an accepted request have changed."},

	"auth0.domain":   {"the bare name in lower case", "The tenant's domain or custom domain; the issuer is https://{domain}/."},
	"auth0.audience": {"no value twice", "The API's identifier, or several; a token must be for one of them."},
	"auth0.cluster":  {"", "The Envoy cluster that reaches the domain; the default is Istio's name for it."},

	"jwtRules[].issuer":           {"", "The provider's iss, compared byte for byte, a slash at the end included."},
	"jwtRules[].audiences":        {"required, unless anyAudience is true; no value twice", "A token must be for one of these, compared byte for byte."},
	"jwtRules[].anyAudience":      {"not beside audiences", "True accepts the issuer's tokens for any audience (RFC 8725 §3.9 advises against it)."},
	"jwtRules[].jwksUri":          {"https; without jwksUri and jwks, the issuer is asked by OpenID discovery", "The address of the provider's key set."},
	"jwtRules[].jwks":             {"at least one usable key; not beside jwksUri or jwksCluster", "The key set itself; nothing is fetched."},
	"jwtRules[].jwksCluster":      {"", "The Envoy cluster that reaches the key set; the default is Istio's name for jwksUri's or the issuer's host."},
	"jwtRules[].jwksHost":         {"only with OpenID discovery; host or host:port", "A host, besides the issuer's, on which the discovered key set may lie; jwksCluster then reaches it."},
	"jwtRules[].discoveryCluster": {"only with jwksHost", "The Envoy cluster that reaches the issuer's discovery document."},

	"*.algorithms":                          {"none twice", "The accepted signature algorithms."},
	"*.clockSkew":                           {"", "How far the provider's clock may be off when times in a token are judged."},
	"*.fromHeaders":                         {"", "Headers in which the token is looked for; with this, fromCookies or fromParams, no longer in the default place."},
	"*.fromHeaders[].name":                  {"no pseudo header, no cookie, none that overrideHeaders removes, no two that differ by their signs only", "A header in which the token may stand; case does not matter."},
	"*.fromHeaders[].prefix":                {"printable ASCII, may be empty, no space in front", "What stands before the token in that header."},
	"*.fromCookies":                         {"cookies' names (RFC 6265 §4.1.1), none twice", "Cookies in which the token is looked for; requests with more than 32 KiB of cookies, or 512 equals signs in them, are then refused."},
	"*.fromParams":                          {"each of at most 64 bytes, none twice", "Parameters of the URL in which the token is looked for; requests with a query of more than 32 KiB or 512 equals signs are then refused. URLs are logged in many places (RFC 6750 §2.3)."},
	"*.forwardOriginalToken":                {"", "False takes the token out of the request before the API sees it (Istio's default is false)."},
	"*.outputPayloadToHeader":               {outputLimits, "The header that carries the token's payload, as base64url, to the API."},
	"*.outputClaimToHeaders":                {"", "Single claims that are handed to the API."},
	"*.outputClaimToHeaders[].header":       {outputLimits, "The header that carries the claim; what a client sends in it is removed."},
	"*.outputClaimToHeaders[].claim":        {"no control characters", wayMeaning},
	"*.outputClaimToHeaders[].encoding":     {"", encoded},
	"*.outputClaimToFilterState":            {"", "Single claims that are handed to Envoy's later filters and its access log."},
	"*.outputClaimToFilterState[].key":      {"letters, digits, dots, hyphens, underscores; none twice in a rule, none of filterState's", "The filter state's name; Envoy puts wasm. before it."},
	"*.outputClaimToFilterState[].claim":    {"no control characters", wayMeaning},
	"*.outputClaimToFilterState[].encoding": {"", encoded},

	"routes[].name":                    {"letters, digits, dots, hyphens, underscores; none twice", "The route's name in metrics, log and filter state."},
	"routes[].path":                    {"exactly one of its fields", "Which paths the route is for; without it, every path."},
	"routes[].path.exact":              {"a path that can be read in one way only", "One path."},
	"routes[].path.prefix":             {"a path that can be read in one way only", "A path and everything below it: /public is for /public and /public/x, not for /publicity."},
	"routes[].path.template":           {"at most 8 variables, none twice", "Paths of a shape: {id} stands for one segment, {rest=**}, as the last, for any number of them."},
	"routes[].spellings":               {"only in a policy of routeMetadata", "Spellings that no other Envoy route matches: trailingSlash (a slash at the path's end), head (HEAD for GET), port (a port in the host). Others are refused where policies may stand in Envoy's routes."},
	"routes[].path.regex":              {"RE2", "An expression that the whole path matches."},
	"routes[].methods":                 {"none twice", "The request's methods. What is said of GET is also asked of HEAD, but GET opens nothing to HEAD: name both."},
	"routes[].hosts":                   {"none twice; a port not with hostPort: ignored", "The request's hosts, with or without port; *.example.com is for everything below it. A client chooses what it names, as far as Envoy's domains let it."},
	"routes[].headers":                 {"", "Headers that must all be there; a client chooses what it sends."},
	"routes[].headers[].name":          {"none that the plugin writes for the API, none that overrideHeaders removes; for host there is hosts", "The header's name; case does not matter. A request in which another spelling of it (x_a, x.a for x-a) decides whether the condition holds is refused."},
	"routes[].headers[].values":        {"none twice", "What the header may be; without it, anything."},
	"routes[].auth":                    {"none and deny only without all that is demanded of a token, deny without allowOpaque", "Whether a token is needed: required; optional, where a bad one is still refused; none, where tokens are not looked at; deny, where nobody passes, whatever the token."},
	"routes[].anonymousPasses":         {"only with auth: optional beside something that is demanded of a token", "True: what the route demands is demanded of tokens only, and a request without one passes. Without it such a route is refused, for who drops his token would pass."},
	"routes[].mode":                    {"", "Takes the place of the configuration's mode."},
	"routes[].allowOpaque":             {"", "True lets bearer tokens pass that are no JWS, for an API that asks their issuer itself."},
	"routes[].scopes":                  {ofScopes, "The scopes (claim scope or scp) that a token needs, every one."},
	"routes[].anyScope":                {ofScopes, "Scopes of which a token needs one."},
	"routes[].permissions":             {ofScopes, "The permissions (Auth0's claim) that a token needs, every one."},
	"routes[].anyPermission":           {ofScopes, "Permissions of which a token needs one."},
	"routes[].claims":                  {"no null, no list, no object among the values", "Claims that must each be, or be a list that holds, one of the values; an object for top-level claims, by their literal names, a list for nested ones."},
	"routes[].claims[].claim":          {"no control characters", wayMeaning},
	"routes[].claims[].values":         {"", "The values of which one will do; numbers are compared as numbers."},
	"routes[].claims[].spaceDelimited": {"", "True takes a claim that is a string for the list of its words, which spaces part."},
	"routes[].claimMatches":            {"exactly one of variable, header and host", "Claims that must be, or be a list that holds, what the request says."},
	"routes[].claimMatches[].claim":    {"no control characters", wayMeaning},
	"routes[].claimMatches[].variable": {"one of the route's template", "The claim must be what this variable stands for."},
	"routes[].claimMatches[].header":   {"none that the plugin writes for the API, none that overrideHeaders removes", "The claim must be what this header says, and each other spelling of it (x_a, x.a for x-a) that is sent too."},
	"routes[].claimMatches[].host":     {"", "True: the claim must be the request's host, in lower case and without port."},
	"routes[].requiredClaims":          {"each a name or a list of 1 to 16 names", "Claims that must be there and not null; a list of names leads to a nested one."},
	"routes[].issuers":                 {"none twice", "The issuers whose tokens the route takes."},
	"routes[].audiences":               {"none twice", "A token must, besides what its rule demands, be for one of these."},
	"routes[].subjects":                {"none twice", "The subjects (sub) that the route takes."},
	"routes[].clients":                 {"none twice", "The clients (azp, client_id) that the route takes."},
	"routes[].tokenTypes":              {"none twice", "The values of typ that the route takes; with at+jwt a token must also have what RFC 9068 demands."},
	"routes[].maxAge":                  {"", "The greatest age of the login (auth_time) or, in tokens without that, of the token (iat)."},
	"routes[].maxLifetime":             {"", "The greatest time from iat to exp."},

	"keys.refresh":  {"not under keys.cooldown", "The wanted time between two fetches of a key set."},
	"keys.maxStale": {"not under keys.refresh", "How old a key set may get while the provider cannot be reached; then requests get 503."},
	"keys.cooldown": {"", "The least time between two early fetches for unknown kids, for the whole process."},
	"keys.timeout":  {"", "How long one fetch may take."},
	"keys.wait":     {"", "How long a request may be held back for keys."},
	"keys.tick":     {"", "The time between two looks at the shared key sets: how soon a change reaches every worker."},
	"keys.deny":     {"each of 1 to 256 bytes", "Kids that are refused at once, whatever a key set says: the emergency brake."},

	"tokenCache.entries": {"", "The greatest number of tokens; 0 for no cache."},
	"tokenCache.bytes":   {"", "The greatest size of all that is kept for them."},

	"resourceMetadata.resource":              {"https, neither query nor fragment", "The API's identifier, which clients ask tokens for (RFC 8707)."},
	"resourceMetadata.authorizationServers":  {"https, neither query nor fragment, none twice", "The issuers from which clients may get tokens."},
	"resourceMetadata.scopesSupported":       {ofScopes, "The scopes that clients may ask for."},
	"resourceMetadata.resourceName":          {"", "The API's name, for people."},
	"resourceMetadata.resourceDocumentation": {"https", "The address of a page for developers."},
}
