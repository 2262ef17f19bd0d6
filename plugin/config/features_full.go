//go:build full || !wasip1

package config

import (
	"regexp"
	"strings"

	"edgejwt/verify/route"
)

// Full gives the features of dist/edgejwt-full.wasm.
func Full() Features { return Features{Algorithms: algorithms, Regex: compileRegex} }

// pattern is a function, because a type with methods of its own would bring all
// of Regexp's into the module.
type pattern func(path string) bool

func (p pattern) MatchString(path string) bool { return p(path) }

// compileRegex makes a Pattern of an expression in RE2's syntax, whose time is
// linear in the path's length.
func compileRegex(text string, ignoreCase bool) (route.Pattern, string) {
	// Alone first: "a)|(b" would get out of the group below.
	part, err := regexp.Compile(text)
	if err != nil {
		return nil, "is not a regular expression of RE2"
	}
	if prefix, _ := part.LiteralPrefix(); prefix != "" && !strings.HasPrefix(prefix, "/") {
		return nil, "matches no path, for every path begins with a slash"
	}
	group := `\A(?:`
	if ignoreCase {
		group = `\A(?i:`
	}
	whole, err := regexp.Compile(group + text + `)\z`)
	if err != nil {
		return nil, "is not a regular expression of RE2"
	}
	return pattern(whole.MatchString), ""
}
