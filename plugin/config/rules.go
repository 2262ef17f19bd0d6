package config

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"edgejwt/jwks"
	"edgejwt/verify"
	"edgejwt/verify/ascii"
	"edgejwt/verify/strictjson"
)

// parsedRule is a rule with the objects that it was read from, for faults of several rules.
type parsedRule struct {
	Rule
	object  *object
	outputs []*object // of outputClaimToHeaders, by the index in Rule.OutputClaimToHeaders
}

// rules reads auth0 and jwtRules.
func (o *object) rules() (rules []*parsedRule) {
	if tenant := o.child("auth0"); tenant != nil {
		rules = append(rules, tenant.auth0Rule())
	}
	for _, entry := range o.children("jwtRules") {
		rules = append(rules, entry.jwtRule())
	}
	switch {
	case len(rules) > MaxRules:
		most := strconv.Itoa(MaxRules)
		o.fault("jwtRules", most+" entries", "and auth0 are more than "+most+" issuers")
	case o.lacks("auth0") && (o.lacks("jwtRules") || o.sound("jwtRules") && o.count("jwtRules") == 0):
		o.fault("", "", "names no issuer; write auth0 (with domain and audience) or an entry of jwtRules")
	}
	refuseSameIssuer(rules)
	refuseLostTokens(rules)
	refuseOverlaps(rules)
	return rules
}

// auth0Rule reads auth0. Issuer and key set are derived from the domain.
func (o *object) auth0Rule() *parsedRule {
	rule := &parsedRule{Rule: Rule{Path: o.path}, object: o}
	if domain, ok := o.domain(); ok {
		rule.Issuer = "https://" + domain + "/"
		rule.JWKSURI = rule.Issuer + ".well-known/jwks.json"
		rule.Authority, rule.RequestPath = domain, "/.well-known/jwks.json"
		rule.Cluster = istioCluster("https", domain)
	}
	if cluster, ok := o.printable("cluster"); ok {
		rule.Cluster = cluster
	}
	if o.lacks("audience") {
		o.fault("audience", "", "is missing: a token for any other API of the tenant would be accepted (RFC 8725 §3.9); "+
			"write the API's identifier (example: https://api.example.com)")
	}
	rule.Audiences = o.printableList("audience")
	rule.Algorithms = o.algorithms()
	o.options(rule)
	return rule
}

// domain reads the tenant's domain. The issuer is made of it and compared byte for byte, so
// another spelling is refused and not corrected.
func (o *object) domain() (domain string, ok bool) {
	domain, ok = o.required("domain")
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
	case !jwks.IsHost(bare) || !strings.Contains(bare, "."):
		o.unfit("domain", domain, "is not a domain")
	case domain != bare:
		if len(bare) > maxQuoted {
			bare = bare[:maxQuoted] + "…"
		}
		o.wrong("domain", domain, "is not the bare domain in lower case; write "+bare)
	default:
		return domain, true
	}
	return "", false
}

// jwtRule reads an entry of jwtRules.
func (o *object) jwtRule() *parsedRule {
	rule := &parsedRule{Rule: Rule{Path: o.path, AnyAudience: o.switched("anyAudience")}, object: o}
	if _, ok := o.required("issuer"); ok {
		rule.Issuer, _ = o.printable("issuer")
	}
	o.hintIssuer(rule.Issuer)
	switch {
	case o.has("audiences") && rule.AnyAudience:
		o.fault("anyAudience", "true", "stands beside audiences; write one of them")
	case o.lacks("audiences") && !rule.AnyAudience && (!o.has("anyAudience") || o.sound("anyAudience")):
		o.fault("audiences", "", "is missing: tokens for any other API would be accepted (RFC 8725 §3.9); "+
			"name the audience, or write anyAudience: true")
	}
	rule.Audiences = o.printableList("audiences")
	rule.Algorithms = o.algorithms()
	o.keySource(&rule.Rule)
	o.options(rule)
	return rule
}

