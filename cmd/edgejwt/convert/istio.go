package convert

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	security "istio.io/api/security/v1beta1"

	"edgejwt/cmd/edgejwt/document"
)

// istio converts RequestAuthentications and the AuthorizationPolicies beside them.
func (c *conversion) istio(documents []*document.Node) {
	var policies []*named
	where := ""
	for i, d := range documents {
		at := d.Get("metadata", "namespace").Str() + string(d.Get("spec", "selector").JSON()) +
			string(d.Get("spec", "targetRef").JSON()) + string(d.Get("spec", "targetRefs").JSON()) +
			d.Get("metadata", "labels", "istio.io/rev").Str() // only this revision of Istio reads it
		if i > 0 && at != where {
			// Together, what one allows would be allowed on the workloads of the other.
			c.problem("line %d: the resources are for different workloads (namespace, selector, targetRefs, label istio.io/rev); convert those of one workload at a time", d.Line)
			return
		}
		where = at
		title := titleOf(d)
		dry := c.annotations(d)
		switch d.Get("kind").Str() {
		case "RequestAuthentication":
			m := new(security.RequestAuthentication)
			if c.spec(d, m) {
				for _, r := range m.GetJwtRules() {
					c.jwtRule(title, r)
				}
			}
		case "AuthorizationPolicy":
			m := new(security.AuthorizationPolicy)
			if dry {
				c.note("%s is left out: it is a dry run (istio.io/dry-run), which Istio counts and does not enforce.", title)
			} else if c.spec(d, m) {
				policies = append(policies, &named{title, m})
			}
		default:
			c.problem("line %d: %s is nothing that convert knows", d.Line, title)
		}
	}
	if c.problems != nil {
		return
	}
	if len(c.providers) == 0 {
		c.problem("there is no RequestAuthentication with jwtRules: without one no token is looked at")
		return
	}
	c.note("Attach the plugin where these resources were (the same selector or targetRefs), and remove them.")
	c.note("Istio takes any algorithm that a key allows; edgejwt takes RS256 unless a rule names others (algorithms).")
	c.authorize(policies)
	if c.problems != nil {
		return
	}
	last := &c.decision[len(c.decision)-1]
	if last.need.auth == maybe {
		last.notes = append(last.notes, "a RequestAuthentication lets requests without a token pass; write auth: required to stop them")
	}
}

// titleOf names a resource for a message.
func titleOf(d *document.Node) string {
	return d.Get("kind").Str() + " " + d.Get("metadata", "name").Str()
}

// annotations reads those by which Istio takes a resource for another one: dry is
// true for a policy that is only tried. One that convert does not know may change
// what the resource says, and is a problem.
func (c *conversion) annotations(d *document.Node) (dry bool) {
	for _, a := range d.Get("metadata", "annotations").Members() {
		domain, _, _ := strings.Cut(a.Name, "/")
		switch {
		case a.Name == "istio.io/dry-run" && d.Get("kind").Str() == "AuthorizationPolicy":
			var err error
			if dry, err = strconv.ParseBool(a.Text); err != nil { // as Istio reads it
				c.problem("line %d: %s: the annotation istio.io/dry-run: %q is neither true nor false", a.Line, titleOf(d), a.Text)
			}
		case domain == "istio.io" || strings.HasSuffix(domain, ".istio.io"):
			c.problem("line %d: %s: the annotation %s is nothing that convert knows, and may change what the resource says", a.Line, titleOf(d), a.Name)
		}
	}
	return dry
}

type named struct {
	title string
	*security.AuthorizationPolicy
}

// spec reads a resource's spec strictly.
func (c *conversion) spec(d *document.Node, m proto.Message) bool {
	spec := d.Get("spec")
	if spec == nil {
		return true
	}
	if err := protojson.Unmarshal(spec.JSON(), m); err != nil {
		c.problem("line %d: %s", d.Line, strings.Join(strings.Fields(err.Error()), " "))
		return false
	}
	c.unread(m)
	return true
}

