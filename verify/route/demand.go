package route

import (
	"slices"

	"edgejwt/verify/strictjson"
)

// demand is what one rule asks of a request: the route, its mode, and what the
// request says in the places to which the route binds claims.
type demand struct {
	route      *Route
	report     bool
	boundTexts []string // by Requirements.ClaimMatches
}

// asksNoMoreThan reports whether every request that satisfies b satisfies d too.
// It is a partial order: of two demands, each may ask for something that the other
// does not. It looks at the demands alone, so it may miss that two sets of claims
// exclude each other; then it answers false.
//
// This is the one place that says which of two demands is the stricter one.
func (d demand) asksNoMoreThan(b demand) bool {
	if b.report && !d.report {
		return false // b lets everything pass
	}
	switch {
	case d.route.Auth == None || b.route.Auth == Deny:
		return true
	case d.route.Auth == Deny || b.route.Auth == None:
		return false
	case d.route.Auth == Required && b.route.Auth == Optional:
		return false // b lets requests without a token pass
	case b.route.AllowOpaque && !d.route.AllowOpaque:
		return false
	}
	return d.route.Requirements.asksNoMoreThan(&b.route.Requirements) && d.bindsNoMoreThan(b)
}

// asksNoMoreThan compares all but ClaimMatches.
func (n *Requirements) asksNoMoreThan(b *Requirements) bool {
	return includes(b.Scopes, n.Scopes) && oneOfAtMost(n.AnyScope, b.AnyScope, b.Scopes) &&
		includes(b.Permissions, n.Permissions) && oneOfAtMost(n.AnyPermission, b.AnyPermission, b.Permissions) &&
		oneOfAtMost(n.Issuers, b.Issuers, nil) && oneOfAtMost(n.Audiences, b.Audiences, nil) &&
		oneOfAtMost(n.Subjects, b.Subjects, nil) && oneOfAtMost(n.Clients, b.Clients, nil) &&
		oneOfAtMost(n.TokenTypes, b.TokenTypes, nil) &&
		(n.MaxAge == 0 || b.MaxAge != 0 && b.MaxAge <= n.MaxAge) &&
		(n.MaxLifetime == 0 || b.MaxLifetime != 0 && b.MaxLifetime <= n.MaxLifetime) &&
		n.claimsAtMost(b)
}

// claimsAtMost compares Claims and RequiredClaims. A claim with one of some values
// is there, and is not null.
func (n *Requirements) claimsAtMost(b *Requirements) bool {
	for _, name := range n.RequiredClaims {
		if !slices.ContainsFunc(b.RequiredClaims, func(other []string) bool { return slices.Equal(name, other) }) &&
			!slices.ContainsFunc(b.Claims, func(other Claim) bool { return slices.Equal(name, other.Name) }) {
			return false
		}
	}
	for i := range n.Claims {
		c := &n.Claims[i]
		if !slices.ContainsFunc(b.Claims, func(other Claim) bool {
			return slices.Equal(c.Name, other.Name) && c.SpaceDelimited == other.SpaceDelimited && !slices.ContainsFunc(other.Values, func(value strictjson.Value) bool {
				return !slices.ContainsFunc(c.Values, func(mine strictjson.Value) bool { return equal(&mine, &value) })
			})
		}) {
			return false
		}
	}
	return true
}

// bindsNoMoreThan reports whether b binds every claim that d binds, to the same
// text of this request.
func (d demand) bindsNoMoreThan(b demand) bool {
	for i := range d.route.Requirements.ClaimMatches {
		found := false
		for j := range b.route.Requirements.ClaimMatches {
			found = found || d.boundTexts[i] == b.boundTexts[j] &&
				slices.Equal(d.route.Requirements.ClaimMatches[i].Claim, b.route.Requirements.ClaimMatches[j].Claim)
		}
		if !found {
			return false
		}
	}
	return true
}

// includes reports whether every text of some is in all.
func includes(all, some []string) bool {
	for _, text := range some {
		if !slices.Contains(all, text) {
			return false
		}
	}
	return true
}

// oneOfAtMost compares two demands for one of some texts; none means that nothing
// is asked. every are texts of which the second demand asks every one.
func oneOfAtMost(any, theirs, every []string) bool {
	if len(any) == 0 || len(theirs) > 0 && includes(any, theirs) {
		return true
	}
	return slices.ContainsFunc(every, func(text string) bool { return slices.Contains(any, text) })
}
