package convert

import (
	"errors"
	"regexp"
	"strings"

	"edgejwt/verify/route"
)

// A path is a set of paths in the form in which edgejwt judges them: no query,
// no trailing slash. Every matcher of another filter is brought into that form
// first, so a matcher that tells /a from /a/ becomes one that takes both.
type path struct {
	kind pathKind
	text string
}

type pathKind uint8

const (
	anyPath   pathKind = iota
	exactPath          // text
	underPath          // text, and what is below it by whole segments
	beginPath          // what begins with text, which ends inside of a segment
	shapePath          // text is a template
	regexPath          // text is a regular expression for the whole path
)

// errUnwritable is told of a path that no request is judged by.
var errUnwritable = errors.New("a path that can be written in other ways too, which edgejwt resolves or refuses before it compares")

// literal brings an exact path or a prefix into canonical form.
func literal(text string) (trimmed string, err error) {
	canonical, err := route.Canonical(text, route.Options{})
	if err != nil || strings.Contains(text, "?") {
		return "", errUnwritable
	}
	if trimmed = strings.TrimRight(text, "/"); trimmed == "" {
		trimmed = "/"
	}
	if canonical != trimmed || strings.HasSuffix(text, "//") {
		return "", errUnwritable
	}
	return trimmed, nil
}

func exact(text string) (path, error) {
	text, err := literal(text)
	return path{exactPath, text}, err
}

// under is a prefix on segment borders.
func under(text string) (path, error) {
	text, err := literal(text)
	if text == "/" {
		return path{}, err
	}
	return path{underPath, text}, err
}

// begins is a prefix by characters.
func begins(text string) (path, error) {
	if text == "" {
		return path{}, nil
	}
	if strings.HasSuffix(text, "/") {
		return under(text)
	}
	text, err := literal(text)
	return path{beginPath, text}, err
}

// pattern is a regular expression for the whole path.
func pattern(text string) (path, error) {
	text, err := withoutSlash(text)
	return path{regexPath, text}, err
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
		return shapeHas(p.text, text)
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
	case q.kind == shapePath || q.kind == regexPath:
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
	if p.kind == shapePath || p.kind == regexPath {
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
		start, _, variable := strings.Cut(p.text, "{")
		if variable && strings.HasSuffix(p.text, "=**}") {
			start = strings.TrimRight(start, "/")
		}
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
