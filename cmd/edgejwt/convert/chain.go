package convert

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A chain decides about every request: the first rule whose condition holds
// does. The last rule's condition always holds.
type chain []rule

type rule struct {
	cond
	need  need
	notes []string // where it comes from, and what it is not
}

// always is the chain that asks the same of every request.
func always(n need, notes ...string) chain { return chain{{need: n, notes: notes}} }

// maxRules bounds what two chains may grow to.
const maxRules = 2048

// and is the chain that refuses what one of the two refuses.
func (a chain) and(b chain) (chain, error) { return a.crossed(b, need.and) }

// before is and, where a is of the filter that looks at tokens.
func (a chain) before(b chain) (chain, error) { return a.crossed(b, need.before) }

func (a chain) crossed(b chain, and func(n, m need) need) (chain, error) {
	var all chain
	for _, x := range a {
		for j, y := range b {
			both, r := x.cond.meet(y.cond)
			if r == apart {
				continue
			}
			n := and(x.need, y.need)
			notes := merge(x.notes, y.notes)
			switch never {
			case x.need.auth:
				notes = x.notes
			case y.need.auth:
				notes = y.notes
			}
			if r == tangled {
				// The whole of x instead of a part of it, if what is left of b asks no more.
				for _, z := range b[j+1:] {
					if _, r := x.cond.meet(z.cond); r != apart && !n.implies(and(x.need, z.need)) {
						return nil, fmt.Errorf("no condition of edgejwt holds for exactly the requests of both %s and %s", x.cond, y.cond)
					}
				}
				both, notes = x.cond, merge(notes, []string{"stricter here: also asked where " + y.cond.String() + " does not match"})
			}
			all = append(all, rule{both, n, notes})
			if r == tangled || y.cond.covers(x.cond) {
				break
			}
		}
		if len(all) > maxRules {
			return nil, errors.New("the rules cross each other too often")
		}
	}
	return all.pruned(), nil
}

// or is a chain that passes only what one of the two passes, and of that as much
// as can be said.
func (a chain) or(b chain) (chain, error) {
	var all chain
	for _, x := range a {
		from := len(all)
		for _, y := range b {
			both, r := x.cond.meet(y.cond)
			if r == apart {
				continue
			}
			if r == tangled {
				all = append(all[:from:from], rule{x.cond, x.need, merge(x.notes, []string{
					"stricter here: " + y.cond.String() + " is not looked at, because no condition of edgejwt holds for both"})})
				break
			}
			n, exact := x.need.or(y.need)
			notes := y.notes
			switch {
			case y.need.auth == never:
				notes = x.notes
			case x.need.auth != never:
				notes = merge(x.notes, y.notes)
			}
			if !exact {
				// The one that is made for fewer requests says what they are for.
				lost := y.notes
				n, notes = x.need, x.notes
				if x.cond.covers(y.cond) {
					n, notes, lost = y.need, y.notes, x.notes
				}
				notes = merge(notes, []string{"stricter here: what " + strings.Join(lost, " and ") + " alone lets through is refused, because a route asks for one set of claims"})
			}
			all = append(all, rule{both, n, notes})
			if y.cond.covers(x.cond) {
				break
			}
		}
		if len(all) > maxRules {
			return nil, errors.New("the rules cross each other too often")
		}
	}
	return all.pruned(), nil
}

func merge(a, b []string) []string { return union(a, b) }

// pruned leaves out what decides nothing.
func (a chain) pruned() chain {
	var kept chain
	for _, x := range a {
		if !slices.ContainsFunc(kept, func(k rule) bool { return k.cond.covers(x.cond) }) {
			kept = append(kept, x)
		}
	}
	for i := len(kept) - 2; i >= 0; i-- {
		for j := i + 1; j < len(kept); j++ {
			later := &kept[j]
			_, r := kept[i].cond.meet(later.cond)
			if same := later.need.equal(kept[i].need); same && later.cond.covers(kept[i].cond) {
				later.notes = merge(kept[i].notes, later.notes)
				kept = slices.Delete(kept, i, i+1)
				break
			} else if !same && r != apart {
				break
			}
		}
	}
	return kept
}

// joined makes one rule of those that ask the same of requests that can be
// written as one condition, where nothing between them says otherwise.
func (a chain) joined() chain {
	all := slices.Clone(a)
	for i := 0; i < len(all); i++ {
		for j := i + 1; j < len(all); j++ {
			x, y := &all[i], all[j]
			if !x.need.equal(y.need) || y.cond.isAny() {
				continue
			}
			both, ok := x.cond.join(y.cond)
			if !ok || slices.ContainsFunc(all[i+1:j], func(z rule) bool {
				_, r := z.cond.meet(y.cond)
				return r != apart && !z.need.equal(y.need)
			}) {
				continue
			}
			x.cond, x.notes = both, merge(x.notes, y.notes)
			all = slices.Delete(all, j, j+1)
			j = i
		}
	}
	return all
}

// String names the condition for a message.
func (c cond) String() string {
	text := "every path"
	switch c.path.kind {
	case exactPath:
		text = "path " + c.path.text
	case underPath:
		text = "paths below " + c.path.text
	case beginPath:
		text = "paths that begin with " + c.path.text
	case shapePath, regexPath:
		text = "paths like " + c.path.text
	}
	if c.methods != nil {
		text += fmt.Sprintf(", methods %v", c.methods)
	}
	if c.hosts != nil {
		text += fmt.Sprintf(", hosts %v", c.hosts)
	}
	for _, h := range c.headers {
		text += ", header " + h.name
	}
	return text
}
