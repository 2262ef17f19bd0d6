package validate

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/plugin/config"
	"edgejwt/verify/route"
)

// target is one of Envoy's routes, as far as it can be matched here.
type target struct {
	host   *document.Node // virtual host
	route  *document.Node
	policy string // in its metadata; "" for none
}

// judgeSpellings looks at policies that say which spellings no other route of Envoy
// matches. Requests for the paths that the routes themselves name are tried.
func (r *routing) judgeSpellings() {
	var all []target
	for _, host := range r.config.Get("virtual_hosts").Items() {
		for _, one := range host.Get("routes").Items() {
			all = append(all, target{host, one, one.Get("metadata", "filter_metadata", "edgejwt", "policy").Str()})
		}
	}
	for _, own := range all {
		policy, err := config.ParsePolicy(own.policy)
		if err != nil || policy.Spellings == 0 {
			continue
		}
		for _, s := range []struct {
			spelling route.Spelling
			name     string
			respell  func(*envoyRequest)
		}{
			{route.TrailingSlash, "trailingSlash", func(q *envoyRequest) { q.path = strings.TrimSuffix(q.path, "/") + "/" }},
			{route.HeadAsGet, "head", func(q *envoyRequest) { q.method = "HEAD" }},
			{route.HostPort, "port", func(q *envoyRequest) { q.host += ":1" }},
		} {
			if policy.Spellings&s.spelling == 0 {
				continue
			}
			if other := r.elsewhere(own, all, s.respell); other != nil {
				r.foundInRoutes(Finding{Severity: Error, What: "the policy accepts the spelling " + s.name + ", which leads to another route of Envoy",
					Why:   "That route's own policy, or its lack of one, applies to what may be the same request (the route at line " + strconv.Itoa(other.Line) + ").",
					Write: "leave " + s.name + " out of spellings, or give both routes one policy"}, own.route)
			}
		}
	}
}

// elsewhere finds a route with another policy that takes a respelled request of own's.
func (r *routing) elsewhere(own target, all []target, respell func(*envoyRequest)) *document.Node {
	for _, sibling := range all {
		if sibling.host != own.host {
			continue
		}
		for _, path := range pathsOf(sibling.route.Get("match")) {
			q := envoyRequest{method: "GET", host: hostOfDomains(own.host), path: path}
			if !slices.ContainsFunc(r.taken(all, &q), func(t target) bool { return t.route == own.route }) {
				continue
			}
			respell(&q)
			for _, t := range r.taken(all, &q) {
				if t.policy != own.policy && t.route.Get("redirect") == nil {
					return t.route
				}
			}
		}
	}
	return nil
}

// envoyRequest is what Envoy's routes are chosen by here.
type envoyRequest struct{ method, host, path string }

// taken are the routes that may take a request: those before the first that surely
// does, whose other conditions are not known, and that one.
func (r *routing) taken(all []target, q *envoyRequest) (some []target) {
	host := r.virtualHost(q.host)
	for _, t := range all {
		if t.host != host {
			continue
		}
		matches, sure := matchesRoute(t.route.Get("match"), q)
		if matches {
			some = append(some, t)
		}
		if matches && sure {
			break
		}
	}
	return some
}

// virtualHost chooses as Envoy does: an exact domain, then the longest *.suffix, then
// the longest prefix.*, then *.
func (r *routing) virtualHost(host string) (best *document.Node) {
	host = strings.ToLower(host)
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') && on(r.config.Get("ignore_port_in_host_matching")) {
		host = host[:colon]
	}
	length := -1
	for _, vh := range r.config.Get("virtual_hosts").Items() {
		for _, d := range vh.Get("domains").Items() {
			domain := strings.ToLower(d.Str())
			rank := -1
			switch suffix, prefix := strings.TrimPrefix(domain, "*"), strings.TrimSuffix(domain, "*"); {
			case domain == "*":
				rank = 0
			case domain == host:
				rank = 3 << 20
			case suffix != domain && strings.HasSuffix(host, suffix) && len(host) > len(suffix):
				rank = 2<<20 + len(domain)
			case prefix != domain && strings.HasPrefix(host, prefix) && len(host) > len(prefix):
				rank = 1<<20 + len(domain)
			}
			if rank > length {
				best, length = vh, rank
			}
		}
	}
	return best
}

// matchesRoute judges a RouteMatch. sure is false where it has conditions that are not
// looked at here.
func matchesRoute(match *document.Node, q *envoyRequest) (matches, sure bool) {
	path, sure := q.path, true
	fold := func(s string) string { return s }
	if match.Get("case_sensitive").Is("false") {
		fold = strings.ToLower
	}
	path = fold(path)
	for _, condition := range match.Members() {
		text := fold(condition.Str())
		switch snake(condition.Name) {
		case "prefix":
			if !strings.HasPrefix(path, text) {
				return false, true
			}
		case "path":
			if path != text {
				return false, true
			}
		case "path_separated_prefix":
			if path != text && !strings.HasPrefix(path, text+"/") {
				return false, true
			}
		case "safe_regex":
			if e, err := regexp.Compile(`\A(?:` + condition.Get("regex").Str() + `)\z`); err != nil || !e.MatchString(q.path) {
				return err != nil, false
			}
		case "connect_matcher":
			return false, true
		case "headers":
			for _, h := range condition.Items() {
				exact := first(h.Get("string_match", "exact"), h.Get("exact_match"))
				if !h.Get("name").Is(":method") || exact == nil || h.Get("invert_match").Is("true") {
					sure = false
				} else if !exact.Is(q.method) {
					return false, true
				}
			}
		case "case_sensitive":
		default:
			sure = false
		}
	}
	return true, sure
}

// snake is a field's name as .proto files have it.
func snake(name string) string {
	var b strings.Builder
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			b.WriteString("_" + strings.ToLower(string(c)))
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// pathsOf are paths that a RouteMatch names, without a slash at the end, and one below.
func pathsOf(match *document.Node) (all []string) {
	for _, name := range []string{"path", "prefix", "path_separated_prefix"} {
		if text := match.Get(name).Str(); text != "" {
			path := strings.TrimSuffix(text, "/")
			all = append(all, path+"/some-path")
			if path != "" {
				all = append(all, path)
			}
		}
	}
	return all
}

// hostOfDomains is a host that a virtual host's first domain takes.
func hostOfDomains(host *document.Node) string {
	for _, d := range host.Get("domains").Items() {
		return strings.Replace(d.Str(), "*", "some-host", 1)
	}
	return ""
}
