package authz_test

import (
	"fmt"
	"slices"
	"testing"

	"edgejwt/verify"
)

// TestSpellingsOfComparedHeaders: headers that servers of the CGI family do not
// distinguish from the compared header must have the same value.
func TestSpellingsOfComparedHeaders(t *testing.T) {
	g := newEdge(t, "", `"routes": [{"path": {"prefix": "/t"}, "claimMatches": [{"claim": "org", "header": "x-tenant"}]},
		{"path": {"prefix": "/v"}, "headers": [{"name": "x-v", "values": ["1"]}], "auth": "none"}]`)
	acme := bearer(token(map[string]any{"org": "acme"}))
	for _, c := range []struct {
		name    string
		request [][2]string
		want    verify.Reason
	}{
		{"alone", request("GET /t", acme, "x-tenant: acme"), verify.Accepted},
		{"alike in both spellings", request("GET /t", acme, "x-tenant: acme", "x.tenant: acme"), verify.Accepted},
		{"another by a dot", request("GET /t", acme, "x-tenant: acme", "x.tenant: globex"), verify.ClaimMismatch},
		{"another by a tilde, first", request("GET /t", acme, "x~tenant: globex", "x-tenant: acme"), verify.ClaimMismatch},
		{"by a tilde alone", request("GET /t", acme, "x~tenant: acme"), verify.ClaimMismatch},
		{"an open rule", request("GET /v", "x-v: 1"), verify.Public},
		{"an open rule, by a dot", request("GET /v", "x.v: 1"), verify.TokenMissing},
		{"an open rule, and another value by a dot", request("GET /v", "x-v: 1", "x.v: 2"), verify.TokenMissing},
	} {
		for range 2 {
			if j := decide(g, c.request, now); j.Reason != c.want {
				t.Errorf("%s: %v, want %v", c.name, j.Reason, c.want)
			}
		}
	}
}

// TestOverrideHeaders: where a rule depends on method, path or host, no header can make
// the API use another one.
func TestOverrideHeaders(t *testing.T) {
	sent := pairs(":method", "GET", ":path", "/", "x-forwarded-host", "a", "X-HTTP-Method-Override", "DELETE", "x-http-method", "DELETE", "x-method-override", "DELETE",
		"_method", "DELETE", "x_original_url", "/x", "x.rewrite.url", "/x", "x-forwarded-for", "a", "x-forwarded-hosts", "a", "forwarded", "host=a")
	all := []string{"x-forwarded-host", "X-HTTP-Method-Override", "x-http-method", "x-method-override", "_method", "x_original_url", "x.rewrite.url"}
	for top, removes := range map[string]bool{
		``:                              false,
		`"routes": [{"scopes": ["a"]}]`: false,
		`"routes": [{"headers": [{"name": "x-v"}], "scopes": ["a"]}]`:        false,
		`"routes": [{"path": {"exact": "/a"}, "auth": "none"}]`:              true,
		`"routes": [{"scopes": ["a"]}, {"methods": ["GET"]}]`:                true,
		`"routes": [{"hosts": ["a"]}]`:                                       true,
		`"routes": [{"claimMatches": [{"claim": "h", "host": true}]}]`:       true,
		`"routeMetadata": true`:                                              true,
		`"routes": [{"path": {"exact": "/a"}}], "overrideHeaders": "remove"`: true,
		`"routes": [{"path": {"exact": "/a"}}], "overrideHeaders": "keep"`:   false,
		`"routeMetadata": true, "overrideHeaders": "keep"`:                   false,
	} {
		if got := forged(newEdge(t, "", top), sent); removes && !slices.Equal(got, all) || !removes && got != nil {
			t.Errorf("%s: removed %q", top, got)
		}
	}
}

// TestForgedTrailers: trailers that a server may add to the headers change no condition
// and have no token.
func TestForgedTrailers(t *testing.T) {
	sent := func(names ...string) (trailers [][2]string) {
		for _, name := range names {
			trailers = append(trailers, [2]string{name, "value"})
		}
		return trailers
	}
	always := []string{"authorization", "Authorization", "cookie", "host"}
	for _, c := range []struct {
		rule, top  string
		gone, kept []string
	}{
		{"", "", nil, []string{"x-tenant", "x-token", "x-original-url", "grpc-status", ":path", ""}},
		{`"outputPayloadToHeader": "x-p", "outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}]`, "", []string{"x-p", "X_P", "x.sub"}, []string{"x-subs"}},
		{`"fromHeaders": [{"name": "x-token"}], "fromCookies": ["c"], "fromParams": ["p"]`, "", []string{"x-token", "x~token"}, []string{"c", "p"}},
		{"", `"routes": [{"headers": [{"name": "x-v"}], "claimMatches": [{"claim": "org", "header": "x-tenant"}, {"claim": "h", "host": true}]}]`,
			[]string{"x-v", "x.v", "X-Tenant", "x~tenant", "x-original-url", "_method"}, []string{"x-w"}},
		{"", `"overrideHeaders": "keep", "routes": [{"hosts": ["a"]}]`, nil, []string{"x-forwarded-host", "x-original-url"}},
	} {
		gone := append(slices.Clone(always), c.gone...)
		g := newEdge(t, c.rule, c.top)
		if got := g.ForgedTrailers(sent(append(slices.Clone(c.kept), gone...)...)); !slices.Equal(got, gone) {
			t.Errorf("%s %s: removes %q, want %q", c.rule, c.top, got, gone)
		}
	}
	// The headers of a policy are known from its first request on.
	g := newEdge(t, "", `"routeMetadata": true, "overrideHeaders": "keep"`)
	decideBy(g, `{"claimMatches": [{"claim": "org", "header": "x-tenant"}]}`, request("GET /"))
	for i := range 300 {
		decideBy(g, fmt.Sprintf(`{"name": "n%d"}`, i), request("GET /"))
	}
	if got := g.ForgedTrailers(sent("x.tenant", "x-v")); !slices.Equal(got, []string{"x.tenant"}) {
		t.Errorf("by policy: removes %q", got)
	}
}
