package route

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// MaxVariables is the greatest number of variables of one template.
const MaxVariables = 8

// segment is one part of a template.
type segment struct {
	text     string // literal, folded, or the variable's name
	variable bool
	tail     bool // takes all that is left
}

// pattern is a Path made ready.
type pattern struct {
	kind     Kind
	text     string // folded; of a regular expression what every match begins with
	slash    bool   // the operator wrote a slash at the end, or it is a regular expression, which may
	segments []segment
	names    []string // of the variables

	regex        *regexp.Regexp // matches the whole folded path
	instructions int            // of its program: the work for one byte is at most linear in it
}

// tail reports whether the last variable takes all that is left.
func (p *pattern) tail() bool {
	return len(p.segments) > 0 && p.segments[len(p.segments)-1].tail
}

// holds matches a path, and its folded form, which is of the same length. It
// sets captured, to what the variables of a template stand for, only when it does.
func (p *pattern) holds(path, folded string, captured *[]string) bool {
	switch p.kind {
	case Any:
		return true
	case Exact:
		return folded == p.text
	case Prefix:
		return p.text == "/" || strings.HasPrefix(folded, p.text) &&
			(len(folded) == len(p.text) || folded[len(p.text)] == '/')
	case Template:
		return p.template(path, folded, captured)
	}
	return false
}

func (p *pattern) template(path, folded string, captured *[]string) bool {
	var found []string
	at := 0
	if path == "/" {
		at = 1 // the root has no segments
	}
	for i := range p.segments {
		s := &p.segments[i]
		start, end := at+1, len(path)
		if at == end && !s.tail {
			return false
		}
		if !s.tail {
			text, _ := nextSegment(folded[at:])
			if end = start + len(text); !s.variable && text != s.text || text == "" {
				return false
			}
		}
		if s.variable {
			found = append(found, path[min(start, end):end])
		}
		at = end
	}
	if at < len(path) {
		return false
	}
	*captured = found
	return true
}

// compile makes a condition ready. want says what is wrong with it, or is empty.
func (p *Path) compile(o Options) (ready pattern, want string) {
	ready = pattern{kind: p.Kind, slash: p.Kind == Regex || len(p.Text) > 1 && strings.HasSuffix(p.Text, "/")}
	switch p.Kind {
	case Any:
	case Exact, Prefix:
		ready.text, want = literal(p.Text, o)
	case Template:
		want = ready.parse(p.Text, o)
	case Regex:
		want = ready.compileRegex(p.Text, o)
	default:
		want = "is no kind of path"
	}
	return ready, want
}

// compileRegex makes a regular expression of RE2, whose time is linear in the
// path's length.
func (p *pattern) compileRegex(text string, o Options) (want string) {
	flags := syntax.Perl
	if o.IgnoreCase {
		flags |= syntax.FoldCase
	}
	// Alone first: "a)|(b" would get out of the group below.
	parsed, err := syntax.Parse(text, flags)
	if text == "" || err != nil {
		return wantRegex
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return wantRegex
	}
	p.instructions = len(program.Inst)
	if prefix, _ := program.Prefix(); prefix != "" && prefix[0] != '/' {
		return "matches no path, for every path begins with a slash" + exampleRegex
	} else {
		p.text = prefix
	}
	group := `\A(?:`
	if o.IgnoreCase {
		group = `\A(?i:`
	}
	if p.regex, err = regexp.Compile(group + text + `)\z`); err != nil {
		return wantRegex
	}
	return ""
}

const exampleRegex = " (example: /v[12]/orders)"

const wantRegex = "is not a regular expression of RE2" + exampleRegex

const wantPath = "is not a path that can be read in one way only (example: /orders)"

// literal gives the operator's path its canonical form. He may write what a
// client would have to escape, but none of what he could not mean.
func literal(text string, o Options) (folded, want string) {
	raw := make([]byte, 0, len(text))
	for i := range len(text) {
		raw = escape(raw, text[i], text[i] == ' ' || text[i] >= utf8.RuneSelf)
	}
	var r reader
	if err := r.read(string(raw), o); err != nil || strings.IndexByte(text, '?') >= 0 || trim(r.decoded) != r.canonical {
		return "", wantPath
	}
	return fold(r.canonical, o), ""
}

// parse reads a template.
func (p *pattern) parse(text string, o Options) (want string) {
	if text == "" || text[0] != '/' {
		return wantPath
	}
	for rest := trim(text); rest != "" && rest != "/"; {
		if p.segments != nil && p.segments[len(p.segments)-1].tail {
			return "has something behind {…=**}, which takes all that is left"
		}
		var part string
		part, rest = nextSegment(rest)
		var s segment
		if strings.IndexByte(part, '{') < 0 && strings.IndexByte(part, '}') < 0 {
			if s.text, want = literal("/"+part, o); want != "" || part == "" {
				return wantPath
			}
			s.text = s.text[1:]
		} else {
			if len(part) < 3 || part[0] != '{' || part[len(part)-1] != '}' {
				return "has a variable that is not a whole segment (example: /orders/{id})"
			}
			s.variable = true
			s.text, s.tail = strings.CutSuffix(part[1:len(part)-1], "=**")
			if s.text == "" || !onlyOf(s.text, "_") || s.text[0] <= '9' {
				return "has a variable whose name is not letters, digits and underscores (example: /orders/{id})"
			}
			for _, name := range p.names {
				if name == s.text {
					return "has a variable twice"
				}
			}
			if p.names = append(p.names, s.text); len(p.names) > MaxVariables {
				return "has more than 8 variables"
			}
		}
		p.segments = append(p.segments, s)
	}
	return ""
}
