package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"edgejwt/e2e/harness"
	"edgejwt/internal/attacks/paths"
)

// guarded is a configuration in which a trick would pay: each place that needs
// something lies beside one that needs less.
const guarded = `
auth0: {domain: tenant.auth0.example, audience: https://api.example.com, cluster: auth0}
routes:
- {name: admin, path: {prefix: /admin}, permissions: [admin]}
- {name: public, path: {prefix: /public}, auth: none}
- {name: order, path: {template: "/orders/{id}"}, scopes: [read:orders]}
- {name: org, path: {template: "/orgs/{org}/{rest=**}"}, claimMatches: [{claim: org_id, variable: org}]}
- {name: lax, path: {prefix: /a}, auth: none}
- {name: root, path: {exact: /}, auth: none}
`

// settings are what Envoy may do to a path before the plugin sees it, by the name
// of the edge.
var settings = []struct{ edge, manager string }{
	{"normalising", harness.Normalising},
	{"unescaping", harness.Unescaping},
	{"as-sent", harness.AsSent},
}

// visitor is one kind of caller.
type visitor struct {
	name   string
	claims map[string]any // of a good token; nil: none is sent
	token  string
}

func visitors(t *testing.T, w *harness.World) []visitor {
	list := []visitor{
		{name: "nobody"},
		{name: "expired", claims: map[string]any{"exp": ago(3600e9), "permissions": []string{"admin"}, "scope": "read:orders", "org_id": "globex"}},
		{name: "anyone", claims: map[string]any{}},
		{name: "reader", claims: map[string]any{"scope": "read:orders"}},
		{name: "acme", claims: map[string]any{"org_id": "acme"}},
		{name: "admin", claims: map[string]any{"permissions": []string{"admin"}}},
	}
	for i := range list {
		if list[i].claims != nil {
			list[i].token = signed(t, w.Auth0, list[i].claims)
		}
	}
	return list
}

// may says who may have a handler run, whatever the way to it.
func (v *visitor) may(handler string, params map[string]string) bool {
	valid := v.claims != nil && v.name != "expired"
	switch handler {
	case "", "public", "lax", "root": // "" is nobody's: an answer of the router's own
		return true
	case "admin":
		return v.name == "admin"
	case "order":
		return v.name == "reader"
	case "list_orders", "one_order", "list_members", "org":
		return valid && v.claims["org_id"] == params["org"]
	}
	return valid
}

