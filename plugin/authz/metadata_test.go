package authz_test

import (
	"testing"

	"edgejwt/verify"
)

// TestDescribes: RFC 9728 §3.1, with a path of the resource's own.
func TestDescribes(t *testing.T) {
	g := newEdge(t, "", `"mode": "report", "resourceMetadata": {"resource": "https://api.example.com/v1"}, "routes": [{"auth": "none", "path": {"prefix": "/public"}}]`)
	const path = "/.well-known/oauth-protected-resource/v1"
	for _, c := range []struct {
		name    string
		request [][2]string
		want    verify.Reason
	}{
		{"GET", request("GET " + path), verify.ResourceMetadata},
		{"HEAD", request("HEAD " + path), verify.ResourceMetadata},
		{"OPTIONS", request("OPTIONS " + path), verify.ResourceMetadata},
		{"preflight", request("OPTIONS "+path, "origin: https://a.example", "access-control-request-method: GET"), verify.ResourceMetadata},
		{"with a token of any kind", request("GET "+path, bearer("x")), verify.ResourceMetadata},
		{"query", request("GET " + path + "?x=1"), verify.ResourceMetadata},
		{"another spelling", request("GET /.well-known//oauth%2Dprotected-resource/v1/"), verify.ResourceMetadata},
		{"POST", request("POST " + path), verify.TokenMissing},
		{"get", request("get " + path), verify.TokenMissing},
		{"another resource", request("GET /.well-known/oauth-protected-resource"), verify.TokenMissing},
		{"below", request("GET " + path + "/x"), verify.TokenMissing},
		{"above the root", request("GET /.." + path), verify.PathAmbiguous},
		{"preflight elsewhere", request("OPTIONS /x", "origin: https://a.example", "access-control-request-method: GET"), verify.Preflight},
	} {
		j := decide(g, c.request, now)
		if j.Reason != c.want {
			t.Errorf("%s: %v, want %v", c.name, j.Reason, c.want)
		}
		if c.want == verify.ResourceMetadata && (j.Report || j.Allowed()) {
			t.Errorf("%s: goes on to the API", c.name)
		}
	}
}
