package route

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxVariables is the greatest number of variables of one template.
const MaxVariables = 8

// segment is one segment of a template.
type segment struct {
	text     string // folded, or the name of the variable
	exact    string // not folded
	variable bool
	tail     bool // matches all segments that are left
}

// pattern is a compiled Path.
type pattern struct {
	kind     Kind
	text     string // folded; for Regex, the literal prefix of every match
	exact    string // text, not folded, of Exact and Prefix
	slash    bool   // the text has a trailing slash, or the expression may match one
	segments []segment
	names    []string // of the variables

	regex        *regexp.Regexp // matches the whole folded path
	exactRegex   *regexp.Regexp // matches the whole path, not folded
	instructions int            // of its program; see verify.MaxRegexWork
}

// tail reports whether the last variable matches all segments that are left.
func (p *pattern) tail() bool {
	return len(p.segments) > 0 && p.segments[len(p.segments)-1].tail
}

// holds reports whether the pattern, which must not be a Regex, matches a reading of a
// path. If so, it sets captured to the values of the template's variables.
func (p *pattern) holds(r *reading, captured *[]string) bool {
	switch p.kind {
	case Any:
		return true
	case Exact:
		return r.folded == p.text
	case Prefix:
		return p.text == "/" || strings.HasPrefix(r.folded, p.text) &&
			(len(r.folded) == len(p.text) || r.folded[len(p.text)] == '/')
	case Template:
		return p.template(r, captured)
	}
	return false
}

// template matches the segments. With captured it compares their folded form; without
// captured (nil) it compares them as they are.
func (p *pattern) template(r *reading, captured *[]string) bool {
	whole := p.segments // those that match one segment each
	if p.tail() {
		whole = whole[:len(whole)-1]
	}
	if r.count < len(whole) || r.count > len(whole) && !p.tail() {
		return false
	}
	for i := range whole {
		start, end := r.segment(i)
		switch {
		case whole[i].variable && start == end,
			!whole[i].variable && captured != nil && r.folded[start:end] != whole[i].text,
			!whole[i].variable && captured == nil && r.path[start:end] != whole[i].exact:
			return false
		}
	}
	if len(p.names) == 0 || captured == nil {
		return true
	}
	found := make([]string, 0, len(p.names))
	at := 0
	for i := range whole {
		start, end := r.segment(i)
		if at = end; whole[i].variable {
			found = append(found, r.path[start:end])
		}
	}
	if p.tail() {
		found = append(found, r.path[min(at+1, len(r.path)):])
	}
	*captured = found
	return true
}

// compile compiles a condition. want is Fault.Want, or empty.
func (p *Path) compile(o Options) (ready pattern, want string) {
	ready = pattern{kind: p.Kind, slash: len(p.Text) > 1 && strings.HasSuffix(p.Text, "/")}
	switch p.Kind {
	case Any:
	case Exact, Prefix:
		ready.text, ready.exact, want = literal(p.Text, o)
	case Template:
		want = ready.parse(p.Text, o)
	case Regex:
		want = ready.compileRegex(p.Text, o)
	default:
		want = "is no kind of path"
	}
	return ready, want
}

// compileRegex compiles a regular expression. RE2 takes time linear in the path's length.
func (p *pattern) compileRegex(text string, o Options) (want string) {
	flags := syntax.Perl
	if o.IgnoreCase {
		flags |= syntax.FoldCase
	}
	// It is parsed alone first: "a)|(b" would end the group below.
	parsed, err := syntax.Parse(text, flags)
	if text == "" || err != nil {
		return wantRegex
	}
	p.slash = mayEndInSlash(parsed)
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return wantRegex
	}
	p.instructions = len(program.Inst)
	prefix, _ := program.Prefix()
	if prefix != "" && prefix[0] != '/' {
		return "matches no path, because every path begins with a slash" + exampleRegex
	}
	p.text = prefix
	group := `\A(?:`
	if o.IgnoreCase {
		group = `\A(?i:`
	}
	if p.regex, err = regexp.Compile(group + text + `)\z`); err != nil {
		return wantRegex
	}
	if p.exactRegex = p.regex; o.IgnoreCase {
		p.exactRegex, err = regexp.Compile(`\A(?:` + text + `)\z`)
	}
	if err != nil {
		return wantRegex
	}
	return ""
}

