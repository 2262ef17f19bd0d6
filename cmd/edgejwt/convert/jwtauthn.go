package convert

import (
	"maps"
	"slices"
	"strings"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	jwtv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/jwt_authn/v3"
)

// jwtAuthn converts Envoy's filter into providers and a chain.
func (c *conversion) jwtAuthn(m *jwtv3.JwtAuthentication) {
	a := &authn{conversion: c, message: m, byName: map[string]*provider{}}
	for _, name := range slices.Sorted(maps.Keys(m.GetProviders())) {
		a.byName[name] = a.provider(name, m.GetProviders()[name])
	}
	if m.GetFilterStateRules() != nil {
		c.problem("filter_state_rules: which requirement applies is said by another filter, which edgejwt does not ask")
	}
	c.judges = !m.GetBypassCorsPreflight()
	var requirements []*alternatives
	var rules []*jwtv3.RequirementRule
	for _, r := range m.GetRules() {
		requirement, ok := a.requirement(r)
		if !ok {
			continue
		}
		requirements = append(requirements, requirement)
		rules = append(rules, r)
	}
	if c.problems != nil {
		return
	}
	a.merge()
	if c.problems != nil {
		return
	}
	needs := make([]need, len(rules))
	for i, r := range requirements {
		needs[i] = a.need(r)
	}
	for i, r := range rules {
		a.rule(r, requirements[i], needs, i)
	}
	if c.problems != nil {
		return
	}
	c.decision = append(c.decision, rule{notes: []string{"jwt_authn lets everything pass that matches none of its rules, and so does this route. " +
		"Remove it, and what matches no route needs a valid token."}})
	c.decision = c.decision.pruned()
	c.note("jwt_authn takes any algorithm that a key allows; edgejwt takes RS256 unless a rule names others (algorithms).")
}

type authn struct {
	*conversion
	message *jwtv3.JwtAuthentication
	byName  map[string]*provider
	// merged holds for each issuer the provider that stands for all of its.
	merged map[string]*provider
}

func (a *authn) provider(name string, m *jwtv3.JwtProvider) *provider {
	p := &provider{
		name: name, issuer: m.GetIssuer(), audiences: m.GetAudiences(),
		cookies: m.GetFromCookies(), params: m.GetFromParams(),
		forward: m.GetForward(), payload: m.GetForwardPayloadHeader(), padded: m.GetPadForwardPayloadHeader(),
		skew: time.Duration(m.GetClockSkewSeconds()) * time.Second, lifetime: m.GetMaxLifetime().AsDuration(),
		metadata: m.GetPayloadInMetadata(), spaced: m.GetNormalizePayloadInMetadata().GetSpaceDelimitedClaims(),
	}
	if p.issuer == "" {
		a.problem("provider %s names no issuer and takes tokens of everyone whose key it has; name the issuer", name)
	}
	for _, h := range m.GetFromHeaders() {
		p.headers = append(p.headers, location{strings.ToLower(h.GetName()), h.GetValuePrefix()})
	}
	p.standard()
	for _, h := range m.GetClaimToHeaders() {
		way := a.dotted(h.GetClaimName())
		if h.GetClaimPath() != nil {
			way = nil
			for _, s := range h.GetClaimPath() {
				way = append(way, s.GetKey())
			}
		}
		p.claims = append(p.claims, claimHeader{h.GetHeaderName(), way})
	}
	if m.GetSubjects() != nil {
		if p.subjects = texts(m.GetSubjects()); p.subjects == nil {
			a.problem("provider %s: subjects that are not listed one by one", name)
		}
	}
	for _, field := range [][2]string{{"header_in_metadata", m.GetHeaderInMetadata()}, {"failed_status_in_metadata", m.GetFailedStatusInMetadata()}} {
		if field[1] != "" {
			a.note("Provider %s: %s is not carried over; what reads it finds nothing.", name, field[0])
		}
	}
	if p.metadata != "" {
		a.note("payload_in_metadata is not carried over. What still reads it (RBAC, ext_authz, the access log) finds nothing, " +
			"and a policy that DENIES by a claim denies no more: convert RBAC filters with this one.")
	}
	a.clear = a.clear || m.GetClearRouteCache()
	a.keys(p, m)
	return p
}

// keys reads where the provider's keys come from.
func (a *authn) keys(p *provider, m *jwtv3.JwtProvider) {
	if remote := m.GetRemoteJwks(); remote != nil {
		p.jwksURI, p.cluster = remote.GetHttpUri().GetUri(), remote.GetHttpUri().GetCluster()
		p.timeout = remote.GetHttpUri().GetTimeout().AsDuration()
		p.refresh = 10 * time.Minute // jwt_authn's default
		if remote.GetCacheDuration() != nil {
			p.refresh = remote.GetCacheDuration().AsDuration()
		}
		return
	}
	switch by := m.GetLocalJwks().GetSpecifier().(type) {
	case *corev3.DataSource_InlineString:
		p.inline = by.InlineString
	case *corev3.DataSource_InlineBytes:
		p.inline = string(by.InlineBytes)
	case *corev3.DataSource_Filename:
		raw, err := readFile(by.Filename)
		if err != nil {
			a.problem("provider %s: the key set's file cannot be read: %v", p.name, err)
			return
		}
		p.inline = string(raw)
		a.note("Provider %s: the key set was read from its file and stands here; edgejwt does not watch the file.", p.name)
	default:
		a.problem("provider %s: a key set that stands neither at an address nor here nor in a file", p.name)
	}
}

