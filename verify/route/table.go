package route

import "strings"

// Table is a list of routes, made ready. It is not changed after NewTable and
// may be shared by goroutines as far as its Patterns may.
type Table struct {
	rules   []rule
	options Options
	byPath  bool // some rule has a condition on the path
	byHost  bool
}

// rule is a Route made ready.
type rule struct {
	route  *Route
	path   pattern
	hosts  []string // as hostOf has them
	needed string   // scopes and permissions, for the challenge
}

// needsToken is what applies where no route does.
var needsToken Route

// Match is the route that applies to a request. Its zero value is of no use.
type Match struct {
	// Route is not to be changed. Where none matched it is that of zero value,
	// which needs a valid token.
	Route *Route
	// Index is the route's place in the table, or -1.
	Index int
	// Path is the canonical path, its case kept; empty when the table has no
	// condition on paths.
	Path string

	rule     *rule    // nil where none matched
	captured []string // by the path's variables, in their order
	said     []string // by Need.ClaimMatches: what the request says; empty matches nothing
}

// Detach lets go of the request: what Check needs is copied, Path and variables
// are gone. A request that waits then holds no more than that.
func (m *Match) Detach() {
	m.Path, m.captured = "", nil
	for i := range m.said {
		m.said[i] = strings.Clone(m.said[i])
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

// Find sets m to the first route whose conditions hold for the request, of whose
// texts m keeps parts: see Detach. Reason: PathAmbiguous, when the path cannot be read (see
// Canonical), or when another reading of it, or of the method or the host, comes
// to another route or to other variables; m is of no use then.
func (t *Table) Find(q *Request, m *Match) error {
	*m = Match{Route: &needsToken, Index: -1}
	if len(t.rules) == 0 {
		return nil
	}
	l := lookup{table: t, headers: q.Headers, method: q.Method}
	if t.byHost {
		var ok bool
		if l.host, ok = hostOf(q.Host); !ok {
			return ambiguous("the host cannot be read")
		}
	}
	var path reader
	if t.byPath {
		if err := path.read(q.Path, t.options); err != nil {
			return err
		}
	}
	m.Path = path.canonical
	l.first(m.Path, m)
	var readings []string
	if t.byPath {
		readings = path.readings()
	}
	for _, reading := range readings {
		if err := l.agrees(reading, m); err != nil {
			return err
		}
	}
	// RFC 9110 §9.1 tells get from GET; some frameworks do not.
	if l.method = upperOf(q.Method); l.method != q.Method {
		for _, reading := range append(readings, m.Path) {
			if err := l.agrees(reading, m); err != nil {
				return err
			}
		}
	}
	m.bind(q)
	return nil
}

// bind notes what the request says where the route binds claims to it.
func (m *Match) bind(q *Request) {
	bindings := m.Route.Need.ClaimMatches
	if len(bindings) == 0 {
		return
	}
	m.said = make([]string, len(bindings))
	for i := range bindings {
		m.said[i] = m.says(&bindings[i], q)
	}
}

// agrees demands that another reading of the path leads to m, too.
func (l *lookup) agrees(reading string, m *Match) error {
	var other Match
	other.Index = -1
	l.first(reading, &other)
	if other.Index != m.Index {
		return ambiguous("another reading comes to another route")
	}
	for i := range m.captured {
		if unescaped(other.captured[i]) != unescaped(m.captured[i]) {
			return ambiguous("another reading has other variables")
		}
	}
	return nil
}

// lookup is one request on its way through the table.
type lookup struct {
	table        *Table
	headers      [][2]string
	method, host string
}

// first finds the first rule for a reading of the path and leaves m alone when
// there is none.
func (l *lookup) first(path string, m *Match) {
	folded := fold(path, l.table.options)
	for i := range l.table.rules {
		r := &l.table.rules[i]
		if l.methodHolds(r) && l.hostHolds(r) && l.headersHold(r.route.Headers) && r.path.holds(path, folded, &m.captured) {
			m.Route, m.Index, m.rule = r.route, i, r
			return
		}
	}
}

func (l *lookup) methodHolds(r *rule) bool {
	for _, method := range r.route.Methods {
		if method == l.method || method == "GET" && l.method == "HEAD" {
			return true
		}
	}
	return len(r.route.Methods) == 0
}

func (l *lookup) hostHolds(r *rule) bool {
	for _, host := range r.hosts {
		if hostHolds(host, l.host) {
			return true
		}
	}
	return len(r.hosts) == 0
}

func (l *lookup) headersHold(conditions []Header) bool {
	for i := range conditions {
		c := &conditions[i]
		there := false
		for j := range l.headers {
			if !sameHeader(l.headers[j][0], c.Name) {
				continue
			}
			there = true
			if len(c.Values) > 0 && !contains(c.Values, l.headers[j][1]) {
				return false
			}
		}
		if !there {
			return false
		}
	}
	return true
}

// sameHeader compares names in lower case, a hyphen being an underscore's equal:
// CGI and what follows it knows no other.
func sameHeader(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && (a[i] != '_' || b[i] != '-') && (a[i] != '-' || b[i] != '_') {
			return false
		}
	}
	return true
}

func upperOf(s string) string {
	for i := range len(s) {
		if 'a' <= s[i] && s[i] <= 'z' {
			b := []byte(s)
			for j := range b {
				if 'a' <= b[j] && b[j] <= 'z' {
					b[j] -= 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

func contains(list []string, s string) bool {
	for _, member := range list {
		if member == s {
			return true
		}
	}
	return false
}
