package config

import "time"

// Kind is the type of a field's value.
type Kind uint8

// The kinds. The zero Kind belongs to fields of later versions, whose value is
// not looked at.
const (
	_ Kind = iota
	// Text: a string of 1 to MaxTextBytes bytes.
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
)

// kinds gives each Kind its name in FIELDS.md and what is said of another type.
var kinds = [...]struct{ name, not string }{
	Text:        {"string", "is not a string"},
	Texts:       {"list of strings", "is not a list of strings"},
	TextOrTexts: {"string or list of strings", "is neither a string nor a list of strings"},
	Switch:      {"true or false", "is neither true nor false (without quotes)"},
	Duration:    {"duration", "is not a duration"},
	Object:      {"object", "is not an object"},
	Objects:     {"list of objects", "is not a list of objects"},
	KeySet:      {"object, or string holding one", "is neither a key set nor a string that holds one"},
}

// String is the kind's name as FIELDS.md has it.
func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k].name
	}
	return ""
}

// Field describes one field of the configuration. The reader takes names,
// types, defaults and bounds from here; so do FIELDS.md and the messages.
type Field struct {
	// Name is the field's name in its object.
	Name string
	// Kind is the type of its value; zero when Refused is set.
	Kind Kind
	// Fields are the fields of the object or of each listed object.
	Fields []Field
	// Default is what an absent field means, as one would write it; empty when
	// the field has no default.
	Default string
	// Example is a good value, for messages; empty when Default is one.
	Example string
	// Min and Max bound a Duration, both included.
	Min, Max time.Duration
	// Limits says what else is demanded of the value.
	Limits string
	// Meaning is one sentence.
	Meaning string
	// Refused is why a known name is refused; empty for every other field.
	Refused string
}

// Fields lists the top level of the configuration, in the order in which a
// reader would want to learn of it. The caller must not change what it is given.
func Fields() []Field { return fields }

const (
	later = "is not supported by this version"
	week  = 7 * 24 * time.Hour
)

var fields = []Field{
	{Name: "auth0", Kind: Object, Fields: auth0Fields, Limits: "this, jwtRules, or both",
		Meaning: "An Auth0 tenant: issuer and key set follow from its domain."},
	{Name: "jwtRules", Kind: Objects, Fields: ruleFields, Limits: "at most 64 issuers in all, no issuer twice",
		Meaning: "One entry per issuer, for any provider; Istio's names."},
	{Name: "keys", Kind: Object, Fields: keysFields,
		Meaning: "How key sets are fetched and kept."},
	{Name: "realm", Kind: Text, Default: "api", Limits: "1 to 128 printable ASCII characters, no quote, no backslash",
		Meaning: "The name of the API in WWW-Authenticate."},
	{Name: "mode", Kind: Text, Default: "enforce", Limits: "enforce",
		Meaning: "What a refusal does: enforce stops the request."},
	{Name: "signature", Kind: Text, Default: "go", Limits: "go",
		Meaning: "Which engine checks signatures: go is crypto/rsa inside of the plugin."},
	{Name: "routes", Refused: later + "; every request needs a valid token"},
	{Name: "tokenCache", Refused: later + "; every signature is checked"},
}

var auth0Fields = append([]Field{
	{Name: "domain", Kind: Text, Example: "tenant.eu.auth0.com", Limits: "required; the bare name in lower case",
		Meaning: "The tenant's domain or custom domain; the issuer is https://{domain}/."},
	{Name: "audience", Kind: TextOrTexts, Example: "https://api.example.com", Limits: "required; 1 to 64, no value twice",
		Meaning: "The API's identifier, or several; a token must be for one of them."},
	{Name: "cluster", Kind: Text, Default: "outbound|443||{domain}", Example: "auth0",
		Meaning: "The Envoy cluster that reaches the domain; the default is Istio's name for it."},
}, optionFields...)

