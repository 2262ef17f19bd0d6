package config

import "time"

// Kind is the type of a field's value.
type Kind uint8

// The kinds. The zero Kind belongs to fields that are refused, whose value is
// not looked at.
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
	// Ways: a list of which each element is TextOrTexts: the names that lead to a claim.
	Ways
	// Values: a list of strings, numbers, true and false.
	Values
	// Claims: an object whose members are Values, named as the claims are; or a list
	// of objects with the fields in Field.Fields.
	Claims

	scalar // an element of Values
)

// nots has what is said of a value that is not of its Kind.
var nots = [...]string{
	Text:        "is not a string",
	Texts:       "is not a list of strings",
	TextOrTexts: "is neither a string nor a list of strings",
	Switch:      "is neither true nor false (without quotes)",
	Duration:    "is not a duration",
	Object:      "is not an object",
	Objects:     "is not a list of objects",
	KeySet:      "is neither a key set nor a string that holds one",
	Choice:      "is not a string",
	Count:       "is not a number without fraction",
	Bytes:       "is not a number of bytes",
	Ways:        "is not a list of claims",
	Values:      "is not a list of values",
	Claims:      "is neither an object of claims nor a list of objects",
	scalar:      "is neither a string nor a number nor true or false",
}

// field describes one field of the configuration, as Field does; what only people
// want to know stands in described.go, outside of the module. A field without a
// name stands for all in its Fields.
type field struct {
	Name             string
	Kind             Kind
	Required         bool
	Fields           []field
	Default, Example string
	OneOf            []string
	Min, Max         int64
	Refused          string
	Hidden           bool // no message may show its value
}

const (
	millisecond = int64(time.Millisecond)
	second      = int64(time.Second)
	minute      = int64(time.Minute)
	hour        = int64(time.Hour)

	week = 7 * 24 * time.Hour
)

var fields = []field{
	{Name: "auth0", Kind: Object, Fields: auth0Fields},
	{Name: "jwtRules", Kind: Objects, Fields: ruleFields, Max: MaxRules},
	{Name: "routes", Kind: Objects, Fields: routeFields, Max: MaxRoutes},
	{Name: "unmatched", Kind: Choice, Default: "token", OneOf: []string{"token", "deny"}},
	{Name: "hostPort", Kind: Choice, Default: "exact", OneOf: []string{"exact", "ignored"}},
	{Name: "ignorePathCase", Kind: Switch, Default: "false"},
	{Name: "routeMetadata", Kind: Switch, Default: "false"},
	{Name: "mode", Kind: Choice, Default: "enforce", OneOf: modes},
	{Name: "corsPreflight", Kind: Choice, Default: "pass", OneOf: []string{"pass", "judge"}},
	{Name: "overrideHeaders", Kind: Choice, Default: "remove", OneOf: []string{"remove", "keep"}},
	{Name: "keys", Kind: Object, Fields: keysFields},
	{Name: "tokenCache", Kind: Object, Fields: cacheFields},
	{Name: "signature", Kind: Choice, Default: "go", OneOf: []string{"go", "auto", "host"}}, // as Signature has them
	{Name: "secret", Kind: Text, Min: MinSecretBytes, Max: MaxSecretBytes, Hidden: true},
	{Name: "realm", Kind: Text, Default: "api", Max: MaxRealmBytes},
	{Name: "resourceMetadata", Kind: Object, Fields: resourceFields},
	{Name: "filterState", Kind: Switch, Default: "false"},
	{Name: "clearRouteCache", Kind: Switch, Default: "false"},
}

var modes = []string{"enforce", "report"}

var auth0Fields = []field{
	{Name: "domain", Kind: Text, Required: true, Example: "tenant.eu.auth0.com"},
	{Name: "audience", Kind: TextOrTexts, Required: true, Example: "https://api.example.com", Min: 1, Max: MaxListed},
	{Name: "cluster", Kind: Text, Default: "outbound|443||{domain}", Example: "auth0"},
	{Fields: optionFields},
}