// resolving is a server that does to a path all that any server is known to do:
// it cuts parameters, decodes, takes a backslash for a slash, and resolves dots.
func resolving(seen func(id, handler string, params map[string]string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target, _, _ := strings.Cut(r.RequestURI, "?")
		target, _, _ = strings.Cut(target, "#")
		segments := strings.Split(target, "/")
		for i, s := range segments {
			segments[i], _, _ = strings.Cut(s, ";")
		}
		target = strings.Join(segments, "/")
		if decoded, err := url.PathUnescape(target); err == nil {
			target = decoded
		}
		target = path.Clean("/" + strings.ReplaceAll(target, `\`, "/"))
		handler, params := "elsewhere", map[string]string{}
		first, rest, _ := strings.Cut(target[1:], "/")
		switch {
		case target == "/":
			handler = "root"
		case first == "admin", first == "public":
			handler = first
		case first == "a":
			handler = "lax"
		case first == "orders" && rest != "" && !strings.Contains(rest, "/"):
			handler = "order"
		case first == "orgs" && strings.Contains(rest, "/"):
			handler = "org"
			params["org"], _, _ = strings.Cut(rest, "/")
		}
		seen(r.Header.Get("X-Trick"), handler, params)
	})
}

// resolved is what the resolving server ran, by the request's id: harness.Seen.
var resolved sync.Map

func trickEdges(t *testing.T) (list []harness.Edge, clusters []harness.Cluster) {
	// Closed with the process: the world outlives the test that makes it.
	server := httptest.NewServer(resolving(func(id, handler string, params map[string]string) {
		resolved.Store(id, harness.Seen{Handler: handler, Params: params})
	}))
	for _, s := range settings {
		list = append(list, harness.Edge{Name: s.edge, Plugin: fromYAML(t, guarded), Manager: s.manager,
			Routes: "- match: {prefix: /, headers: [{name: x-server, string_match: {exact: resolving}}]}\n  route: {cluster: resolving}\n" +
				"- match: {prefix: /}\n  route: {cluster: api}\n"})
	}
	return list, []harness.Cluster{{Name: "resolving", Address: server.Listener.Addr().String()}}
}

// allTricks are those of the list, and the same again between two organisations.
func allTricks() (all []paths.Trick) {
	all = slices.Clone(paths.All)
	between := strings.NewReplacer("admin", "orgs/globex/orders", "public", "orgs/acme/orders", "%61dmin", "%6frgs/globex/orders")
	for _, c := range paths.All {
		if p := between.Replace(c.Path); p != c.Path {
			all = append(all, paths.Trick{Name: "orgs: " + c.Name, Path: p})
		}
	}
	return append(all,
		paths.Trick{Name: "two organisations in one", Path: "/orgs/acme%2f..%2fglobex/orders"},
		paths.Trick{Name: "an empty organisation", Path: "/orgs//orders"},
		paths.Trick{Name: "an organisation behind an empty one", Path: "/orgs//globex/orders"},
		paths.Trick{Name: "an organisation of dots", Path: "/orgs/acme/./orders"},
		paths.Trick{Name: "an organisation with a parameter", Path: "/orgs/acme;x/orders"},
		paths.Trick{Name: "an organisation in capitals", Path: "/orgs/ACME/orders"},
		paths.Trick{Name: "an encoded organisation", Path: "/orgs/%61cme/orders"},
		paths.Trick{Name: "one's own organisation", Path: "/orgs/acme/orders"},
		paths.Trick{Name: "another organisation", Path: "/orgs/globex/orders"},
		paths.Trick{Name: "an order", Path: "/orders/7"},
		paths.Trick{Name: "a public page", Path: "/public/x"},
		paths.Trick{Name: "a fragment behind a query", Path: "/public?x#/../admin"},
		paths.Trick{Name: "absolute form of another scheme", Path: "https://edge/public/../admin"},
	)
}

// way is how a request is sent, and to which server.
type way struct {
	server string
	http2  bool
}

var ways = []way{{"fastapi", false}, {"resolving", false}, {"fastapi", true}}

// attempt is one request of TestTricksThroughEnvoy.
type attempt struct {
	trick  paths.Trick
	by     *visitor
	way    way
	id     string
	answer harness.Answer
	// redirected: Envoy sent the client to another spelling, where it went.
	redirected bool
}

func (a *attempt) String() string {
	return fmt.Sprintf("%s: %.60q by %s, %+v: %.200s", a.trick.Name, a.trick.Path, a.by.name, a.way, a.answer)
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// TestTricksThroughEnvoy sends every trick as raw bytes through every setting of
// Envoy, by every kind of caller, over HTTP/1.1 and HTTP/2, to FastAPI and to a
// server that resolves all that can be resolved. No handler runs for who may not have it run.
func TestTricksThroughEnvoy(t *testing.T) {
	w := edges(t)
	callers, list := visitors(t, w), allTricks()
	figures := fmt.Sprintf("%d with their kin", len(list))
	total := len(list) * len(callers) * len(ways) * len(settings)
	if page := fileInRoot(t, "docs", "routes.md"); !strings.Contains(page, figures) || !strings.Contains(page, thousands(total)+" requests") {
		t.Errorf("docs/routes.md must say %q and %q", figures, thousands(total)+" requests")
	}
	for _, s := range settings {
		t.Run(s.edge, func(t *testing.T) {
			w.ResetSeen()
			var attempts []*attempt
			for i := range callers {
				for _, c := range list {
					for _, way := range ways {
						a := &attempt{trick: c, by: &callers[i], way: way, id: fmt.Sprintf("%s-%d", s.edge, len(attempts))}
						attempts = append(attempts, a)
					}
				}
			}
			var sent sync.WaitGroup
			at := w.At(s.edge)
			for first := range 16 { // side by side: Envoy takes its time to close a connection
				sent.Go(func() {
					for i := first; i < len(attempts); i += 16 {
						attempts[i].send(at)
					}
				})
			}
			sent.Wait()
			judgeAttempts(t, w, attempts)
		})
	}
}

// send sends the trick, and follows Envoy where it sends the client elsewhere.
func (a *attempt) send(to string) {
	target := a.trick.Path
	for range 3 {
		if a.way.http2 {
			a.answer = harness.Raw2(to, a.fields(target), "")
		} else {
			a.answer = harness.Raw(to, a.request(target))
		}
		location := a.answer.Header.Get("Location")
		if a.answer.Status != http.StatusTemporaryRedirect || a.answer.Header.Get("Server") != "envoy" || location == "" {
			return
		}
		target, a.redirected = location, true
		if u, err := url.Parse(location); err == nil && u.Host != "" {
			target = u.RequestURI()
		}
	}
}

func (a *attempt) request(target string) string {
	r := "GET " + target + " HTTP/1.1\r\nHost: edge\r\nX-Trick: " + a.id + "\r\nX-Server: " + a.way.server + "\r\n"
	if a.by.token != "" {
		r += "Authorization: Bearer " + a.by.token + "\r\n"
	}
	return r + "Connection: close\r\n\r\n"
}

func (a *attempt) fields(target string) [][2]string {
	fields := [][2]string{{":method", "GET"}, {":scheme", "http"}, {":path", target}, {":authority", "edge"},
		{"x-trick", a.id}, {"x-server", a.way.server}}
	if a.by.token != "" {
		fields = append(fields, [2]string{"authorization", "Bearer " + a.by.token})
	}
	return fields
}

// judgeAttempts holds what ran against who may have it run, and prints how many
// requests came to which end.
func judgeAttempts(t *testing.T, w *harness.World, attempts []*attempt) {
	t.Helper()
	ran := map[string]harness.Seen{}
	for _, s := range w.Seen() {
		ran[s.Header("x-trick")] = s
	}
	resolved.Range(func(id, seen any) bool { ran[id.(string)] = seen.(harness.Seen); return true })
	ends := map[string]int{}
	for _, a := range attempts {
		seen, arrived := ran[a.id]
		if !a.by.may(seen.Handler, seen.Params) {
			t.Errorf("%v: %s %v ran (path %q)", a, seen.Handler, seen.Params, seen.Path)
		}
		if a.redirected {
			ends["(of these, sent elsewhere by Envoy first)"]++
		}
		switch {
		case arrived && seen.Handler == "":
			ends["answered by the server's router"]++
		case arrived:
			ends["served by "+seen.Handler]++
		case a.answer.Err != nil:
			ends["connection closed"]++
		case a.answer.Reason != "":
			ends[fmt.Sprintf("refused with %d %s", a.answer.Status, a.answer.Reason)]++
		default:
			ends[fmt.Sprintf("refused by a server or Envoy with %d", a.answer.Status)]++
		}
	}
	var lines []string
	for end, n := range ends {
		lines = append(lines, fmt.Sprintf("%5d %s", n, end))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(b, a) })
	t.Logf("%d requests:\n%s", len(attempts), strings.Join(lines, "\n"))
	for _, end := range []string{"served by admin", "served by order", "served by public", "refused with 400 path_ambiguous", "refused with 401 token_missing", "refused with 403 permission_missing", "refused with 403 claim_mismatch"} {
		if ends[end] == 0 {
			t.Errorf("no request came to this end, so this shows little: %s", end)
		}
	}
}
