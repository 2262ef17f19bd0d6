package config

import (
	"regexp"
	"strings"

	"edgejwt/verify/route"
)

// compileRegex makes a Pattern of an expression in RE2's syntax, whose time is
// linear in the path's length. want completes the sentence that the expression
// begins when it cannot.
func compileRegex(text string, ignoreCase bool) (pattern route.Pattern, want string) {
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
	return whole, ""
}
