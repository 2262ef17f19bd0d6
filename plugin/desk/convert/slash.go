package convert

import (
	"errors"
	"regexp/syntax"
	"slices"
	"strings"
)

// withoutSlash gives a regular expression for what is left of the paths that
// text matches when a slash at their end is cut off: edgejwt takes /a/ for /a, so
// an expression that wants the slash would match no path.
func withoutSlash(text string) (string, error) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return "", errors.New("a regular expression that Go's RE2 does not read")
	}
	tree = tree.Simplify()
	if !plain(tree) {
		return "", errors.New("a regular expression with an anchor or a word border inside")
	}
	kept := tree.String()
	var rest []string
	for _, cut := range cutSlash(tree) {
		if s := cut.Simplify().String(); s != "" && s != kept && !slices.Contains(rest, s) {
			rest = append(rest, s)
		}
	}
	if rest == nil {
		return text, nil
	}
	return "(?:" + text + ")|(?:" + strings.Join(rest, ")|(?:") + ")", nil
}

// plain reports whether anchors stand only where they say nothing: at the ends.
func plain(tree *syntax.Regexp) bool {
	parts := []*syntax.Regexp{tree}
	if tree.Op == syntax.OpConcat {
		parts = tree.Sub
	}
	for i, part := range parts {
		switch part.Op {
		case syntax.OpBeginLine, syntax.OpBeginText:
			if i != 0 {
				return false
			}
		case syntax.OpEndLine, syntax.OpEndText:
			if i != len(parts)-1 {
				return false
			}
		default:
			if anchored(part) {
				return false
			}
		}
	}
	return true
}

func anchored(tree *syntax.Regexp) bool {
	switch tree.Op {
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpEndLine, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	return slices.ContainsFunc(tree.Sub, anchored)
}

// cutSlash gives expressions that together match s wherever tree matches s + "/".
func cutSlash(tree *syntax.Regexp) []*syntax.Regexp {
	switch tree.Op {
	case syntax.OpLiteral:
		if last := len(tree.Rune) - 1; tree.Rune[last] == '/' {
			return []*syntax.Regexp{{Op: syntax.OpLiteral, Flags: tree.Flags, Rune: tree.Rune[:last]}}
		}
	case syntax.OpCharClass:
		for i := 0; i+1 < len(tree.Rune); i += 2 {
			if tree.Rune[i] <= '/' && '/' <= tree.Rune[i+1] {
				return empty
			}
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return empty
	case syntax.OpCapture, syntax.OpQuest:
		return cutSlash(tree.Sub[0])
	case syntax.OpStar, syntax.OpPlus:
		if isAnything(tree.Sub[0]) {
			if tree.Op == syntax.OpPlus {
				return empty
			}
			return nil // what it matches with a slash at the end, it matches without
		}
		return behind([]*syntax.Regexp{{Op: syntax.OpStar, Sub: tree.Sub}}, cutSlash(tree.Sub[0]))
	case syntax.OpAlternate:
		var all []*syntax.Regexp
		for _, sub := range tree.Sub {
			all = append(all, cutSlash(sub)...)
		}
		return all
	case syntax.OpConcat:
		var all []*syntax.Regexp
		for i := len(tree.Sub) - 1; i >= 0; i-- {
			all = append(all, behind(tree.Sub[:i], cutSlash(tree.Sub[i]))...)
			if !matchesEmpty(tree.Sub[i]) {
				break
			}
		}
		return all
	}
	return nil
}

func isAnything(tree *syntax.Regexp) bool {
	return tree.Op == syntax.OpAnyChar || tree.Op == syntax.OpAnyCharNotNL
}

var empty = []*syntax.Regexp{{Op: syntax.OpEmptyMatch}}

func behind(head, tails []*syntax.Regexp) []*syntax.Regexp {
	var all []*syntax.Regexp
	for _, tail := range tails {
		all = append(all, &syntax.Regexp{Op: syntax.OpConcat, Sub: append(slices.Clone(head), tail)})
	}
	return all
}

func matchesEmpty(tree *syntax.Regexp) bool {
	switch tree.Op {
	case syntax.OpEmptyMatch, syntax.OpStar, syntax.OpQuest, syntax.OpBeginText, syntax.OpBeginLine, syntax.OpEndText, syntax.OpEndLine:
		return true
	case syntax.OpCapture, syntax.OpPlus:
		return matchesEmpty(tree.Sub[0])
	case syntax.OpConcat:
		return !slices.ContainsFunc(tree.Sub, func(sub *syntax.Regexp) bool { return !matchesEmpty(sub) })
	case syntax.OpAlternate:
		return slices.ContainsFunc(tree.Sub, matchesEmpty)
	}
	return false
}
