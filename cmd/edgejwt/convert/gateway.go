package convert

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"edgejwt/cmd/edgejwt/document"
)

// securityPolicy is what convert reads of Envoy Gateway's SecurityPolicy
// (gateway.envoyproxy.io/v1alpha1); every other field of these is refused, or told.
type securityPolicy struct {
	JWT           *gatewayJWT           `json:"jwt"`
	Authorization *gatewayAuthorization `json:"authorization"`

	TargetRef       json.RawMessage `json:"targetRef"`
	TargetRefs      json.RawMessage `json:"targetRefs"`
	TargetSelectors json.RawMessage `json:"targetSelectors"`
	MergeType       json.RawMessage `json:"mergeType"`
	CORS            json.RawMessage `json:"cors"`
	BasicAuth       json.RawMessage `json:"basicAuth"`
	APIKeyAuth      json.RawMessage `json:"apiKeyAuth"`
	OIDC            json.RawMessage `json:"oidc"`
	ExtAuth         json.RawMessage `json:"extAuth"`
}

type gatewayJWT struct {
	Optional  bool              `json:"optional"`
	Providers []gatewayProvider `json:"providers"`
}

type gatewayProvider struct {
	Name           string   `json:"name"`
	Issuer         string   `json:"issuer"`
	Audiences      []string `json:"audiences"`
	RecomputeRoute bool     `json:"recomputeRoute"`
	RemoteJWKS     *struct {
		URI             string          `json:"uri"`
		CacheDuration   string          `json:"cacheDuration"`
		BackendRef      json.RawMessage `json:"backendRef"`
		BackendRefs     json.RawMessage `json:"backendRefs"`
		BackendSettings json.RawMessage `json:"backendSettings"`
	} `json:"remoteJWKS"`
	LocalJWKS *struct {
		Type     string          `json:"type"`
		Inline   string          `json:"inline"`
		ValueRef json.RawMessage `json:"valueRef"`
	} `json:"localJWKS"`
	ClaimToHeaders []struct {
		Header string `json:"header"`
		Claim  string `json:"claim"`
	} `json:"claimToHeaders"`
	ExtractFrom *struct {
		Headers []struct {
			Name        string `json:"name"`
			ValuePrefix string `json:"valuePrefix"`
		} `json:"headers"`
		Cookies []string `json:"cookies"`
		Params  []string `json:"params"`
	} `json:"extractFrom"`
}

type gatewayAuthorization struct {
	DefaultAction string        `json:"defaultAction"`
	Rules         []gatewayRule `json:"rules"`
}

type gatewayRule struct {
	Name      string          `json:"name"`
	Action    string          `json:"action"`
	CEL       string          `json:"cel"`
	Operation json.RawMessage `json:"operation"`
	Principal struct {
		ClientCIDRs          json.RawMessage `json:"clientCIDRs"`
		SourceCIDRs          json.RawMessage `json:"sourceCIDRs"`
		ClientIPGeoLocations json.RawMessage `json:"clientIPGeoLocations"`
		ClientCert           json.RawMessage `json:"clientCert"`
		JWT                  *struct {
			Provider string   `json:"provider"`
			Scopes   []string `json:"scopes"`
			Claims   []struct {
				Name      string   `json:"name"`
				ValueType string   `json:"valueType"`
				Values    []string `json:"values"`
			} `json:"claims"`
		} `json:"jwt"`
		Headers []struct {
			Name   string   `json:"name"`
			Values []string `json:"values"`
		} `json:"headers"`
	} `json:"principal"`
}

