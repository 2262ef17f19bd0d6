package convert

import (
	"errors"
	"regexp"
	"strings"

	"edgejwt/verify/route"
)

// A path is a set of paths as the other filter sees them: without the query, and
// with a slash at the end told from without. To edgejwt's routes these are two
// spellings, too, of which the one that was sent decides, or a stricter rule.
type path struct {
	kind pathKind
	text string
}

type pathKind uint8

const (
	anyPath   pathKind = iota
	exactPath          // text
	underPath          // text, and what is below it by whole segments
	beginPath          // what begins with text
	shapePath          // text is a template
	regexPath          // text is a regular expression for the whole path
)

// errUnwritable is told of a path that no request is judged by.
var errUnwritable = errors.New("a path that can be written in other ways too, which edgejwt resolves or refuses before it compares")

// isWritable tells whether edgejwt knows the path by this text, but for a slash at
// its end.
func isWritable(text string) bool {
	canonical, err := route.Canonical(text, route.Options{})
	return err == nil && !strings.Contains(text, "?") && !strings.HasSuffix(text, "//") && canonical == bare(text)
}

// bare is the path without a slash at its end.
func bare(text string) string {
	if text = strings.TrimRight(text, "/"); text == "" {
		return "/"
	}
	return text
}

func exact(text string) (path, error) { return literal(exactPath, text) }

// under is a prefix on segment borders.
func under(text string) (path, error) {
	if text == "/" {
		return path{}, nil
	}
	return literal(underPath, text)
}

// begins is a prefix by characters.
func begins(text string) (path, error) {
	if text == "" || text == "/" {
		return path{}, nil
	}
	return literal(beginPath, text)
}

func literal(kind pathKind, text string) (path, error) {
	if !isWritable(text) {
		return path{}, errUnwritable
	}
	return path{kind, text}, nil
}

// pattern is a regular expression for the whole path.
func pattern(text string) (path, error) {
	if _, err := regexp.Compile(text); err != nil {
		return path{}, errors.New("a regular expression that Go's RE2 does not read")
	}
	return path{regexPath, text}, nil
}

// folded is the path without regard to case.
func (p path) folded() (path, error) {
	text, ok := p.regex()
	if !ok {
		return path{}, errors.New("a template without regard to case")
	}
	if p.kind == anyPath || strings.ToLower(p.text) == strings.ToUpper(p.text) {
		return p, nil
	}
	return path{regexPath, "(?i:" + text + ")"}, nil
}

// regex spells the set as a regular expression; ok is false for templates.
func (p path) regex() (text string, ok bool) {
	quoted := regexp.QuoteMeta(p.text)
	switch p.kind {
	case anyPath:
		return ".*", true
	case exactPath:
		return quoted, true
	case underPath:
		return quoted + "(/.*)?", true
	case beginPath:
		return quoted + ".*", true
	case regexPath:
		return p.text, true
	}
	return "", false
}

// has reports whether one path is in the set.
func (p path) has(text string) bool {
	switch p.kind {
	case anyPath:
		return true
	case exactPath:
		return text == p.text
	case underPath:
		return text == p.text || strings.HasPrefix(text, p.text+"/")
	case beginPath:
		return strings.HasPrefix(text, p.text)
	case shapePath:
		return bare(text) == text && shapeHas(p.text, text)
	}
	compiled, err := regexp.Compile(`\A(?:` + p.text + `)\z`)
	return err == nil && compiled.MatchString(text)
}

func shapeTable(template string) (*route.Table, []route.Fault) {
	return route.NewTable([]route.Route{{Path: route.Path{Kind: route.Template, Text: template}}}, route.Options{})
}

func shapeIsSound(template string) bool {
	_, faults := shapeTable(template)
	return faults == nil
}

// shapeHas matches a template as package route does.
func shapeHas(template, text string) bool {
	table, faults := shapeTable(template)
	if faults != nil {
		return false
	}
	var m route.Match
	err := table.Find(&route.Request{Method: "GET", Path: text}, &m)
	return err == nil && m.Index == 0
}

// join is a path and what is below it, of one with these two.
func (p path) join(q path) (path, bool) {
	if p.kind == beginPath {
		p, q = q, p
	}
	if p.kind == exactPath && q.kind == beginPath && q.text == p.text+"/" {
		return path{underPath, p.text}, true
	}
	return path{}, false
}

// relation is how two sets lie to each other.
type relation uint8

const (
	apart   relation = iota // nothing is in both
	meeting                 // what is in both can be written
	tangled                 // what is in both cannot be written, or may be nothing
)

// meet is what is in both sets.
func (p path) meet(q path) (path, relation) {
	if p.kind > q.kind {
		p, q = q, p
	}
	switch {
	case p.kind == anyPath || p == q:
		return q, meeting
	case p.kind == exactPath:
		if q.has(p.text) {
			return p, meeting
		}
		return path{}, apart
	case q.kind >= shapePath:
		return p.meetOpen(q)
	case p.kind == q.kind || p.kind == underPath: // under with under, begins with begins, under with begins
		switch {
		case q.has(p.text):
			return p, meeting
		case p.has(q.text):
			return q, meeting
		}
	}
	return path{}, apart
}

// meetOpen is meet with a template or a regular expression, of which only the
// beginning is known.
func (p path) meetOpen(q path) (path, relation) {
	start := q.start()
	if p.kind >= shapePath {
		if mine := p.start(); !strings.HasPrefix(mine, start) && !strings.HasPrefix(start, mine) {
			return path{}, apart
		}
		return path{}, tangled
	}
	switch {
	case p.kind == beginPath && strings.HasPrefix(start, p.text), strings.HasPrefix(start, p.text+"/"):
		return q, meeting
	case strings.HasPrefix(p.text, start):
		return path{}, tangled
	}
	return path{}, apart
}

// start is what every path of the set begins with.
func (p path) start() string {
	switch p.kind {
	case shapePath:
		start, _, _ := strings.Cut(p.text, "{")
		return start
	case regexPath:
		if compiled, err := regexp.Compile(`\A(?:` + p.text + `)\z`); err == nil {
			start, _ := compiled.LiteralPrefix()
			return start
		}
		return ""
	}
	return p.text
}

// covers reports whether every path of q is in p; false when it cannot be told.
func (p path) covers(q path) bool {
	both, r := p.meet(q)
	return r == meeting && both == q
}
