package convert

import (
	"strings"
	"testing"
	"time"

	"edgejwt/plugin/config"
)

// TestRefresh: key sets are fetched as often as they were, where the
// configuration has that; else a comment says what is not as it was.
func TestRefresh(t *testing.T) {
	envoy := func(durations ...string) string {
		text, rules := "providers:\n", ""
		for i, d := range durations {
			name := string(rune('a' + i))
			if d != "" {
				d = ", cache_duration: " + d
			}
			text += "  " + name + ": {issuer: 'https://" + name + ".example', audiences: [x], remote_jwks: {http_uri: {uri: 'https://" + name + ".example/k', cluster: c, timeout: 1s}" + d + "}}\n"
			rules += "- {match: {prefix: /" + name + "}, requires: {provider_name: " + name + "}}\n"
		}
		return text + "rules:\n" + rules
	}
	gateway := func(durations ...string) string {
		var providers []string
		for i, d := range durations {
			name := string(rune('a' + i))
			if d != "" {
				d = ", cacheDuration: " + d
			}
			providers = append(providers, "{name: "+name+", issuer: 'https://"+name+".example', audiences: [x], remoteJWKS: {uri: 'https://"+name+".example/k'"+d+"}}")
		}
		return "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: s}\nspec: {jwt: {providers: [" + strings.Join(providers, ", ") + "]}}\n"
	}
	for _, c := range []struct {
		name, text string
		want       time.Duration
		says       string // of keys; "-": nothing
	}{
		{"jwt_authn's default is ours", envoy(""), 10 * time.Minute, "-"},
		{"slower", envoy("3600s"), 10 * time.Minute, "-"},
		{"faster", envoy("120s"), 2 * time.Minute, "as often as"},
		{"seconds", envoy("5s"), 5 * time.Second, "as often as"},
		{"less than a second", envoy("0.2s"), time.Second, "less often than"},
		{"no whole number of seconds", envoy("90.5s"), 90*time.Second + 500*time.Millisecond, "as often as"},
		{"two that differ", envoy("300s", "30s"), 30 * time.Second, "as often as those that were fetched most often"},
		{"one of them has the default", envoy("30s", ""), 30 * time.Second, "as often as those that were fetched most often"},
		{"Envoy Gateway's default", gateway(""), 5 * time.Minute, "as often as"},
		{"Envoy Gateway, faster", gateway("30s"), 30 * time.Second, "as often as"},
		{"Envoy Gateway, the second has the default", gateway("30s", ""), 30 * time.Second, "as often as those that were fetched most often"},
		{"Envoy Gateway, slower", gateway("1h"), 10 * time.Minute, "-"},
	} {
		r, err := Convert([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		parsed, err := config.Parse(r.JSON)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := parsed.Keys.Refresh; got != c.want {
			t.Errorf("%s: refresh %v, want %v\n%s", c.name, got, c.want, r.YAML)
		}
		said := strings.Join(r.Comments, "\n")
		if spoken := strings.Contains(said, "fetched"); c.says == "-" && spoken || c.says != "-" && !strings.Contains(said, c.says) {
			t.Errorf("%s: not %q, but\n%s", c.name, c.says, said)
		}
	}
	if r, err := Convert([]byte(gateway("soon"))); err == nil || !strings.Contains(err.Error(), "soon") {
		t.Errorf("a duration that is none: %v, %v", r, err)
	}
}

// TestPlaces: a token is looked for in a URL only where the source says so.
func TestPlaces(t *testing.T) {
	const left = "the query parameter access_token"
	jwtAuthn := func(places string) string {
		return strings.Replace(onePrefix, "payload_in_metadata: p", "forward: true"+places, 1) + "rules: [{match: {prefix: /}, requires: {provider_name: a}}]"
	}
	gateway := func(places string) string {
		return "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: SecurityPolicy\nmetadata: {name: s}\nspec: {jwt: {providers: [{name: a, issuer: 'https://a.example', audiences: [x], remoteJWKS: {uri: 'https://a.example/k'}" + places + "}]}}\n"
	}
	for _, c := range []struct {
		name, text string
		params     string // "" when there are none
		told       bool
	}{
		{"jwt_authn, no place", jwtAuthn(""), "", true},
		{"jwt_authn, a header", jwtAuthn(", from_headers: [{name: Authorization, value_prefix: 'Bearer '}]"), "", false},
		{"jwt_authn, a parameter", jwtAuthn(", from_params: [access_token]"), "fromParams: [access_token]", false},
		{"Istio, no place", istioText("{issuer: 'https://a.example', audiences: [x]}"), "", true},
		{"Istio, a cookie", istioText("{issuer: 'https://a.example', audiences: [x], fromCookies: [t]}"), "", false},
		{"Istio, a parameter", istioText("{issuer: 'https://a.example', audiences: [x], fromParams: [t]}"), "fromParams: [t]", false},
		{"Envoy Gateway, no place", gateway(""), "", true},
		{"Envoy Gateway, a parameter", gateway(", extractFrom: {params: [t]}"), "fromParams: [t]", false},
	} {
		r, err := Convert([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		written := strings.Contains(string(r.JSON), "fromParams")
		if written != (c.params != "") || !strings.Contains(string(r.YAML), c.params) {
			t.Errorf("%s: not %q in\n%s", c.name, c.params, r.YAML)
		}
		if told := strings.Contains(strings.Join(r.Comments, "\n"), left); told != c.told {
			t.Errorf("%s: told: %v, want %v\n%s", c.name, told, c.told, r.YAML)
		}
		if c.told && !strings.Contains(string(r.YAML), `fromHeaders: [{name: authorization, prefix: "Bearer "}]`) {
			t.Errorf("%s: nothing of the header:\n%s", c.name, r.YAML)
		}
	}
}
