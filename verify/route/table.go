package route

import (
	"slices"
	"strings"

	"edgejwt/verify"
	"edgejwt/verify/ascii"
	"edgejwt/verify/strictjson"
)

// Table is a list of routes, made ready. It is not changed after NewTable and
// may be shared by goroutines as far as its Patterns may.
type Table struct {
	rules     []rule
	options   Options
	byPath    bool // some rule has a condition on the path
	byHost    bool
	slashed   bool // some rule may hold for a path with a slash at its end and not for the one without
	unmatched Route

	headerNames []string // of the conditions on headers, each once
}

// rule is a Route made ready.
type rule struct {
	route   *Route
	path    pattern
	hosts   []hostCondition
	headers []int  // in Table.headerNames, by route.Headers
	report  bool   // what it refuses is only reported
	needed  string // scopes and permissions, for the challenge
}

// Match is the route that applies to a request. Its zero value is of no use.
type Match struct {
	// Route is not to be changed. Where none matched it has no conditions and no
	// name, and asks for a valid token or, with Options.DenyUnmatched, denies.
	Route *Route
	// Index is the route's place in the table, or -1.
	Index int
	// Report is true when what the route refuses is only reported.
	Report bool
	// Path is the canonical path, its case kept; empty when the table has no
	// condition on paths.
	Path string
	// Spelling names what made the demand stricter than that of the request as it
	// was sent, or made it ambiguous; 0 for most requests. See Spelling.Advice.
	Spelling Spelling

	rule       *rule    // nil where none matched
	captured   []string // by the path's variables, in their order
	boundTexts []string // by Requirements.ClaimMatches: what the request says; empty matches nothing
}

// Detach lets go of the request: what Check needs is copied, Path and variables
// are gone. A request that waits then holds no more than that.
func (m *Match) Detach() {
	m.Path, m.captured = "", nil
	for i := range m.boundTexts {
		m.boundTexts[i] = strings.Clone(m.boundTexts[i])
	}
}

// Variable is what the template's variable stands for in this request, decoded;
// ok is false when the template has no such variable.
func (m *Match) Variable(name string) (text string, ok bool) {
	if m.captured != nil {
		for i, variable := range m.rule.path.names {
			if variable == name {
				return unescaped(m.captured[i]), true
			}
		}
	}
	return "", false
}

// fit says for which readings of a request a condition holds. Fits of several
// conditions are combined by &.
type fit uint8

const (
	asSent fit = 1 << iota // for the request as it was sent, which is how Envoy's routes match it
	inSome                 // for at least one reading
	inAll                  // for every reading

	never  fit = 0
	always     = asSent | inSome | inAll
)

// Find sets m to the route that applies to the request, of whose texts m keeps
// parts: see Detach.
//
// A request has several readings: its host with and without port, trailing dot and
// capitals, its path with and without a trailing slash, its method in capitals and
// HEAD as GET, its headers under names that some servers take for the same. Envoy
// routes by what was sent, and the server behind it may read something else. Of the
// first route for what was sent, of each route before it that another reading
// meets, and of each later route that only another reading meets, the strictest
// applies. Thus another reading can make a demand stricter and never laxer.
//
// Reasons: PathAmbiguous, when path or host cannot be read (see Canonical), or
// when path or method have readings that meet different routes; RequestAmbiguous, when
// neither of two demands is the stricter one. m has only Spelling then.
func (t *Table) Find(q *Request, m *Match) error {
	*m = Match{Route: &t.unmatched, Index: -1, Report: t.options.Report}
	if len(t.rules) == 0 {
		return nil
	}
	l := lookup{table: t, request: *q, method: methodOf(q.Method)}
	if t.byHost {
		var ok bool
		if l.host, ok = hostOf(q.Host, t.options.IgnoreHostPort); !ok {
			m.Spelling = OddHost
			return ambiguous("the host cannot be read")
		}
	}
	if t.byPath {
		if err := l.path.read(q.Path, t.options); err != nil {
			m.Spelling = OddPath
			return err
		}
		l.path.prepare(t.options)
		m.Path = l.path.canonical
	}
	return l.strictest(m)
}

// lookup is one request on its way through the table.
type lookup struct {
	table   *Table
	request Request
	path    reader
	host    host
	method  method
	found   bool // a rule matched the request as it was sent

	candidates int // how many demands were compared
	// lines are the request's lines of each of Table.headerNames, once they were needed.
	lines [][]int
}

// maxCandidates bounds how many demands are compared for one request. Honest ones have
// one or two.
const maxCandidates = 8

