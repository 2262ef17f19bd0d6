package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"

	"go.yaml.in/yaml/v3"
)

// guideCase is a line of a page's table of cases, as far as a client can see.
type guideCase struct {
	Name, Request string
	Headers       map[string]string
	Claims        map[string]any
	TokenType     string `yaml:"tokenType"`
	Expect        struct {
		Status   int
		Reason   string
		Upstream map[string]string
	}
}

// TestGuideCases plays the pages' tables of cases on a real Envoy, by the pages'
// own configurations, with tokens of the stand-in's making: what the command line says
// is what the edge does.
func TestGuideCases(t *testing.T) {
	provider, err := auth0.Start(auth0.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { provider.Close() })
	type played struct {
		edge, issuer, audience string
		cases                  []guideCase
	}
	var all []played
	var edges []harness.Edge
	for _, g := range guides(t) {
		for _, b := range g.blocks {
			text, found := g.named(strings.TrimSuffix(b.name, ".yaml") + "_test.yaml")
			if !strings.HasSuffix(b.name, ".yaml") || !found {
				continue
			}
			p := played{edge: fmt.Sprintf("guide%d", len(all))}
			if err := yaml.Unmarshal([]byte(text), &p.cases); err != nil || len(p.cases) == 0 {
				t.Fatalf("%s: %d cases, %v", &g, len(p.cases), err)
			}
			var plugin string
			plugin, p.issuer, p.audience = withKeysOf(t, provider, b.text)
			edges = append(edges, harness.Edge{Name: p.edge, Plugin: plugin, Manager: harness.AsSent})
			all = append(all, p)
		}
	}
	if len(all) < 9 {
		t.Fatalf("only %d pages with cases", len(all))
	}
	w := harness.Start(t, harness.Options{Auth0: provider, Edges: edges})
	for _, p := range all {
		for _, c := range p.cases {
			headers := []string{}
			for name, value := range c.Headers {
				headers = append(headers, name, value)
			}
			if c.Claims != nil {
				headers = append(headers, bearer(c.token(t, provider, p.issuer, p.audience))...)
			}
			method, path, _ := strings.Cut(c.Request, " ")
			w.ResetSeen()
			got := w.Do(harness.Request{Method: method, Path: path, Headers: headers, To: w.At(p.edge)})
			seen := w.Seen()
			switch {
			case c.Expect.Status < 400 && (c.Expect.Reason == "" || c.Expect.Reason == "accepted"):
				if got.Reason != "" || len(seen) != 1 {
					t.Errorf("%s: %s: %v, want it to pass", p.issuer, c.Name, got)
					continue
				}
				for name, want := range c.Expect.Upstream {
					if told := seen[0].Header(name); told != want {
						t.Errorf("%s: %s: the API is told %s: %q, want %q", p.issuer, c.Name, name, told, want)
					}
				}
			case got.Reason == "" || len(seen) != 0,
				c.Expect.Reason != "" && got.Reason != c.Expect.Reason,
				c.Expect.Status != 0 && got.Status != c.Expect.Status:
				t.Errorf("%s: %s: %v, want %+v; the API saw %v", p.issuer, c.Name, got, c.Expect, seen)
			}
		}
	}
}

// withKeysOf gives a page's configuration the provider's keys in the place of
// those that it would fetch from the world outside, and says what its tokens are
// made of by default.
func withKeysOf(t *testing.T, provider *auth0.Server, text string) (plugin, issuer, audience string) {
	t.Helper()
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(text), &tree); err != nil {
		t.Fatal(err)
	}
	rules, _ := tree["jwtRules"].([]any)
	if short, is := tree["auth0"].(map[string]any); is {
		// auth0 fetches from its domain, by a cluster that reaches the stand-in.
		return fromYAML(t, text), "https://" + short["domain"].(string) + "/", short["audience"].(string)
	}
	rule := rules[0].(map[string]any)
	delete(rule, "jwksUri")
	delete(rule, "jwksCluster")
	rule["jwks"] = json.RawMessage(provider.KeySet())
	if list, is := rule["audiences"].([]any); is {
		audience = list[0].(string)
	}
	raw, err := json.MarshalIndent(tree, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw), rule["issuer"].(string), audience
}

// token has the case's claims, and what they leave out as the rule wants it.
func (c *guideCase) token(t *testing.T, by *auth0.Server, issuer, audience string) string {
	t.Helper()
	claims := by.ClientClaims("", audience, "")
	for name := range claims {
		if name != "aud" && name != "iat" && name != "exp" {
			delete(claims, name)
		}
	}
	claims["iss"] = issuer
	for name, value := range c.Claims {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	m := auth0.Mint{}
	if c.TokenType != "" {
		m.Header = map[string]any{"typ": c.TokenType}
	}
	token, err := by.MintToken(claims, m)
	if err != nil {
		t.Fatal(err)
	}
	return token
}
