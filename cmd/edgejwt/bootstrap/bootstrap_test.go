package bootstrap_test

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"edgejwt/cmd/edgejwt/bootstrap"
	"edgejwt/cmd/edgejwt/document"
	"edgejwt/cmd/edgejwt/validate"
)

// tenant are the options of an Auth0 user.
var tenant = bootstrap.Options{
	Domain: "acme.eu.auth0.com", Audiences: []string{"https://orders.acme.dev"}, Upstream: "127.0.0.1:8000",
	Listen: "127.0.0.1:10000", Admin: "127.0.0.1:9901", Module: "dist/edgejwt.wasm", CAFile: "/etc/ssl/certs/ca-certificates.crt",
}

// with returns the tenant's options after a change.
func with(change func(o *bootstrap.Options)) bootstrap.Options {
	o := tenant
	change(&o)
	return o
}

// issuer returns the options of a user of another provider.
func issuer(name, jwksURI string) bootstrap.Options {
	return with(func(o *bootstrap.Options) { o.Domain, o.Issuer, o.JWKSURI = "", name, jwksURI })
}

func written(t *testing.T, o bootstrap.Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := bootstrap.Write(&b, &o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// checkClean fails for anything that validate finds.
func checkClean(t *testing.T, text string) {
	t.Helper()
	report := validate.Files([]validate.File{{Name: "my.yaml", Text: []byte(text)}})
	for _, f := range report.Findings {
		t.Errorf("line %d: %s: %s %s", f.Line, f.Severity, f.Path, f.What)
	}
	if len(report.Places) != 1 || !report.Places[0].Valid {
		t.Errorf("the configurations found are %+v", report.Places)
	}
}

func TestWrite(t *testing.T) {
	for _, c := range []struct {
		name    string
		options bootstrap.Options
		want    []string // parts of the file
	}{
		{"Auth0", tenant, []string{
			`"domain": "acme.eu.auth0.com",`, `"audience": "https://orders.acme.dev",`, `"unmatched": "deny"`,
			"socket_address: {address: 127.0.0.1, port_value: 10000}", "socket_address: {address: 127.0.0.1, port_value: 9901}", "filename: dist/edgejwt.wasm}",
			"- name: api\n    type: STATIC\n", "address: 127.0.0.1, port_value: 8000}",
			"- name: auth0\n    type: LOGICAL_DNS\n", "address: acme.eu.auth0.com, port_value: 443}", "sni: acme.eu.auth0.com\n",
		}},
		{"two audiences", with(func(o *bootstrap.Options) { o.Audiences = []string{"https://a.acme.dev", "b"} }),
			[]string{`"audience": ["https://a.acme.dev", "b"],`}},
		{"discovery", issuer("https://idp.acme.dev:8443/realms/main", ""), []string{
			`"issuer": "https://idp.acme.dev:8443/realms/main",`, `"audiences": ["https://orders.acme.dev"],` + "\n" + `                        "jwksCluster": "provider"`,
			"- name: provider\n", "address: idp.acme.dev, port_value: 8443}", "sni: idp.acme.dev\n",
		}},
		{"a key set on another host", issuer("https://idp.acme.dev/", "https://keys.acme.dev/jwks?x=1"), []string{
			`"jwksUri": "https://keys.acme.dev/jwks?x=1"`, "address: keys.acme.dev, port_value: 443}", "sni: keys.acme.dev\n",
		}},
		{"an issuer that is no URL", issuer("main", "https://keys.acme.dev/jwks"), []string{`"issuer": "main"`}},
		{"an API by name", with(func(o *bootstrap.Options) { o.Upstream = "orders:8000" }),
			[]string{"- name: api\n    type: STRICT_DNS\n", `address: "orders", port_value: 8000}`}},
		{"an API by URL", with(func(o *bootstrap.Options) { o.Upstream = "http://orders.internal/" }),
			[]string{"address: orders.internal, port_value: 80}"}},
		{"an API with TLS", with(func(o *bootstrap.Options) { o.Upstream = "https://orders.internal:9443" }),
			[]string{"address: orders.internal, port_value: 9443}", "sni: orders.internal\n"}},
		{"an API with an IPv6 address", with(func(o *bootstrap.Options) { o.Upstream = "[::1]:8000" }),
			[]string{`address: "::1", port_value: 8000}`, "- name: api\n    type: STATIC\n"}},
		{"all addresses", with(func(o *bootstrap.Options) { o.Listen = "[::]:443" }),
			[]string{`address: "::", port_value: 443}`, "curl -i http://[::]:443/"}},
		{"odd files", with(func(o *bootstrap.Options) { o.Module, o.CAFile = "a: #b}.wasm", "/my certs/ca\"s.pem" }),
			[]string{`filename: "a: #b}.wasm"}`, `filename: "/my certs/ca\"s.pem"}`}},
		{"an odd audience", with(func(o *bootstrap.Options) { o.Audiences = []string{"<a>&'\"b\": # {{.}}"} }),
			[]string{`"audience": "<a>&'\"b\": # {{.}}"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := written(t, c.options)
			checkClean(t, text)
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("nothing of %s in\n%s", want, text)
				}
			}
			if strings.Contains(text, "<no value>") {
				t.Error("a value is missing")
			}
		})
	}
}

var routeInComment = regexp.MustCompile(`(?m)^( +)#   (\{.*\},)$`)

// TestExamples: the routes in the comments are good ones, in the place that the comment
// names.
func TestExamples(t *testing.T) {
	text := written(t, tenant)
	var routes []string
	for _, m := range routeInComment.FindAllStringSubmatch(text, -1) {
		routes = append(routes, m[2])
	}
	if len(routes) < 3 {
		t.Fatalf("%d routes in comments", len(routes))
	}
	const own = `{"name": "api", "path": {"prefix": "/"}}`
	checkClean(t, strings.Replace(text, own, strings.Join(routes, "")+own, 1))
	checkClean(t, strings.Replace(text, own, strings.TrimSuffix(strings.Join(routes, ""), ","), 1))
}

// TestStatsTags: the labels are those of the example that the project runs.
func TestStatsTags(t *testing.T) {
	example, err := os.ReadFile("../../../envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tags := func(text string) string {
		documents, err := document.Read([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return string(documents[0].Get("stats_config").JSON())
	}
	if got, want := tags(written(t, tenant)), tags(string(example)); got != want {
		t.Errorf("stats_config is %s\nand in envoy.yaml %s", got, want)
	}
}

func TestWrong(t *testing.T) {
	for _, c := range []struct {
		name    string
		options bootstrap.Options
		want    string
	}{
		{"a URL for the domain", with(func(o *bootstrap.Options) { o.Domain = "https://acme.eu.auth0.com/" }),
			`--domain: "https://acme.eu.auth0.com/" is not the bare domain in lower case; write acme.eu.auth0.com`},
		{"an empty audience", with(func(o *bootstrap.Options) { o.Audiences = []string{"a", ""} }), `--audience: "" is empty`},
		{"no audience", with(func(o *bootstrap.Options) { o.Audiences = nil }), `--audience: a list of none names nothing`},
		{"neither domain nor issuer", issuer("", ""), `--issuer: "" is empty`},
		{"an issuer without https", issuer("http://idp.acme.dev/", ""), `--issuer: "http://idp.acme.dev/" is not`},
		{"an issuer that is no URL, without a key set", issuer("main", ""), `--issuer: "main"`},
		{"a key set without https", issuer("main", "http://idp.acme.dev/jwks"), `--jwks-uri: "http://idp.acme.dev/jwks" is not`},
		{"a provider by address", issuer("https://10.0.0.1/", ""), "the provider's host 10.0.0.1 is an IP address"},
		{"a provider by IPv6 address", issuer("https://[::1]/", ""), "the provider's host [::1] is an IP address"},
		{"an upstream without a port", with(func(o *bootstrap.Options) { o.Upstream = "localhost" }), `--upstream: "localhost" is not the API's host and port`},
		{"no upstream", with(func(o *bootstrap.Options) { o.Upstream = "" }), `--upstream: "" is not`},
		{"an upstream of port 0", with(func(o *bootstrap.Options) { o.Upstream = "a:0" }), `--upstream: "a:0" is not`},
		{"an upstream of a great port", with(func(o *bootstrap.Options) { o.Upstream = "a:65536" }), `--upstream: "a:65536" is not`},
		{"an upstream that is no host", with(func(o *bootstrap.Options) { o.Upstream = "a}b:80" }), `--upstream: "a}b:80" is not`},
		{"an upstream of another scheme", with(func(o *bootstrap.Options) { o.Upstream = "unix:///run/a" }), `--upstream: "unix:///run/a" is not`},
		{"an upstream with a path", with(func(o *bootstrap.Options) { o.Upstream = "http://a/b" }), "--upstream: has more than scheme, host and port"},
		{"an upstream with a password", with(func(o *bootstrap.Options) { o.Upstream = "http://u:hush@a" }), "--upstream: has more than scheme, host and port"},
		{"an upstream with TLS and no name", with(func(o *bootstrap.Options) { o.Upstream = "https://10.0.0.1" }), `--upstream: "https://10.0.0.1" is an IP address`},
		{"a name to listen on", with(func(o *bootstrap.Options) { o.Listen = "localhost:80" }), `--listen: "localhost:80" is not an IP address and a port`},
		{"port 0 to listen on", with(func(o *bootstrap.Options) { o.Listen = "127.0.0.1:0" }), `--listen: "127.0.0.1:0" is not`},
		{"no admin endpoint", with(func(o *bootstrap.Options) { o.Admin = "" }), `--admin: "" is not an IP address and a port`},
		{"no module", with(func(o *bootstrap.Options) { o.Module = "" }), "--module: is empty"},
		{"no authorities", with(func(o *bootstrap.Options) { o.CAFile = "" }), "--ca-file: is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			err := bootstrap.Write(&b, &c.options)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if b.Len() > 0 {
				t.Error("something was written all the same")
			}
		})
	}
}

// TestAllWrong: every wrong option is named at once.
func TestAllWrong(t *testing.T) {
	var b bytes.Buffer
	err := bootstrap.Write(&b, &bootstrap.Options{Domain: "A", Audiences: []string{""}})
	if err == nil {
		t.Fatal("written")
	}
	for _, flag := range []string{"--domain", "--audience", "--upstream", "--listen", "--admin", "--module", "--ca-file"} {
		if !strings.Contains("\n"+err.Error(), "\n"+flag+": ") {
			t.Errorf("%s is not named in\n%v", flag, err)
		}
	}
}
