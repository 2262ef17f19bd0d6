package config_test

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// inlineKey is the RSA key of RFC 7515 §A.2.1.
const inlineKey = `{"kty":"RSA","kid":"rfc7515","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx` +
	`HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSH` +
	`SXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8` +
	`NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}`

// manyRules makes a configuration of n rules, and of more members.
func manyRules(n int, more string) string {
	rules := make([]string, n)
	for i := range rules {
		rules[i] = fmt.Sprintf(`{"issuer":"https://issuer%d.example/","audiences":["api"]}`, i)
	}
	return `{` + more + `"jwtRules":[` + strings.Join(rules, ",") + `]}`
}

func mustParse(t *testing.T, document string) *config.Config {
	t.Helper()
	c, err := config.Parse([]byte(document))
	if err != nil {
		t.Fatalf("Parse(%.200q) refuses:\n%v", document, err)
	}
	return c
}

func TestAuth0(t *testing.T) {
	c := mustParse(t, `{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "https://api.example.com"}}`)
	want := &config.Config{
		Rules: []config.Rule{{
			Path:                 "auth0",
			Issuer:               "https://tenant.eu.auth0.com/",
			Audiences:            []string{"https://api.example.com"},
			Algorithms:           []string{"RS256"},
			ClockSkew:            time.Minute,
			MaxTokenBytes:        16 << 10,
			JWKSURI:              "https://tenant.eu.auth0.com/.well-known/jwks.json",
			Cluster:              "outbound|443||tenant.eu.auth0.com",
			Authority:            "tenant.eu.auth0.com",
			RequestPath:          "/.well-known/jwks.json",
			Locations:            []verify.TokenLocation{{Name: "authorization", Prefix: "Bearer "}},
			ForwardOriginalToken: true,
		}},
		Keys: config.Keys{
			Refresh: 10 * time.Minute, MaxStale: 24 * time.Hour, Cooldown: 30 * time.Second,
			Timeout: 5 * time.Second, Wait: 2 * time.Second, Tick: time.Second,
		},
		TokenCache: config.TokenCache{Entries: 10000, Bytes: 16 << 20},
		Realm:      "api",
		RecordKey:  c.RecordKey, // see TestRecordKey
	}
	for i := range want.Rules {
		want.Rules[i].Keys = want.Keys // see TestKeysOfARule
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

// TestRecordKey: the key is the secret's, whatever else is configured, or the
// whole text's.
func TestRecordKey(t *testing.T) {
	one := `{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "https://api.example.com"}`
	const first, second = "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdeg"
	keys := map[[32]byte]string{}
	for _, document := range []string{
		one + `}`, one + `} `, one + `, "realm": "other"}`,
		one + `, "secret": "` + first + `"}`, one + `, "secret": "` + second + `"}`,
	} {
		key := mustParse(t, document).RecordKey
		if other := keys[key]; other != "" || key == [32]byte{} {
			t.Errorf("%s and %s have the same key", document, other)
		}
		keys[key] = document
		if again := mustParse(t, document).RecordKey; again != key {
			t.Errorf("%s has two keys", document)
		}
	}
	for _, other := range []string{one + `, "secret": "` + first + `", "realm": "other"}`,
		`{"jwtRules": [{"issuer": "https://i.example/", "audiences": "a"}], "secret": "` + first + `"}`} {
		if keys[mustParse(t, other).RecordKey] == "" {
			t.Errorf("%s has another key than a configuration with the same secret", other)
		}
	}
	// Nobody can take a whole text for a secret.
	text := one + `}`
	if mustParse(t, text).RecordKey == sha256.Sum256([]byte("edgejwt secret "+text)) {
		t.Error("a text is as good as a secret")
	}
	for _, least := range []string{strings.Repeat("s", 32), strings.Repeat("s", 256), "+/=-_" + first} {
		mustParse(t, one+`, "secret": "`+least+`"}`)
	}
}

// TestEverything writes every field once, and reads it back.
func TestEverything(t *testing.T) {
	c := mustParse(t, `
	{"realm": "orders", "mode": "enforce", "signature": "go",
	 "auth0": {"domain": "login.example.com", "audience": ["a", "b"], "cluster": "auth0", "clockSkew": "0s", "maxTokenBytes": "64Ki",
	           "fromHeaders": [{"name": "X-Token"}, {"name": "Sec-WebSocket-Protocol", "prefix": "Jwt."}, {"name": "x-list", "list": true}], "forwardOriginalToken": false,
	           "outputPayloadToHeader": "X-Jwt-Payload", "outputPayloadPadding": true, "outputClaimToHeaders": [{"header": "X-Jwt-Sub", "claim": "sub"}]},
	 "jwtRules": [
	  {"issuer": "https://one.example/realms/x", "anyAudience": true, "jwksCluster": "one", "algorithms": ["RS256"], "clockSkew": "10m"},
	  {"issuer": "https://two.example", "audiences": "c", "jwksUri": "https://Keys.two.example:8443?v=1"},
	  {"issuer": "three@example.com", "audiences": ["d"], "jwks": " {\"keys\": [`+strings.ReplaceAll(inlineKey, `"`, `\"`)+`]}",
	   "outputClaimToHeaders": [{"header": "x-jwt-sub", "claim": "https://example.com/roles"}]}],
	 "keys": {"refresh": "1h30m", "maxStale": "2h", "cooldown": "10s", "timeout": "60s", "wait": "500ms", "tick": "100ms", "deny": ["k", "l", "k"]}}`)
	bearer := []verify.TokenLocation{{Name: "authorization", Prefix: "Bearer "}}
	inline := c.Rules[3].InlineSet
	if inline == nil || !slices.Equal(inline.KIDs(), []string{"rfc7515"}) {
		t.Fatalf("InlineSet = %v", inline)
	}
	want := &config.Config{
		Rules: []config.Rule{{
			Path: "auth0", Issuer: "https://login.example.com/", Audiences: []string{"a", "b"}, Algorithms: []string{"RS256"},
			JWKSURI: "https://login.example.com/.well-known/jwks.json", Cluster: "auth0",
			Authority: "login.example.com", RequestPath: "/.well-known/jwks.json",
			MaxTokenBytes:         64 << 10,
			Locations:             []verify.TokenLocation{{Name: "x-token"}, {Name: "sec-websocket-protocol", Prefix: "Jwt.", List: true}, {Name: "x-list", List: true}},
			OutputPayloadToHeader: "x-jwt-payload",
			OutputPayloadPadding:  true,
			OutputClaimToHeaders:  []config.ClaimHeader{{Header: "x-jwt-sub", Claim: []string{"sub"}}},
		}, {
			Path: "jwtRules[0]", Issuer: "https://one.example/realms/x", AnyAudience: true, Algorithms: []string{"RS256"},
			ClockSkew: 10 * time.Minute, Discovery: true, Cluster: "one",
			Authority: "one.example", RequestPath: "/realms/x/.well-known/openid-configuration",
			Locations: bearer, ForwardOriginalToken: true, MaxTokenBytes: 16 << 10,
		}, {
			Path: "jwtRules[1]", Issuer: "https://two.example", Audiences: []string{"c"}, Algorithms: []string{"RS256"},
			ClockSkew: time.Minute, JWKSURI: "https://Keys.two.example:8443?v=1", Cluster: "outbound|8443||keys.two.example",
			Authority: "keys.two.example:8443", RequestPath: "/?v=1",
			Locations: bearer, ForwardOriginalToken: true, MaxTokenBytes: 16 << 10,
		}, {
			Path: "jwtRules[2]", Issuer: "three@example.com", Audiences: []string{"d"}, Algorithms: []string{"RS256"},
			ClockSkew: time.Minute, InlineJWKS: []byte(`{"keys": [` + inlineKey + `]}`), InlineSet: inline,
			Locations: bearer, ForwardOriginalToken: true, MaxTokenBytes: 16 << 10,
			OutputClaimToHeaders: []config.ClaimHeader{{Header: "x-jwt-sub", Claim: []string{"https://example.com/roles"}}},
		}},
		Keys: config.Keys{
			Refresh: 90 * time.Minute, MaxStale: 2 * time.Hour, Cooldown: 10 * time.Second, Timeout: time.Minute,
			Wait: 500 * time.Millisecond, Tick: 100 * time.Millisecond, Deny: []string{"k", "l"},
		},
		TokenCache: config.TokenCache{Entries: 10000, Bytes: 16 << 20},
		Realm:      "orders",
		RecordKey:  c.RecordKey, // see TestRecordKey
		Warnings:   []string{"jwtRules[0].clockSkew: 10m is long: every token is accepted for that much longer than its issuer said"},
	}
	for i := range want.Rules {
		want.Rules[i].Keys = want.Keys // see TestKeysOfARule
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

// TestIstio pastes entries of jwtRules as Istio's own pages have them.
func TestIstio(t *testing.T) {
	for _, rule := range []string{
		`{"issuer":"https://accounts.google.com","audiences":["bookstore_android.apps.googleusercontent.com","bookstore_web.apps.googleusercontent.com"],"jwksUri":"https://www.googleapis.com/oauth2/v3/certs"}`,
		`{"issuer":"issuer-foo","audiences":["a"],"jwksUri":"https://example.com/.well-known/jwks.json","fromHeaders":[{"name":"x-jwt-assertion","prefix":"Bearer "}],"forwardOriginalToken":true}`,
		`{"issuer":"testing@secure.istio.io","audiences":["a"],"jwks":"{ \"keys\":[` + strings.ReplaceAll(inlineKey, `"`, `\"`) + `]}\n","outputPayloadToHeader":"x-jwt-payload"}`,
		`{"issuer":"https://example.com","audiences":["a"],"outputClaimToHeaders":[{"header":"x-jwt-claim-foo","claim":"foo"}]}`,
	} {
		if c := mustParse(t, `{"jwtRules":[`+rule+`]}`); len(c.Warnings) > 0 {
			t.Errorf("warnings %q for %s", c.Warnings, rule)
		}
	}
}

// httpRule is a configuration with one rule that takes http.
func httpRule(uri string) string {
	return bare(`"issuer":"i","audiences":["a"],"allowHttp":true,"jwksUri":"` + uri + `"`)
}

// TestKeysOfARule: what a rule's keys and tokenCache leave out is the top level's, and its
// denied kids come on top.
func TestKeysOfARule(t *testing.T) {
	c := mustParse(t, `{
	 "auth0": {"domain": "login.example.com", "audience": "a", "keys": {"refresh": "20m", "jitter": "1m", "deny": ["x", "b", "x"]}, "tokenCache": {"entries": 5}},
	 "jwtRules": [
	  {"issuer": "https://one.example", "audiences": "a", "keys": {"cooldown": "5s", "timeout": "200ms", "wait": "30s", "maxStale": "2h", "tick": "500ms"}, "tokenCache": {"bytes": "1Mi"}},
	  {"issuer": "https://two.example", "audiences": "a", "keys": {}, "tokenCache": {}},
	  {"issuer": "https://three.example", "audiences": "a"},
	  {"issuer": "four", "audiences": "a", "jwks": {"keys": [`+inlineKey+`]}, "keys": {"deny": ["y"]}}],
	 "keys": {"refresh": "30m", "cooldown": "10s", "jitter": "2s", "deny": ["a", "b"]}, "tokenCache": {"entries": 100, "bytes": "2Mi"}}`)
	top := config.Keys{Refresh: 30 * time.Minute, MaxStale: 24 * time.Hour, Cooldown: 10 * time.Second, Jitter: 2 * time.Second, Timeout: 5 * time.Second, Wait: 2 * time.Second, Tick: time.Second, Deny: []string{"a", "b"}}
	auth0, one, four := top, top, top
	auth0.Refresh, auth0.Jitter, auth0.Deny = 20*time.Minute, time.Minute, []string{"a", "b", "x"}
	one.Cooldown, one.Timeout, one.Wait, one.MaxStale, one.Tick = 5*time.Second, 200*time.Millisecond, 30*time.Second, 2*time.Hour, 500*time.Millisecond
	four.Deny = []string{"a", "b", "y"}
	if !reflect.DeepEqual(c.Keys, top) || c.TokenCache != (config.TokenCache{Entries: 100, Bytes: 2 << 20}) {
		t.Errorf("keys %+v, tokenCache %+v", c.Keys, c.TokenCache)
	}
	for i, want := range []struct {
		keys  config.Keys
		cache *config.TokenCache
	}{{auth0, &config.TokenCache{Entries: 5, Bytes: 2 << 20}}, {one, &config.TokenCache{Entries: 100, Bytes: 1 << 20}}, {top, &config.TokenCache{Entries: 100, Bytes: 2 << 20}}, {top, nil}, {four, nil}} {
		rule := &c.Rules[i]
		if !reflect.DeepEqual(rule.Keys, want.keys) || !reflect.DeepEqual(rule.TokenCache, want.cache) {
			t.Errorf("%s: keys %+v, tokenCache %+v; want %+v, %+v", rule.Path, rule.Keys, rule.TokenCache, want.keys, want.cache)
		}
		if equal := rule.Keys.Equal(&top); equal != reflect.DeepEqual(want.keys, top) {
			t.Errorf("%s: Equal to the top level's: %v", rule.Path, equal)
		}
		p := rule.Policy()
		if got := (config.Keys{Refresh: p.Refresh, MaxStale: p.MaxStale, Cooldown: p.Cooldown, Jitter: p.Jitter, Timeout: p.Timeout, Wait: p.Wait, Tick: p.Tick, Deny: p.Deny}); !got.Equal(&rule.Keys) {
			t.Errorf("%s: policy %+v, keys %+v", rule.Path, p, rule.Keys)
		}
	}
}

// TestHTTPCluster: the default cluster has http's port.
func TestHTTPCluster(t *testing.T) {
	for uri, want := range map[string]string{"http://k.svc/": "outbound|80||k.svc", "http://k.svc:8080/": "outbound|8080||k.svc", "http://k.svc:443/": "outbound|443||k.svc",
		"https://k.svc/": "outbound|443||k.svc", "http://[::1]/": "outbound|80||::1"} {
		rule := mustParse(t, httpRule(uri)).Rules[0]
		if policy := rule.Policy(); rule.Cluster != want || policy.Cluster != want || !policy.AllowHTTP || policy.Check() != nil {
			t.Errorf("%s: cluster %q, policy %+v", uri, rule.Cluster, policy)
		}
	}
}

// TestAccepted has what is odd, or on the good side of a limit.
func TestAccepted(t *testing.T) {
	for _, c := range []struct{ name, document string }{
		{"line feed first", "\n{\"auth0\":{" + goodAuth0 + "}}"},
		{"white space around", " \t\r\n{\"auth0\":{" + goodAuth0 + "}} \n"},
		{"64 rules", manyRules(64, "")},
		{"63 rules and auth0", manyRules(63, `"auth0":{`+goodAuth0+`},`)},
		{"no rules beside auth0", top(`"jwtRules":[]`)},
		{"issuer at the limit", bare(`"issuer":"` + strings.Repeat("i", 4096) + `","audiences":["a"],"jwksUri":"https://a.example/"`)},
		{"issuers that differ in the slash", `{"jwtRules":[{"issuer":"https://i.example","audiences":["a"]},{"issuer":"https://i.example/","audiences":["a"]}]}`},
		{"http issuer whose keys come by https", bare(`"issuer":"http://i.example/","audiences":["a"],"jwksUri":"https://a.example/"`)},
		{"http on this machine", httpRule(`http://127.0.0.1:8080/keys`)},
		{"http on this machine, by name", httpRule(`http://localhost/keys`)},
		{"http on this machine, IPv6", httpRule(`http://[::1]:8080/keys`)},
		{"http inside the mesh", httpRule(`http://keycloak.keycloak.svc:8080/realms/x/protocol/openid-connect/certs`)},
		{"http inside the mesh, full name", httpRule(`http://keycloak.keycloak.svc.cluster.local/keys`)},
		{"http inside the mesh, one label", httpRule(`http://keycloak/keys`)},
		{"discovery by http", bare(`"issuer":"http://keycloak.keycloak.svc:8080/realms/x","audiences":["a"],"allowHttp":true`)},
		{"discovery by https, keys by http", bare(`"issuer":"https://i.example","audiences":["a"],"allowHttp":true,"jwksHost":"keycloak.svc:8080"`)},
		{"a key for encryption", bare(`"issuer":"i","audiences":["a"],"jwks":{"keys":[` + inlineKey + `,{"kid":"e","use":"enc","kty":"RSA"}]}`)},
		{"port 65535", uri(`https://i.example:65535/keys`)},
		{"IPv4", uri(`https://192.0.2.1/keys`)},
		{"IPv6", uri(`https://[2001:db8::1]:8443/keys`)},
		{"host with an underscore", uri(`https://keys_1.example/keys`)},
		{"name inside of a cluster", uri(`https://keycloak/keys`)},
		{"escapes and query", uri(`https://i.example/a%20b?x=1&y=%2F`)},
		{"at sign in the path", uri(`https://i.example/a@b`)},
		{"keys empty", top(`"keys":{}`)},
		{"deny empty", top(`"keys":{"deny":[]}`)},
		{"kid at the limit", top(`"keys":{"deny":["` + strings.Repeat("k", 256) + `"]}`)},
		{"least durations", top(`"keys":{"refresh":"1s","maxStale":"1s","cooldown":"1s","timeout":"100ms","wait":"100ms","tick":"100ms"}`)},
		{"greatest durations", top(`"keys":{"refresh":"24h","maxStale":"168h","cooldown":"1h","timeout":"60s","wait":"30s","tick":"1s"}`)},
		{"realm at the limit", top(`"realm":"` + strings.Repeat("r", 128) + `"`)},
		{"token in proxy-authorization", rule(`"fromHeaders":[{"name":"proxy-authorization","prefix":"Bearer "}]`)},
		{"one header, two prefixes", rule(`"fromHeaders":[{"name":"x-t","prefix":"a "},{"name":"x-t","prefix":"b "}]`)},
		{"a header and a cookie of one name", rule(`"fromHeaders":[{"name":"x-t","prefix":"T "}],"fromCookies":["x-t"]`)},
		{"a cookie and an output header of one name", rule(`"fromCookies":["x-p"],"outputPayloadToHeader":"x-p"`)},
		{"prefix empty", rule(`"fromHeaders":[{"name":"x-t","prefix":""}]`)},
		{"no outputs", rule(`"outputClaimToHeaders":[]`)},
		{"claim with dots and brackets", rule(`"outputClaimToHeaders":[{"header":"x-a","claim":"a.b[0]|#"}]`)},
		{"one output header in two rules",
			`{"auth0":{` + goodAuth0 + `,"outputPayloadToHeader":"x-p"},"jwtRules":[{` + goodRule + `,"outputPayloadToHeader":"x-p"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := mustParse(t, c.document); len(got.Warnings) > 0 {
				t.Errorf("warnings: %q", got.Warnings)
			}
		})
	}
}

// splitElsewhere is what is said of a claim's name with dots.
const splitElsewhere = " is taken literally, as the name of one claim; jwt_authn and Istio split names at dots: for the nested claim write "

func TestWarnings(t *testing.T) {
	for _, c := range []struct{ name, document, want string }{
		{"long maxStale", top(`"keys":{"maxStale":"169h"}`),
			`keys.maxStale: 169h is long: a key that is withdrawn while the provider cannot be reached stays valid until then`},
		{"http across the network", httpRule(`http://keys.example/k`),
			`jwtRules[0].jwksUri: "http://keys.example/k" is http (allowHttp: true), and the host is neither this machine nor inside the mesh: ` +
				`who is between the proxy and it can replace the keys, unless the cluster adds TLS`},
		{"a name that begins like a loopback address", httpRule(`http://127.0.0.1.example/k`),
			`jwtRules[0].jwksUri: "http://127.0.0.1.example/k" is http (allowHttp: true), and the host is neither this machine nor inside the mesh: ` +
				`who is between the proxy and it can replace the keys, unless the cluster adds TLS`},
		{"http allowed for nothing", httpRule(`https://keys.example/k`), `jwtRules[0].allowHttp: true is not needed: jwksUri is https`},
		{"long clockSkew", tenant(`"clockSkew":"5m1s"`),
			`auth0.clockSkew: 5m1s is long: every token is accepted for that much longer than its issuer said`},
		{"Auth0's issuer without slash", bare(`"issuer":"https://tenant.eu.auth0.com","audiences":["a"]`),
			`jwtRules[0].issuer: "https://tenant.eu.auth0.com" does not end in a slash; the issuer of Auth0's tokens does, and no token will match`},
		{"Auth0's issuer with a slash", bare(`"issuer":"https://tenant.eu.auth0.com/","audiences":["a"]`), ``},
		{"an issuer of version 1 of Entra ID without slash", bare(`"issuer":"https://sts.windows.net/11111111-2222-3333-4444-555555555555","audiences":["a"]`),
			`jwtRules[0].issuer: "https://sts.windows.net/11111111-2222-3333-4444-555555555555" does not end in a slash; the issuer of Entra ID (version 1)'s tokens does, and no token will match`},
		{"an issuer of version 2 with a slash", bare(`"issuer":"https://login.microsoftonline.com/x/v2.0/","audiences":["a"]`),
			`jwtRules[0].issuer: "https://login.microsoftonline.com/x/v2.0/" ends in a slash; the issuer of Entra ID (version 2)'s tokens does not, and no token will match`},
		{"Google's issuer with a slash", bare(`"issuer":"https://accounts.google.com/","audiences":["a"]`),
			`jwtRules[0].issuer: "https://accounts.google.com/" ends in a slash; the issuer of Google's tokens does not, and no token will match`},
		{"Keycloak's issuer with a slash", bare(`"issuer":"https://sso.example.com/realms/shop/","audiences":["a"]`),
			`jwtRules[0].issuer: "https://sso.example.com/realms/shop/" ends in a slash; the issuer of Keycloak's tokens does not, and no token will match`},
		{"Keycloak's issuer", bare(`"issuer":"https://sso.example.com/auth/realms/shop","audiences":["a"]`), ``},
		{"Okta's issuer with a slash", bare(`"issuer":"https://example.okta.com/oauth2/default/","audiences":["a"]`),
			`jwtRules[0].issuer: "https://example.okta.com/oauth2/default/" ends in a slash; the issuer of Okta's tokens does not, and no token will match`},
		{"an issuer of which nothing is known", bare(`"issuer":"https://i.example/a/","audiences":["a"]`), ``},
		{"an issuer with a variable", bare(`"issuer":"https://login.microsoftonline.com/{tenantid}/v2.0","audiences":["a"],"jwksUri":"https://login.microsoftonline.com/common/discovery/v2.0/keys"`),
			`jwtRules[0].issuer: "https://login.microsoftonline.com/{tenantid}/v2.0" has "{" in it, which stands for nothing: the issuer is compared byte for byte with iss; write one rule for each issuer`},
		{"an issuer with a star", bare(`"issuer":"https://*.example.com/","audiences":["a"],"jwksUri":"https://a.example/keys"`),
			`jwtRules[0].issuer: "https://*.example.com/" has "*" in it, which stands for nothing: the issuer is compared byte for byte with iss; write one rule for each issuer`},
		{"a discovery document's address", bare(`"issuer":"https://i.example/.well-known/openid-configuration","audiences":["a"]`),
			`jwtRules[0].issuer: "https://i.example/.well-known/openid-configuration" is the address of a document; the issuer is what stands before /.well-known, with or without the slash: see iss in a token`},
		{"a claim with dots", rule(`"outputClaimToHeaders":[{"header":"x-r","claim":"realm_access.roles"}]`),
			`jwtRules[0].outputClaimToHeaders[0].claim: "realm_access.roles"` + splitElsewhere + `["realm_access", "roles"]`},
		{"a claim with dots for filter state", rule(`"outputClaimToFilterState":[{"key":"k","claim":["a.b-c.d"]}]`),
			`jwtRules[0].outputClaimToFilterState[0].claim: "a.b-c.d"` + splitElsewhere + `["a", "b-c", "d"]`},
		{"claims with dots in a route", top(`"unmatched":"deny","routes":[{"claims":{"realm_access.roles":["a"]},"requiredClaims":["a.b"]}]`),
			`routes[0].claims."realm_access.roles": "realm_access.roles"` + splitElsewhere + `["realm_access", "roles"]` + "\n" +
				`routes[0].requiredClaims[0]: "a.b"` + splitElsewhere + `["a", "b"]`},
		{"claims that are URLs or domains", rule(`"outputClaimToHeaders":[{"header":"x-r","claim":"https://example.com/roles"},{"header":"x-s","claim":"kubernetes.io"},
			{"header":"x-t","claim":["a.b","c"]},{"header":"x-u","claim":"a..b"},{"header":"x-v","claim":".a"},{"header":"x-w","claim":"cognito:groups"}]`), ``},
		{"prefix without space", rule(`"fromHeaders":[{"name":"x-t","prefix":"Bearer"}]`),
			`jwtRules[0].fromHeaders[0].prefix: "Bearer" does not end in a space; the token must follow it at once`},
		{"authorization without prefix", rule(`"fromHeaders":[{"name":"Authorization"}]`),
			`jwtRules[0].fromHeaders[0].prefix: is missing, so that the whole value must be the token, without Bearer before it`},
		{"key that is skipped", bare(`"issuer":"i","audiences":["a"],"jwks":{"keys":[` + inlineKey + `,{"kid":"\u001b"}]}`),
			`jwtRules[0].jwks: skipped key 1 (kid "\x1b"): kty is missing or not a string`},
		{"bindings ignored", tenant(`"senderConstraint":"ignore"`),
			`auth0.senderConstraint: "ignore" accepts tokens that are bound to a key or a certificate from whoever has stolen them (RFC 9449 §7.2, RFC 8705 §3)`},
		{"forwarded certificates", `{"auth0":{` + goodAuth0 + `},"xfccTrustedElements":1}`,
			`xfccTrustedElements: 1 believes what x-forwarded-client-cert says of the client's certificate: only proxies that set it may reach this listener`},
		{"several, in the order of the text", `{"keys":{"maxStale":"200h"},"auth0":{` + goodAuth0 + `,"clockSkew":"6m"}}`,
			`keys.maxStale: 200h is long: a key that is withdrawn while the provider cannot be reached stays valid until then` + "\n" +
				`auth0.clockSkew: 6m is long: every token is accepted for that much longer than its issuer said`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(mustParse(t, c.document).Warnings, "\n"); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestErrorIsBounded: a text full of faults must not fill the log.
func TestErrorIsBounded(t *testing.T) {
	_, err := config.Parse([]byte(`{"jwtRules":[` + strings.Repeat("1,", 1000) + `1]}`))
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 101 || lines[100] != "configuration: 901 more faults" {
		t.Errorf("%d lines, the last is %q", len(lines), lines[len(lines)-1])
	}
}

// TestKeepsNothing overwrites the text after it was read.
func TestKeepsNothing(t *testing.T) {
	document := []byte(`{"jwtRules":[{"issuer":"i","audiences":["a"],"jwks":{"keys":[` + inlineKey + `]}}],"keys":{"deny":["k"]}}`)
	c := mustParse(t, string(document))
	again, err := config.Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	clear(document)
	if !reflect.DeepEqual(c, again) {
		t.Errorf("got %+v after the text was overwritten, want %+v", again, c)
	}
}
