package validate

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// change is one edit of a file that is good as it is, and what must be found
// then: "severity line what" each, in order.
type change struct {
	name     string
	old, new string
	want     []string
}

// check makes each change by itself.
func check(t *testing.T, file string, changes []change) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := found(string(text)); len(got) > 0 {
		t.Fatalf("%s as it is: %q", file, got)
	}
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			if strings.Count(string(text), c.old) != 1 {
				t.Fatalf("%q stands %d times in %s", c.old, strings.Count(string(text), c.old), file)
			}
			changed := strings.Replace(string(text), c.old, c.new, 1)
			line := 1 + strings.Count(string(text)[:strings.Index(string(text), c.old)], "\n")
			var want []string
			for _, w := range c.want {
				want = append(want, placed(w, changed, line))
			}
			if got := found(changed); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("line %d; got\n  %s\nwant\n  %s", line, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
		})
	}
}

// placed writes the line into what is wanted: HERE is that of the change, and
// |text| the first one that has the text.
func placed(want, text string, here int) string {
	if first, rest, ok := strings.Cut(want, " |"); ok {
		mark, rest, _ := strings.Cut(rest, "|")
		return fmt.Sprintf("%s %d%s", first, 1+strings.Count(text[:max(0, strings.Index(text, mark))], "\n"), rest)
	}
	return strings.Replace(want, "HERE", fmt.Sprint(here), 1)
}

// found is what Files finds, without the example names that the tests' own files
// are full of: TestPlaceholders looks at those.
func found(text string) (lines []string) {
	for _, f := range Files([]File{{"file.yaml", []byte(text)}}).Findings {
		if strings.HasPrefix(f.What, "placeholder ") {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s %d %s", f.Severity, f.Line, f.What))
	}
	return lines
}

func TestConfiguration(t *testing.T) {
	const good = "auth0: {domain: tenant.eu.auth0.com, audience: x}\n"
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"good", good, nil},
		{"good JSON", `{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "x"}}`, nil},
		{"faults", good + "realm: 7\nroutes:\n- path: {exact: x}\n- auth: maybe\n", []string{"error 2 7 is not a string", "error 4 ", "error 5 "}},
		{"no issuer", "realm: x\n", []string{"error 1 names no issuer; write auth0 (with domain and audience) or an entry of jwtRules"}},
		{"member twice", `{"auth0": {"domain": "a.b", "domain": "a.b"}}`, []string{`error 1 cannot be read: line 1: the member "domain" stands twice`}},
		{"neither YAML nor JSON", "a: [", []string{"error 1 cannot be read: "}},
		{"a regular expression", good + "routes:\n- path: {regex: '/v[12]'}\nunmatched: deny\n", nil},
		{"warning", good + "keys: {maxStale: 720h}\n", []string{"warning 2 720h is long"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := found(c.text)
			ok := len(got) == len(c.want)
			for i := range got {
				ok = ok && strings.HasPrefix(got[i], c.want[i])
			}
			if !ok {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestGaps: what lies beside the routes.
func TestGaps(t *testing.T) {
	const top = "auth0: {domain: tenant.eu.auth0.com, audience: x}\n"
	const orders = "- {path: {exact: /orders}, methods: [GET], scopes: [r]}\n- {path: {exact: /orders}, methods: [POST], scopes: [w]}\n- {path: {exact: /orders}, methods: [DELETE], scopes: [d]}\n"
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"other methods", "unmatched: token\nroutes:\n" + orders, []string{"warning 4 /orders has routes for GET, POST, DELETE; other methods need a valid token only"}},
		{"other methods, and nothing is said", "routes:\n" + orders,
			[]string{"warning 2 leave what none of them matches", "warning 3 /orders has routes for GET, POST, DELETE; other methods"}},
		{"nobody", "unmatched: deny\nroutes:\n" + orders, nil},
		{"a route for the rest", "unmatched: token\nroutes:\n" + orders + "- {path: {exact: /orders}, scopes: [rest]}\n", []string{"hint 4 HEAD of /orders is refused as ambiguous"}},
		{"methods of a host", "unmatched: token\nroutes:\n- {path: {exact: /a}, hosts: [a.example], methods: [POST]}\n",
			[]string{"warning 4 /a at a.example has routes for POST; other methods need a valid token only"}},
		{"methods of an expression", "unmatched: token\nroutes:\n- {path: {regex: '/v[12]/a'}, methods: [POST]}\n",
			[]string{"warning 4 regex /v[12]/a has routes for POST"}},
		{"methods of every path", "unmatched: token\nroutes:\n- {methods: [POST], scopes: [a]}\n", nil},
		{"GET is open", "unmatched: deny\nroutes:\n- {path: {prefix: /public}, methods: [GET], auth: none}\n", []string{"warning 4 HEAD of /public and below is not open as GET is"}},
		{"GET is open to who has none", "unmatched: deny\nroutes:\n- {path: {exact: /}, methods: [GET, POST], auth: optional}\n", []string{"warning 4 HEAD of / is not open as GET is"}},
		{"GET and HEAD are open", "unmatched: deny\nroutes:\n- {path: {prefix: /public}, methods: [GET, HEAD], auth: none}\n", nil},
		{"HEAD has a route of its own", "unmatched: deny\nroutes:\n- {path: {exact: /a}, methods: [GET], auth: none}\n- {path: {exact: /a}, methods: [HEAD], scopes: [a]}\n", nil},
		{"HEAD is open too", "unmatched: deny\nroutes:\n- {path: {exact: /a}, methods: [GET], auth: none}\n- {methods: [HEAD], auth: none}\n", nil},
		{"GET is guarded", "unmatched: deny\nroutes:\n- {path: {exact: /a}, methods: [GET], scopes: [a]}\n", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := found(top + c.text)
			ok := len(got) == len(c.want)
			for i := range got {
				ok = ok && strings.HasPrefix(got[i], c.want[i])
			}
			if !ok {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestOthers: what is not edgejwt is left alone.
func TestOthers(t *testing.T) {
	for _, text := range []string{
		"kind: WasmPlugin\nspec: {url: oci://x/other:1, failStrategy: FAIL_OPEN}\n",
		"static_resources: {clusters: [{name: a}]}\n",
		"a: 1\n",
		"kind: EnvoyExtensionPolicy\nspec: {wasm: [{name: other, failOpen: true}]}\n",
		`{"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": {"name": "other", "fail_open": true}}`,
	} {
		if report := Files([]File{{"f", []byte(text)}}); len(report.Findings)+len(report.Places) > 0 {
			t.Errorf("%s: %+v", text, report)
		}
	}
}
