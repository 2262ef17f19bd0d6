package convert

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A test is a condition of an authorization policy, with and, or and not.
type test struct {
	op   op
	subs []test
	cond cond   // of onRequest
	need need   // of onToken
	what string // of onOther: what edgejwt does not look at
}

type op uint8

const (
	allOf op = iota // also of nothing: holds
	oneOfThem
	not // subs[0]
	onRequest
	onToken
	onOther
)

func request(c cond) test { return test{op: onRequest, cond: c} }
func token(n need) test   { n.auth = must; return test{op: onToken, need: n} }
func other(what string) test {
	return test{op: onOther, what: what}
}

// anyOf is what holds where one of the tests does. Those that add up to one test
// become one, so that there are fewer to multiply out.
func anyOf(tests ...test) test {
	var list []test
	for _, t := range tests {
		if t.op == oneOfThem {
			t = anyOf(t.subs...)
			if t.op == oneOfThem {
				list = append(list, t.subs...)
				continue
			}
		}
		at := slices.IndexFunc(list, func(u test) bool { _, ok := u.join(t); return ok })
		if at < 0 {
			list = append(list, t)
			continue
		}
		list[at], _ = list[at].join(t)
	}
	if len(list) == 1 {
		return list[0]
	}
	return test{op: oneOfThem, subs: list}
}

// join makes one test of two, if one says what the two say.
func (t test) join(u test) (test, bool) {
	switch {
	case t.op == onToken && u.op == onToken:
		if either, exact := t.need.or(u.need); exact {
			return token(either), true
		}
	case t.op == onRequest && u.op == onRequest:
		if either, ok := t.cond.join(u.cond); ok {
			return request(either), true
		}
	}
	return test{}, false
}

// A term is tests all of which must hold.
type term struct {
	conds, notConds []cond
	needs, notNeeds []need
	others          []string
}

// maxTerms bounds what a policy may grow to when its ors are multiplied out.
const maxTerms = 256

var errTerms = errors.New("a policy with more alternatives than can be written out")

// terms gives terms of which one holds where the test does, or does not.
func (t test) terms(holds bool) ([]term, error) {
	switch t.op {
	case not:
		return t.subs[0].terms(!holds)
	case onRequest:
		if holds {
			return []term{{conds: []cond{t.cond}}}, nil
		}
		return []term{{notConds: []cond{t.cond}}}, nil
	case onToken:
		if holds {
			return []term{{needs: []need{t.need}}}, nil
		}
		return []term{{notNeeds: []need{t.need}}}, nil
	case onOther:
		return []term{{others: []string{t.what}}}, nil
	}
	all := []term{}
	if (t.op == allOf) == holds {
		all = append(all, term{})
	}
	for _, sub := range t.subs {
		terms, err := sub.terms(holds)
		if err != nil {
			return nil, err
		}
		if (t.op == allOf) != holds {
			all = append(all, terms...)
		} else {
			var product []term
			for _, a := range all {
				for _, b := range terms {
					product = append(product, a.with(b))
				}
			}
			all = product
		}
		if len(all) > maxTerms {
			return nil, errTerms
		}
	}
	return all, nil
}

func (t term) with(u term) term {
	return term{
		slices.Concat(t.conds, u.conds), slices.Concat(t.notConds, u.notConds),
		slices.Concat(t.needs, u.needs), slices.Concat(t.notNeeds, u.notNeeds),
		slices.Concat(t.others, u.others),
	}
}

// requests is what the positive conditions have in common. When that cannot be
// written, it is the first of them, and exact is false.
func (t term) requests() (c cond, exact, some bool) {
	exact = true
	for i, d := range t.conds {
		both, r := c.meet(d)
		switch {
		case r == apart:
			return cond{}, true, false
		case r == tangled:
			exact = false
		case i == 0 || r == meeting:
			c = both
		}
	}
	return c, exact, true
}

// allow is the chain that passes what the test says, and refuses all else. What
// cannot be said passes nothing; dropped tells of it.
func (t test) allow(name string) (all chain, dropped []string, err error) {
	terms, err := t.terms(true)
	if err != nil {
		return nil, nil, err
	}
	all = always(need{auth: never})
	for _, term := range terms {
		c, exact, some := term.requests()
		switch {
		case !some:
			continue
		case len(term.others) > 0:
			dropped = append(dropped, "what it allows by "+strings.Join(term.others, " and ")+" is refused")
			continue
		case len(term.notNeeds) > 0:
			dropped = append(dropped, "what it allows because a token lacks a claim is refused")
			continue
		case !exact:
			dropped = append(dropped, "what it allows by conditions on the path that no condition of edgejwt holds together is refused")
			continue
		}
		n := need{}
		for i, m := range term.needs {
			if i == 0 {
				n = m
				continue
			}
			n = n.and(m)
		}
		var one chain
		for _, d := range term.notConds {
			one = append(one, rule{cond: d, need: need{auth: never}})
		}
		one = append(one, rule{cond: c, need: n, notes: []string{name}}, rule{need: need{auth: never}})
		if all, err = all.or(one.pruned()); err != nil {
			return nil, nil, err
		}
	}
	return all, dropped, nil
}

// deny is the chain that refuses what the test says, and asks nothing else. What
// cannot be said is refused too; widened tells of it.
func (t test) deny(name string) (all chain, widened []string, err error) {
	terms, err := t.terms(true)
	if err != nil {
		return nil, nil, err
	}
	all = always(need{})
	for _, term := range terms {
		c, exact, some := term.requests()
		if !some {
			continue
		}
		var loose []string
		if !exact {
			loose = append(loose, "without regard to all of its conditions on the path")
		}
		if len(term.others) > 0 {
			loose = append(loose, "without regard to "+strings.Join(term.others, " and "))
		}
		n := need{auth: never}
		if len(term.notNeeds) > 0 {
			n = term.notNeeds[0]
			for _, m := range term.notNeeds[1:] {
				if either, exact := n.or(m); exact {
					n = either
				} else {
					loose = append(loose, "without regard to all of its claims")
				}
			}
			if len(term.needs) > 0 {
				loose = append(loose, "without regard to the claims that must be there")
			}
		} else if len(term.needs) > 0 {
			loose = append(loose, "whatever the token's claims are")
		}
		if loose != nil {
			if c.isAny() && n.auth == never {
				return nil, nil, fmt.Errorf("would refuse every request, because edgejwt cannot look at what it looks at (%s)", strings.Join(loose, ", "))
			}
			widened = append(widened, "refuses "+c.String()+" "+strings.Join(loose, " and "))
		}
		var one chain
		for _, d := range term.notConds {
			one = append(one, rule{cond: d})
		}
		one = append(one, rule{cond: c, need: n, notes: []string{name}}, rule{})
		if all, err = all.and(one.pruned()); err != nil {
			return nil, nil, err
		}
	}
	return all, widened, nil
}
