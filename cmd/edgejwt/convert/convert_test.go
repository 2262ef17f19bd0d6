package convert

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/plugin/config"
)

var update = flag.Bool("update", false, "write testdata/*.out.yaml anew")

// TestGolden converts every file of testdata and compares with what stands
// beside it.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, name := range files {
		if strings.HasSuffix(name, ".out.yaml") {
			continue
		}
		seen++
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Convert(text)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := config.Parse(r.JSON); err != nil {
				t.Errorf("the plugin does not take it: %v", err)
			}
			sameInYAML(t, r)
			golden := strings.TrimSuffix(name, ".yaml") + ".out.yaml"
			if *update {
				if err := os.WriteFile(golden, r.YAML, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if string(want) != string(r.YAML) {
				t.Errorf("%s has other lines (-update writes it anew):\n%s", golden, r.YAML)
			}
		})
	}
	if seen < 9 {
		t.Errorf("only %d files", seen)
	}
}

// sameInYAML reads the YAML back and compares it with the JSON.
func sameInYAML(t *testing.T, r *Result) {
	t.Helper()
	documents, err := document.Read(r.YAML)
	if err != nil || len(documents) != 1 {
		t.Fatalf("the YAML cannot be read back: %v\n%s", err, r.YAML)
	}
	var fromYAML, fromJSON any
	if err := json.Unmarshal(documents[0].JSON(), &fromYAML); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(r.JSON, &fromJSON); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(fromYAML, fromJSON) {
		t.Errorf("YAML and JSON differ:\n%s\n%s", r.YAML, r.JSON)
	}
}

const someKeys = `local_jwks: {inline_string: '{"keys":[{"kty":"RSA","kid":"1","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB"}]}'}`

const onePrefix = "providers: {a: {issuer: https://a.example, audiences: [x], payload_in_metadata: p, " + someKeys + "}}\n"

// TestRefused has what nothing as strict can be said of.
func TestRefused(t *testing.T) {
	rbac := func(rules string) string {
		return "- name: jwt\n  typed_config:\n    '@type': type.googleapis.com/" + jwtType + "\n    " + onePrefix +
			"    rules: [{match: {prefix: /}, requires: {provider_name: a}}]\n" +
			"- name: rbac\n  typed_config:\n    '@type': type.googleapis.com/" + rbacType + "\n    rules: " + rules + "\n"
	}
	filters := func(list string) string { return "http_filters:\n" + list }
	istio := func(spec string) string {
		return "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: r}\nspec: {jwtRules: [{issuer: https://a.example, audiences: [x]}]}\n" +
			"---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p}\nspec: " + spec + "\n"
	}
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "a: 1", "nothing to convert"},
		{"an unknown field", onePrefix + "ruels: []", "ruels"},
		{"an unknown field of a provider", "providers: {a: {issuer: i, isuer: j, " + someKeys + "}}", "isuer"},
		{"an unknown field of a policy", istio("{selektor: {}}"), "selektor"},
		{"a member twice", "providers: {}\nproviders: {}", "twice"},
		{"no issuer", "providers: {a: {" + someKeys + "}}\nrules: [{match: {prefix: /}, requires: {provider_name: a}}]", "names no issuer"},
		{"filter state", onePrefix + "filter_state_rules: {name: x, requires: {y: {provider_name: a}}}", "filter_state_rules"},
		{"a provider that is not there", onePrefix + "rules: [{match: {prefix: /}, requires: {provider_name: b}}]", "no provider b"},
		{"a requirement that is not there", onePrefix + "rules: [{match: {prefix: /}, requirement_name: b}]", "requirement_map has no b"},
		{"two tokens at once", "providers: {a: {issuer: i, " + someKeys + "}, b: {issuer: j, " + someKeys + "}}\n" +
			"rules: [{match: {prefix: /}, requires: {requires_all: {requirements: [{provider_name: a}, {provider_name: b}]}}}]", "several valid tokens"},
		{"a guarded path that can be written in two ways", onePrefix + "rules: [{match: {path: /a//b}, requires: {provider_name: a}}]", "rule 1"},
		{"a guarded path with a parameter", onePrefix + "rules: [{match: {prefix: '/a;b'}, requires: {provider_name: a}}]", "rule 1"},
		{"a condition that hides a stricter rule",
			"providers: {a: {issuer: i, " + someKeys + "}, b: {issuer: j, " + someKeys + "}}\n" +
				"rules: [{match: {prefix: /x, query_parameters: [{name: q, present_match: true}]}, requires: {provider_name: a}}, {match: {prefix: /}, requires: {provider_name: b}}]",
			"query parameters"},
		{"a key set over http", "providers: {a: {issuer: i, remote_jwks: {http_uri: {uri: 'http://a/k', cluster: c, timeout: 1s}}}}\nrules: [{match: {prefix: /}, requires: {provider_name: a}}]", "jwksUri"},
		{"one issuer, two key sets", "providers: {a: {issuer: i, " + someKeys + "}, b: {issuer: i, forward: true, " + someKeys + "}}\n" +
			"rules: [{match: {prefix: /}, requires: {provider_name: a}}]", "same issuer"},
		{"a DENY that cannot be said and is for all", filters(rbac("{action: DENY, policies: {x: {permissions: [{any: true}], principals: [{remote_ip: {address_prefix: 1.2.3.4}}]}}}")), "refuse every request"},
		{"RBAC by matcher", filters(strings.Replace(rbac("{}"), "rules: {}", "matcher: {on_no_match: {action: {name: x, typed_config: {'@type': type.googleapis.com/google.protobuf.Empty}}}}", 1)), "matcher"},
		{"an Envoy route with a requirement", filters(rbac("{}")) + "r: {typed_per_filter_config: {envoy.filters.http.jwt_authn: {'@type': type.googleapis.com/" + jwtRouteType + ", requirement_name: x}}}", "settings of its own"},
		{"policies of two workloads", strings.Replace(istio("{}"), "{name: p}", "{name: p, namespace: other}", 1), "different workloads"},
		{"no authentication", "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p}\nspec: {}", "no RequestAuthentication"},
		{"two SecurityPolicies", "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nspec: {}\n---\napiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nspec: {}", "a second SecurityPolicy"},
		{"an unknown field of a SecurityPolicy", "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nspec: {jwt: {provider: []}}", "provider"},
		{"another kind", "apiVersion: apps/v1\nkind: Deployment", "nothing that convert knows"},
		{"kinds mixed", istio("{}") + "---\n" + onePrefix, "different kinds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := Convert([]byte(c.text))
			if err == nil {
				t.Fatalf("converted:\n%s", r.YAML)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; wanted something about %q", err, c.want)
			}
			var e *Error
			if errors.As(err, &e) && strings.ContainsAny(strings.Join(e.Problems, ""), "\n\r") {
				t.Errorf("a problem of several lines: %q", e.Problems)
			}
		})
	}
}

