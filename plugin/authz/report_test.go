package authz_test

import (
	"errors"
	"testing"

	"edgejwt/plugin/authz"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// TestReport: the same requests under a configuration that reports, one that
// enforces, and routes that say otherwise.
func TestReport(t *testing.T) {
	const lenient = `{"name": "lenient", "path": {"exact": "/lenient"}, "mode": "report", "scopes": ["s"]}`
	const strict = `{"name": "strict", "path": {"exact": "/strict"}, "mode": "enforce", "scopes": ["s"]}`
	const plain = `{"name": "plain", "path": {"exact": "/plain"}, "scopes": ["s"]}`
	const closed = `{"path": {"exact": "/closed"}, "auth": "deny"}`
	enforcing := newEdge(t, "", `"routes": [`+lenient+`,`+strict+`,`+plain+`,`+closed+`]`)
	reporting := newEdge(t, "", `"mode": "report", "routes": [`+lenient+`,`+strict+`,`+plain+`,`+closed+`]`)
	nothingStrict := newEdge(t, "", `"mode": "report", "routes": [`+lenient+`,`+plain+`]`)
	noRoutes := newEdge(t, "", `"mode": "report"`)
	silent := newEdge(t, "", `"routes": [`+strict+`,`+plain+`]`)
	valid := token(nil)
	for _, c := range []struct {
		name    string
		g       *authz.Authorizer
		request [][2]string
		want    verify.Reason
		report  bool
		valid   bool
	}{
		{"enforcing, plain route", enforcing, request("GET /plain", bearer(valid)), verify.ScopeMissing, false, true},
		{"enforcing, lenient route", enforcing, request("GET /lenient", bearer(valid)), verify.ScopeMissing, true, true},
		{"enforcing, lenient route, no token", enforcing, request("GET /lenient"), verify.TokenMissing, true, false},
		{"enforcing, lenient route, forged", enforcing, request("GET /lenient", bearer(spoilt(valid))), verify.SignatureInvalid, true, false},
		{"enforcing, lenient route, good", enforcing, request("GET /lenient", bearer(scoped("s"))), verify.Accepted, false, true},
		{"enforcing, nobody passes", enforcing, request("GET /closed", bearer(valid)), verify.RouteDenied, false, false},
		{"reporting, nobody passes", reporting, request("GET /closed", bearer(valid)), verify.RouteDenied, true, false},
		{"enforcing, no route", enforcing, request("GET /x"), verify.TokenMissing, false, false},
		{"enforcing, unreadable", enforcing, request("GET /x%2f"), verify.PathAmbiguous, false, false},
		{"reporting, plain route", reporting, request("GET /plain", bearer(valid)), verify.ScopeMissing, true, true},
		{"reporting, strict route", reporting, request("GET /strict", bearer(valid)), verify.ScopeMissing, false, true},
		{"reporting, no route", reporting, request("GET /x", bearer("bad")), verify.TokenOpaque, true, false},
		{"reporting, unreadable, and a route enforces", reporting, request("GET /x%2f"), verify.PathAmbiguous, false, false},
		{"reporting, unreadable, and none enforces", nothingStrict, request("GET /x%2f"), verify.PathAmbiguous, true, false},
		{"reporting, no routes at all", noRoutes, request("GET /x%2f"), verify.TokenMissing, true, false},
		{"reporting, preflight where nobody passes", reporting, preflight("/closed"), verify.RouteDenied, true, false},
		{"reporting, preflight, unreadable, and a route denies", reporting, preflight("/x%2f"), verify.PathAmbiguous, false, false},
		{"enforcing, preflight of a lenient route", enforcing, preflight("/lenient"), verify.Preflight, false, false},
		{"reporting, preflight", noRoutes, request("OPTIONS /", "origin: https://a.example", "access-control-request-method: PUT"), verify.Preflight, false, false},
	} {
		j := decide(c.g, c.request, now)
		if j.Reason != c.want || j.Report != c.report || j.Valid() != c.valid || j.Allowed() != (c.report || c.want.Passes()) {
			t.Errorf("%s: %v, reported %v, valid %v; want %v, %v, %v", c.name, j.Reason, j.Report, j.Valid(), c.want, c.report, c.valid)
		}
	}
	if !enforcing.Reports() || !reporting.Reports() || !noRoutes.Reports() || silent.Reports() {
		t.Error("Reports is wrong")
	}
}

// TestOutputsOfReported: output headers are made of valid tokens only, and a refusal that
// is only reported keeps the token.
func TestOutputsOfReported(t *testing.T) {
	g := newEdge(t, `"forwardOriginalToken": false, "outputPayloadToHeader": "x-p", "outputClaimToHeaders": [{"header": "x-sub", "claim": "sub"}],
		"outputClaimToFilterState": [{"key": "edgejwt.sub", "claim": "sub"}]`,
		`"mode": "report", "clearRouteCache": true, "routes": [{"path": {"exact": "/s"}, "scopes": ["s"]}]`)
	for _, c := range []struct {
		name                   string
		request                [][2]string
		set, state, gone, anew bool
	}{
		{"accepted", request("GET /s", bearer(scoped("s"))), true, true, true, true},
		{"lacks a scope", request("GET /s", bearer(token(nil))), true, true, false, false},
		{"forged", request("GET /s", bearer(spoilt(scoped("s")))), false, false, false, false},
		{"of another audience", request("GET /", bearer(token(map[string]any{"aud": "other"}))), false, false, false, false},
		{"none", request("GET /"), false, false, false, false},
	} {
		j := decide(g, c.request, now)
		changes := j.Changes()
		if !j.Allowed() || (len(changes.Set) == 2) != c.set || (len(changes.Set) == 0) == c.set ||
			(len(changes.State) == 1) != c.state || (len(changes.Remove) == 1) != c.gone || changes.ClearRoute != c.anew {
			t.Errorf("%s: %v, %+v", c.name, j.Reason, changes)
		}
	}
}

// TestReportWhenNothingCanBeChecked: faults of the engine and missing keys are
// reported like the rest.
func TestReportWhenNothingCanBeChecked(t *testing.T) {
	broken := func(string, *verify.Key, string, []byte) (bool, error) { return true, errors.New("no answer") }
	for _, mode := range []route.Mode{route.Enforce, route.Report} {
		cfg := parseEdge(t, "", "")
		cfg.Routes = []route.Route{{Mode: mode}}
		j := decide(authz.New(cfg, broken, fixedKeys), request("GET /", bearer(token(nil))), now)
		if j.Reason != verify.Internal || j.Report != (mode == route.Report) || j.Valid() || len(j.Changes().Set) > 0 {
			t.Errorf("mode %d: %v, reported %v, valid %v", mode, j.Reason, j.Report, j.Valid())
		}
	}
}
