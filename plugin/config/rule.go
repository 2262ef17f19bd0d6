package config

import (
	"slices"
	"strings"
	"time"

	"edgejwt/jwks"
	"edgejwt/verify"
	"edgejwt/verify/ascii"
	"edgejwt/verify/strictjson"
)

// placedRule is a rule together with the object that it was read from, for
// faults that only show beside other rules.
type placedRule struct {
	Rule
	object  *object
	outputs []*object // of outputClaimToHeaders, one for each of the rule's
}

// auth0Rule reads auth0: everything follows from the domain.
func (o *object) auth0Rule() *placedRule {
	rule := &placedRule{Rule: Rule{Path: o.path}, object: o}
	if domain, ok := o.domain(); ok {
		rule.Issuer = "https://" + domain + "/"
		rule.JWKSURI = rule.Issuer + ".well-known/jwks.json"
		rule.Authority, rule.RequestPath = domain, "/.well-known/jwks.json"
		rule.Cluster = istioCluster(domain)
	}
	if cluster, ok := o.plain("cluster"); ok {
		rule.Cluster = cluster
	}
	if o.lacks("audience") {
		o.fault("audience", "", "is missing: a token for any other API of the tenant would be accepted (RFC 8725 §3.9); "+
			"write the API's identifier (example: https://api.example.com)")
	}
	rule.Audiences = o.list("audience", wantPrintable)
	rule.Algorithms = o.algorithms()
	o.options(rule)
	return rule
}

// domain reads the tenant's bare domain. The issuer is made of it and compared
// byte for byte, so nothing about it is put right silently.
func (o *object) domain() (string, bool) {
	domain, ok := o.required("domain")
	if !ok {
		return "", false
	}
	bare := domain
	if _, rest, ok := strings.Cut(domain, "://"); ok {
		bare = rest
	}
	bare, _, _ = strings.Cut(bare, "/")
	bare = strings.TrimSuffix(ascii.Lower(strings.Trim(bare, ascii.Space)), ".")
	switch {
	case !jwks.IsHost(bare) || strings.IndexByte(bare, '.') < 0:
		o.unfit("domain", domain, "is not a domain")
	case domain != bare:
		o.wrong("domain", domain, "is not the bare domain in lower case; write "+cutName(bare))
	default:
		return domain, true
	}
	return "", false
}

// cutName shortens a host name for a message.
func cutName(s string) string {
	if len(s) > maxQuoted {
		return s[:maxQuoted] + "…"
	}
	return s
}

// jwtRule reads an entry of jwtRules.
func (o *object) jwtRule() *placedRule {
	rule := &placedRule{Rule: Rule{Path: o.path, AnyAudience: o.switched("anyAudience")}, object: o}
	if _, ok := o.required("issuer"); ok {
		rule.Issuer, _ = o.plain("issuer")
	}
	if host, ok := strings.CutPrefix(rule.Issuer, "https://"); ok && strings.HasSuffix(host, ".auth0.com") {
		o.warn("issuer", quoteURL(rule.Issuer), "does not end in a slash; the issuer of Auth0's tokens does, and no token will match")
	}
	switch {
	case o.has("audiences") && rule.AnyAudience:
		o.fault("anyAudience", "true", "stands beside audiences; write one of them")
	case o.lacks("audiences") && !rule.AnyAudience && (!o.has("anyAudience") || o.sound("anyAudience")):
		o.fault("audiences", "", "is missing: tokens for any other API would be accepted (RFC 8725 §3.9); "+
			"name the audience, or write anyAudience: true")
	}
	rule.Audiences = o.list("audiences", wantPrintable)
	rule.Algorithms = o.algorithms()
	o.keySource(&rule.Rule)
	o.options(rule)
	return rule
}

// algorithms are the values of alg that a rule may name.
var algorithms = verify.Algorithms()

// algorithms reads the accepted values of alg (RFC 7518 §3.1).
func (o *object) algorithms() []string {
	if !o.has("algorithms") {
		return []string{verify.RS256}
	}
	return o.list("algorithms", func(alg string) string {
		want := "is not an algorithm"
		switch {
		case slices.Contains(algorithms, alg):
			if alg == "ES384" || alg == "ES512" {
				o.warn("algorithms", alg, "takes a worker many milliseconds for each new token: a few bad ones a second would slow all others")
			}
			return ""
		case names("HS256 HS384 HS512 none ", alg):
			want = "is never accepted: it proves nothing with a public key (RFC 8725 §3.1)"
		}
		return want + "; write " + either(algorithms)
	})
}