// TestCommentsStayComments: what a file says cannot end a comment.
func TestCommentsStayComments(t *testing.T) {
	text := onePrefix + `rules: [{match: {prefix: /}, requires: {provider_name: a}}]`
	text = strings.ReplaceAll(text, "payload_in_metadata: p", "header_in_metadata: p")
	text = strings.ReplaceAll(text, "{a:", `{"a\nsignature: host\u2028x\u0085y\rz":`)
	text = strings.ReplaceAll(text, "provider_name: a", `provider_name: "a\nsignature: host\u2028x\u0085y\rz"`)
	r, err := Convert([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	sameInYAML(t, r)
	if !strings.Contains(string(r.YAML), "signature: host") {
		t.Errorf("the name is not told:\n%s", r.YAML)
	}
}

// TestPreflights: who judges CORS preflights now, and what is said of it.
func TestPreflights(t *testing.T) {
	authn := func(more string) string {
		return "http_filters:\n- name: jwt\n  typed_config:\n    '@type': type.googleapis.com/" + jwtType + "\n    " + onePrefix +
			"    rules: [{match: {path: /a}, requires: {provider_name: a}}]\n" + more
	}
	rbac := func(rules string) string {
		return "- name: rbac\n  typed_config:\n    '@type': type.googleapis.com/" + rbacType + "\n    " + rules + "\n"
	}
	const bypass = "    bypass_cors_preflight: true\n"
	allowA := rbac("rules: {action: ALLOW, policies: {p: {permissions: [{url_path: {path: {exact: /a}}}], principals: [{any: true}]}}}")
	istio := func(policies string) string {
		return "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: r}\nspec: {jwtRules: [{issuer: https://a.example, audiences: [x]}]}\n" + policies
	}
	policy := func(spec string) string {
		return "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p}\nspec: " + spec + "\n"
	}
	const judged = "judged them as requests without a token"
	for _, c := range []struct {
		name, text string
		judges     bool
		says       string // "" when preflights are not spoken of
	}{
		{"jwt_authn", authn(""), true, ""},
		{"jwt_authn that says no", authn("    bypass_cors_preflight: false\n"), true, ""},
		{"jwt_authn that lets them pass", authn(bypass), false, ""},
		{"jwt_authn and RBAC", authn("") + allowA, true, ""},
		{"jwt_authn that lets them pass, and RBAC", authn(bypass) + allowA, true, judged},
		{"jwt_authn that lets them pass, and RBAC without rules", authn(bypass) + rbac("shadow_rules: {}"), false, ""},
		{"Istio, without policies", istio(""), false, ""},
		{"Istio, a policy that allows", istio(policy("{rules: [{to: [{operation: {paths: [/a]}}]}]}")), true, judged},
		{"Istio, a policy that denies", istio(policy("{action: DENY, rules: [{to: [{operation: {paths: [/a]}}]}]}")), true, judged},
		{"Envoy Gateway", "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: s}\n" +
			"spec: {jwt: {providers: [{name: a, issuer: https://a.example, audiences: [x], remoteJWKS: {uri: 'https://a.example/k'}}]}}\n", true, ""},
		{"Istio, a policy that is left aside", istio(policy("{action: AUDIT, rules: [{}]}")), false, ""},
	} {
		r, err := Convert([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		parsed, err := config.Parse(r.JSON)
		if err != nil || parsed.DecidePreflights != c.judges {
			t.Errorf("%s: judged: %v (%v), want %v\n%s", c.name, !c.judges, err, c.judges, r.YAML)
		}
		said := strings.Join(r.Comments, "\n")
		if c.says == "" && strings.Contains(said, "preflights") || !strings.Contains(said, c.says) {
			t.Errorf("%s: not %q, but\n%s", c.name, c.says, said)
		}
	}
}