// hintIssuer warns of issuers that no token will have.
func (o *object) hintIssuer(issuer string) {
	hint := func(text string) { o.warn("issuer", quoteURL(issuer), text) }
	if i := strings.IndexAny(issuer, "{}*"); i >= 0 {
		hint("has " + strconv.Quote(issuer[i:i+1]) + " in it, which stands for nothing: the issuer is compared byte for byte with iss; write one rule for each issuer")
	}
	if strings.Contains(issuer, "/.well-known/") {
		hint("is the address of a document; the issuer is what stands before /.well-known, with or without the slash: see iss in a token")
		return
	}
	bare := strings.TrimSuffix(issuer, "/")
	for _, p := range issuerSlashes {
		switch known, _ := path.Match(p.issuer, bare); {
		case known && p.slash && bare == issuer:
			hint("does not end in a slash; the issuer of " + p.provider + "'s tokens does, and no token will match")
		case known && !p.slash && bare != issuer:
			hint("ends in a slash; the issuer of " + p.provider + "'s tokens does not, and no token will match")
		}
	}
}

// issuerSlashes are patterns (path.Match) of issuers of which it is known whether a slash
// follows.
var issuerSlashes = []struct {
	issuer, provider string
	slash            bool
}{
	{"https://*.auth0.com", "Auth0", true},
	{"https://sts.windows.net/*", "Entra ID (version 1)", true},
	{"https://login.microsoftonline.com/*/v2.0", "Entra ID (version 2)", false},
	{"https://accounts.google.com", "Google", false},
	{"https://securetoken.google.com/*", "Google", false},
	{"https://cognito-idp.*.amazonaws.com/*", "Cognito", false},
	{"https://*.okta.com", "Okta", false},
	{"https://*.okta.com/oauth2/*", "Okta", false},
	{"https://*/realms/*", "Keycloak", false},
	{"https://*/auth/realms/*", "Keycloak", false},
}

// options reads what auth0 and jwtRules have in common.
func (o *object) options(rule *parsedRule) {
	rule.ClockSkew, _ = o.duration("clockSkew")
	if rule.ClockSkew > 5*time.Minute {
		o.warn("clockSkew", FormatDuration(rule.ClockSkew), "is long: every token is accepted for that much longer than its issuer said")
	}
	rule.MaxTokenBytes = o.number("maxTokenBytes")
	rule.SenderConstraint = verify.SenderConstraint(max(o.choice("senderConstraint"), 0))
	if rule.SenderConstraint == verify.Ignore {
		o.warn("senderConstraint", `"ignore"`, "accepts tokens that are bound to a key or a certificate from whoever has stolen them (RFC 9449 §7.2, RFC 8705 §3)")
	}
	rule.Keys, rule.TokenCache = o.ruleKeys(), o.ruleTokenCache()
	rule.ForwardOriginalToken = o.switched("forwardOriginalToken")
	rule.Locations = o.locations()
	o.outputs(rule)
}