// merge makes one rule of the providers with one issuer, and keeps those that a
// requirement names.
func (a *authn) merge() {
	a.merged = map[string]*provider{}
	for _, name := range slices.Sorted(maps.Keys(a.byName)) {
		p := a.byName[name]
		a.byMetadata = append(a.byMetadata, p)
		first := a.merged[p.issuer]
		if first == nil {
			copied := *p
			a.merged[p.issuer] = &copied
			a.providers = append(a.providers, &copied)
			continue
		}
		if err := first.join(p); err != nil {
			a.problem("%v", err)
		}
	}
}

// rule adds one of the rules to the chain.
func (a *authn) rule(r *jwtv3.RequirementRule, requirement *alternatives, needs []need, i int) {
	n := needs[i]
	c, lacks, err := routeMatch(r.GetMatch())
	if (err != nil || lacks != nil) && a.guarded {
		// Where jwt_authn looks at no token, RBAC finds no claims and refuses what needs
		// them: such requests must not come to a rule that looks at one.
		a.problem("rule %d has a condition that edgejwt does not have, and an RBAC filter behind", i+1)
		return
	}
	switch {
	case err != nil && n.auth == open:
		a.note("Stricter here: rule %d, which asks for no token, is left out: it has %v.", i+1, err)
		return
	case err != nil:
		a.problem("rule %d has %v", i+1, err)
		return
	case lacks != nil && n.auth == open:
		a.note("Stricter here: rule %d, which asks for no token, is left out, because edgejwt does not look at %s.", i+1, strings.Join(lacks, " and "))
		return
	}
	notes := requirement.notes
	if lacks != nil {
		// Without the condition it applies to more, which later rules would judge.
		for _, later := range needs[i+1:] {
			if !n.implies(later) {
				a.problem("rule %d has %s, at which edgejwt does not look, and without it a later rule would lose requests for which it asks more", i+1, strings.Join(lacks, " and "))
				return
			}
		}
		notes = append(slices.Clip(notes), "stricter here: also without "+strings.Join(lacks, " and "))
	}
	a.decision = append(a.decision, rule{c, n, notes})
}

// need is what a requirement asks.
func (a *authn) need(r *alternatives) need {
	if r.nothing {
		return need{}
	}
	n := need{auth: must}
	if r.missing {
		n.auth = maybe
	}
	uses := r.uses
	switch {
	case uses == nil && r.anyone: // allow_missing alone
		for _, name := range slices.Sorted(maps.Keys(a.byName)) {
			uses = append(uses, use{a.byName[name], a.byName[name].audiences})
		}
	case uses == nil:
		n.issuers = []string{nobody}
		return n
	}
	uses, n.audiences = a.narrow(r, uses)
	for _, u := range uses {
		n.issuers = union(n.issuers, []string{u.provider.issuer})
	}
	if len(n.issuers) == len(a.providers) {
		n.issuers = nil
	}
	for i, u := range uses {
		if l := u.provider.lifetime; l != 0 && (n.maxLifetime == 0 || l < n.maxLifetime) {
			n.maxLifetime = l
		}
		if i > 0 && !slices.Equal(n.subjects, u.provider.subjects) {
			a.problem("a requirement names providers whose subjects differ")
		}
		n.subjects = u.provider.subjects
	}
	return n
}

// narrow gives the audiences that the route must ask for because the rules of its
// issuers take more, nil when they do not; and what of the uses that leaves.
func (a *authn) narrow(r *alternatives, uses []use) ([]use, []string) {
	wanted := map[string][]string{} // by issuer; nil: any
	for _, u := range uses {
		have, known := wanted[u.provider.issuer]
		if u.audiences == nil || known && have == nil {
			wanted[u.provider.issuer] = nil
		} else {
			wanted[u.provider.issuer] = union(have, u.audiences)
		}
	}
	// A token may be for several audiences, so those of one issuer must not do for
	// another: what is asked for must be wanted of each.
	var common []string
	some := true
	var wide []use
	for _, u := range uses {
		w, takes := wanted[u.provider.issuer], a.merged[u.provider.issuer].takes()
		if w == nil || takes != nil && listCovers(w, takes) {
			wide = append(wide, u)
		}
		if some {
			common, some = meetLists(common, w)
		}
	}
	switch {
	case len(wide) == len(uses):
		return uses, nil
	case some:
		if len(wanted) > 1 {
			r.notes = union(r.notes, []string{"stricter here: the audiences are those that do for every one of the issuers"})
		}
		return uses, common
	}
	r.notes = union(r.notes, []string{"stricter here: each issuer has audiences of its own, which one route cannot say; some issuers are left out"})
	if wide != nil {
		return wide, nil
	}
	only := slices.DeleteFunc(slices.Clone(uses), func(u use) bool { return u.provider.issuer != uses[0].provider.issuer })
	return only, wanted[uses[0].provider.issuer]
}