// keySource reads where the keys come from: jwks, jwksUri or, without both,
// OpenID discovery at the issuer.
func (o *object) keySource(rule *Rule) {
	if o.has("jwks") {
		if o.has("jwksUri") {
			o.fault("jwksUri", "", "stands beside jwks; write one of them")
		}
		if o.has("jwksCluster") {
			o.fault("jwksCluster", "", "stands beside jwks, for which nothing is fetched; leave it out")
		}
		o.inlineSet(rule)
		return
	}
	if o.has("jwksUri") {
		if uri, ok := o.text("jwksUri"); ok {
			o.locate(rule, "jwksUri", uri, "")
			rule.JWKSURI = uri
		}
	} else if rule.Issuer != "" && o.lacks("jwksUri") && o.lacks("jwks") {
		rule.Discovery = true
		if strings.IndexByte(rule.Issuer, '?') >= 0 {
			o.wrong("issuer", rule.Issuer, "has a query, with which there is no OpenID discovery; name jwksUri or jwks")
			return
		}
		o.locate(rule, "issuer", strings.TrimSuffix(rule.Issuer, "/")+"/.well-known/openid-configuration",
			", and without jwksUri and jwks it is where OpenID discovery begins; name jwksUri or jwks")
	}
	o.keysHost(rule)
	if cluster, ok := o.plain("jwksCluster"); ok {
		rule.Cluster = cluster
	}
}

// keysHost reads where else than at the issuer's a discovered key set may lie.
func (o *object) keysHost(rule *Rule) {
	if !rule.Discovery || !o.has("jwksHost") {
		for _, name := range []string{"jwksHost", "discoveryCluster"} {
			if o.has(name) {
				o.fault(name, "", "is for OpenID discovery with a key set on another host; leave it out or write jwksHost without jwksUri and jwks")
			}
		}
		return
	}
	host, ok := o.text("jwksHost")
	if !ok {
		return
	}
	authority, path, err := jwks.SplitURL("https://" + host)
	if err != nil || path != "/" || authority != host {
		o.unfit("jwksHost", host, "is not a host in lower case, with or without a port")
		return
	}
	rule.KeysHost, rule.DiscoveryCluster, rule.Cluster = host, rule.Cluster, istioCluster(host)
	if cluster, ok := o.plain("discoveryCluster"); ok {
		rule.DiscoveryCluster = cluster
	}
}

// locate splits an address, which the field named gave rise to.
func (o *object) locate(rule *Rule, name, url, because string) {
	authority, path, err := jwks.SplitURL(url)
	if err != nil {
		want := err.Error() + because
		if strings.HasPrefix(url, "http://") && name == "jwksUri" {
			want += "; keys that come unprotected can be replaced on the way"
		}
		o.wrong(name, o.find(name).value.Text, want)
		return
	}
	rule.Authority, rule.RequestPath, rule.Cluster = authority, path, istioCluster(authority)
}

// inlineSet reads jwks, as Istio has it (a string) or as an object. What stands
// in it is not shown: it may be a private key.
func (o *object) inlineSet(rule *Rule) {
	if !o.sound("jwks") {
		return
	}
	m := o.find("jwks")
	text := m.value.Raw
	if m.value.Kind == strictjson.String {
		text = m.value.Text
	}
	rule.InlineJWKS = []byte(strings.Trim(text, ascii.Space))
	set, skipped, err := jwks.Parse(rule.InlineJWKS, rule.Algorithms...)
	if err != nil {
		want := "cannot be used: " + err.Error()
		for _, key := range skipped[:min(len(skipped), 3)] {
			want += "; " + key.String()
		}
		o.fault("jwks", "", want)
		return
	}
	rule.InlineSet = set
	for _, key := range skipped {
		o.warn("jwks", "", "skipped "+key.String())
	}
}

// options reads what auth0 and jwtRules have in common.
func (o *object) options(rule *placedRule) {
	rule.ClockSkew, _ = o.duration("clockSkew")
	if rule.ClockSkew > 5*time.Minute {
		o.warn("clockSkew", short(rule.ClockSkew), "is long: every token is accepted for that much longer than its issuer said")
	}
	rule.ForwardOriginalToken = o.switched("forwardOriginalToken")
	rule.Locations = o.locations()
	o.outputs(rule)
}

// refuseSameIssuer refuses a second rule for an issuer: which of two would
// decide must not be a matter of order.
func refuseSameIssuer(rules []*placedRule) {
	for i, rule := range rules {
		for _, other := range rules[:i] {
			if rule.Issuer == "" || rule.Issuer != other.Issuer {
				continue
			}
			owner := other.Path + ".issuer"
			if other.Path == "auth0" {
				owner = "the issuer of auth0"
			}
			rule.object.wrong("issuer", rule.Issuer, "repeats "+owner+"; write one rule for an issuer")
			break
		}
	}
}
