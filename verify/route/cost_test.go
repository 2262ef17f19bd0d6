package route_test

import (
	"fmt"
	"strings"
	"testing"

	"edgejwt/verify/route"
)

// dear are the requests that cost most: see MaxRegexWork and MaxOddPathBytes.
func dear() (tables map[string][]route.Route, paths map[string]string) {
	var regexes, templates, hard []route.Route
	for i := range 64 {
		regexes = append(regexes, route.Route{Path: regex(fmt.Sprintf(`/v\d+/.*(x%d|y)+z`, i)), Auth: route.Deny})
		hard = append(hard, route.Route{Path: regex(fmt.Sprintf(`(.*/)*(a|%d)*b`, i)), Auth: route.Deny})
	}
	for i := range 256 {
		templates = append(templates, route.Route{Path: template(fmt.Sprintf("/{a}/{b}/{c}/{d}/x%d", i)), Auth: route.Deny})
	}
	return map[string][]route.Route{"64 expressions": regexes, "64 hard expressions": hard, "256 templates": templates}, map[string]string{
		"8 KiB":            "/v1/" + strings.Repeat("xy", 4090),
		"8 KiB of slashes": strings.Repeat("/a", 4090),
		"odd, 8 KiB":       strings.Repeat("//%41/.", 1170),
		"odd, 1 KiB":       strings.Repeat("//%41/.", 146),
		"short":            "/v1/orders/7",
	}
}

func BenchmarkDear(b *testing.B) {
	tables, paths := dear()
	for name, routes := range tables {
		for sort, path := range paths {
			b.Run(name+"/"+sort, func(b *testing.B) {
				table := newTable(b, routes, route.Options{IgnoreCase: strings.HasPrefix(name, "256")})
				for b.Loop() {
					var m route.Match
					_ = table.Find(&route.Request{Method: "GET", Host: "h", Path: path}, &m)
				}
			})
		}
	}
}
