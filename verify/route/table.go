package route

import (
	"slices"
	"strings"
	"time"

	"edgejwt/verify"
	"edgejwt/verify/ascii"
)

// Table is a compiled list of routes. It is not changed after NewTable and may be shared
// by goroutines.
type Table struct {
	rules     []rule
	options   Options
	byPath    bool // some rule has a condition on the path
	byHost    bool
	slashed   bool // some rule may match a path with a trailing slash and not the same path without
	unmatched Route

	headerNames []string // of the conditions on headers, each once
}

// rule is a compiled Route.
type rule struct {
	route           *Route
	path            pattern
	hosts           []hostCondition
	headers         []int  // in Table.headerNames, by route.Headers
	report          bool   // refusals are only reported
	acrValues       string // Requirements.ACR, separated by spaces
	challengeScopes string // the scopes and permissions that the route requires
}

// NewTable compiles routes. The caller must not change them afterwards. It returns either
// the table or all faults.
func NewTable(routes []Route, o Options) (*Table, []Fault) {
	t := &Table{rules: make([]rule, len(routes)), options: o}
	if o.DenyUnmatched {
		t.unmatched.Auth = Deny
	}
	var faults []Fault
	for i := range routes {
		c := checker{route: &routes[i], rule: &t.rules[i], index: i, options: o}
		c.check(o)
		faults = append(faults, c.faults...)
		for _, condition := range c.route.Headers {
			index := slices.Index(t.headerNames, condition.Name)
			if index < 0 {
				index = len(t.headerNames)
				t.headerNames = append(t.headerNames, condition.Name)
			}
			c.rule.headers = append(c.rule.headers, index)
		}
		t.byPath = t.byPath || c.route.Path.Kind != Any
		t.byHost = t.byHost || len(c.route.Hosts) > 0
		t.slashed = t.slashed || c.rule.path.slash
	}
	if faults != nil {
		return nil, faults
	}
	return t, nil
}

// Find sets m to the route that applies to the request. m keeps parts of the request's
// texts; see Match.Detach.
//
// A request has several readings: its host with and without port, trailing dot and
// capitals; its path with and without a trailing slash, with other escapes and, with
// Options.IgnoreCase, in the other case; its method in capitals, and
// HEAD as GET; its headers under names that some servers do not distinguish. Envoy
// routes by the request as it was sent, and the server behind it may use another
// reading. Find considers the first route that matches the request as it was sent, each
// earlier route that matches another reading, and each later route that matches only
// another reading. The strictest of them applies. So another reading can make the
// demand stricter, but never weaker.
//
// Reasons: PathAmbiguous, when the path or the host cannot be read (see Canonical), or
// when readings of the path or the method match different routes; RequestAmbiguous, when
// none of the routes is the strictest. On an error only m.Spelling is set.
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

// lookup is the state of one call of Find.
type lookup struct {
	table   *Table
	request Request
	path    reader
	host    host
	method  method
	found   bool // a rule has matched the request as it was sent

	candidates int // number of demands that were compared
	// lines has the indices of the request's lines of each of Table.headerNames, or nil
	// for a name that no rule has asked for yet.
	lines [][]int
}

// maxCandidates is the greatest number of demands that are compared for one request. Usual
// requests have one or two.
const maxCandidates = 8

// strictest compares the request with each rule in order; see Find.
func (l *lookup) strictest(m *Match) error {
	var spelling Spelling // of the rules that matched only another reading
	first := true         // m has no route yet
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
			// Clients send the standard methods in capitals.
			*m = Match{Spelling: MethodCase}
			return ambiguous("the method is not in capitals, and in capitals it comes to another route")
		case l.found && fits&asSent != 0:
			// An earlier rule has matched the request as it was sent. If this one
			// matches all readings, no later rule can match only another reading.
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

// keepStricter sets m to the stricter one of m and the candidate. If they are equally
// strict, it is the one that matches the request as it was sent.
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
	switch atLeast, atMost := m.AsksNoMoreThan(candidate), candidate.AsksNoMoreThan(m); {
	case atLeast && atMost:
		if sent {
			*m = *candidate
		}
	case atLeast:
		candidate.Spelling = other
		*m = *candidate
	case atMost:
		if sent {
			m.Spelling |= other // m is the route of another reading and stays
		}
	default:
		*m = Match{Spelling: other | m.Spelling}
		return refuse(verify.RequestAmbiguous, "two readings of the request meet routes of which neither asks for more")
	}
	return nil
}

// fits evaluates all conditions but the path's, which costs most.
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