// algorithms reads the accepted values of alg (RFC 7518 §3.1).
func (o *object) algorithms() []string {
	if !o.has("algorithms") {
		return []string{verify.RS256}
	}
	return o.list("algorithms", func(alg string) string {
		if slices.Contains(algorithms, alg) {
			if alg == "ES384" || alg == "ES512" {
				o.warn("algorithms", alg, "takes a worker many milliseconds for each new token: a few bad ones a second would slow all others")
			}
			return ""
		}
		complaint := "is not an algorithm"
		switch alg {
		case "HS256", "HS384", "HS512", "none":
			complaint = "is never accepted: it proves nothing with a public key (RFC 8725 §3.1)"
		}
		return complaint + "; write " + either(algorithms)
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
		if o.has("allowHttp") {
			o.fault("allowHttp", "", "stands beside jwks, for which nothing is fetched; leave it out")
		}
		o.inlineSet(rule)
		return
	}
	rule.AllowHTTP = o.switched("allowHttp")
	if o.has("jwksUri") {
		if uri, ok := o.text("jwksUri"); ok {
			o.locate(rule, "jwksUri", uri, "")
			rule.JWKSURI = uri
		}
	} else if rule.Issuer != "" && o.lacks("jwksUri") && o.lacks("jwks") {
		rule.Discovery = true
		if strings.Contains(rule.Issuer, "?") {
			o.wrong("issuer", rule.Issuer, "has a query, with which there is no OpenID discovery; name jwksUri or jwks")
			return
		}
		o.locate(rule, "issuer", strings.TrimSuffix(rule.Issuer, "/")+"/.well-known/openid-configuration",
			", and without jwksUri and jwks it is where OpenID discovery begins; name jwksUri or jwks")
	}
	o.keysHost(rule)
	if cluster, ok := o.printable("jwksCluster"); ok {
		rule.Cluster = cluster
	}
}

// keysHost reads the host, besides the issuer's, on which a discovered key set may lie.
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
	rule.KeysHost, rule.DiscoveryCluster, rule.Cluster = host, rule.Cluster, istioCluster("https", host)
	if cluster, ok := o.printable("discoveryCluster"); ok {
		rule.DiscoveryCluster = cluster
	}
}

// locate splits a URL that the field of that name contains or implies.
func (o *object) locate(rule *Rule, name, url, because string) {
	scheme, _, _ := strings.Cut(url, "://")
	authority, path, err := jwks.SplitURL(url)
	if scheme == "http" && rule.AllowHTTP {
		_, authority, path, err = jwks.SplitHTTP(url)
	}
	written := o.find(name).value.Text
	switch {
	case err != nil && scheme == "http" && !rule.AllowHTTP:
		o.wrong(name, written, err.Error()+because+"; keys that come unprotected can be replaced on the way; "+
			"for a key server on this machine or inside the mesh, write allowHttp: true")
	case err != nil:
		o.wrong(name, written, err.Error()+because)
	default:
		if host, _ := jwks.SplitAuthority(authority); scheme == "http" && !isInternal(host) {
			o.warn(name, quoteURL(written), "is http (allowHttp: true), and the host is neither this machine nor inside the mesh: "+
				"who is between the proxy and it can replace the keys, unless the cluster adds TLS")
		} else if scheme == "https" && rule.AllowHTTP && !rule.Discovery {
			o.warn("allowHttp", "true", "is not needed: jwksUri is https")
		}
		rule.Authority, rule.RequestPath, rule.Cluster = authority, path, istioCluster(scheme, authority)
	}
}

// isInternal reports whether a host is this machine, or has a name that exists only
// inside a cluster or mesh: one label, a Kubernetes service, or the top-level domain
// that is reserved for private use.
func isInternal(host string) bool {
	if host == "[::1]" || strings.HasPrefix(host, "127.") && strings.Trim(host, "0123456789.") == "" {
		return true
	}
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	return len(labels) == 1 || last == "localhost" || last == "internal" || slices.Contains(labels[1:], "svc") || strings.HasSuffix(host, ".cluster.local")
}

// istioCluster is the name that Istio gives to the cluster of an external host.
func istioCluster(scheme, authority string) string {
	host, port := jwks.SplitAuthority(authority)
	if scheme == "http" && host == authority { // no port is written
		port = "80"
	}
	if host[0] == '[' { // jwks.SplitHTTP has checked the other bracket
		host = host[1 : len(host)-1]
	}
	return "outbound|" + port + "||" + host
}

// inlineSet reads jwks, a string (as in Istio) or an object. No message has its content,
// which may be a private key.
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
		complaint := "cannot be used: " + err.Error()
		for _, key := range skipped[:min(len(skipped), 5)] {
			complaint += "; " + key.String()
		}
		o.fault("jwks", "", complaint)
		return
	}
	rule.InlineSet = set
	for _, key := range jwks.Unexpected(skipped) {
		o.warn("jwks", "", "skipped "+key.String())
	}
}

