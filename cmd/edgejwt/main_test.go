package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"edgejwt/cmd/edgejwt/schema"
	"edgejwt/plugin/version"
)

// at is when the tests' tokens are used.
var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const policy = `auth0:
  domain: tenant.eu.auth0.com
  audience: https://api.example.com
  outputClaimToHeaders: [{header: x-jwt-sub, claim: sub}]
routes:
- {name: public, path: {prefix: /public}, auth: none}
- {name: write, path: {exact: /orders}, methods: [POST], scopes: [write:orders]}
- {name: read, path: {exact: /orders}, methods: [GET, HEAD]}
unmatched: deny
`

const cases = `- name: a reader may not write
  request: POST /orders
  claims: {scope: "read:orders"}
  expect: {status: 403, reason: scope_missing, route: write}
- name: the API learns who calls
  request: GET /orders
  token: token
  expect: {reason: accepted, upstream: {x-jwt-sub: client-1}}
`

// folder writes the files that the tests' commands name, and goes there.
func folder(t *testing.T) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k", Algorithm: "RS256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	sign := func(claims jwt.MapClaims) string {
		token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
		token.Header["kid"] = "k"
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	good := jwt.MapClaims{"iss": "https://tenant.eu.auth0.com/", "aud": "https://api.example.com", "sub": "client-1", "exp": at.Add(time.Hour).Unix()}
	envoy, err := os.ReadFile("../../envoy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"policy.yaml":  policy,
		"faulty.yaml":  strings.Replace(policy, "audience:", "audiences:", 1),
		"warning.yaml": policy + "keys: {maxStale: 720h}\n",
		"two.yaml":     policy + "---\n" + policy,
		"none.yaml":    "a: 1\n",
		"envoy.yaml":   string(envoy),
		"keys.json":    string(keys),
		"token":        sign(good) + "\n",
		"empty":        "\n",
		"cases.yaml":   cases,
		"failing.yaml": strings.Replace(cases, "403", "401", 1),
		"odd.yaml":     strings.Replace(cases, "expect", "expects", 1),
		"openapi.yaml": "openapi: 3.1.0\npaths: {/orders: {get: {}}, '/orders/{id}': {put: {}}}\n",
		"route.json":   `{"scopes": ["x"]}`,
		"strict.json":  policy,
		"good.json":    `{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "a&b", "clockSkew": "1m"}, "unmatched": "deny"}`,
		"deep.yaml":    strings.Replace(string(envoy), `"audience":`, `"audiences":`, 1),
		"plugin.yaml":  "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nspec:\n  url: oci://r.acme.dev/edgejwt:v1\n  pluginConfig:\n" + indented(policy),
	} {
		if err := os.WriteFile(filepath.Join(".", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func indented(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
}

func TestCommands(t *testing.T) {
	folder(t)
	const explain = "explain --config policy.yaml --at 2026-03-01T12:00:00Z "
	for _, c := range []struct {
		name string
		line string // parted by spaces; + stands for a space in an argument
		in   string // file for the standard input
		code int
		out  []string // parts of the output; those that begin with ! must not be there
	}{
		{"nothing", "", "", 0, []string{"Usage:", "explain", "validate", "convert", "schema", "init", "json", "completion", "Exit codes"}},
		{"unknown command", "frob", "", 2, []string{"unknown command", "!Did you mean"}},
		{"mistyped command", "valdate policy.yaml", "", 2, []string{`unknown command "valdate"`, "Did you mean this?", "validate"}},
		{"mistyped command and --json", "valdate --json policy.yaml", "", 2, []string{`"error": "unknown command`}},
		{"unknown flag", "validate --strikt policy.yaml", "", 2, []string{"unknown flag: --strikt; edgejwt validate --help lists the flags"}},
		{"version", "version", "", 0, []string{"edgejwt " + version.Number + " "}},
		{"version as a flag", "--version", "", 0, []string{"edgejwt " + version.Number + " ", "!edgejwt version"}},

		{"init", "init --domain acme.eu.auth0.com --audience a --upstream 127.0.0.1:8000", "", 0, []string{`"domain": "acme.eu.auth0.com"`, `"unmatched": "deny"`}},
		{"init for another issuer", "init --issuer https://idp.acme.dev --jwks-uri https://idp.acme.dev/k --audience a --upstream b:80 --listen 0.0.0.0:80 --module m.wasm --ca-file ca.pem", "", 0,
			[]string{`"jwksUri": "https://idp.acme.dev/k"`, "address: 0.0.0.0, port_value: 80}", "filename: m.wasm}", "filename: ca.pem}"}},
		{"init of nothing", "init", "", 2, []string{`required flag(s) "audience", "upstream" not set`}},
		{"init of no provider", "init --audience a --upstream b:80", "", 2, []string{"at least one of the flags in the group [domain issuer] is required"}},
		{"init of two providers", "init --domain a.b --issuer c --audience a --upstream b:80", "", 2, []string{"none of the others can be"}},
		{"init of a key set for Auth0", "init --domain a.b --jwks-uri https://c/ --audience a --upstream b:80", "", 2, []string{"none of the others can be"}},
		{"init with a wrong value", "init --domain https://acme.eu.auth0.com --audience a --upstream b:80", "", 2, []string{"--domain: ", "write acme.eu.auth0.com", "!socket_address"}},

		{"YAML to JSON", "json policy.yaml", "", 0, []string{"{\n  \"auth0\": {\n    \"domain\": \"tenant.eu.auth0.com\",\n", `"methods": [`}},
		{"JSON to JSON", "json good.json", "", 0, []string{"\"audience\": \"a&b\",\n    \"clockSkew\": \"1m\"\n  },"}},
		{"JSON of a WasmPlugin", "json -", "plugin.yaml", 0, []string{"{\n  \"auth0\": {", "!kind"}},
		{"JSON that the plugin refuses", "json faulty.yaml", "", 1, []string{"faulty.yaml is refused by the plugin", "auth0.audiences: is not a field", "!{"}},
		{"JSON of nothing", "json none.yaml", "", 2, []string{"none.yaml holds no configuration of edgejwt"}},
		{"JSON of several", "json two.yaml", "", 2, []string{"holds several configurations"}},
		{"JSON of no file", "json nowhere.yaml", "", 2, []string{"no such file"}},

		{"validate a good one", "validate policy.yaml", "", 0, []string{"policy.yaml:1: configuration: the plugin starts with it", "0 errors"}},
		{"validate Envoy's", "validate envoy.yaml", "", 0, []string{": Envoy: the plugin starts with it"}},
		{"validate a faulty one", "validate faulty.yaml", "", 1, []string{"faulty.yaml:3: error: auth0.audiences: is not a field; did you mean audience?", "why:", "refuses it"}},
		{"validate from standard input", "validate -", "faulty.yaml", 1, []string{"standard input:3: error"}},
		{"a warning", "validate warning.yaml", "", 0, []string{"warning.yaml:10: warning: keys.maxStale", "1 warning,"}},
		{"a warning, strictly", "validate --strict warning.yaml", "", 1, []string{"1 warning,"}},
		{"validate YAML that calls itself JSON", "validate strict.json", "", 1, []string{"strict.json:1: error: cannot be read: line 1: JSON text does not parse (the file's name says that it is JSON)"}},
		{"validate a JSON file", "validate good.json", "", 0, []string{"good.json:1: configuration: the plugin starts with it"}},
		{"a message before a long path", "validate deep.yaml", "", 1, []string{"error: auth0.audiences: is not a field; did you mean audience?\n    why:   ",
			"\n    at:    static_resources.listeners[0].filter_chains[0].filters[0].typed_config.http_filters[0].typed_config.config.configuration.value\n"}},
		{"validate JSON, all well", "validate --json good.json", "", 0, []string{`"findings": []`, `"valid": true`, "!error"}},
		{"validate JSON of nothing of ours", "validate --json none.yaml", "", 2, []string{`"configurations": []`, `"findings": []`, `"error": "no configuration of edgejwt`}},
		{"validate JSON of what is not there", "validate --json nowhere.yaml", "", 2, []string{`"configurations": []`, `"findings": []`, `"error": "open nowhere.yaml`}},
		{"validate JSON with a wrong flag", "validate --strikt --json policy.yaml", "", 2, []string{`"error": "unknown flag: --strikt`}},
		{"validate JSON without a file", "validate --json", "", 2, []string{`"error": "requires at least 1 arg`}},
		{"field in JSON", "validate --json deep.yaml", "", 1, []string{`configuration.value auth0.audiences"`, `"field": "auth0.audiences"`}},
		{"validate JSON", "validate --json faulty.yaml", "", 1, []string{`"severity": "error"`, `"line": 3`, `"valid": false`}},
		{"validate nothing of ours", "validate none.yaml", "", 2, []string{"no configuration of edgejwt"}},
		{"validate what is not there", "validate nowhere.yaml", "", 2, []string{"no such file"}},
		{"validate without a file", "validate", "", 2, []string{"requires at least 1 arg"}},

		{"schema", "schema", "", 0, []string{`"title": "edgejwt"`}},
		{"schema of a policy", "schema --policy", "", 0, []string{`"title": "edgejwt policy"`}},

		{"accepted", explain + "--request GET+/orders --token token --jwks keys.json", "", 0,
			[]string{"ok  signature", "goes on to the API: accepted", "set           x-jwt-sub (claim sub)", "!client-1", "!eyJ"}},
		{"accepted, with claims", explain + "--request GET+/orders --token token --jwks keys.json --claims", "", 0, []string{"x-jwt-sub: client-1", `sub is "client-1"`, "!eyJ"}},
		{"token from standard input", explain + "-r GET+/orders -t - --jwks keys.json", "token", 0, []string{"accepted"}},
		{"keys of the issuer", explain + "-r GET+/orders -t token --jwks https://tenant.eu.auth0.com/=keys.json", "", 0, []string{"accepted"}},
		{"configuration in Envoy's", "explain -c envoy.yaml -r GET+/orders", "", 1, []string{"token_missing"}},
		{"refused", explain + "-r POST+/orders -t token --jwks keys.json", "", 1, []string{"answered by the edge: scope_missing", `scope="write:orders"`}},
		{"public", explain + "-r GET+/public", "", 0, []string{"public matches"}},
		{"as JSON", explain + "-r POST+/orders -t token --jwks keys.json --json", "", 1, []string{`"reason": "scope_missing"`, `"step": "signature"`, `"status": 403`, "!eyJ", "!client-1"}},
		{"a header", explain + "-r GET+/orders -H authorization:+Basic+x", "", 1, []string{"token_missing"}},
		{"expired", "explain -c policy.yaml -r GET+/orders -t token --jwks keys.json --at 1900000000", "", 1, []string{"token_expired"}},
		{"without keys", explain + "-r GET+/orders -t token", "", 2, []string{"??  key", "not decided", "name them with --jwks"}},
		{"two key sets", explain + "-r GET+/orders -t token --jwks keys.json --jwks keys.json", "", 2, []string{"two key sets for every issuer"}},
		{"a policy that nobody asks for", explain + "-r GET+/orders -t token --jwks keys.json --policy route.json", "", 0, []string{"accepted"}},
		{"YAML that calls itself JSON", "explain -c strict.json -r GET+/", "", 2, []string{"strict.json: line 1: JSON text does not parse"}},
		{"without keys, as JSON", explain + "-r GET+/orders -t token --json", "", 2, []string{`"decided": false`, "!\"error\""}},
		{"faulty configuration, as JSON", "explain -c faulty.yaml -r GET+/ --json", "", 2, []string{`"error": "faulty.yaml is refused by the plugin`}},
		{"convert of nothing, as JSON", "convert --json none.yaml", "", 2, []string{`"error": "nothing to convert`}},
		{"convert of YAML that calls itself JSON", "convert strict.json", "", 2, []string{"strict.json: line 1: JSON text does not parse"}},
		{"cases that call themselves JSON", explain + "--cases strict.json", "", 2, []string{"strict.json: line 1: JSON text does not parse"}},
		{"faulty configuration", "explain -c faulty.yaml -r GET+/", "", 2, []string{"faulty.yaml is refused by the plugin", "auth0.audiences: is not a field"}},
		{"several configurations", "explain -c two.yaml -r GET+/", "", 2, []string{"holds several configurations of edgejwt (line 1, line 11)"}},
		{"no configuration", "explain -c none.yaml -r GET+/", "", 2, []string{"holds no configuration of edgejwt"}},
		{"no request", "explain -c policy.yaml", "", 2, []string{"at least one of the flags in the group [request cases coverage] is required"}},
		{"no such request", explain + "-r /orders", "", 2, []string{"a request is a method and a path"}},
		{"no such time", "explain -c policy.yaml -r GET+/ --at noon", "", 2, []string{`--at "noon" is neither`}},
		{"empty token", explain + "-r GET+/ -t empty", "", 2, []string{"there is no token in empty"}},
		{"all from standard input", "explain -c - -r GET+/ -t -", "policy.yaml", 2, []string{"cannot both come from the standard input"}},
		{"keys over http", explain + "-r GET+/ --jwks http://keys.example/x", "", 2, []string{"http://keys.example/x is not https"}},

		{"coverage of the routes", "explain -c policy.yaml --coverage", "", 0, []string{"*     /public and below  public    nothing", "*     *                  no route  nobody passes", "1 need nothing, 2 a valid token only, 1 more; 2 are closed"}},
		{"coverage of an API", "explain -c policy.yaml --coverage --openapi openapi.yaml", "", 0, []string{"GET  /orders       read      a valid token only", "PUT  /orders/{id}  no route  nobody passes", "1 a valid token only, 0 more; 1 are closed"}},
		{"coverage as JSON", "explain -c policy.yaml --coverage --openapi - --json", "openapi.yaml", 0, []string{`"path": "/orders"`, `"asks": "token"`}},
		{"coverage of no API", "explain -c policy.yaml --coverage --openapi none.yaml", "", 2, []string{"none.yaml: is no OpenAPI document of version 3"}},
		{"an API without coverage", explain + "--openapi openapi.yaml -r GET+/", "", 2, []string{"--openapi is for --coverage"}},

		{"cases", explain + "--cases cases.yaml --jwks keys.json", "", 0, []string{"ok      a reader may not write", "ok      the API learns", "2 cases, 0 failed"}},
		{"a case that fails", explain + "--cases failing.yaml --jwks keys.json", "", 1, []string{"FAILED  a reader may not write (failing.yaml:1)", "status 403, expected 401", "NO  requirements", "2 cases, 1 failed"}},
		{"cases as JSON", explain + "--cases cases.yaml --jwks keys.json --json", "", 0, []string{`"ok": true`}},
		{"odd cases", explain + "--cases odd.yaml", "", 2, []string{"odd.yaml: line 1: expects is not known here"}},
		{"cases without keys", explain + "--cases cases.yaml", "", 1, []string{"not decided: the keys are missing"}},
		{"cases and a request", explain + "--cases cases.yaml -r GET+/", "", 2, []string{"none of the others can be"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var args []string
			for _, arg := range strings.Fields(c.line) {
				args = append(args, strings.ReplaceAll(arg, "+", " "))
			}
			in := new(bytes.Buffer)
			if c.in != "" {
				text, err := os.ReadFile(c.in)
				if err != nil {
					t.Fatal(err)
				}
				in.Write(text)
			}
			var out, errOut bytes.Buffer
			code := run(args, in, &out, &errOut)
			all := out.String() + errOut.String()
			if code != c.code {
				t.Errorf("exit code %d, want %d\n%s", code, c.code, all)
			}
			if code == exitCannot && errOut.Len() == 0 || code == exitOK && errOut.Len() > 0 {
				t.Errorf("exit code %d, and on standard error %q", code, errOut.String())
			}
			if strings.Contains(c.line, "--json") && !json.Valid(out.Bytes()) {
				t.Errorf("the output is not one JSON text:\n%s", out.String())
			}
			for _, want := range c.out {
				text, not := strings.CutPrefix(want, "!")
				if strings.Contains(all, text) == not {
					t.Errorf("not as wanted: %q\n%s", want, all)
				}
			}
		})
	}
}

// TestWhyOnce: what several findings have in common is printed with the first of them.
func TestWhyOnce(t *testing.T) {
	folder(t)
	faulty := strings.Replace(policy, "unmatched", "unmached", 1)
	if err := os.WriteFile("faults.yaml", []byte(strings.Replace(faulty, "scopes", "scops", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	run([]string{"validate", "faults.yaml"}, new(bytes.Buffer), &out, &errOut)
	if got := out.String(); strings.Count(got, ": error: ") != 2 || strings.Count(got, "why:") != 1 || strings.Index(got, "why:") > strings.LastIndex(got, ": error: ") {
		t.Errorf("got\n%s", got)
	}
}

// TestHelp: every command says what it does, and its exit codes.
func TestHelp(t *testing.T) {
	for _, command := range newRoot().Commands() {
		if command.Name() == "completion" || command.Name() == "help" {
			continue
		}
		if !strings.Contains(command.Long, "\n\nExit code") {
			t.Errorf("%s has no exit codes in its help", command.Name())
		}
		for _, line := range strings.Split(command.Long, "\n") {
			if len(line) > 100 {
				t.Errorf("%s: the line is too long for a terminal: %s", command.Name(), line)
			}
		}
	}
}

// TestColours: a terminal gets them, and NO_COLOR takes them away.
func TestColours(t *testing.T) {
	folder(t)
	t.Setenv("TERM", "xterm")
	for _, c := range []struct {
		name, noColor string
		args          []string
		want          string
	}{
		{"validate", "", []string{"validate", "policy.yaml"}, "\x1b[32mthe plugin starts with it\x1b[0m"},
		{"validate, NO_COLOR", "1", []string{"validate", "policy.yaml"}, "policy.yaml:1: configuration: the plugin starts with it"},
		{"explain", "", []string{"explain", "-c", "policy.yaml", "-r", "GET /orders"}, "\x1b[31mNO\x1b[0m"},
		{"cases", "", []string{"explain", "-c", "policy.yaml", "--cases", "cases.yaml", "--jwks", "keys.json", "--at", "2026-03-01T12:00:00Z"}, "\x1b[32mok\x1b[0m"},
		{"an error", "", []string{"validate"}, "\x1b[31medgejwt:\x1b[0m"},
		{"JSON", "", []string{"validate", "--json", "policy.yaml"}, `"valid": true`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("NO_COLOR", c.noColor)
			keyboard, screen, err := pty.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer keyboard.Close()
			shown := make(chan string)
			go func() {
				text, _ := io.ReadAll(keyboard) // a closed terminal is an error on Linux
				shown <- string(text)
			}()
			run(c.args, new(bytes.Buffer), screen, screen)
			screen.Close()
			got := <-shown
			if !strings.Contains(got, c.want) || strings.Contains(c.want, "\x1b") != strings.Contains(got, "\x1b") {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestTokenOnTheCommandLine is refused with the reason, and not repeated.
func TestTokenOnTheCommandLine(t *testing.T) {
	folder(t)
	token, err := os.ReadFile("token")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSpace(string(token))
	var out, errOut bytes.Buffer
	code := run([]string{"explain", "-c", "policy.yaml", "-r", "GET /", "--token", text}, new(bytes.Buffer), &out, &errOut)
	if code != exitCannot || !strings.Contains(errOut.String(), "history") || strings.Contains(out.String()+errOut.String(), text[:20]) {
		t.Errorf("exit code %d: %s%s", code, out.String(), errOut.String())
	}
}

// TestSchemaIsTheCopy: what the command prints is the committed file.
func TestSchemaIsTheCopy(t *testing.T) {
	var out, errOut bytes.Buffer
	if code := run([]string{"schema"}, new(bytes.Buffer), &out, &errOut); code != exitOK || !bytes.Equal(out.Bytes(), schema.Configuration()) {
		t.Errorf("exit code %d: %s", code, errOut.String())
	}
}