// Match is the route that applies to a request. Find sets it. It must not be used by
// several goroutines at once.
type Match struct {
	// Route must not be changed. When no route matched, it has no name and no
	// conditions; its Auth is Required, or Deny with Options.DenyUnmatched.
	Route *Route
	// Index is the index of the route in the table, or -1 when none matched.
	Index int
	// Report is true when refusals are only reported.
	Report bool
	// Path is the canonical path with its case. It is empty when no route has a
	// condition on paths.
	Path string
	// Spelling says which spelling of the request selected a stricter route than the
	// one for the request as it was sent, or made the request ambiguous. It is 0 for
	// most requests.
	Spelling Spelling

	rule       *rule    // nil when none matched
	captured   []string // the values of the path's variables, in their order
	boundTexts []string // one for each of Requirements.ClaimMatches; "" matches nothing
}

// Detach releases the request's texts: it copies what Check needs, and clears Path and
// the variables. A caller that keeps a Match while it waits for keys calls it.
func (m *Match) Detach() {
	m.Path, m.captured = "", nil
	for i := range m.boundTexts {
		m.boundTexts[i] = strings.Clone(m.boundTexts[i])
	}
}

// Variable is the decoded value of a variable of the route's template. ok is false when
// the template has no such variable.
func (m *Match) Variable(name string) (text string, ok bool) {
	if m.captured == nil {
		return "", false
	}
	i := slices.Index(m.rule.path.names, name)
	if i < 0 {
		return "", false
	}
	return unescaped(m.captured[i]), true
}

// bind sets boundTexts.
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

// boundText is the text of the request to which the binding binds its claim. It is empty
// when there is none, or when servers may read different ones.
func (m *Match) boundText(b *Binding, q *Request) (text string) {
	ok := false
	switch {
	case b.Variable != "":
		text, _ = m.Variable(b.Variable)
		return text
	case b.Host:
		h, _ := hostOf(q.Host, true)
		return h.name
	}
	named := false
	for i := range q.Headers {
		name, value := q.Headers[i][0], q.Headers[i][1]
		if !ascii.SameHeader(name, b.Header) {
			continue
		}
		if ok && value != text {
			return "" // the API may read either
		}
		text, ok, named = value, true, named || name == b.Header
	}
	if !named {
		return "" // most servers read only this spelling
	}
	return text
}

func (m *Match) demand() demand { return demand{m.Route, m.Report, m.boundTexts} }

// AsksNoMoreThan reports whether whoever passes b's route passes m's route, too. Both must
// be matches of the same request. It is a partial order: each of two routes may ask for
// something that the other does not.
func (m *Match) AsksNoMoreThan(b *Match) bool { return m.demand().asksNoMoreThan(b.demand()) }

// Check checks whether the token satisfies the route, at the given time and with the
// clock skew of its issuer's rule. The caller must have checked the token's signature
// and times (verify.Rule.Check). Check is not for requests without a token, except that
// t may be nil when the route's Auth is Deny.
//
// Reasons: RouteDenied, ClaimInvalid, IssuerUnknown, AudienceMismatch,
// TokenExpired (too old for this route), ScopeMissing, PermissionMissing, ClaimMismatch.
// The verify.Refusal of ScopeMissing and PermissionMissing lists what the route needs.
func (m *Match) Check(t *verify.Token, now time.Time, skew time.Duration) error {
	if m.Route.Auth == Deny {
		return refuse(verify.RouteDenied, "the route refuses every request")
	}
	if m.rule == nil {
		return nil
	}
	n := &m.Route.Requirements
	if err := n.checkType(t); err != nil {
		return err
	}
	if len(n.Issuers) > 0 && !holdsOne(t, "iss", n.Issuers, whole) {
		return refuse(verify.IssuerUnknown, "the route does not take this issuer")
	}
	if len(n.Audiences) > 0 && !holdsOne(t, "aud", n.Audiences, whole|list) {
		return refuse(verify.AudienceMismatch, "aud names none of the route's audiences")
	}
	if err := n.checkTimes(t, now, skew); err != nil {
		return err
	}
	if !satisfies(t, n.Scopes, n.AnyScope, hasScope) {
		return &verify.Refusal{Reason: verify.ScopeMissing, Detail: "the token lacks a scope", Scope: m.rule.challengeScopes}
	}
	if !satisfies(t, n.Permissions, n.AnyPermission, hasPermission) {
		return &verify.Refusal{Reason: verify.PermissionMissing, Detail: "the token lacks a permission", Scope: m.rule.challengeScopes}
	}
	if err := n.checkClaims(t, m.boundTexts); err != nil {
		return err
	}
	return n.checkAuthentication(t, m.rule.acrValues, now, skew)
}
