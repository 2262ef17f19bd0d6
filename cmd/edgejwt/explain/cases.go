package explain

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/jwks"
)

// Case is one line of a table: a request, and what is expected of it.
type Case struct {
	Name string
	// Line is where it stands in its file.
	Line    int
	request *Request
	token   string
	claims  *document.Node // of a token that is to be made; nil for none
	typ     string         // its typ
	expect  expectation
}

// expectation has what is to be compared; what is left out is not.
type expectation struct {
	status   string // of the answer; 200 for what goes on
	reason   string
	route    *string
	upstream []*document.Node // header, and its value; null for none
}

// Result is what came of a Case.
type Result struct {
	Name string `json:"name"`
	Line int    `json:"line"`
	OK   bool   `json:"ok"`
	// Wrong says what is not as expected, one line each.
	Wrong []string `json:"wrong,omitempty"`
	// Explanation is the decision.
	Explanation *Explanation `json:"explanation"`
}

// ReadCases reads a table of cases, a list in YAML or JSON. file reads the files
// with tokens that cases name. An unknown name is an error.
func ReadCases(text []byte, file func(name string) ([]byte, error)) ([]Case, error) {
	documents, err := document.Read(text)
	if err != nil {
		return nil, err
	}
	if len(documents) != 1 || documents[0].Kind != document.List || len(documents[0].Children) == 0 {
		return nil, errors.New("cases are one list, with at least one entry")
	}
	var all []Case
	for _, n := range documents[0].Children {
		c, err := readCase(n, file)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n.Line, err)
		}
		all = append(all, c)
	}
	return all, nil
}

func readCase(n *document.Node, file func(name string) ([]byte, error)) (c Case, err error) {
	if err := only(n, "name", "request", "headers", "token", "claims", "tokenType", "expect"); err != nil {
		return c, err
	}
	c = Case{Name: n.Get("name").Str(), Line: n.Line, claims: n.Get("claims")}
	if c.Name == "" {
		return c, errors.New("name is missing, or not a text")
	}
	var headers []string
	for _, h := range n.Get("headers").Members() {
		if h.Kind == document.List || h.Kind == document.Map || h.Kind == document.Null {
			return c, errors.New("header " + h.Name + " has no value that is a text")
		}
		headers = append(headers, h.Name+": "+h.Text)
	}
	for _, h := range n.Get("headers").Items() {
		headers = append(headers, h.Str())
	}
	if c.request, err = NewRequest(n.Get("request").Str(), headers); err != nil {
		return c, err
	}
	if name := n.Get("token"); name != nil {
		if c.claims != nil {
			return c, errors.New("token and claims stand together; write one of them")
		}
		text, err := file(name.Str())
		if err != nil {
			return c, err
		}
		c.token = strings.TrimSpace(string(text))
	}
	c.typ = "JWT"
	if typ := n.Get("tokenType"); typ != nil {
		c.typ = typ.Str()
	}
	if c.claims != nil && c.claims.Kind != document.Map {
		return c, errors.New("claims are not an object")
	}
	return c, c.readExpect(n.Get("expect"))
}

func (c *Case) readExpect(n *document.Node) error {
	if err := only(n, "status", "reason", "route", "upstream"); err != nil {
		return err
	}
	if len(n.Members()) == 0 {
		return errors.New("expect says nothing; write a status, a reason, a route or upstream")
	}
	if status := n.Get("status"); status != nil {
		if status.Kind != document.Number {
			return errors.New("expect.status is not a number")
		}
		c.expect.status = status.Text
	}
	c.expect.reason = n.Get("reason").Str()
	if n.Get("reason") != nil && !isReason(c.expect.reason) {
		return errors.New("expect.reason is not one of edgejwt's reasons")
	}
	if route := n.Get("route"); route != nil {
		name := route.Str()
		c.expect.route = &name
	}
	c.expect.upstream = n.Get("upstream").Members()
	return nil
}

// only refuses members of other names: a mistyped expectation would never fail.
func only(n *document.Node, names ...string) error {
	for _, member := range n.Members() {
		known := false
		for _, name := range names {
			known = known || name == member.Name
		}
		if !known {
			return fmt.Errorf("%s is not known here; known are %s", member.Name, strings.Join(names, ", "))
		}
	}
	if n != nil && n.Kind != document.Map {
		return errors.New("is not an object")
	}
	return nil
}

// Run judges the case, and compares.
func (c *Case) Run(o *Options) (*Result, error) {
	own, q := *o, *c.request
	q.fields = slices.Clone(q.fields)
	switch {
	case c.claims != nil:
		m, err := newMint()
		if err != nil {
			return nil, err
		}
		token, issuer, err := m.token(c.claims, c.typ, o.Config, o.At)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", c.Line, err)
		}
		own.Keys = &KeySource{Of: map[string]*jwks.Set{issuer: m.set}}
		q.PutToken(token, o.Config)
	case c.token != "":
		q.PutToken(c.token, o.Config)
	}
	r := &Result{Name: c.Name, Line: c.Line, Explanation: Explain(&q, &own)}
	r.Wrong = c.expect.compare(r.Explanation)
	r.OK = len(r.Wrong) == 0
	return r, nil
}

func (x *expectation) compare(e *Explanation) (wrong []string) {
	if !e.Decided {
		return []string{"not decided: the keys are missing"}
	}
	status := "200"
	if e.Answer != nil {
		status = fmt.Sprint(e.Answer.Status)
	}
	if x.status != "" && x.status != status {
		wrong = append(wrong, "status "+status+", expected "+x.status)
	}
	if x.reason != "" && x.reason != e.Reason {
		wrong = append(wrong, "reason "+e.Reason+", expected "+x.reason)
	}
	if x.route != nil && *x.route != e.Route {
		wrong = append(wrong, fmt.Sprintf("route %q, expected %q", e.Route, *x.route))
	}
	for _, want := range x.upstream {
		if line := e.Upstream.differs(want); line != "" {
			wrong = append(wrong, line)
		}
	}
	return wrong
}

// differs says how a header that the API gets from the edge is not as expected.
func (u *Upstream) differs(want *document.Node) string {
	name := strings.ToLower(want.Name)
	if u != nil {
		for _, v := range u.Set {
			if v.Name != name {
				continue
			}
			if want.Kind == document.Null {
				return name + " is set, expected none"
			}
			if v.text != want.Text {
				return fmt.Sprintf("%s is %q, expected %q", name, v.text, want.Text)
			}
			return ""
		}
	}
	if want.Kind == document.Null {
		return ""
	}
	return name + " is not set"
}