var ruleFields = []field{
	{Name: "issuer", Kind: Text, Required: true, Example: "https://tenant.eu.auth0.com/"},
	{Name: "audiences", Kind: TextOrTexts, Example: "https://api.example.com", Min: 1, Max: MaxListed},
	{Name: "anyAudience", Kind: Switch, Default: "false"},
	{Name: "jwksUri", Kind: Text, Example: "https://tenant.eu.auth0.com/.well-known/jwks.json"},
	{Name: "jwks", Kind: KeySet},
	{Name: "jwksCluster", Kind: Text, Default: "outbound|{port}||{host}", Example: "auth0"},
	{Name: "jwksHost", Kind: Text, Example: "www.googleapis.com"},
	{Name: "discoveryCluster", Kind: Text, Default: "outbound|{port}||{issuer's host}", Example: "issuer"},
	{Name: "timeout", Refused: "is not a field of a rule; the time that a fetch may take is keys.timeout"},
	{Name: "spaceDelimitedClaims", Refused: "is not a field of a rule; only scope and scp are read as words parted by spaces"},
	{Fields: optionFields},
}

// optionFields are those that auth0 and jwtRules have in common.
var optionFields = []field{
	{Name: "algorithms", Kind: Texts, Default: "[RS256]", Example: "[RS256]", OneOf: algorithms, Min: 1, Max: MaxListed},
	{Name: "clockSkew", Kind: Duration, Default: "60s", Max: 10 * minute},
	{Name: "fromHeaders", Kind: Objects, Default: `[{name: authorization, prefix: "Bearer "}]`, Min: 1, Max: MaxListed, Fields: []field{
		{Name: "name", Kind: Text, Required: true, Example: "authorization"},
		{Name: "prefix", Kind: Text, Example: `"Bearer "`},
	}},
	{Name: "fromCookies", Kind: Texts, Example: "[session]", Min: 1, Max: MaxListed},
	{Name: "fromParams", Kind: Texts, Example: "[access_token]", Min: 1, Max: MaxListed},
	{Name: "forwardOriginalToken", Kind: Switch, Default: "true"},
	{Name: "outputPayloadToHeader", Kind: Text, Example: "x-jwt-payload"},
	{Name: "outputClaimToHeaders", Kind: Objects, Max: MaxListed, Fields: []field{
		{Name: "header", Kind: Text, Required: true, Example: "x-jwt-sub"}, outputClaim, outputEncoding,
	}},
	{Name: "outputClaimToFilterState", Kind: Objects, Max: MaxListed, Fields: []field{
		{Name: "key", Kind: Text, Required: true, Example: "edgejwt.sub", Max: 128}, outputClaim, outputEncoding,
	}},
}

var (
	outputClaim    = field{Name: "claim", Kind: TextOrTexts, Required: true, Example: "sub", Min: 1, Max: maxWay}
	outputEncoding = field{Name: "encoding", Kind: Choice, Default: "plain", OneOf: []string{"plain", "percent", "base64url"}} // as verify.Encoding has them
)

var keysFields = []field{
	{Name: "refresh", Kind: Duration, Default: "10m", Min: second, Max: 24 * hour},
	{Name: "maxStale", Kind: Duration, Default: "24h", Min: second, Max: 30 * 24 * hour},
	{Name: "cooldown", Kind: Duration, Default: "30s", Min: second, Max: hour},
	{Name: "timeout", Kind: Duration, Default: "5s", Min: 100 * millisecond, Max: minute},
	{Name: "wait", Kind: Duration, Default: "2s", Min: 100 * millisecond, Max: 30 * second},
	{Name: "tick", Kind: Duration, Default: "1s", Min: 100 * millisecond, Max: second},
	{Name: "deny", Kind: Texts, Example: "[kid-of-the-leaked-key]", Max: MaxDenied},
}

var cacheFields = []field{
	{Name: "entries", Kind: Count, Default: "10000", Max: 1_000_000},
	{Name: "bytes", Kind: Bytes, Default: "16Mi", Min: 64 << 10, Max: 1 << 30},
}

var resourceFields = []field{
	{Name: "resource", Kind: Text, Required: true, Example: "https://api.example.com"},
	{Name: "authorizationServers", Kind: Texts, Default: "the rules' issuers", Example: "[https://tenant.eu.auth0.com/]", Min: 1, Max: MaxListed},
	{Name: "scopesSupported", Kind: Texts, Example: "[read:orders]", Min: 1, Max: MaxListed},
	{Name: "resourceName", Kind: Text, Example: "Orders", Max: 256},
	{Name: "resourceDocumentation", Kind: Text, Example: "https://api.example.com/docs"},
}