// strictest walks the rules once: see Find.
func (l *lookup) strictest(m *Match) error {
	var spelling Spelling // of rules that only another reading meets
	first := true         // m holds no demand yet
	for i := range l.table.rules {
		r := &l.table.rules[i]
		fits, other := l.fits(r)
		var captured []string
		if fits != never {
			f, differs, err := l.path.fits(&r.path, l.table.slashed, &captured)
			if err != nil {
				m.Spelling = OddPath
				return err
			}
			fits &= f
			other |= differs
		}
		switch {
		case fits&inSome == 0:
			continue
		case other&MethodCase != 0:
			// No client that means the standard's method sends it so.
			*m = Match{Spelling: MethodCase}
			return ambiguous("the method is not in capitals, and in capitals it comes to another route")
		case l.found && fits&asSent != 0:
			// An earlier rule has the request as it was sent. One that holds for all
			// readings has those that are left.
			if fits&inAll != 0 {
				return nil
			}
			continue
		}
		if l.candidates++; l.candidates > maxCandidates {
			*m = Match{Spelling: spelling | other}
			return refuse(verify.RequestAmbiguous, "the request has readings that meet more routes than are compared")
		}
		candidate := Match{Route: r.route, Index: i, Report: r.report, Path: m.Path, rule: r, captured: captured}
		if fits&asSent != 0 {
			l.found, other = true, spelling
		} else {
			spelling |= other
		}
		if err := l.keepStricter(m, &candidate, first, fits&asSent != 0, other); err != nil {
			return err
		}
		if first = false; fits&inAll != 0 {
			return nil
		}
	}
	if l.found {
		return nil
	}
	candidate := Match{Route: &l.table.unmatched, Index: -1, Report: l.table.options.Report, Path: m.Path}
	return l.keepStricter(m, &candidate, first, true, spelling)
}

// keepStricter sets m to the stricter one of m and the candidate. Where they ask
// the same, it is the one that matches what was sent.
func (l *lookup) keepStricter(m, candidate *Match, first, sent bool, other Spelling) error {
	candidate.bind(&l.request)
	if first {
		candidate.Spelling = m.Spelling
		if !sent {
			candidate.Spelling = other
		}
		*m = *candidate
		return nil
	}
	mine, theirs := m.demand(), candidate.demand()
	switch atLeast, atMost := mine.asksNoMoreThan(theirs), theirs.asksNoMoreThan(mine); {
	case atLeast && atMost:
		if sent {
			*m = *candidate
		}
	case atLeast:
		candidate.Spelling = other
		*m = *candidate
	case atMost:
		if sent {
			m.Spelling |= other // it is another reading's, and stays
		}
	default:
		*m = Match{Spelling: other | m.Spelling}
		return refuse(verify.RequestAmbiguous, "two readings of the request meet routes of which neither asks for more")
	}
	return nil
}

func (m *Match) demand() demand { return demand{m.Route, m.Report, m.boundTexts} }

// bind notes what the request says where the route binds claims to it.
func (m *Match) bind(q *Request) {
	bindings := m.Route.Requirements.ClaimMatches
	if len(bindings) == 0 {
		return
	}
	m.boundTexts = make([]string, len(bindings))
	for i := range bindings {
		m.boundTexts[i] = m.boundText(&bindings[i], q)
	}
}

// fits judges all conditions but the path, which is the dearest.
func (l *lookup) fits(r *rule) (fits fit, other Spelling) {
	fits = l.method.fits(r.route.Methods)
	if fits&asSent == 0 {
		other |= l.method.spelling
	}
	if len(r.hosts) > 0 && fits != never {
		f := l.host.fits(r.hosts)
		if f&asSent == 0 {
			other |= l.host.spelling
		}
		fits &= f
	}
	if len(r.route.Headers) > 0 && fits != never {
		f := l.headersFit(r)
		if f&asSent == 0 {
			other |= HeaderName
		}
		fits &= f
	}
	return fits, other
}

// method is a request's method and its readings.
type method struct {
	sent, upper string
	spelling    Spelling
}

// methodOf reads a method. RFC 9110 §9.1 tells get from GET, some frameworks do
// not; and what answers HEAD is in most servers the handler of GET.
func methodOf(sent string) method {
	m := method{sent: sent, upper: strings.ToUpper(sent)}
	if m.upper != sent {
		m.spelling |= MethodCase
	}
	if m.upper == "HEAD" {
		m.spelling |= HeadAsGet
	}
	return m
}

func (m *method) fits(methods []string) (f fit) {
	if len(methods) == 0 {
		return always
	}
	upper, head := slices.Contains(methods, m.upper), m.upper == "HEAD"
	get := head && slices.Contains(methods, "GET")
	if upper || get {
		f |= inSome
	}
	if upper && m.sent == m.upper {
		f |= asSent
		if get || !head {
			f |= inAll
		}
	}
	return f
}

// headersFit judges the conditions on headers, whose lines some servers join, or
// take one of, and whose names some fold (see ascii.FoldHeader).
func (l *lookup) headersFit(r *rule) fit {
	all := always
	for i := range r.route.Headers {
		c, lines := &r.route.Headers[i], l.linesOf(r.headers[i])
		sent, holding := 0, 0
		for _, j := range lines {
			if l.request.Headers[j][0] == c.Name {
				sent++
			}
			if len(c.Values) == 0 || slices.Contains(c.Values, l.request.Headers[j][1]) {
				holding++
			}
		}
		f := never
		if holding > 0 {
			f |= inSome
			// Of several lines Envoy's matchers may take another one, or join them.
			if sent > 0 && holding == len(lines) && (sent == 1 || len(c.Values) == 0) {
				f |= asSent | inAll
			}
		}
		if all &= f; all == never {
			break
		}
	}
	return all
}

// linesOf gives the places of the request's lines of a header in any spelling. They
// are looked for once for each name, however many rules ask.
func (l *lookup) linesOf(name int) []int {
	if l.lines == nil {
		l.lines = make([][]int, len(l.table.headerNames))
	}
	if l.lines[name] == nil {
		l.lines[name] = []int{}
		for j := range l.request.Headers {
			if ascii.SameHeader(l.request.Headers[j][0], l.table.headerNames[name]) {
				l.lines[name] = append(l.lines[name], j)
			}
		}
	}
	return l.lines[name]
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }

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
