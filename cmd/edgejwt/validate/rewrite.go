package validate

import (
	"slices"
	"strconv"
	"strings"

	"edgejwt/verify/route"
)

// judgeRewrites looks for routes of edgejwt whose path no route of Envoy takes, and
// which Envoy makes by a rewrite: edgejwt sees the path that the client sent.
func (r *routing) judgeRewrites() {
	var rewritten []string
	var all []target
	for _, host := range r.config.Get("virtual_hosts").Items() {
		for _, one := range host.Get("routes").Items() {
			all = append(all, target{host: host, route: one})
			if to := one.Get("route", "prefix_rewrite").Str(); to != "" {
				rewritten = append(rewritten, to)
			}
		}
	}
	for i := range r.plugin.config.Routes {
		condition := &r.plugin.config.Routes[i].Path
		if condition.Kind == route.Any || condition.Kind == route.Regex {
			continue
		}
		paths := samplePaths(condition)
		isMade := slices.ContainsFunc(rewritten, func(to string) bool { return strings.HasPrefix(paths[0], to) })
		isTaken := slices.ContainsFunc(all, func(t target) bool {
			return slices.ContainsFunc(paths, func(path string) bool {
				matches, sure := matchesRoute(t.route.Get("match"), &envoyRequest{method: "GET", path: path})
				return matches || !sure
			})
		})
		if isMade && !isTaken {
			r.world.found(Finding{Severity: Warning, What: "is for a path that no route of Envoy takes, but which one rewrites to",
				Why:   "edgejwt sees the path as the client sent it, before Envoy's prefix_rewrite: this route meets no request.",
				Write: "the path that clients ask for"}, r.plugin.file, r.plugin.where("routes["+strconv.Itoa(i)+"].path"))
		}
	}
}
