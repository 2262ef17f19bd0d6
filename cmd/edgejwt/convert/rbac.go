package convert

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	configv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
)

// rbac converts Envoy's RBAC filter; nil when it refuses nothing.
func (c *conversion) rbac(m *rbacv3.RBAC) chain {
	if m.GetShadowRules() != nil || m.GetShadowMatcher() != nil {
		c.note("The RBAC filter's shadow rules are left out: they only count.")
	}
	if m.GetMatcher() != nil {
		c.problem("an RBAC filter with matcher; convert knows rules")
		return nil
	}
	if m.GetRules() == nil {
		return nil
	}
	action := m.GetRules().GetAction()
	if action == configv3.RBAC_LOG {
		c.note("An RBAC filter with action LOG is left out: it only tells others.")
		return nil
	}
	start := need{auth: never}
	if action == configv3.RBAC_DENY {
		start = need{}
	}
	all := always(start)
	for _, name := range slices.Sorted(maps.Keys(m.GetRules().GetPolicies())) {
		policy := m.GetRules().GetPolicies()[name]
		title := fmt.Sprintf("RBAC policy %s", name)
		t := test{op: allOf, subs: []test{c.permissions(policy.GetPermissions()), c.principals(policy.GetPrincipals())}}
		if policy.GetCondition() != nil || policy.GetCheckedCondition() != nil {
			t.subs = append(t.subs, other("a CEL expression"))
		}
		var one chain
		var lost []string
		var err error
		if action == configv3.RBAC_DENY {
			if one, lost, err = t.deny(title); err == nil {
				all, err = all.and(one)
			}
		} else if one, lost, err = t.allow(title); err == nil {
			all, err = all.or(one)
		}
		if err != nil {
			c.problem("%s: %v", title, err)
			return nil
		}
		for _, what := range lost {
			c.note("Stricter here: %s: %s.", title, what)
		}
	}
	return all
}

func (c *conversion) permissions(list []*configv3.Permission) test {
	var tests []test
	for _, p := range list {
		tests = append(tests, c.permission(p))
	}
	return anyOf(tests...)
}

func (c *conversion) permission(p *configv3.Permission) test {
	switch by := p.GetRule().(type) {
	case *configv3.Permission_Any:
		return test{}
	case *configv3.Permission_AndRules:
		var t test
		for _, sub := range by.AndRules.GetRules() {
			t.subs = append(t.subs, c.permission(sub))
		}
		return t
	case *configv3.Permission_OrRules:
		return c.permissions(by.OrRules.GetRules())
	case *configv3.Permission_NotRule:
		return test{op: not, subs: []test{c.permission(by.NotRule)}}
	case *configv3.Permission_Header:
		return headerMatch(by.Header)
	case *configv3.Permission_UrlPath:
		return pathTest(by.UrlPath)
	case *configv3.Permission_Metadata:
		//lint:ignore SA1019 configurations in use have it.
		return c.metadata(by.Metadata)
	case *configv3.Permission_SourcedMetadata:
		return other("metadata of the route")
	case *configv3.Permission_DestinationIp, *configv3.Permission_DestinationPort, *configv3.Permission_DestinationPortRange:
		return other("the destination's address")
	case *configv3.Permission_RequestedServerName:
		return other("the name in the TLS handshake")
	}
	return other("a matcher that edgejwt does not have")
}

func (c *conversion) principals(list []*configv3.Principal) test {
	var tests []test
	for _, p := range list {
		tests = append(tests, c.principal(p))
	}
	return anyOf(tests...)
}

func (c *conversion) principal(p *configv3.Principal) test {
	switch by := p.GetIdentifier().(type) {
	case *configv3.Principal_Any:
		return test{}
	case *configv3.Principal_AndIds:
		var t test
		for _, sub := range by.AndIds.GetIds() {
			t.subs = append(t.subs, c.principal(sub))
		}
		return t
	case *configv3.Principal_OrIds:
		return c.principals(by.OrIds.GetIds())
	case *configv3.Principal_NotId:
		return test{op: not, subs: []test{c.principal(by.NotId)}}
	case *configv3.Principal_Header:
		return headerMatch(by.Header)
	case *configv3.Principal_UrlPath:
		return pathTest(by.UrlPath)
	case *configv3.Principal_Metadata:
		//lint:ignore SA1019 configurations in use have it.
		return c.metadata(by.Metadata)
	case *configv3.Principal_Authenticated_:
		return other("the client's certificate")
	case *configv3.Principal_SourceIp, *configv3.Principal_DirectRemoteIp, *configv3.Principal_RemoteIp:
		return other("the client's address")
	}
	return other("a matcher that edgejwt does not have")
}

func pathTest(m *matcherv3.PathMatcher) test {
	p, err := pathMatch(m.GetPath())
	if err != nil {
		return other(err.Error())
	}
	return request(cond{path: p})
}