// refuseSameIssuer refuses a second rule for an issuer, because the order of two rules would
// decide which of them applies.
func refuseSameIssuer(rules []*parsedRule) {
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

// keys reads the field keys, or returns its defaults.
func (o *object) keys() Keys {
	k := o.childOrDefault("keys")
	var keys Keys
	for _, d := range keys.durations() {
		*d.value, _ = k.duration(d.name)
	}
	keys.Deny = k.denied()
	k.checkKeys(&keys)
	return keys
}

// ruleKeys reads the field keys of a rule. What it lacks is inherited from the top level.
func (o *object) ruleKeys() Keys {
	keys := o.r.keys
	k := o.child("keys")
	if k == nil {
		return keys
	}
	for _, d := range keys.durations() {
		switch {
		case !k.has(d.name):
		case o.has("jwks"):
			k.fault(d.name, "", "stands beside jwks, for which nothing is fetched; leave it out")
		default:
			*d.value, _ = k.duration(d.name)
		}
	}
	keys.Deny = slices.Clip(keys.Deny)
	for _, kid := range k.denied() {
		if !slices.Contains(keys.Deny, kid) {
			keys.Deny = append(keys.Deny, kid)
		}
	}
	k.checkKeys(&keys)
	return keys
}

// checkKeys compares the durations with each other.
func (o *object) checkKeys(keys *Keys) {
	o.ascending("cooldown", keys.Cooldown, "refresh", keys.Refresh)
	o.ascending("refresh", keys.Refresh, "maxStale", keys.MaxStale)
	if o.has("maxStale") && keys.MaxStale > 7*24*time.Hour {
		o.warn("maxStale", FormatDuration(keys.MaxStale), "is long: a key that is withdrawn while the provider cannot be reached stays valid until then")
	}
}

// ascending requires that the duration small is not longer than the duration large. The fault
// is at the field of large if it is present, otherwise at that of small. A duration is 0
// after a fault. When both are absent, they are the defaults, or those of the top level.
func (o *object) ascending(small string, least time.Duration, large string, d time.Duration) {
	path := func(name string) string {
		if o.has(name) {
			return o.pathTo(name)
		}
		return join("keys", name)
	}
	switch {
	case d >= least || d == 0:
	case o.has(large):
		o.wrong(large, o.find(large).value.Text, "is shorter than "+path(small)+" ("+FormatDuration(least)+")")
	case o.has(small):
		o.wrong(small, o.find(small).value.Text, "is longer than "+path(large)+" ("+FormatDuration(d)+")")
	}
}

// denied reads keys.deny. It may be empty and may have a kid twice, because it is edited in
// an emergency.
func (o *object) denied() []string {
	var kids []string
	for _, l := range o.texts("deny") {
		if len(l.text) > MaxKIDBytes {
			o.r.fault(l.at, l.path, quote(l.text), "is longer than "+strconv.Itoa(MaxKIDBytes)+" bytes")
		} else if !slices.Contains(kids, l.text) {
			kids = append(kids, l.text)
		}
	}
	return kids
}

// Policy returns the policy for fetching the rule's key set. It is not for a rule with an
// inline set.
func (r *Rule) Policy() jwks.Policy {
	keys := &r.Keys
	policy := jwks.Policy{
		URL:        r.JWKSURI,
		Issuer:     r.Issuer,
		AllowHTTP:  r.AllowHTTP,
		Cluster:    r.Cluster,
		Algorithms: r.Algorithms,
		Refresh:    keys.Refresh,
		MaxStale:   keys.MaxStale,
		Cooldown:   keys.Cooldown,
		Jitter:     keys.Jitter,
		Timeout:    keys.Timeout,
		Wait:       keys.Wait,
		Tick:       keys.Tick,
		Deny:       keys.Deny,
	}
	if r.KeysHost != "" {
		policy.ExtraHosts = []string{r.KeysHost}
		policy.DiscoveryCluster = r.DiscoveryCluster
	}
	return policy
}
