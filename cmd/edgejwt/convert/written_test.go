package convert

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// written is a chain as the plugin reads it.
func written(t *testing.T, a chain) *route.Table {
	t.Helper()
	c := &conversion{decision: a, providers: []*provider{
		{issuer: "i", audiences: []string{"x"}, jwksURI: "https://i.example/k"}, {issuer: "j", audiences: []string{"x"}, jwksURI: "https://j.example/k"}}}
	r, err := c.result()
	if err != nil {
		t.Fatal(err)
	}
	read, err := config.Parse(r.JSON)
	if err != nil {
		t.Fatal(err)
	}
	table, faults := route.NewTable(read.Routes, read.RouteOptions)
	if faults != nil {
		t.Fatal(faults)
	}
	return table
}

// passesTable is passes for the plugin's routes; err is for a request that they
// refuse because of its spelling.
func (v *visit) passesTable(t *testing.T, table *route.Table) (passes bool, err error) {
	t.Helper()
	q := route.Request{Method: v.method, Path: v.path, Host: v.host}
	for name, value := range v.headers {
		q.Headers = append(q.Headers, [2]string{name, value})
	}
	var m route.Match
	if err := table.Find(&q, &m); err != nil {
		return false, err
	}
	switch {
	case m.Route.Auth == route.None || m.Route.Auth == route.Optional && !v.token:
		return true, nil
	case m.Route.Auth == route.Deny || !v.token:
		return false, nil
	}
	claims, err := json.Marshal(map[string]any{"iss": v.issuer, "aud": "x", "role": v.role, "scope": strings.Join(v.scopes, " ")})
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	token, err := verify.Parse(encode([]byte(`{"alg":"RS256"}`)) + "." + encode(claims) + ".")
	if err != nil {
		t.Fatal(err)
	}
	return m.Check(token, time.Unix(1_700_000_000, 0), 0) == nil, nil
}

// TestWritten holds what the plugin makes of a chain against the chain: never
// laxer, however a request is spelled, and just as lax where it is spelled as the
// rules are.
func TestWritten(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	hosts := []string{"x.example:80", "x.example:1", "x.example.", "x.example:", "X.example", "x.Example:80", "x.example.:80", "z.x.example:80", "Z.X.example."}
	passed, refused, stricter, odd := 0, 0, 0, 0
	for range 1500 {
		a := someChain(r)
		table := written(t, a)
		for range 60 {
			v := someVisit(r)
			plain := !strings.Contains(v.host, ":") && !strings.HasSuffix(v.path, "/") && v.method != "HEAD"
			if r.IntN(3) == 0 {
				v.host, plain = pick(r, hosts...), false
			}
			if r.IntN(10) == 0 {
				v.method, plain = strings.ToLower(v.method), false
			}
			want := v.passes(a)
			switch got, err := v.passesTable(t, table); {
			case got && !want:
				t.Fatalf("laxer for %+v:\n%v", v, a)
			case got:
				passed++
			case !want:
				refused++
			default:
				stricter++
				if plain {
					odd++
				}
				if plain && err != nil && !slices.ContainsFunc(a, func(r rule) bool { return strings.HasSuffix(r.path.text, "/") || r.path.kind == regexPath }) {
					t.Fatalf("refused for its spelling, %v: %+v:\n%v", err, v, a)
				}
			}
		}
	}
	t.Logf("%d passed, %d refused, %d refused only here, of these %d without another spelling", passed, refused, stricter, odd)
	if passed < 10000 || refused < 10000 || stricter < 1000 || odd > passed/20 {
		t.Errorf("%d passed, %d refused, %d refused only here, of these %d without another spelling", passed, refused, stricter, odd)
	}
}