// metadata reads a matcher of what jwt_authn left of a token.
func (c *conversion) metadata(m *matcherv3.MetadataMatcher) test {
	if m.GetFilter() != "envoy.filters.http.jwt_authn" {
		return other("metadata of " + m.GetFilter())
	}
	var keys []string
	for _, segment := range m.GetPath() {
		keys = append(keys, segment.GetKey())
	}
	var base need
	var writers []*provider
	for _, p := range c.byMetadata {
		if len(keys) > 1 && p.metadata == keys[0] {
			base.issuers = union(base.issuers, []string{p.issuer})
			writers = append(writers, p)
		}
	}
	if base.issuers == nil || m.GetInvert() && m.GetValue() == nil {
		return other("metadata that no provider writes")
	}
	if len(base.issuers) == len(c.providers) {
		base.issuers = nil
	}
	t := c.claim(base, keys[1:], m.GetValue(), splits(keys[1:], writers))
	if m.GetInvert() {
		t = test{op: not, subs: []test{t}}
	}
	return t
}

// splitting says whether a claim's text is split at its spaces before RBAC sees it:
// by every provider from which it may be, or by some.
type splitting struct{ always, sometimes bool }

// splits says that of a claim in the tokens of the providers.
func splits(way []string, providers []*provider) splitting {
	s := splitting{always: true}
	for _, p := range providers {
		is := len(way) == 1 && slices.Contains(p.spaced, way[0])
		s.always, s.sometimes = s.always && is, s.sometimes || is
	}
	return s
}

// textClaim asks for one of the texts in a claim, or in a list that the source has
// made of its words. What cannot be asked for is cannot.
func (c *conversion) textClaim(base need, way, texts []string, split splitting, cannot test) test {
	if split.sometimes && !split.always {
		// Where it is split, no word has a space, and here the whole text would do.
		if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, " ") }) {
			return cannot
		}
		c.note("Stricter here: the claim %s is split at its spaces in the tokens of some issuers; here it is split in none.", way[0])
	}
	if split.always {
		c.note("A condition on the claim %s is one on its words, which spaces part (spaceDelimited), and on no other claim. "+
			"Where scp may count as scope does, scopes and anyScope say it shorter, and tell the client which scope it lacks.", way[0])
	}
	var values []string
	for _, text := range texts {
		values = append(values, quoted(text))
	}
	base.claims = []claim{{way: way, values: values, words: split.always}}
	return token(base)
}

// claim reads a matcher of one claim.
func (c *conversion) claim(base need, way []string, m *matcherv3.ValueMatcher, split splitting) test {
	single := true
	cannot := other("a matcher of the claim " + way[0] + " that edgejwt does not have")
	value := ""
	switch by := m.GetMatchPattern().(type) {
	case *matcherv3.ValueMatcher_OrMatch:
		var tests []test
		for _, sub := range by.OrMatch.GetValueMatchers() {
			tests = append(tests, c.claim(base, way, sub, split))
		}
		return anyOf(tests...)
	case *matcherv3.ValueMatcher_PresentMatch:
		base.required = [][]string{way}
		if by.PresentMatch {
			return token(base)
		}
		return test{op: not, subs: []test{token(base)}}
	case *matcherv3.ValueMatcher_BoolMatch:
		value = strconv.FormatBool(by.BoolMatch)
	case *matcherv3.ValueMatcher_StringMatch:
		found := texts(by.StringMatch)
		if found == nil || split.sometimes { // then it is a list, and no string
			return cannot
		}
		c.shape(way, "one value")
		t := c.textClaim(base, way, found, split, cannot)
		t.need.claims[0].single = true
		return t
	case *matcherv3.ValueMatcher_ListMatch:
		of := by.ListMatch.GetOneOf()
		if text := of.GetStringMatch(); text != nil {
			found := texts(text)
			if found == nil {
				return cannot
			}
			if !split.always {
				c.shape(way, "a list")
			}
			return c.textClaim(base, way, found, split, cannot)
		}
		number := of.GetDoubleMatch()
		if _, is := of.GetMatchPattern().(*matcherv3.ValueMatcher_DoubleMatch); !is || number.GetRange() != nil {
			return cannot
		}
		c.shape(way, "a list")
		single = false
		value = strconv.FormatFloat(number.GetExact(), 'f', -1, 64)
	case *matcherv3.ValueMatcher_DoubleMatch:
		if by.DoubleMatch.GetRange() != nil {
			return cannot
		}
		c.shape(way, "one value")
		value = strconv.FormatFloat(by.DoubleMatch.GetExact(), 'f', -1, 64)
	default:
		return cannot
	}
	base.claims = []claim{{way: way, values: []string{value}, single: single}}
	return token(base)
}

// shape notes that edgejwt does not tell a claim that is a value from one that is
// a list with that value.
func (c *conversion) shape(way []string, shape string) {
	c.note("The claim %s had to be %s; edgejwt takes a claim that is the value and one that is a list with it.", way[len(way)-1], shape)
}