// jwtRule reads a rule of a RequestAuthentication.
func (c *conversion) jwtRule(title string, r *security.JWTRule) {
	p := &provider{
		name: title, issuer: r.GetIssuer(), audiences: r.GetAudiences(),
		jwksURI: r.GetJwksUri(), inline: r.GetJwks(),
		cookies: r.GetFromCookies(), params: r.GetFromParams(),
		timeout: r.GetTimeout().AsDuration(),
		forward: r.GetForwardOriginalToken(), payload: r.GetOutputPayloadToHeader(),
		spaced: append([]string{"scope", "permission"}, r.GetSpaceDelimitedClaims()...),
	}
	for _, h := range r.GetFromHeaders() {
		p.headers = append(p.headers, location{strings.ToLower(h.GetName()), h.GetPrefix()})
	}
	p.standard()
	for _, h := range r.GetOutputClaimToHeaders() {
		p.claims = append(p.claims, claimHeader{h.GetHeader(), c.dotted(h.GetClaim())})
	}
	for _, q := range c.providers {
		if q.issuer == p.issuer {
			c.problem("issuer %s has two rules; edgejwt has one rule for each issuer", p.issuer)
			return
		}
	}
	c.providers = append(c.providers, p)
}

// authorize converts the policies: what a DENY matches is refused; where there
// are ALLOWs, so is what none of them matches.
func (c *conversion) authorize(policies []*named) {
	c.decision = always(need{auth: maybe})
	var allowed chain
	judged := slices.ContainsFunc(policies, func(p *named) bool {
		return p.GetAction() == security.AuthorizationPolicy_ALLOW || p.GetAction() == security.AuthorizationPolicy_DENY
	})
	if judged { // Istio sets bypass_cors_preflight, and has RBAC before cors
		c.judgesBehind("a RequestAuthentication", "AuthorizationPolicy")
	}
	c.portIgnored = portsIgnored(policies)
	for _, p := range policies {
		var one chain
		var lost []string
		var err error
		t := c.rules(p)
		switch p.GetAction() {
		case security.AuthorizationPolicy_ALLOW:
			if one, lost, err = t.allow(p.title); err == nil {
				if allowed == nil {
					allowed = one
				} else {
					allowed, err = allowed.or(one)
				}
			}
		case security.AuthorizationPolicy_DENY:
			if one, lost, err = t.deny(p.title); err == nil {
				c.decision, err = c.decision.before(one)
			}
		default:
			c.note("%s is left aside (action %s): keep it.", p.title, p.GetAction())
		}
		if err != nil {
			c.problem("%s: %v", p.title, err)
			return
		}
		for _, what := range lost {
			c.note("Stricter here: %s: %s.", p.title, what)
		}
	}
	if allowed != nil {
		both, err := c.decision.before(allowed)
		if err != nil {
			c.problem("%v", err)
			return
		}
		c.decision = both
	}
}

// rules is what a policy matches: one of its rules.
func (c *conversion) rules(p *named) test {
	t := test{op: oneOfThem}
	for _, r := range p.GetRules() {
		one := test{}
		if len(r.GetFrom()) > 0 {
			from := test{op: oneOfThem}
			for _, f := range r.GetFrom() {
				from.subs = append(from.subs, c.source(f.GetSource()))
			}
			one.subs = append(one.subs, from)
		}
		if len(r.GetTo()) > 0 {
			to := test{op: oneOfThem}
			for _, o := range r.GetTo() {
				to.subs = append(to.subs, c.operation(o.GetOperation()))
			}
			one.subs = append(one.subs, to)
		}
		for _, w := range r.GetWhen() {
			one.subs = append(one.subs, c.when(w))
		}
		t.subs = append(t.subs, one)
	}
	return t
}