// gateway converts a SecurityPolicy.
func (c *conversion) gateway(documents []*document.Node) {
	var found *document.Node
	for _, d := range documents {
		title := titleOf(d)
		switch {
		case d.Get("kind").Str() != "SecurityPolicy":
			c.note("%s is left aside.", title)
		case found != nil:
			c.problem("line %d: a second SecurityPolicy; convert each alone, for an EnvoyExtensionPolicy of its own", d.Line)
			return
		default:
			found = d
			c.annotations(d)
		}
	}
	if found == nil {
		return
	}
	var p securityPolicy
	decoder := json.NewDecoder(bytes.NewReader(found.Get("spec").JSON()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		c.problem("line %d: %v", found.Line, err)
		return
	}
	if p.JWT == nil {
		return
	}
	for _, o := range []struct {
		name string
		is   json.RawMessage
	}{{"cors", p.CORS}, {"basicAuth", p.BasicAuth}, {"apiKeyAuth", p.APIKeyAuth}, {"oidc", p.OIDC}, {"extAuth", p.ExtAuth}, {"mergeType", p.MergeType}} {
		if o.is != nil {
			c.note("%s is not about access tokens: keep it in the SecurityPolicy.", o.name)
		}
	}
	c.note("Attach the plugin with an EnvoyExtensionPolicy to the targets of this SecurityPolicy, and remove jwt and authorization from it.")
	c.note("Envoy Gateway takes any algorithm that a key allows; edgejwt takes RS256 unless a rule names others (algorithms).")
	c.judges = true // it sets no bypass_cors_preflight
	for i := range p.JWT.Providers {
		c.gatewayProvider(&p.JWT.Providers[i])
	}
	start := need{auth: must}
	if p.JWT.Optional {
		start.auth = maybe
	}
	c.decision = always(start)
	if p.Authorization != nil && c.problems == nil {
		c.gatewayRules(p.Authorization)
	}
}

func (c *conversion) gatewayProvider(g *gatewayProvider) {
	p := &provider{name: g.Name, issuer: g.Issuer, audiences: g.Audiences, forward: true, metadata: g.Name}
	if p.issuer == "" {
		c.problem("provider %s names no issuer and takes tokens of everyone whose key it has; name the issuer", g.Name)
	}
	switch {
	case g.RemoteJWKS != nil:
		p.jwksURI = g.RemoteJWKS.URI
		p.refresh = 5 * time.Minute // Envoy Gateway's default
		if text := g.RemoteJWKS.CacheDuration; text != "" {
			var err error
			if p.refresh, err = time.ParseDuration(text); err != nil || p.refresh <= 0 {
				c.problem("provider %s: cacheDuration: %q is not a duration", g.Name, text)
			}
		}
		c.note("Provider %s: jwksCluster must name a cluster that reaches the key set: what Envoy Gateway makes for it goes with the SecurityPolicy.", g.Name)
	case g.LocalJWKS != nil && g.LocalJWKS.Inline != "":
		p.inline = g.LocalJWKS.Inline
	default:
		c.problem("provider %s: a key set that stands neither at an address nor inline", g.Name)
	}
	for _, h := range g.ClaimToHeaders {
		p.claims = append(p.claims, claimHeader{h.Header, c.dotted(h.Claim)})
	}
	if e := g.ExtractFrom; e != nil {
		for _, h := range e.Headers {
			p.headers = append(p.headers, location{strings.ToLower(h.Name), h.ValuePrefix})
		}
		p.cookies, p.params = e.Cookies, e.Params
	}
	p.standard()
	c.clear = c.clear || g.RecomputeRoute
	for _, q := range c.providers {
		if q.issuer == p.issuer {
			c.problem("providers %s and %s have the same issuer; edgejwt has one rule for each issuer", q.name, p.name)
			return
		}
	}
	c.providers = append(c.providers, p)
}

// gatewayRules converts the rules, of which the first that matches decides: from
// the last one up, each in front of what the ones below it say.
func (c *conversion) gatewayRules(a *gatewayAuthorization) {
	rest := always(need{auth: never})
	switch a.DefaultAction {
	case "Allow":
		rest = always(need{})
	case "Deny", "":
	default:
		c.problem("authorization.defaultAction: %s", a.DefaultAction)
	}
	for _, r := range slices.Backward(a.Rules) {
		title := "rule"
		if r.Name != "" {
			title += " " + r.Name
		}
		t := c.gatewayTest(&r)
		var one chain
		var lost []string
		var err error
		switch r.Action {
		case "Allow":
			if one, lost, err = t.allow(title); err == nil {
				rest, err = one.or(rest)
			}
		case "Deny":
			if one, lost, err = t.deny(title); err == nil {
				rest, err = one.and(rest)
			}
		default:
			c.problem("%s: action %s", title, r.Action)
		}
		if err != nil {
			c.problem("%s: %v", title, err)
			return
		}
		for _, what := range lost {
			c.note("Stricter here: %s: %s.", title, what)
		}
	}
	both, err := c.decision.before(rest)
	if err != nil {
		c.problem("%v", err)
		return
	}
	c.decision = both
}

func (c *conversion) gatewayTest(r *gatewayRule) test {
	t := test{}
	for _, o := range []struct {
		name string
		is   bool
	}{
		{"the client's address", r.Principal.ClientCIDRs != nil || r.Principal.SourceCIDRs != nil},
		{"where the client is", r.Principal.ClientIPGeoLocations != nil}, {"the client's certificate", r.Principal.ClientCert != nil},
		{"a CEL expression", r.CEL != ""},
	} {
		if o.is {
			t.subs = append(t.subs, other(o.name))
		}
	}
	if r.Operation != nil {
		var o struct {
			Methods []string `json:"methods"`
		}
		decoder := json.NewDecoder(bytes.NewReader(r.Operation))
		decoder.DisallowUnknownFields()
		if decoder.Decode(&o) != nil {
			t.subs = append(t.subs, other("its operation"))
		}
		if o.Methods != nil {
			t.subs = append(t.subs, request(cond{methods: o.Methods}))
		}
	}
	for _, h := range r.Principal.Headers {
		t.subs = append(t.subs, request(cond{headers: []header{{strings.ToLower(h.Name), h.Values}}}))
	}
	if j := r.Principal.JWT; j != nil {
		n := need{scopes: j.Scopes}
		at := slices.IndexFunc(c.providers, func(p *provider) bool { return p.name == j.Provider })
		if at < 0 {
			t.subs = append(t.subs, other("provider "+j.Provider))
		} else if len(c.providers) > 1 {
			n.issuers = []string{c.providers[at].issuer}
		}
		if j.Scopes != nil {
			c.note("scopes look into the claims scope and scp, as Envoy Gateway does. A version of it that looks into scope alone is met by " +
				"claims: [{claim: scope, values: [...], spaceDelimited: true}].")
		}
		for _, one := range j.Claims {
			var values []string
			for _, v := range one.Values {
				values = append(values, quoted(v))
			}
			shape := "one value"
			if one.ValueType == "StringArray" {
				shape = "a list"
			}
			way := c.dotted(one.Name)
			// Envoy Gateway has scope, and later scp, split at spaces: they are lists by then.
			if split := one.Name == "scope" || one.Name == "scp"; split && shape == "one value" {
				t.subs = append(t.subs, other("the claim "+one.Name+" as one text"))
				continue
			}
			if one.Name == "scope" {
				n.claims = append(n.claims, claim{way: way, values: values, words: true})
				continue
			}
			c.shape(way, shape)
			n.claims = append(n.claims, claim{way: way, values: values, single: one.ValueType != "StringArray"})
		}
		t.subs = append(t.subs, token(n))
	}
	return t
}
