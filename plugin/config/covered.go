package config

import (
	"slices"
	"strings"

	"edgejwt/verify/route"
)

// coveredBy gives the first route before routes[i] that matches whatever it would,
// or -1. It sees what a reader would: some that are covered it leaves.
func coveredBy(routes []route.Route, i int) int {
	later := &routes[i]
	for j := range routes[:i] {
		earlier := &routes[j]
		if earlier.Headers == nil && includes(earlier.Methods, later.Methods) && includes(earlier.Hosts, later.Hosts) &&
			covers(&earlier.Path, &later.Path) {
			return j
		}
	}
	return -1
}

// includes compares conditions of which one that is left out holds always.
func includes(all, some []string) bool {
	if all == nil {
		return true
	}
	for _, s := range some {
		if !slices.Contains(all, s) {
			return false
		}
	}
	return some != nil
}

// isEverything reports whether the condition holds for every path.
func isEverything(p *route.Path) bool {
	rest, tail := shape(p)
	return p.Kind == route.Any || tail && rest == ""
}

// covers reports whether a holds wherever b does.
func covers(a, b *route.Path) bool {
	switch {
	case isEverything(a):
		return true
	case a.Kind == route.Regex || b.Kind == route.Regex:
		return a.Kind == b.Kind && a.Text == b.Text
	case b.Kind == route.Any:
		return false
	}
	wide, wideTail := shape(a)
	narrow, narrowTail := shape(b)
	for wide != "" {
		var w, n string
		if narrow == "" {
			return false
		}
		w, wide, _ = strings.Cut(wide, "/")
		n, narrow, _ = strings.Cut(narrow, "/")
		if isVariable(a, w) {
			continue
		}
		if isVariable(b, n) || w != n {
			return false
		}
	}
	// A slash at the end is another spelling, which opens nothing: see route.Table.Find.
	aSlash, bSlash := strings.HasSuffix(a.Text, "/"), strings.HasSuffix(b.Text, "/")
	if wideTail {
		return narrow != "" || !aSlash || bSlash
	}
	return narrow == "" && !narrowTail && aSlash == bSlash
}

// shape gives the path without the slashes at both ends, and whether more may follow.
func shape(p *route.Path) (segments string, tail bool) {
	segments = p.Text
	if segments != "" && segments[0] == '/' {
		segments = segments[1:]
	}
	for strings.HasSuffix(segments, "/") {
		segments = segments[:len(segments)-1]
	}
	if p.Kind == route.Template && strings.HasSuffix(segments, "=**}") {
		return segments[:strings.LastIndexByte("/"+segments, '/')], true
	}
	return segments, p.Kind == route.Prefix
}

func isVariable(p *route.Path, segment string) bool {
	return p.Kind == route.Template && strings.HasPrefix(segment, "{")
}