// both is what a list of values and one of notValues say together.
func both(values, notValues []string, read func(value string) test) test {
	t := test{}
	if len(values) > 0 {
		var tests []test
		for _, v := range values {
			tests = append(tests, read(v))
		}
		t.subs = append(t.subs, anyOf(tests...))
	}
	if len(notValues) > 0 {
		var tests []test
		for _, v := range notValues {
			tests = append(tests, read(v))
		}
		t.subs = append(t.subs, test{op: not, subs: []test{anyOf(tests...)}})
	}
	return t
}

func (c *conversion) source(s *security.Source) test {
	t := both(s.GetRequestPrincipals(), s.GetNotRequestPrincipals(), c.requestPrincipal)
	for _, field := range []struct {
		name   string
		values [][]string
	}{
		{"principals", [][]string{s.GetPrincipals(), s.GetNotPrincipals()}},
		{"namespaces", [][]string{s.GetNamespaces(), s.GetNotNamespaces()}},
		{"serviceAccounts", [][]string{s.GetServiceAccounts(), s.GetNotServiceAccounts()}},
		{"trustDomains", [][]string{s.GetTrustDomains(), s.GetNotTrustDomains()}},
		{"ipBlocks", [][]string{s.GetIpBlocks(), s.GetNotIpBlocks()}},
		{"remoteIpBlocks", [][]string{s.GetRemoteIpBlocks(), s.GetNotRemoteIpBlocks()}},
	} {
		if len(field.values[0])+len(field.values[1]) > 0 {
			t.subs = append(t.subs, other("the source's "+field.name))
		}
	}
	return t
}

// requestPrincipal is iss, a slash and sub, of which a star may stand at one end.
// Istio parts the two at the last slash.
func (c *conversion) requestPrincipal(value string) test {
	iss, sub := value, ""
	cut := strings.LastIndexByte(value, '/')
	if cut >= 0 {
		iss, sub = value[:cut], value[cut+1:]
	}
	n := need{required: [][]string{{"sub"}}}
	prefix, open := strings.CutSuffix(value, "*")
	switch {
	case value == "*":
		return token(n)
	case strings.HasPrefix(value, "*"):
		if cut >= 0 && iss == "*" {
			return token(need{subjects: []string{sub}})
		}
		return other("requestPrincipals " + value)
	case open && cut < 0:
		for _, p := range c.providers {
			if strings.HasPrefix(p.issuer, prefix) {
				n.issuers = append(n.issuers, p.issuer)
			}
		}
		if n.issuers == nil {
			n.issuers = []string{nobody}
			c.note("requestPrincipals %s: no rule has an issuer that begins so, so no token is of it.", value)
		}
		return token(n)
	}
	if !slices.ContainsFunc(c.providers, func(p *provider) bool { return p.issuer == iss }) {
		if slices.ContainsFunc(c.providers, func(p *provider) bool { return strings.HasPrefix(value, p.issuer+"/") }) {
			// Istio before 1.21 compared the text as a whole.
			return other(fmt.Sprintf("requestPrincipals %s (a subject with a slash in it, or, for Istio from 1.21 on, the issuer %s)", value, iss))
		}
		c.note("requestPrincipals %s: no rule has the issuer %s, so no token is of it.", value, iss)
	}
	switch {
	case open && sub == "*":
		n.issuers = []string{iss}
		return token(n)
	case open:
		return other("requestPrincipals " + value)
	}
	return token(need{issuers: []string{iss}, subjects: []string{sub}})
}

// istioClaim is a value of a claim. A text with a star at one end is not looked at.
func (c *conversion) istioClaim(way []string, value string) test {
	cannot := cannot("claim "+strings.Join(way, "."), value)
	switch {
	case value == "*":
		return token(need{required: [][]string{way}})
	case strings.HasPrefix(value, "*") || strings.HasSuffix(value, "*"):
		return cannot
	}
	return c.textClaim(need{}, way, []string{value}, splits(way, c.providers), cannot)
}

// cannot is for what a policy has and edgejwt does not look at.
func cannot(field, value string) test { return other(fmt.Sprintf("%s %s", field, value)) }
