package differential

import "fmt"

// rbac makes up an RBAC filter.
func (g *Generator) rbac(c *Config) any {
	policies := object{}
	for i := range 1 + g.r.IntN(3) {
		policies[fmt.Sprintf("policy%d", i)] = object{
			"permissions": []any{g.permission(0)},
			"principals":  []any{g.principal(c, 0)},
		}
	}
	return object{"name": "envoy.filters.http.rbac", "typed_config": object{
		"@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
		"rules": object{"action": pick(g, "ALLOW", "ALLOW", "DENY"), "policies": policies},
	}}
}

func (g *Generator) permission(depth int) any {
	n := 6
	if depth < 2 {
		n = 9
	}
	switch g.r.IntN(n) {
	case 0, 1:
		return object{"any": true}
	case 2:
		return object{"header": g.header()}
	case 3, 4, 5:
		return object{"url_path": object{"path": pick(g,
			object{"prefix": "/a"}, object{"prefix": "/a/"}, object{"prefix": "/pub/"}, object{"prefix": "/p"},
			object{"exact": "/health"}, object{"exact": "/a/b"}, object{"exact": "/a/"}, object{"suffix": "/x"}, object{"contains": "b"},
			object{"safe_regex": object{"regex": "/v[12]/.*"}}, object{"prefix": "/A", "ignore_case": true})}}
	case 6:
		return object{"and_rules": object{"rules": []any{g.permission(depth + 1), g.permission(depth + 1)}}}
	case 7:
		return object{"or_rules": object{"rules": []any{g.permission(depth + 1), g.permission(depth + 1)}}}
	}
	return object{"not_rule": g.permission(depth + 1)}
}

func (g *Generator) principal(c *Config, depth int) any {
	n := 7
	if depth < 2 {
		n = 10
	}
	switch g.r.IntN(n) {
	case 0:
		return object{"any": true}
	case 1, 2, 3, 4, 5:
		return object{"metadata": g.claim(c)}
	case 6:
		return object{"remote_ip": object{"address_prefix": "10.0.0.0", "prefix_len": 8}}
	case 7:
		return object{"and_ids": object{"ids": []any{g.principal(c, depth+1), g.principal(c, depth+1)}}}
	case 8:
		return object{"or_ids": object{"ids": []any{g.principal(c, depth+1), g.principal(c, depth+1)}}}
	}
	return object{"not_id": g.principal(c, depth+1)}
}

// claim makes up a matcher of a claim.
func (g *Generator) claim(c *Config) any {
	text := func(s string) object { return object{"string_match": object{"exact": s}} }
	in := func(s string) object { return object{"list_match": object{"one_of": text(s)}} }
	kind := pick(g,
		object{"claim": "role", "value": text(pick(g, "admin", "user"))},
		object{"claim": "role", "value": text("admin")},
		object{"claim": "groups", "value": in(pick(g, "red", "blue"))},
		object{"claim": "scope", "value": in(pick(g, "read", "write"))},
		object{"claim": "sub", "value": text("alice")},
		object{"claim": "vip", "value": object{"bool_match": true}},
		object{"claim": "level", "value": object{"double_match": object{"exact": 3}}},
		object{"claim": "role", "value": object{"present_match": true}},
		object{"claim": "role", "value": object{"or_match": object{"value_matchers": []any{text("admin"), text("user")}}}},
		object{"claim": "role", "value": object{"string_match": object{"prefix": "adm"}}},
	)
	return object{
		"filter": "envoy.filters.http.jwt_authn",
		"path":   []any{object{"key": pick(g, c.providers...).metadata}, object{"key": kind["claim"]}},
		"value":  kind["value"],
	}
}
