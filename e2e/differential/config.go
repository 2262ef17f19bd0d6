package differential

import "fmt"

// Config is a configuration of jwt_authn, with RBAC filters behind it or without.
type Config struct {
	// Filters are the entries of http_filters, as Envoy takes them, the router left out.
	Filters []any
	// Normalize is whether Envoy normalises paths.
	Normalize bool

	providers []provider
}

// provider is what requests must know of one.
type provider struct {
	name      string
	issuer    int
	audiences []string
	place     int // index into places
	metadata  string
	spaced    bool
}

// places are where a provider looks for tokens.
var places = []object{
	{}, // the default: Authorization and ?access_token
	{"from_headers": []any{object{"name": "x-token", "value_prefix": "JWT "}}},
	{"from_cookies": []any{"session"}},
	{"from_headers": []any{object{"name": "authorization", "value_prefix": "Bearer "}}, "from_params": []any{"t"}},
}

// Config makes up a configuration.
func (g *Generator) Config() *Config {
	c := &Config{Normalize: g.chance(50)}
	shared := pick(g, "", "payload")
	all := object{}
	for i := range pick(g, 1, 1, 2, issuers) {
		p := provider{
			name: fmt.Sprintf("p%d", i), issuer: i, metadata: shared, spaced: g.chance(60),
			audiences: pick(g, []string{"api"}, []string{"api"}, []string{"api", "web"}, []string{"web"}, nil),
			place:     pick(g, 0, 0, 0, 1, 2, 3),
		}
		if p.metadata == "" {
			p.metadata = "from-" + p.name
		}
		body := object{
			"issuer": issuer(i), "forward": true, "payload_in_metadata": p.metadata,
			"local_jwks": object{"inline_string": g.keySet(i)},
		}
		if p.audiences != nil {
			body["audiences"] = p.audiences
		}
		if p.spaced {
			body["normalize_payload_in_metadata"] = object{"space_delimited_claims": []any{"scope"}}
		}
		for name, value := range places[p.place] {
			body[name] = value
		}
		all[p.name] = body
		c.providers = append(c.providers, p)
	}
	var rules []any
	for range 2 + g.r.IntN(4) {
		rules = append(rules, g.rule(c))
	}
	if g.chance(50) {
		rules = append(rules, object{"match": object{"prefix": "/"}, "requires": g.requirement(c, 0)})
	}
	c.Filters = append(c.Filters, object{"name": "envoy.filters.http.jwt_authn", "typed_config": object{
		"@type":     "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
		"providers": all, "rules": rules, "bypass_cors_preflight": g.chance(50),
	}})
	for range pick(g, 0, 0, 1, 1, 2) {
		c.Filters = append(c.Filters, g.rbac(c))
	}
	return c
}

func (g *Generator) rule(c *Config) any {
	match := object{}
	switch g.r.IntN(8) {
	case 0, 1, 2:
		match["prefix"] = pick(g, "/a", "/a/", "/ab", "/a/b", "/p", "/pub/", "/")
	case 3, 4:
		match["path"] = pick(g, "/a", "/a/b", "/p/x", "/health", "/pub/")
	case 5:
		match["path_separated_prefix"] = pick(g, "/a", "/a/b", "/p", "/pub")
	default:
		match["safe_regex"] = object{"regex": pick(g, "/a/.*", "/a/", "/v[12]/x", "/(a|p)/[^/]+", "/a/b/?", "/.+/", "/.+/", ".*x")}
	}
	if g.chance(10) && match["safe_regex"] == nil {
		match["case_sensitive"] = false
	}
	if g.chance(35) {
		match["headers"] = []any{g.header()}
	}
	if g.chance(5) {
		match["query_parameters"] = []any{object{"name": "q", "present_match": true}}
	}
	rule := object{"match": match}
	if g.chance(65) {
		rule["requires"] = g.requirement(c, 0)
	}
	return rule
}

// header makes up a matcher.
func (g *Generator) header() any {
	return pick[any](g,
		object{"name": ":method", "string_match": object{"exact": "GET"}},
		object{"name": ":method", "string_match": object{"exact": "GET"}},
		object{"name": ":method", "string_match": object{"exact": "GET"}},
		object{"name": ":method", "string_match": object{"exact": "POST"}},
		object{"name": ":method", "string_match": object{"safe_regex": object{"regex": "GET|POST"}}},
		object{"name": ":method", "string_match": object{"exact": "GET"}, "invert_match": true},
		object{"name": ":authority", "string_match": object{"exact": "www.example.com"}},
		object{"name": ":authority", "string_match": object{"exact": "www.example.com"}},
		object{"name": ":authority", "string_match": object{"exact": "www.example.com"}, "invert_match": true},
		object{"name": "host", "string_match": object{"exact": "api.example.com"}},
		object{"name": ":authority", "string_match": object{"exact": "www.example.com:80"}},
		object{"name": ":authority", "string_match": object{"exact": "www.example.com", "ignore_case": true}},
		object{"name": ":authority", "string_match": object{"exact": "www.example.com."}},
		object{"name": ":authority", "string_match": object{"suffix": ".example.com"}},
		object{"name": "x-h", "string_match": object{"exact": "v"}},
		object{"name": "x-h", "present_match": true},
		object{"name": "x-h", "string_match": object{"prefix": "v"}},
	)
}

// requirement makes up what a rule asks.
func (g *Generator) requirement(c *Config, depth int) any {
	one := func() any {
		p := pick(g, c.providers...)
		if g.chance(15) {
			return object{"provider_and_audiences": object{"provider_name": p.name, "audiences": []any{pick(g, "api", "web", "mobile")}}}
		}
		return object{"provider_name": p.name}
	}
	some := func(extra ...any) []any {
		list := []any{one()}
		for g.chance(40) {
			list = append(list, one())
		}
		if depth == 0 && g.chance(10) {
			list = append(list, g.requirement(c, 1))
		}
		if list = append(list, extra...); len(list) == 1 {
			list = append(list, one())
		}
		return list
	}
	switch g.r.IntN(10) {
	case 0, 1, 2, 3:
		return one()
	case 4, 5:
		return object{"requires_any": object{"requirements": some()}}
	case 6:
		return object{"requires_any": object{"requirements": some(object{"allow_missing": object{}})}}
	case 7:
		return object{"requires_any": object{"requirements": some(object{"allow_missing_or_failed": object{}})}}
	case 8:
		return pick[any](g, object{"allow_missing": object{}}, object{"allow_missing_or_failed": object{}})
	}
	return object{"requires_all": object{"requirements": some()}}
}
