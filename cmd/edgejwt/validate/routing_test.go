package validate

import (
	"os"
	"strings"
	"testing"

	"edgejwt/cmd/edgejwt/document"
)

// example is envoy.yaml, changed: more members of the plugin's configuration, lines of
// the connection manager, and the whole of its route configuration.
func example(t *testing.T, members, manager, routes string) string {
	t.Helper()
	text, err := os.ReadFile("../../../envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s := string(text)
	replace := func(old, new string) {
		if strings.Count(s, old) != 1 {
			t.Fatalf("%q stands %d times in envoy.yaml", old, strings.Count(s, old))
		}
		s = strings.Replace(s, old, new, 1)
	}
	replace("          strip_any_host_port: true\n          strip_trailing_host_dot: true\n", manager)
	switch members {
	case byHost:
		replace(`{"path": {"prefix": "/admin"},`, `{"path": {"prefix": "/admin"}, "hosts": ["a.example"],`)
	case byPort, byListener, besidePort:
		replace(`{"path": {"prefix": "/admin"},`, `{"path": {"prefix": "/admin"}, "hosts": ["b.example", "[::1]", "`+members+`"],`)
	case byClaim:
		replace(`{"path": {"prefix": "/admin"},`, `{"path": {"prefix": "/admin"}, "claimMatches": [{"claim": "h", "host": true}],`)
	default:
		replace(`{"auth0": {`, "{"+members+`"auth0": {`)
	}
	before, rest, _ := strings.Cut(s, "          route_config:\n")
	_, after, _ := strings.Cut(rest, "          http_filters:\n")
	return before + routes + "          http_filters:\n" + after
}

const (
	stripped   = "          strip_any_host_port: true\n          strip_trailing_host_dot: true\n"
	noPort     = "          strip_trailing_host_dot: true\n"
	noDot      = "          strip_any_host_port: true\n"
	allHosts   = "virtual_hosts: [{name: api, domains: ['*'], routes: [{match: {prefix: /}, route: {cluster: api}}]}]"
	byPolicy   = `"routeMetadata": true, `
	byHost     = "HOSTS"           // example puts a condition on the host into a route
	byPort     = "a.example:8443"  // hosts with a port
	byListener = "a.example:10000" // that of the listener
	besidePort = "B.example:8443"  // beside the name alone
	byClaim    = "CLAIM"           // and a claim that must be the host
)

func routes(more string) string { return "          route_config: {" + more + allHosts + "}\n" }

// TestRouting: each setting of Envoy that decides how its routes read a request.
func TestRouting(t *testing.T) {
	for _, c := range []struct{ name, members, manager, routes, want string }{
		{"as it is", "", stripped, routes(""), ""},
		{"the port kept, and nothing depends on it", "", "", routes(""), ""},
		{"the port kept", byPolicy, noPort, routes(""), "hint hosts keep their port"},
		{"the port and the dot kept, for routes with hosts", byHost, "", routes(""), "hint hosts keep their port\nhint hosts keep a dot at their end"},
		{"another header for the host of a claim", byClaim, stripped, routes("vhost_header: x-host, "), "error Envoy takes the host from the header x-host, and edgejwt from :authority"},
		{"ignored by Envoy only, for routes with hosts", byHost, noPort, routes("ignore_port_in_host_matching: true, "), "warning Envoy's routes ignore the port of the host, and hostPort is exact"},
		{"the listener's port stripped", byPolicy, noPort + "          strip_matching_host_port: true\n", routes(""), ""},
		{"the dot kept", byPolicy, noDot, routes(""), "hint hosts keep a dot at their end"},
		{"ignored by Envoy only", byPolicy, noPort, routes("ignore_port_in_host_matching: true, "), "warning Envoy's routes ignore the port of the host, and hostPort is exact"},
		{"ignored by Envoy only, stripped before", byPolicy, stripped, routes("ignore_port_in_host_matching: true, "), ""},
		{"ignored by Envoy only, and nothing depends on it", "", noPort, routes("ignore_port_in_host_matching: true, "), ""},
		{"ignored by both", `"hostPort": "ignored", ` + byPolicy, noPort, routes("ignorePortInHostMatching: true, "), ""},
		{"ignored by edgejwt only", `"hostPort": "ignored", `, noPort, routes(""), "error hostPort is ignored, and Envoy's routes do not ignore the port"},
		// Envoy leaves www.example.com: and www.example.com:99999999999 as they are.
		{"ignored by edgejwt only, stripped before", `"hostPort": "ignored", `, stripped, routes(""), "error hostPort is ignored, and Envoy's routes do not ignore the port"},
		{"ignored by edgejwt only, the listener's port stripped before", `"hostPort": "ignored", `, noPort + "          strip_matching_host_port: true\n", routes(""),
			"error hostPort is ignored, and Envoy's routes do not ignore the port"},
		{"ignored by both, stripped before", `"hostPort": "ignored", `, stripped, routes("ignore_port_in_host_matching: true, "), ""},
		{"ignored, stripped before, and the routes are elsewhere", `"hostPort": "ignored", `, stripped, "          rds: {route_config_name: r}\n",
			"hint hostPort is ignored, and Envoy's routes are not in these files"},
		{"a port in hosts, which Envoy strips", byPort, stripped, routes(""), "warning names the port of a.example:8443, which Envoy strips"},
		{"a port in hosts, which Envoy strips from the listener's", byListener, noPort + "          strip_matching_host_port: true\n", routes(""),
			"warning names the port of a.example:10000, which Envoy strips"},
		{"another port than the listener's in hosts", byPort, noPort + "          strip_matching_host_port: true\n", routes(""), ""},
		{"a port in hosts, which Envoy strips, and the name without it", besidePort, stripped, routes(""), ""},
		{"a port in hosts, which Envoy keeps", byPort, noPort, routes(""), "hint hosts keep their port"},
		{"ignored, and the routes are elsewhere", `"hostPort": "ignored", `, noPort, "          rds: {route_config_name: r}\n", "hint hostPort is ignored, and Envoy's routes are not in these files"},
		{"another header for the host", byPolicy, stripped, routes("vhost_header: x-host, "), "error Envoy takes the host from the header x-host, and edgejwt from :authority"},
		{"another header for the host, and nothing depends on it", "", stripped, routes("vhost_header: x-host, "), ""},
		{"path parameters", "", stripped, routes("ignore_path_parameters_in_path_matching: true, "), "hint Envoy's routes leave out what stands behind a semicolon in a path"},
		{"without case in Envoy", "", stripped, strings.Replace(routes(""), "{prefix: /}", "{prefix: /, case_sensitive: false}", 1),
			"warning Envoy's route ignores the case of paths, and edgejwt's routes do not"},
		{"without case in an expression", "", stripped, strings.Replace(routes(""), "{prefix: /}", "{safe_regex: {regex: '(?i)/admin'}}", 1),
			"warning Envoy's route ignores the case of paths, and edgejwt's routes do not"},
		{"without case in both", `"ignorePathCase": true, `, stripped, strings.Replace(routes(""), "{prefix: /}", "{prefix: /, case_sensitive: false}", 1), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, f := range found(example(t, c.members, c.manager, c.routes)) {
				if !strings.Contains(f, "(routeMetadata)") { // routes by RDS, told elsewhere
					severity, what, _ := strings.Cut(f, " ")
					_, what, _ = strings.Cut(what, " ")
					got = append(got, severity+" "+what)
				}
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestRoutesOfAnotherFile: routes by RDS are looked at where they stand in a file.
func TestRoutesOfAnotherFile(t *testing.T) {
	listeners := example(t, byPolicy, stripped, "          rds: {route_config_name: r}\n")
	report := Files([]File{{"lds.yaml", []byte(listeners)}, {"rds.yaml", []byte(`resources:
- "@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
  name: other
- "@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
  name: r
  vhost_header: x-host
  virtual_hosts: [{name: a, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: api}, metadata: {filter_metadata: {edgejwt: {policy: '{"x": 1}'}}}}]}]
`)}})
	var got []string
	for _, f := range report.Findings {
		got = append(got, f.File+" "+f.What)
	}
	if want := "rds.yaml Envoy takes the host from the header x-host, and edgejwt from :authority\nrds.yaml x: is not a field"; strings.Join(got, "\n") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSpellingsOfPolicies: what a policy says of Envoy's routes is held against them.
func TestSpellingsOfPolicies(t *testing.T) {
	virtual := func(hosts ...string) string {
		return "          route_config: {virtual_hosts: [" + strings.Join(hosts, ", ") + "]}\n"
	}
	host := func(domain string, routes ...string) string {
		return "{name: h, domains: ['" + domain + "'], routes: [" + strings.Join(routes, ", ") + "]}"
	}
	one := func(match, policy string) string {
		return "{match: " + match + ", route: {cluster: api}, metadata: {filter_metadata: {edgejwt: {policy: '" + policy + "'}}}}"
	}
	const open = `{"auth": "none"}`
	slash, head, port := `{"scopes": ["a"], "spellings": ["trailingSlash"]}`, `{"scopes": ["a"], "spellings": ["head"]}`, `{"scopes": ["a"], "spellings": ["port"]}`
	get := func(path string) string {
		return "{" + path + ", headers: [{name: ':method', string_match: {exact: GET}}]}"
	}
	for _, c := range []struct{ name, routes, want string }{
		{"an exact path, and the rest", virtual(host("*", one("{path: /admin}", slash), one("{prefix: /}", open))), "trailingSlash"},
		{"an exact path, and the rest of the same policy", virtual(host("*", one("{path: /admin}", slash), one("{prefix: /}", slash))), ""},
		{"an exact path, and nothing else", virtual(host("*", one("{path: /admin}", slash))), ""},
		{"an exact path, and a redirect", virtual(host("*", one("{path: /admin}", slash), "{match: {prefix: /}, redirect: {}}")), ""},
		{"a prefix", virtual(host("*", one("{prefix: /admin}", slash), one("{prefix: /}", open))), ""},
		{"a prefix behind an exact path", virtual(host("*", one("{path: /admin/}", open), one("{prefix: /admin}", slash))), "trailingSlash"},
		{"a prefix with a slash", virtual(host("*", one("{prefix: /admin/}", slash), one("{prefix: /admin}", open))), ""},
		{"a separated prefix", virtual(host("*", one("{path_separated_prefix: /admin}", slash), one("{prefix: /}", open))), ""},
		{"an expression", virtual(host("*", one("{safe_regex: {regex: '/admin'}}", slash), one("{path: /admin}", open), one("{prefix: /}", open))), "trailingSlash"},
		{"without case", virtual(host("*", one("{path: /Admin, case_sensitive: false}", slash), one("{path: /admin/}", open))), "trailingSlash"},
		{"GET, and the rest", virtual(host("*", one(get("path: /reports"), head), one("{prefix: /}", open))), "head"},
		{"GET by its old name", virtual(host("*", one("{path: /reports, headers: [{name: ':method', exact_match: GET}]}", head), one("{prefix: /}", open))), "head"},
		{"GET, and the rest of the same policy", virtual(host("*", one(get("path: /reports"), head), one("{prefix: /}", head))), ""},
		{"every method", virtual(host("*", one("{prefix: /reports}", head), one("{prefix: /}", open))), ""},
		{"GET under a condition that is not known", virtual(host("*", one("{path: /reports, headers: [{name: x-v, present_match: true}, {name: ':method', string_match: {exact: GET}}]}", head), one("{prefix: /}", open))), "head"},
		{"every host", virtual(host("*", one("{prefix: /}", port))), ""},
		{"one host, and the rest", virtual(host("a.example", one("{prefix: /}", port)), host("*", one("{prefix: /}", open))), "port"},
		{"hosts below, and the rest", virtual(host("*.example", one("{prefix: /}", port)), host("*", one("{prefix: /}", open))), "port"},
		{"hosts of any end, and the rest", virtual(host("a.*", one("{prefix: /}", port)), host("*", one("{prefix: /}", open))), ""},
		{"one host, and nothing else", virtual(host("a.example", one("{prefix: /}", port))), ""},
		{"one host, and the port ignored", strings.Replace(virtual(host("a.example", one("{prefix: /}", port)), host("*", one("{prefix: /}", open))), "{virtual_hosts", "{ignore_port_in_host_matching: true, virtual_hosts", 1), ""},
		{"nothing said", virtual(host("*", one("{path: /admin}", `{"scopes": ["a"]}`), one("{prefix: /}", open))), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, f := range found(example(t, byPolicy, stripped, c.routes)) {
				if name, ok := strings.CutSuffix(f, ", which leads to another route of Envoy"); ok && strings.HasPrefix(f, "error ") {
					got = append(got, name[strings.LastIndexByte(name, ' ')+1:])
				} else if !strings.Contains(f, "ignores the case of paths") {
					t.Errorf("also found: %s", f)
				}
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestRewrittenPaths: edgejwt sees the path before Envoy's rewrite.
func TestRewrittenPaths(t *testing.T) {
	const told = "warning is for a path that no route of Envoy takes, but which one rewrites to"
	for _, c := range []struct{ name, routes, want string }{
		{"to the rule's path", "{match: {prefix: /api}, route: {cluster: api, prefix_rewrite: /admin}}", told},
		{"to a path above the rule's", "{match: {prefix: /api/}, route: {cluster: api, prefix_rewrite: /adm}}", told},
		{"to another path", "{match: {prefix: /api}, route: {cluster: api, prefix_rewrite: /other}}", ""},
		{"and a route for all", "{match: {prefix: /api}, route: {cluster: api, prefix_rewrite: /admin}}, {match: {prefix: /}, route: {cluster: api}}", ""},
		{"no rewrite", "{match: {prefix: /api}, route: {cluster: api}}", ""},
	} {
		config := "          route_config: {virtual_hosts: [{name: api, domains: ['*'], routes: [" + c.routes + "]}]}\n"
		// The rule of envoy.yaml is for /admin.
		if got := unplaced(found(example(t, "", stripped, config))); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestHostPortOfMeshes: the routes of Istio and of Envoy Gateway ignore the port.
func TestHostPortOfMeshes(t *testing.T) {
	for _, file := range []string{"istio", "gateway"} {
		text, err := os.ReadFile("testdata/" + file + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		for more, want := range map[string]bool{
			"routeMetadata: true":                                                             true,
			"unmatched: deny, routes: [{hosts: [a.example]}]":                                 true,
			"unmatched: deny, routes: [{path: {exact: /a}}]":                                  false,
			"unmatched: deny, hostPort: ignored, routeMetadata: true":                         false,
			"unmatched: deny, hostPort: ignored, routes: [{hosts: [a.example], scopes: [a]}]": false,
		} {
			changed := strings.Replace(string(text), "auth0:\n", "<<: {"+more+"}\nAUTH0\n", 1)
			indent := changed[:strings.Index(changed, "<<:")]
			indent = indent[strings.LastIndexByte(indent, '\n')+1:]
			changed = strings.Replace(changed, "AUTH0", indent+"auth0:", 1)
			got := strings.Join(found(changed), "\n")
			if strings.Contains(got, "ignore the port of the host") != want || !want && got != "" {
				t.Errorf("%s, %s: %q", file, more, got)
			}
		}
	}
}

// TestReadingsPage: the page that explains Envoy's settings names each that is looked
// at.
func TestReadingsPage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/readings.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range Settings() {
		if !strings.Contains(string(page), "`"+s.Name) {
			t.Errorf("docs/readings.md does not name %s", s.Name)
		}
	}
}

// TestVirtualHost: Envoy's order of domains, and that it compares them without case.
func TestVirtualHost(t *testing.T) {
	const hosts = "virtual_hosts: [{name: any, domains: ['*']}, {name: begins, domains: ['a.*', 'a.b.*']}, {name: ends, domains: ['*.example', '*-x.example']}, " +
		"{name: below, domains: ['*.b.example']}, {name: exact, domains: ['A.b.example', 'a.example:8443']}]"
	for _, c := range []struct{ host, exact, ignored string }{
		{"a.b.example", "exact", "exact"},
		{"A.B.EXAMPLE", "exact", "exact"},
		{"c.b.example", "below", "below"},
		{"a.c.example", "ends", "ends"},
		{"example", "any", "any"},
		{".example", "any", "any"},
		{"a.b.test", "begins", "begins"},
		{"a.example:8443", "exact", "ends"},
		{"a.b.example:1", "begins", "exact"},
		{"[::1]:1", "any", "any"},
	} {
		for more, want := range map[string]string{"": c.exact, "ignore_port_in_host_matching: true\n": c.ignored} {
			documents, err := document.Read([]byte(more + hosts))
			if err != nil {
				t.Fatal(err)
			}
			r := &routing{config: located{"f", documents[0]}}
			if got := r.virtualHost(c.host).Get("name").Str(); got != want {
				t.Errorf("%s %s: %s, want %s", more, c.host, got, want)
			}
		}
	}
}