// mayEndInSlash reports whether an expression may match a text that ends in a slash. It is
// true when that is not known.
func mayEndInSlash(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral:
		return re.Rune[len(re.Rune)-1] == '/'
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			if re.Rune[i] <= '/' && '/' <= re.Rune[i+1] {
				return true
			}
		}
		return false
	case syntax.OpConcat:
		for i := len(re.Sub) - 1; i >= 0; i-- {
			if mayEndInSlash(re.Sub[i]) {
				return true
			}
			if !mayBeEmpty(re.Sub[i]) {
				return false
			}
		}
		return false
	case syntax.OpAlternate, syntax.OpCapture, syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		return slices.ContainsFunc(re.Sub, mayEndInSlash)
	}
	return !mayBeEmpty(re)
}

// mayBeEmpty reports whether an expression may match an empty text. It is true when that is
// not known.
func mayBeEmpty(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL, syntax.OpNoMatch:
		return false
	case syntax.OpConcat:
		return !slices.ContainsFunc(re.Sub, func(sub *syntax.Regexp) bool { return !mayBeEmpty(sub) })
	case syntax.OpAlternate:
		return slices.ContainsFunc(re.Sub, mayBeEmpty)
	case syntax.OpCapture, syntax.OpPlus:
		return mayBeEmpty(re.Sub[0])
	case syntax.OpRepeat:
		return re.Min == 0 || mayBeEmpty(re.Sub[0])
	}
	return true
}

const exampleRegex = " (example: /v[12]/orders)"

const wantRegex = "is not a regular expression of RE2" + exampleRegex

const wantPath = "is not a path that can be read in one way only (example: /orders)"

// literal returns the canonical form of a path in the configuration, folded and not
// folded. The path may contain spaces and non-ASCII characters without escapes.
func literal(text string, o Options) (folded, exact, want string) {
	raw := make([]byte, 0, len(text))
	for i := range len(text) {
		raw = escape(raw, text[i], text[i] == ' ' || text[i] >= utf8.RuneSelf)
	}
	var r reader
	if err := r.read(string(raw), o); err != nil || strings.IndexByte(text, '?') >= 0 || trim(r.decoded) != r.canonical {
		return "", "", wantPath
	}
	return fold(r.canonical, o), r.canonical, ""
}

// parse parses a template.
func (p *pattern) parse(text string, o Options) (want string) {
	if text == "" || text[0] != '/' {
		return wantPath
	}
	for rest := trim(text); rest != "" && rest != "/"; {
		if p.tail() {
			return "has something behind {…=**}, which takes all that is left"
		}
		var part string
		part, rest = nextSegment(rest)
		var s segment
		if strings.IndexByte(part, '{') < 0 && strings.IndexByte(part, '}') < 0 {
			if s.text, s.exact, want = literal("/"+part, o); want != "" || part == "" {
				return wantPath
			}
			s.text, s.exact = s.text[1:], s.exact[1:]
		} else {
			if len(part) < 3 || part[0] != '{' || part[len(part)-1] != '}' {
				return "has a variable that is not a whole segment (example: /orders/{id})"
			}
			s.variable = true
			s.text, s.tail = strings.CutSuffix(part[1:len(part)-1], "=**")
			if s.text == "" || !onlyOf(s.text, "_") || s.text[0] <= '9' {
				return "has a variable whose name is not letters, digits and underscores (example: /orders/{id})"
			}
			if slices.Contains(p.names, s.text) {
				return "has a variable twice"
			}
			if p.names = append(p.names, s.text); len(p.names) > MaxVariables {
				return "has more than 8 variables"
			}
		}
		if p.segments = append(p.segments, s); len(p.segments) > maxSegments {
			return "has more than 32 segments"
		}
	}
	return ""
}
