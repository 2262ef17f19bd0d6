package authz_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"edgejwt/internal/attacks"
	"edgejwt/jwks"
	"edgejwt/plugin/authz"
	"edgejwt/plugin/config"
	"edgejwt/verify"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// table is made once: it holds hundreds of signatures.
var table = sync.OnceValue(func() []attacks.Case { return attacks.Table(now, attacks.Options{}) })

// newAuthorizer makes an Authorizer with the keys of the attack table written into its
// configuration.
func newAuthorizer(t testing.TB, options string) *authz.Authorizer {
	t.Helper()
	return authz.New(parse(t, fmt.Sprintf(`"jwks": %s, %s`, attacks.KeySet(), options)), verify.GoEngine,
		func(rule *config.Rule) *jwks.Source { return jwks.Fixed(rule.InlineSet, nil) })
}

func parse(t testing.TB, options string) *config.Config {
	t.Helper()
	cfg, err := config.Parse([]byte(fmt.Sprintf(`{"jwtRules": [{"issuer": %q, "audiences": [%q], %s}]}`,
		attacks.Issuer, attacks.Audience, options)))
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// decide hands the headers over as a host does: names in lower case, values without
// white space around them.
func decide(g *authz.Authorizer, headers [][2]string, at time.Time) *authz.Decision {
	var lower [][2]string
	for _, h := range headers {
		lower = append(lower, [2]string{strings.ToLower(h[0]), strings.Trim(h[1], " \t")})
	}
	var d authz.Decision
	g.Decide(&d, lower, nil, at)
	return &d
}

// forged are the names, as sent, of the headers that a client may not send.
func forged(g *authz.Authorizer, headers [][2]string) []string {
	var d authz.Decision
	g.Decide(&d, headers, nil, now)
	return d.Forged
}

// TestAttacks decides about every request of the table.
func TestAttacks(t *testing.T) {
	g := newAuthorizer(t, `"clockSkew": "60s"`)
	for _, c := range table() {
		j := decide(g, c.Headers, now)
		if !j.Decided || j.Reason != c.Want {
			t.Errorf("%s/%s: %v (%v), want %v: %s", c.Group, c.Name, j.Reason, j.Detail, c.Want, c.Why)
		}
		if j.Reason != verify.Accepted && (len(j.Changes().Set) > 0 || len(j.Changes().Remove) > 0) {
			t.Errorf("%s/%s: changes to a request that is not accepted", c.Group, c.Name)
		}
	}
}

// accepted returns a request of the table that passes.
func accepted(t testing.TB) [][2]string {
	for _, c := range table() {
		if c.Want == verify.Accepted && c.Group == "valid" {
			return c.Headers
		}
	}
	t.Fatal("the table has no valid request")
	return nil
}

func TestPreflight(t *testing.T) {
	g := newAuthorizer(t, `"clockSkew": "60s"`)
	full := [][2]string{{":method", "OPTIONS"}, {"origin", "https://a.example"}, {"access-control-request-method", "PUT"}}
	if j := decide(g, full, now); j.Reason != verify.Preflight || !j.Reason.Passes() {
		t.Errorf("%v, want preflight", j.Reason)
	}
	for i := range full {
		part := append(append([][2]string{}, full[:i]...), full[i+1:]...)
		if j := decide(g, part, now); j.Reason != verify.TokenMissing {
			t.Errorf("without %s: %v, want token_missing", full[i][0], j.Reason)
		}
	}
}

func preflight(path string) [][2]string {
	return request("OPTIONS "+path, "origin: https://a.example", "access-control-request-method: PUT")
}

// TestIsPreflight: only what browsers send passes without a token.
func TestIsPreflight(t *testing.T) {
	for _, tc := range []struct {
		name string
		more [2]string
		want bool
	}{
		{"as browsers send it", [2]string{"accept", "*/*"}, true},
		{"an empty body", [2]string{"content-length", "0"}, true},
		{"a body", [2]string{"content-length", "1"}, false},
		{"a body of unknown length", [2]string{"transfer-encoding", "chunked"}, false},
		{"a body, to servers that fold names", [2]string{"content_length", "1"}, false},
		{"a length in another spelling", [2]string{"content-length", "00"}, false},
		{"a form", [2]string{"content-type", "application/x-www-form-urlencoded"}, false},
		{"a body that waits", [2]string{"expect", "100-continue"}, false},
		{"another protocol", [2]string{"upgrade", "websocket"}, false},
		{"a cookie", [2]string{"cookie", "a=b"}, false},
		{"a token", [2]string{"authorization", "Bearer a.b.c"}, false},
		{"another method", [2]string{"x-http-method-override", "DELETE"}, false},
		{"another method, to servers that fold names", [2]string{"x.method_override", "DELETE"}, false},
		{"another method, by a form's name", [2]string{"_method", "DELETE"}, false},
	} {
		if got := authz.IsPreflight(append(preflight("/other"), tc.more)); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

// TestPreflightWithAToken: a preflight carries no header for tokens, and of its trailers
// none names another method. Its query is the request's, which may have a token.
func TestPreflightWithAToken(t *testing.T) {
	g := newAuthorizer(t, `"fromHeaders": [{"name": "x-token"}], "fromParams": ["access_token"]`)
	if d := decide(g, append(preflight("/"), [2]string{"x-token", "a.b.c"}), now); d.Reason != verify.TokenMalformed {
		t.Errorf("with a token in its header: %v", d.Reason)
	}
	if d := decide(g, preflight("/?access_token=a.b.c"), now); d.Reason != verify.Preflight {
		t.Errorf("with a token in the query: %v", d.Reason)
	}
	if forged := g.ForgedTrailers([][2]string{{"x_http_method_override", "DELETE"}}); len(forged) != 1 {
		t.Errorf("a trailer that names another method: %v", forged)
	}
}

// TestPreflightLikeAnyRequest: with corsPreflight: judge a preflight is decided like any
// request.
func TestPreflightLikeAnyRequest(t *testing.T) {
	g := newEdge(t, "", `"corsPreflight": "judge", "resourceMetadata": {"resource": "https://api.example.com"}, `+edgeRoutes)
	reporting := newEdge(t, "", `"corsPreflight": "judge", "mode": "report"`)
	valid := token(nil)
	for _, c := range []struct {
		name    string
		request [][2]string
		want    verify.Reason
		step    authz.Step
	}{
		{"no token", preflight("/other"), verify.TokenMissing, authz.StepExtract},
		{"bad token", append(preflight("/other"), [2]string{"authorization", "Bearer a.b.c"}), verify.TokenMalformed, authz.StepParse},
		{"good token", append(preflight("/other"), [2]string{"authorization", "Bearer " + valid}), verify.Accepted, authz.StepRequirements},
		{"public", preflight("/public"), verify.Public, authz.StepRoute},
		{"optional", preflight("/maybe"), verify.Anonymous, authz.StepExtract},
		{"nobody passes", preflight("/closed"), verify.RouteDenied, authz.StepRoute},
		{"unreadable", preflight("/public%2fx"), verify.PathAmbiguous, authz.StepRoute},
		{"for the API's description", preflight("/.well-known/oauth-protected-resource"), verify.ResourceMetadata, authz.StepMetadata},
	} {
		if j := decide(g, c.request, now); j.Reason != c.want || j.Step() != c.step {
			t.Errorf("%s: %v at step %d, want %v at %d", c.name, j.Reason, j.Step(), c.want, c.step)
		}
	}
	if j := decide(reporting, preflight("/"), now); j.Reason != verify.TokenMissing || !j.Allowed() {
		t.Errorf("reporting: %v, goes on %v", j.Reason, j.Allowed())
	}
}

// TestPreflightLooksForNoRouteInVain: where no route denies, a preflight passes although
// its path is ambiguous.
func TestPreflightLooksForNoRouteInVain(t *testing.T) {
	g := newEdge(t, "", `"routes": [{"path": {"prefix": "/public"}, "auth": "none"}, {"scopes": ["s"]}]`)
	if j := decide(g, preflight("/public%2fx"), now); j.Reason != verify.Preflight || j.Match() != nil {
		t.Errorf("%v, want preflight", j.Reason)
	}
}

func TestForged(t *testing.T) {
	g := newAuthorizer(t, `"outputPayloadToHeader": "X-Jwt-Payload", "outputClaimToHeaders": [{"header": "x-jwt-sub", "claim": "sub"}]`)
	sent := [][2]string{{"x-jwt-payload", ""}, {"x_jwt_sub", "a"}, {"x-jwt_sub", "b"}, {"X-JWT-SUB", "c"}, {"x-jwt-subject", "d"}, {"xjwtsub", "e"}, {":path", "/"}}
	if got, want := strings.Join(forged(g, sent), " "), "x-jwt-payload x_jwt_sub x-jwt_sub X-JWT-SUB"; got != want {
		t.Errorf("forged: %s, want %s", got, want)
	}
	if got := forged(g, sent[4:]); got != nil {
		t.Errorf("of honest headers %v are forged", got)
	}
	cfg := parse(t, fmt.Sprintf(`"jwks": %s, "outputPayloadToHeader": "x-p"`, attacks.KeySet()))
	cfg.Rules[0].OutputPayloadToHeader = "-path" // ascii.FoldHeader would turn ":path" into this
	odd := authz.New(cfg, verify.GoEngine, func(rule *config.Rule) *jwks.Source { return jwks.Fixed(rule.InlineSet, nil) })
	if got := forged(odd, [][2]string{{":path", "/"}, {"_path", "x"}}); !slices.Equal(got, []string{"_path"}) {
		t.Errorf("forged: %q, want _path alone", got)
	}
	if got := forged(newAuthorizer(t, `"clockSkew": "60s"`), sent); got != nil {
		t.Errorf("without outputs %q are forged", got)
	}
}

// TestWaiting takes one request through the life of a key set.
func TestWaiting(t *testing.T) {
	cfg := parse(t, `"jwksUri": "https://issuer.example/keys"`)
	policy := jwks.Policy{URL: cfg.Rules[0].JWKSURI, Issuer: cfg.Rules[0].Issuer}
	machine := jwks.New(policy, 1, func() float64 { return 0.5 })
	g := authz.New(cfg, verify.GoEngine, func(*config.Rule) *jwks.Source { return machine })
	request := accepted(t)

	j := decide(g, request, now)
	if j.Decided || j.KeySource() != machine {
		t.Fatalf("decided %v: %v, want it to wait", j.Decided, j.Reason)
	}
	expires := decide(g, request, now)
	timedOut := decide(g, request, now)
	timedOut.Timeout(now)
	if timedOut.Reason != verify.KeysUnavailable || timedOut.RetryAfter < time.Second || timedOut.KeySource() != nil {
		t.Errorf("timed out with %v, retry after %v", timedOut.Reason, timedOut.RetryAfter)
	}
	at := serve(t, machine, now, attacks.KeySet())
	if timedOut.Resume(at); timedOut.Reason != verify.KeysUnavailable {
		t.Error("a decision was taken back")
	}
	if j.Resume(at); j.Reason != verify.Accepted {
		t.Errorf("after the keys came: %v (%v), want accepted", j.Reason, j.Detail)
	}
	// The claims are checked again after the wait.
	if expires.Resume(now.Add(48 * time.Hour)); expires.Reason != verify.TokenExpired {
		t.Errorf("after two days of waiting: %v, want token_expired", expires.Reason)
	}
}

// serve is a host with one worker: it carries the machine's actions until the
// key set has been fetched.
func serve(t *testing.T, m *jwks.Source, at time.Time, document []byte) time.Time {
	t.Helper()
	var record []byte
	version := uint32(0)
	served := false
	var carry func(actions []jwks.Action)
	carry = func(actions []jwks.Action) {
		for _, a := range actions {
			switch a.Kind {
			case jwks.Load:
				carry(m.Loaded(at, record, version))
			case jwks.Save:
				record, version = a.Record, version+1
				carry(m.Saved(at, true))
			case jwks.Fetch:
				served = true
				carry(m.Answered(at, a.Ticket, jwks.Answer{Status: 200, Body: document}))
			}
		}
	}
	for range 1000 {
		if served {
			return at
		}
		at = at.Add(10 * time.Millisecond)
		carry(m.Tick(at, uint64(version), version > 0))
	}
	t.Fatal("ten seconds and no fetch")
	return at
}

// TestEngineWithoutAnswer: a token that could not be checked is refused as internal, not
// as invalid.
func TestEngineWithoutAnswer(t *testing.T) {
	broken := func(string, *verify.Key, string, []byte) (bool, error) { return true, errors.New("no answer") }
	cfg := parse(t, fmt.Sprintf(`"jwks": %s`, attacks.KeySet()))
	g := authz.New(cfg, broken, func(rule *config.Rule) *jwks.Source { return jwks.Fixed(rule.InlineSet, nil) })
	if j := decide(g, accepted(t), now); j.Reason != verify.Internal {
		t.Errorf("%v, want internal", j.Reason)
	}
}

func TestDeniedKey(t *testing.T) {
	cfg := parse(t, fmt.Sprintf(`"jwks": %s`, attacks.KeySet()))
	set := cfg.Rules[0].InlineSet
	g := authz.New(cfg, verify.GoEngine, func(*config.Rule) *jwks.Source { return jwks.Fixed(set, set.KIDs()) })
	if j := decide(g, accepted(t), now); j.Reason != verify.KeyUnknown {
		t.Errorf("%v, want key_unknown", j.Reason)
	}
}
