package config_test

import (
	"slices"
	"strings"
	"testing"

	"edgejwt/plugin/config"
)

// TestOtherAlgorithms tries the signature algorithms that IANA lists for JOSE and
// that are not checked here.
func TestOtherAlgorithms(t *testing.T) {
	for _, alg := range []string{"ES256K", "Ed25519", "Ed448", "ML-DSA-44", "HS256", "HS384", "HS512", "none", "None", "RS1", "RS224", "RSA-OAEP", "A128KW"} {
		if _, err := config.Parse([]byte(rule(`"algorithms":["RS256","` + alg + `"]`))); err == nil {
			t.Errorf("%s was accepted", alg)
		}
	}
}

// TestReservedHeaders: none of these may carry a claim, in any case of letters.
func TestReservedHeaders(t *testing.T) {
	for _, header := range []string{
		":path", ":authority", ":method", ":scheme", ":status",
		"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive",
		"proxy-connection", "http2-settings", "expect", "proxy-authorization", "proxy-authenticate",
		"cookie", "set-cookie", "authorization", "www-authenticate", "content-type", "content-encoding",
		"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "via", "origin",
		"x-http-method-override", "x-http-method", "x-method-override", "_method", "x-original-url", "x-rewrite-url", "x_forwarded_host",
		"x-envoy-original-path", "grpc-timeout", "if-none-match", "sec-fetch-mode", "access-control-request-method",
	} {
		for _, written := range []string{header, strings.ToUpper(header)} {
			for _, members := range []string{`"outputPayloadToHeader":"` + written + `"`,
				`"outputClaimToHeaders":[{"claim":"sub","header":"` + written + `"}]`} {
				if _, err := config.Parse([]byte(rule(members))); err == nil {
					t.Errorf("%s was accepted", members)
				}
			}
		}
	}
}

// TestOverrides: the headers are kept by choice, or where nothing depends on what they
// would change.
func TestOverrides(t *testing.T) {
	all := []string{"x-forwarded-host", "x-http-method-override", "x-http-method", "x-method-override", "-method", "x-original-url", "x-rewrite-url", "x-original-uri", "x-rewrite-uri", "x-original-method", "x-original-host", "x-host", "x-http-host-override",
		"x-forwarded-uri", "x-forwarded-path", "x-forwarded-prefix", "script-name", "x-script-name", "path-info"}
	const keep = `"overrideHeaders":"keep",`
	const told = "overrideHeaders: lets a server take another method, path or host than the one that was judged, if it acts on X-HTTP-Method-Override, X-Original-URL, X-Forwarded-Host or their like"
	for members, depends := range map[string]bool{
		`"routes":[]`: false, `"routes":[{"scopes":["a"]}]`: false, `"routes":[{"headers":[{"name":"x"}]}]`: false,
		`"routes":[{"path":{"exact":"/a"}}]`: true, `"routes":[{"methods":["GET"]}]`: true, `"routes":[{"hosts":["a"]}]`: true,
		`"routes":[{"claimMatches":[{"claim":"h","host":true}]}]`: true, `"routes":[{"claimMatches":[{"claim":"h","header":"x"}]}]`: false,
		`"routeMetadata":true`: true,
	} {
		var want []string
		if depends {
			want = all
		}
		for _, said := range []string{"", `"overrideHeaders":"remove",`} {
			if c := mustParse(t, top(said+`"unmatched":"token",`+members)); !slices.Equal(c.Overrides, want) || len(c.Warnings) > 0 {
				t.Errorf("%s%s: %q, %q", said, members, c.Overrides, c.Warnings)
			}
		}
		if c := mustParse(t, top(keep+members)); c.Overrides != nil || slices.Contains(c.Warnings, told) != depends {
			t.Errorf("%s%s: %q, %q", keep, members, c.Overrides, c.Warnings)
		}
	}
	// What is kept may be judged.
	mustParse(t, top(keep+`"routes":[{"headers":[{"name":"x-forwarded-host"}],"claimMatches":[{"claim":"a","header":"x-original-url"}]}]`))
	if _, err := config.ParsePolicy(`{"claimMatches":[{"claim":"a","header":"x-original-url"}]}`); err != nil {
		t.Error(err) // a policy does not know what the configuration keeps
	}
}
