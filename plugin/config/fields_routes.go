package config

// Bounds on a route.
const (
	maxWay  = 16 // names that lead to one claim
	maxName = 64 // bytes of a route's name, and of a parameter's
)

var routeFields = []field{
	{Name: "path", Kind: Object, Example: "{prefix: /public}", Fields: []field{ // as route.Kind has them
		{Name: "exact", Kind: Text, Example: "/orders"},
		{Name: "prefix", Kind: Text, Example: "/public"},
		{Name: "template", Kind: Text, Example: "/orders/{id}"},
		{Name: "regex", Kind: Text, Example: "/v[12]/orders"},
	}},
	{Name: "methods", Kind: Texts, Example: "[GET, POST]", Min: 1, Max: MaxListed},
	{Name: "hosts", Kind: Texts, Example: "[api.example.com]", Min: 1, Max: MaxListed},
	{Name: "headers", Kind: Objects, Min: 1, Max: MaxListed, Fields: []field{
		{Name: "name", Kind: Text, Required: true, Example: "x-api-version"},
		{Name: "values", Kind: Texts, Example: `["2"]`, Min: 1, Max: MaxListed},
	}},
	{Fields: demandFields},
}

// policyFields are the fields of a route that stands in the metadata of one of Envoy's.
var policyFields = []field{
	{Name: "path", Refused: noCondition},
	{Name: "methods", Refused: noCondition},
	{Name: "hosts", Refused: noCondition},
	{Name: "headers", Refused: noCondition},
	{Name: "spellings", Kind: Texts, Example: "[trailingSlash]", OneOf: spellings, Min: 1, Max: MaxListed},
	{Fields: demandFields},
}

// spellings are what a policy may say of Envoy's routes, as Policy has them.
var spellings = []string{"trailingSlash", "head", "port"}

const noCondition = "is a condition, and Envoy has chosen its route already; let Envoy's route match it"

// demandFields are what a route has besides its conditions.
var demandFields = []field{
	{Name: "name", Kind: Text, Example: "orders-write", Max: maxName},
	{Name: "auth", Kind: Choice, Default: "required", OneOf: []string{"required", "optional", "none", "deny"}}, // as route.Auth has them
	{Name: "anonymousPasses", Kind: Switch, Default: "false"},
	{Name: "mode", Kind: Choice, Example: "report", OneOf: modes},
	{Name: "allowOpaque", Kind: Switch, Default: "false"},
	{Fields: needFields},
}

// needFields are what a route needs of a token besides that it is valid.
var needFields = []field{
	{Name: "scopes", Kind: Texts, Example: "[write:orders]", Min: 1, Max: MaxListed},
	{Name: "anyScope", Kind: Texts, Example: "[read:orders, write:orders]", Min: 1, Max: MaxListed},
	{Name: "permissions", Kind: Texts, Example: "[write:orders]", Min: 1, Max: MaxListed},
	{Name: "anyPermission", Kind: Texts, Example: "[read:orders, write:orders]", Min: 1, Max: MaxListed},
	{Name: "claims", Kind: Claims, Example: "{org_id: [org_123]}", Min: 1, Max: MaxListed, Fields: []field{
		routeClaim,
		{Name: "values", Kind: Values, Required: true, Example: "[admin]", Min: 1, Max: MaxListed},
		{Name: "spaceDelimited", Kind: Switch, Default: "false"},
	}},
	{Name: "claimMatches", Kind: Objects, Min: 1, Max: MaxListed, Fields: []field{
		routeClaim,
		{Name: "variable", Kind: Text, Example: "org"},
		{Name: "header", Kind: Text, Example: "x-tenant"},
		{Name: "host", Kind: Switch, Default: "false"},
	}},
	{Name: "requiredClaims", Kind: Ways, Example: "[email, [address, country]]", Min: 1, Max: MaxListed},
	{Name: "issuers", Kind: Texts, Example: "[https://tenant.eu.auth0.com/]", Min: 1, Max: MaxListed},
	{Name: "audiences", Kind: Texts, Example: "[https://api.example.com]", Min: 1, Max: MaxListed},
	{Name: "subjects", Kind: Texts, Example: "[auth0|5f7c8ec7c33c6c004bbafe82]", Min: 1, Max: MaxListed},
	{Name: "clients", Kind: Texts, Example: "[my-client-id]", Min: 1, Max: MaxListed},
	{Name: "tokenTypes", Kind: Texts, Example: "[at+jwt]", Min: 1, Max: MaxListed},
	{Name: "maxAge", Kind: Duration, Example: "1h", Min: second, Max: 366 * 24 * hour},
	{Name: "maxLifetime", Kind: Duration, Example: "24h", Min: second, Max: 366 * 24 * hour},
}

var routeClaim = field{Name: "claim", Kind: TextOrTexts, Required: true, Example: "org_id", Min: 1, Max: maxWay}
