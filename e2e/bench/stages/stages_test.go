// Package stages_test times the stages of a decision one by one, without a host:
//
//	make bench-stages
//
// runs it natively and, compiled as the module is, in wazero. Wazero's compiler
// is simpler than V8's: read its figures as ratios between stages.
package stages_test

import (
	_ "embed"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/bench/settings"
	"edgejwt/jwks"
	"edgejwt/plugin/authz"
	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/route"
)

// The stand-in's key set, and a token of its default client that is good for the
// day after now. The keys were thrown away.
var (
	//go:embed testdata/token.txt
	tokenLine string
	//go:embed testdata/keys.json
	keySet string

	token = strings.TrimSpace(tokenLine)
	now   = time.Date(2026, 11, 24, 13, 0, 0, 0, time.UTC)
)

// headers are what Envoy hands over of a request by an ordinary client.
var headers = [][2]string{
	{":authority", "api.example.com"}, {":path", settings.RichPath}, {":method", "GET"}, {":scheme", "https"},
	{"user-agent", "bench"}, {"accept", "*/*"}, {"authorization", "Bearer " + token},
	{"x-forwarded-proto", "https"}, {"x-request-id", "7b9f7f4e-2d5c-4b6e-9d56-0d6f2e7c2d11"},
}

// parts are the rooms as the plugin puts them together.
type parts struct {
	config *config.Config
	keys   *jwks.Source
	rules  *verify.Rules
	rule   *verify.Rule
	table  *route.Table
	authz  *authz.Authorizer
	token  *verify.Token
	key    *verify.Key
	match  route.Match
}

var request = route.Request{Method: "GET", Path: settings.RichPath, Host: "api.example.com", Headers: headers}

func newParts(b *testing.B) *parts {
	b.Helper()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	p := &parts{}
	var err error
	p.config, err = config.Parse([]byte(settings.Inline(strings.TrimSpace(keySet))))
	must(err)
	rule := &p.config.Rules[0]
	p.keys = jwks.Fixed(rule.InlineSet, nil)
	p.authz = authz.New(p.config, verify.GoEngine, func(*config.Rule) *jwks.Source { return p.keys })
	p.rules = verify.NewRules([]verify.Rule{{
		Issuer: rule.Issuer, Audiences: rule.Audiences, Algorithms: rule.Algorithms, ClockSkew: rule.ClockSkew,
	}})
	table, faults := route.NewTable(p.config.Routes, p.config.RouteOptions)
	if len(faults) > 0 {
		b.Fatal(faults)
	}
	p.table = table
	p.token, err = verify.Parse(token)
	must(err)
	p.rule, _, err = p.rules.Match(p.token)
	must(err)
	must(p.rule.Check(p.token, now))
	kid, _ := p.token.KeyID()
	keys, outcome := p.keys.Find(now, kid, p.token.Algorithm())
	if outcome != jwks.Found {
		b.Fatal(outcome)
	}
	p.key = keys[0]
	must(p.token.VerifySignature(verify.GoEngine, p.key))
	must(p.table.Find(&request, &p.match))
	if p.match.Route.Name != "orders-read" {
		b.Fatalf("the route is %q", p.match.Route.Name)
	}
	must(p.match.Check(p.token, now, rule.ClockSkew))
	return p
}

func BenchmarkStages(b *testing.B) {
	var decision authz.Decision
	for _, stage := range []struct {
		name string
		run  func(p *parts) bool // what it says must hold
	}{
		{"2 route found", func(p *parts) bool { return p.table.Find(&request, &p.match) == nil }},
		{"3 token extracted", func(p *parts) bool {
			found, err := verify.Extract(headers, p.config.Rules[0].Locations)
			return err == nil && len(found.Token) == len(token)
		}},
		{"4 token parsed", func(*parts) bool {
			_, err := verify.Parse(token)
			return err == nil
		}},
		{"5 rule found, claims checked", func(p *parts) bool {
			rule, _, err := p.rules.Match(p.token)
			return err == nil && rule.Check(p.token, now) == nil
		}},
		{"6 key found", func(p *parts) bool {
			kid, _ := p.token.KeyID()
			_, outcome := p.keys.Find(now, kid, p.token.Algorithm())
			return outcome == jwks.Found
		}},
		{"7 signature verified", func(p *parts) bool { return p.token.VerifySignature(verify.GoEngine, p.key) == nil }},
		{"8 route's needs checked", func(p *parts) bool { return p.match.Check(p.token, now, time.Minute) == nil }},
		{"9 headers made", func(*parts) bool { return len(decision.Changes().Set) == 4 }},
		{"a cached token, all of it", func(p *parts) bool {
			p.authz.Decide(&decision, headers, nil, now)
			return decision.Reason == verify.Accepted && len(decision.Changes().Set) == 4
		}},
	} {
		b.Run(stage.name, func(b *testing.B) {
			p := newParts(b)
			p.authz.Decide(&decision, headers, nil, now)
			decision.Changes()
			b.ReportAllocs()
			for b.Loop() {
				if !stage.run(p) {
					b.Fatal("another outcome")
				}
			}
		})
	}
}
