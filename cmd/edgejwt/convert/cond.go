package convert

import (
	"slices"
	"strings"
)

// A cond is a set of requests as the other filter sees them, to which GET is not
// HEAD and a host with a port another one. What edgejwt takes for another spelling
// can make its demand stricter than the chain's, and never laxer (route.Table.Find).
type cond struct {
	path    path
	methods []string // nil: every one
	hosts   []string // nil: every one; a name, or "*." and a name
	headers []header
}

// header is as in package route, with the name in lower case.
type header struct {
	name   string
	values []string // nil: must be there
}

// meet is what is in both sets.
func (c cond) meet(d cond) (cond, relation) {
	both, r := c.path.meet(d.path)
	if r == apart {
		return cond{}, apart
	}
	m := cond{path: both}
	var ok bool
	if m.methods, ok = meetLists(c.methods, d.methods); !ok {
		return cond{}, apart
	}
	if m.hosts, ok = meetHosts(c.hosts, d.hosts); !ok {
		return cond{}, apart
	}
	if m.headers, ok = meetHeaders(c.headers, d.headers); !ok {
		return cond{}, apart
	}
	return m, r
}

// meetLists is what two lists have in common, where nil has everything; ok is
// false when that is nothing.
func meetLists(a, b []string) (both []string, ok bool) {
	if a == nil || b == nil {
		return append(slices.Clip(a), b...), true
	}
	for _, s := range a {
		if slices.Contains(b, s) {
			both = append(both, s)
		}
	}
	return both, both != nil
}

func meetHosts(a, b []string) (both []string, ok bool) {
	if a == nil || b == nil {
		return append(slices.Clip(a), b...), true
	}
	for _, x := range a {
		for _, y := range b {
			switch {
			case hostCovers(y, x):
				both = append(both, x)
			case hostCovers(x, y):
				both = append(both, y)
			}
		}
	}
	return both, both != nil
}

func hostCovers(a, b string) bool {
	suffix, wild := strings.CutPrefix(a, "*")
	return a == b || wild && strings.HasSuffix(strings.TrimPrefix(b, "*"), suffix) && b != suffix
}

func meetHeaders(a, b []header) (both []header, ok bool) {
	both = slices.Clone(a)
	for _, h := range b {
		at := slices.IndexFunc(both, func(o header) bool { return o.name == h.name })
		if at < 0 {
			both = append(both, h)
			continue
		}
		if both[at].values, ok = meetLists(both[at].values, h.values); !ok {
			return nil, false
		}
	}
	return both, true
}

// join is the set of what is in one of the two, if that can be written.
func (c cond) join(d cond) (cond, bool) {
	switch {
	case c.covers(d):
		return c, true
	case d.covers(c):
		return d, true
	}
	x, y := c, d
	if p, ok := c.path.join(d.path); ok {
		x.path, y.path = p, p
		return x, x.equal(y)
	}
	if c.path != d.path {
		return cond{}, false
	}
	x.methods, y.methods = nil, nil
	if x.equal(y) && c.methods != nil && d.methods != nil {
		x.methods = union(c.methods, d.methods)
		return x, true
	}
	x, y = c, d
	x.hosts, y.hosts = nil, nil
	if x.equal(y) && c.hosts != nil && d.hosts != nil {
		x.hosts = union(c.hosts, d.hosts)
		return x, true
	}
	x, y = c, d
	x.headers, y.headers = nil, nil
	if x.equal(y) && len(c.headers) == 1 && len(d.headers) == 1 && c.headers[0].name == d.headers[0].name {
		x.headers = []header{{c.headers[0].name, union(c.headers[0].values, d.headers[0].values)}}
		return x, true
	}
	return cond{}, false
}

func (c cond) equal(d cond) bool { return c.covers(d) && d.covers(c) }

// covers reports whether every request of d is in c; false when it cannot be
// told.
func (c cond) covers(d cond) bool {
	return c.path.covers(d.path) && listCovers(c.methods, d.methods) &&
		(c.hosts == nil || d.hosts != nil && !slices.ContainsFunc(d.hosts, func(h string) bool {
			return !slices.ContainsFunc(c.hosts, func(g string) bool { return hostCovers(g, h) })
		})) &&
		!slices.ContainsFunc(c.headers, func(h header) bool {
			return !slices.ContainsFunc(d.headers, func(g header) bool {
				return g.name == h.name && listCovers(h.values, g.values)
			})
		})
}

// listCovers reports whether every member of b is in a, where nil has everything.
func listCovers(a, b []string) bool {
	return a == nil || b != nil && !slices.ContainsFunc(b, func(s string) bool { return !slices.Contains(a, s) })
}

func (c cond) isAny() bool {
	return c.path.kind == anyPath && c.methods == nil && c.hosts == nil && len(c.headers) == 0
}
