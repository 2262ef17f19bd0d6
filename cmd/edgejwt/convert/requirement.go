package convert

import (
	jwtv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/jwt_authn/v3"
)

// alternatives are what a requirement takes.
type alternatives struct {
	nothing bool  // no token is asked for and none is looked at
	missing bool  // a request without a token will do
	anyone  bool  // without uses: a token of every provider will do
	uses    []use // a token of one of these will do
	notes   []string
}

// use is a provider, and the audiences that are asked for; nil: any.
type use struct {
	provider  *provider
	audiences []string
}

const (
	badPasses = "stricter here: a bad token passed before (allow_missing_or_failed) and is refused now; one that is not there still passes"
	unchecked = "stricter here: tokens were read without being checked (extract_only_without_validation); now a bad one is refused"
)

// requirement reads what one of the rules asks; ok is false after a problem.
func (a *authn) requirement(r *jwtv3.RequirementRule) (all *alternatives, ok bool) {
	var m *jwtv3.JwtRequirement
	switch by := r.GetRequirementType().(type) {
	case nil:
		return &alternatives{nothing: true}, true
	case *jwtv3.RequirementRule_Requires:
		m = by.Requires
	case *jwtv3.RequirementRule_RequirementName:
		m = a.message.GetRequirementMap()[by.RequirementName]
		if m == nil {
			a.problem("requirement_map has no %s", by.RequirementName)
			return nil, false
		}
	}
	all = new(alternatives)
	if m.GetRequiresType() == nil {
		all.nothing = true
		return all, true
	}
	if !a.collect(m, all) {
		return nil, false
	}
	if all.uses == nil && !all.missing {
		a.problem("a rule takes only requests with several valid tokens (requires_all), of which edgejwt takes one")
		return nil, false
	}
	return all, true
}

// collect adds what a requirement takes.
func (a *authn) collect(m *jwtv3.JwtRequirement, all *alternatives) bool {
	switch by := m.GetRequiresType().(type) {
	case *jwtv3.JwtRequirement_ProviderName:
		return a.use(by.ProviderName, nil, all)
	case *jwtv3.JwtRequirement_ProviderAndAudiences:
		return a.use(by.ProviderAndAudiences.GetProviderName(), by.ProviderAndAudiences.GetAudiences(), all)
	case *jwtv3.JwtRequirement_RequiresAny:
		for _, sub := range by.RequiresAny.GetRequirements() {
			if !a.collect(sub, all) {
				return false
			}
		}
		return true
	case *jwtv3.JwtRequirement_RequiresAll:
		return a.collectAll(by.RequiresAll.GetRequirements(), all)
	case *jwtv3.JwtRequirement_AllowMissing:
		all.missing, all.anyone = true, true
		return true
	case *jwtv3.JwtRequirement_AllowMissingOrFailed:
		all.missing, all.anyone = true, true
		all.notes = union(all.notes, []string{badPasses})
		return true
	case *jwtv3.JwtRequirement_ExtractOnlyWithoutValidation:
		all.missing, all.anyone = true, true
		all.notes = union(all.notes, []string{unchecked})
		return true
	}
	a.problem("a requirement of a kind that convert does not know")
	return false
}

// collectAll adds what satisfies every one of several requirements: what they
// have in common, because edgejwt takes one token.
func (a *authn) collectAll(subs []*jwtv3.JwtRequirement, all *alternatives) bool {
	var common *alternatives
	for _, sub := range subs {
		one := new(alternatives)
		if !a.collect(sub, one) {
			return false
		}
		if common == nil {
			common = one
			continue
		}
		both := &alternatives{
			missing: common.missing && one.missing, anyone: common.anyone && one.anyone, notes: union(common.notes, one.notes),
		}
		switch {
		case common.uses == nil && common.anyone:
			both.uses = one.uses
		case one.uses == nil && one.anyone:
			both.uses = common.uses
		default:
			for _, u := range common.uses {
				for _, v := range one.uses {
					if u.provider != v.provider {
						continue
					}
					if audiences, ok := meetLists(u.audiences, v.audiences); ok {
						both.uses = append(both.uses, use{u.provider, audiences})
					}
				}
			}
		}
		common = both
	}
	if common == nil {
		return true
	}
	if common.uses == nil && !common.missing {
		all.notes = union(all.notes, []string{"stricter here: what needs several tokens at once (requires_all) is refused"})
		return true
	}
	all.missing, all.anyone = all.missing || common.missing, all.anyone || common.anyone
	all.uses = append(all.uses, common.uses...)
	all.notes = union(all.notes, common.notes)
	return true
}

func (a *authn) use(name string, audiences []string, all *alternatives) bool {
	p := a.byName[name]
	if p == nil {
		a.problem("there is no provider %s", name)
		return false
	}
	if audiences == nil {
		audiences = p.audiences
	} else {
		p.wanted = union(p.wanted, audiences)
	}
	all.uses = append(all.uses, use{p, audiences})
	return true
}