var ruleFields = append([]Field{
	{Name: "issuer", Kind: Text, Example: "https://tenant.eu.auth0.com/", Limits: "required",
		Meaning: "The provider's iss, compared byte for byte, a slash at the end included."},
	{Name: "audiences", Kind: TextOrTexts, Example: "https://api.example.com", Limits: "required, unless anyAudience is true; 1 to 64, no value twice",
		Meaning: "A token must be for one of these, compared byte for byte."},
	{Name: "anyAudience", Kind: Switch, Default: "false", Limits: "not beside audiences",
		Meaning: "True accepts the issuer's tokens for any audience (RFC 8725 §3.9 advises against it)."},
	{Name: "jwksUri", Kind: Text, Example: "https://tenant.eu.auth0.com/.well-known/jwks.json", Limits: "https; without jwksUri and jwks, the issuer is asked by OpenID discovery",
		Meaning: "The address of the provider's key set."},
	{Name: "jwks", Kind: KeySet, Limits: "at least one usable key; not beside jwksUri or jwksCluster",
		Meaning: "The key set itself; nothing is fetched."},
	{Name: "jwksCluster", Kind: Text, Default: "outbound|{port}||{host}", Example: "auth0",
		Meaning: "The Envoy cluster that reaches the key set; the default is Istio's name for jwksUri's or the issuer's host."},
	{Name: "jwksHost", Kind: Text, Example: "www.googleapis.com", Limits: "only with OpenID discovery; host or host:port",
		Meaning: "A host, besides the issuer's, on which the discovered key set may lie; jwksCluster then reaches it."},
	{Name: "discoveryCluster", Kind: Text, Default: "outbound|{port}||{issuer's host}", Example: "issuer", Limits: "only with jwksHost",
		Meaning: "The Envoy cluster that reaches the issuer's discovery document."},
	{Name: "algorithms", Kind: Texts, Default: "[RS256]", Example: "[RS256]", Limits: "RS256",
		Meaning: "The accepted signature algorithms."},
	{Name: "timeout", Refused: "is not a field of a rule; the time that a fetch may take is keys.timeout"},
	{Name: "spaceDelimitedClaims", Refused: later},
}, optionFields...)

// optionFields are those that auth0 and jwtRules have in common.
var optionFields = []Field{
	{Name: "clockSkew", Kind: Duration, Default: "60s", Max: 10 * time.Minute,
		Meaning: "How far the provider's clock may be off when times in a token are judged."},
	{Name: "fromHeaders", Kind: Objects, Fields: []Field{
		{Name: "name", Kind: Text, Example: "authorization", Limits: "required; no pseudo header, no cookie",
			Meaning: "A header in which the token may stand; case does not matter."},
		{Name: "prefix", Kind: Text, Example: `"Bearer "`, Limits: "printable ASCII, may be empty, no space in front",
			Meaning: "What stands before the token in that header."},
	}, Default: `[{name: authorization, prefix: "Bearer "}]`, Limits: "1 to 64",
		Meaning: "Where the token is looked for, in place of the default."},
	{Name: "fromCookies", Refused: later + "; write fromHeaders"},
	{Name: "fromParams", Refused: later + "; write fromHeaders"},
	{Name: "forwardOriginalToken", Kind: Switch, Default: "true",
		Meaning: "False takes the token out of the request before the API sees it (Istio's default is false)."},
	{Name: "outputPayloadToHeader", Kind: Text, Example: "x-jwt-payload", Limits: outputLimits,
		Meaning: "The header that carries the token's payload, as base64url, to the API."},
	{Name: "outputClaimToHeaders", Kind: Objects, Fields: []Field{
		{Name: "header", Kind: Text, Example: "x-jwt-sub", Limits: "required; " + outputLimits,
			Meaning: "The header that carries the claim; what a client sends in it is removed."},
		{Name: "claim", Kind: Text, Example: "sub", Limits: "required; no control characters",
			Meaning: "The name of a top-level claim, taken literally."},
	}, Limits: "at most 64",
		Meaning: "Single claims that are handed to the API."},
}

const outputLimits = "no header of HTTP itself, none that holds a token, none twice in a rule"

var keysFields = []Field{
	{Name: "refresh", Kind: Duration, Default: "10m", Min: time.Second, Max: 24 * time.Hour, Limits: "not under keys.cooldown",
		Meaning: "The wanted time between two fetches of a key set."},
	{Name: "maxStale", Kind: Duration, Default: "24h", Min: time.Second, Max: 30 * 24 * time.Hour, Limits: "not under keys.refresh",
		Meaning: "How old a key set may get while the provider cannot be reached; then requests get 503."},
	{Name: "cooldown", Kind: Duration, Default: "30s", Min: time.Second, Max: time.Hour,
		Meaning: "The least time between two early fetches for unknown kids, for the whole process."},
	{Name: "timeout", Kind: Duration, Default: "5s", Min: 100 * time.Millisecond, Max: time.Minute,
		Meaning: "How long one fetch may take."},
	{Name: "wait", Kind: Duration, Default: "2s", Min: 100 * time.Millisecond, Max: 30 * time.Second,
		Meaning: "How long a request may be held back for keys."},
	{Name: "tick", Kind: Duration, Default: "1s", Min: 100 * time.Millisecond, Max: time.Second,
		Meaning: "The time between two looks at the shared key sets: how soon a change reaches every worker."},
	{Name: "deny", Kind: Texts, Example: "[kid-of-the-leaked-key]", Limits: "at most 1000, each of 1 to 256 bytes",
		Meaning: "Kids that are refused at once, whatever a key set says: the emergency brake."},
}
