package convert

import (
	"slices"
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
		want       []time.Duration // of each rule
		says       string          // of keys; "-": nothing
	}{
		{"jwt_authn's default is ours", envoy(""), []time.Duration{10 * time.Minute}, "-"},
		{"slower", envoy("3600s"), []time.Duration{10 * time.Minute}, "-"},
		{"faster", envoy("120s"), []time.Duration{2 * time.Minute}, "as often as"},
		{"seconds", envoy("5s"), []time.Duration{5 * time.Second}, "as often as"},
		{"less than a second", envoy("0.2s"), []time.Duration{time.Second}, "less often than"},
		{"no whole number of seconds", envoy("90.5s"), []time.Duration{90*time.Second + 500*time.Millisecond}, "as often as"},
		{"two alike", envoy("30s", "30s"), []time.Duration{30 * time.Second, 30 * time.Second}, "as often as"},
		{"two that differ", envoy("300s", "20s"), []time.Duration{5 * time.Minute, 20 * time.Second}, "as often as"},
		{"one of them has the default", envoy("30s", ""), []time.Duration{30 * time.Second, 10 * time.Minute}, "as often as"},
		{"one is slower, one has the default", envoy("1800s", ""), []time.Duration{10 * time.Minute, 10 * time.Minute}, "-"},
		{"Envoy Gateway's default", gateway(""), []time.Duration{5 * time.Minute}, "as often as"},
		{"Envoy Gateway, faster", gateway("30s"), []time.Duration{30 * time.Second}, "as often as"},
		{"Envoy Gateway, the second has the default", gateway("30s", ""), []time.Duration{30 * time.Second, 5 * time.Minute}, "as often as"},
		{"Envoy Gateway, slower", gateway("1h"), []time.Duration{10 * time.Minute}, "-"},
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
		var got []time.Duration
		for i := range parsed.Rules {
			got = append(got, parsed.Rules[i].Keys.Refresh)
		}
		if !slices.Equal(got, c.want) {
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

// TestTimeout: a fetch may take as long as it could, within edgejwt's bounds.
func TestTimeout(t *testing.T) {
	for given, want := range map[string]time.Duration{"1s": time.Second, "5s": 5 * time.Second, "0.02s": 100 * time.Millisecond, "300s": time.Minute} {
		r, err := Convert([]byte("providers: {a: {issuer: 'https://a.example', audiences: [x], remote_jwks: {http_uri: {uri: 'https://a.example/k', cluster: c, timeout: " + given + "}}}}\n" +
			"rules: [{match: {prefix: /}, requires: {provider_name: a}}]"))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := config.Parse(r.JSON)
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed.Rules[0].Keys.Timeout; got != want {
			t.Errorf("timeout %s: %v, want %v", given, got, want)
		}
		if told := strings.Contains(strings.Join(r.Comments, "\n"), "a fetch could take"); told != (given == "0.02s" || given == "300s") {
			t.Errorf("timeout %s: %q", given, r.Comments)
		}
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
