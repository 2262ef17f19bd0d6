package schema

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"edgejwt/cmd/edgejwt/document"
	"edgejwt/plugin/config"
)

var update = flag.Bool("update", false, "write edgejwt.schema.json anew")

// TestCopy holds the committed copy against what is generated.
func TestCopy(t *testing.T) {
	want := Configuration()
	if *update {
		if err := os.WriteFile("edgejwt.schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("edgejwt.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("edgejwt.schema.json is not what the list of fields says; run go test ./cmd/edgejwt/schema -run TestCopy -update")
	}
}

// TestIdentity: each schema has a name of its own that is a whole URI (JSON Schema
// 2020-12, core, §8.2.1).
func TestIdentity(t *testing.T) {
	ids := map[string]bool{}
	for _, text := range [][]byte{Configuration(), Policy()} {
		var s struct {
			ID string `json:"$id"`
		}
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		if u, err := url.Parse(s.ID); err != nil || !u.IsAbs() || u.Fragment != "" || ids[s.ID] {
			t.Errorf("$id is %q: %v", s.ID, err)
		}
		ids[s.ID] = true
	}
}

// compiled is a schema as a validator of others reads it, which also holds it
// against the draft's own schema.
func compiled(text []byte) *jsonschema.Schema {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		panic(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("edgejwt.schema.json", parsed); err != nil {
		panic(err)
	}
	return c.MustCompile("edgejwt.schema.json")
}

var configuration = sync.OnceValue(func() *jsonschema.Schema { return compiled(Configuration()) })

func fits(s *jsonschema.Schema, text []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return s.Validate(value)
}

// TestPages takes every configuration in the repository's pages: a fence of YAML
// or JSON whose members are all fields of ours. Where one leaves the issuers out,
// because it speaks of something else, they are added.
func TestPages(t *testing.T) {
	known := map[string]bool{}
	for _, f := range config.Fields() {
		known[f.Name] = true
	}
	count := 0
	err := filepath.WalkDir("../../..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".." || entry.Name() == "dist" || entry.Name() == "testdata"):
			if path != "../../.." {
				return fs.SkipDir
			}
		case filepath.Ext(path) == ".md":
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, fence := range fences(string(text)) {
				documents, err := document.Read([]byte(fence))
				if err != nil || len(documents) != 1 || !allKnown(documents[0], known) {
					continue
				}
				count++
				checkPage(t, strings.TrimPrefix(path, "../../../"), documents[0])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 2 {
		t.Errorf("%d configurations found in the pages", count)
	}
}

func allKnown(n *document.Node, known map[string]bool) bool {
	for _, member := range n.Members() {
		if !known[member.Name] {
			return false
		}
	}
	return len(n.Members()) > 0
}

func checkPage(t *testing.T, path string, n *document.Node) {
	text := n.JSON()
	if n.Get("auth0") == nil && n.Get("jwtRules") == nil {
		text = append([]byte(`{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "https://api.example.com"}, `), text[1:]...)
	}
	if _, err := config.Parse(text); err != nil {
		t.Errorf("%s: the plugin refuses %s\n%v", path, text, err)
	}
	if err := fits(configuration(), text); err != nil {
		t.Errorf("%s: %s\n%v", path, text, err)
	}
}

// fences gives the YAML and JSON examples of a page.
func fences(page string) (all []string) {
	for {
		_, rest, ok := strings.Cut(page, "\n```")
		if !ok {
			return all
		}
		language, rest, _ := strings.Cut(rest, "\n")
		text, rest, _ := strings.Cut(rest, "\n```")
		if language == "yaml" || language == "json" {
			all = append(all, text)
		}
		page = rest
	}
}

const issuer = `"auth0": {"domain": "tenant.eu.auth0.com", "audience": "a"}`

// accepted are configurations with every field, each in every form.
var accepted = []string{
	`{` + issuer + `}`,
	`{"auth0": {"domain": "tenant.eu.auth0.com", "audience": ["a", "b"], "cluster": "c", "algorithms": ["RS256", "EdDSA"], "clockSkew": "1.5m", "maxTokenBytes": "32Ki", "senderConstraint": "ignore",
	  "fromHeaders": [{"name": "x-a", "prefix": "", "list": true}, {"name": "authorization", "prefix": "Bearer "}], "fromCookies": ["c"], "fromParams": ["t"],
	  "forwardOriginalToken": false, "outputPayloadToHeader": "x-p", "outputPayloadPadding": true,
	  "outputClaimToHeaders": [{"header": "x-b", "claim": "sub"}, {"header": "x-c", "claim": ["a", "b"], "encoding": "percent"}],
	  "outputClaimToFilterState": [{"key": "who", "claim": "sub", "encoding": "base64url"}]}}`,
	`{"jwtRules": [{"issuer": "https://a.example", "audiences": "x"}, {"issuer": "https://b.example", "anyAudience": true, "jwksUri": "https://b.example/k", "jwksCluster": "b"},
	  {"issuer": "https://c.example", "audiences": ["x"], "anyAudience": false, "allowHttp": true, "jwksHost": "k.example", "discoveryCluster": "d"}]}`,
	`{` + issuer + `, "routes": [], "unmatched": "deny", "hostPort": "ignored", "ignorePathCase": true, "routeMetadata": true, "mode": "report", "corsPreflight": "judge", "overrideHeaders": "keep", "signature": "auto", "realm": "x", "secret": "0123456789abcdef0123456789abcdef",
	  "keys": {"refresh": "1m", "maxStale": "1h30m", "cooldown": "1s", "jitter": "0s", "timeout": "500ms", "wait": "+1s", "tick": ".5s", "deny": ["a"]},
	  "tokenCache": {"entries": 0, "bytes": "1Mi"}, "filterState": true, "clearRouteCache": true,
	  "resourceMetadata": {"resource": "https://a.example/x", "authorizationServers": ["https://b.example"], "scopesSupported": ["a"], "resourceName": "n", "resourceDocumentation": "https://a.example/d"}}`,
	`{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "a", "keys": {"refresh": "1m", "maxStale": "1h30m", "cooldown": "1s", "jitter": "1m", "timeout": "500ms", "wait": "1s", "tick": "500ms", "deny": ["a"]},
	  "tokenCache": {"entries": 0, "bytes": "1Mi"}}, "jwtRules": [{"issuer": "https://a.example", "audiences": "x",
	  "keys": {"refresh": "1m", "maxStale": "1h30m", "cooldown": "1s", "jitter": "1m", "timeout": "500ms", "wait": "1s", "tick": "500ms", "deny": ["a"]}, "tokenCache": {"entries": 0, "bytes": 1048576}}]}`,
	`{` + issuer + `, "xfccTrustedElements": 2}`,
	`{` + issuer + `, "tokenCache": {"bytes": 1048576}}`,
	`{` + issuer + `, "tokenCache": {"bytes": "1048576"}}`,
	`{` + issuer + `, "routes": [{"name": "a", "path": {"template": "/o/{id}"}, "methods": ["GET"], "hosts": ["*.a.example"], "headers": [{"name": "x-v"}, {"name": "x-w", "values": ["1"]}],
	  "auth": "optional", "anonymousPasses": true, "mode": "enforce", "allowOpaque": true, "scopes": ["a"], "anyScope": ["b"], "permissions": ["c"], "anyPermission": ["d"],
	  "claims": {"org": ["a", 1, 1.5, true]}, "claimMatches": [{"claim": "o", "variable": "id"}, {"claim": ["a", "b"], "header": "x-t"}, {"claim": "h", "host": true}],
	  "requiredClaims": ["a", ["b", "c"]], "issuers": ["https://tenant.eu.auth0.com/"], "audiences": ["a"], "subjects": ["s"], "clients": ["c"], "tokenTypes": ["at+jwt"],
	  "maxAge": "1h", "acr": ["gold"], "maxAuthAge": "5m", "maxLifetime": "24h"},
	  {"path": {"exact": "/a"}, "claims": [{"claim": ["a", "b"], "values": ["c"], "spaceDelimited": true}]}, {"path": {"prefix": "/p"}, "auth": "none"}, {"path": {"regex": "/[a-z]+"}}]}`,
}

// refused have what a schema can tell.
var refused = []string{
	`{}`, `[]`, `{"realm": "x"}`,
	`{"auth0": {"domain": "tenant.eu.auth0.com"}}`,
	`{"auth0": {"domain": "tenant.eu.auth0.com", "audience": []}}`,
	`{"auth0": {"domain": "", "audience": "a"}}`,
	`{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "a", "domian": "x"}}`,
	`{"jwtRules": [{"issuer": "https://a.example"}]}`,
	`{"jwtRules": [{"issuer": "https://a.example", "audiences": ["a"], "anyAudience": true}]}`,
	`{"jwtRules": [{"issuer": "https://a.example", "audiences": ["a"], "timeout": "5s"}]}`,
	`{"jwtRules": [{"issuer": "https://a.example", "audiences": ["a"], "jwks": "{}", "jwksUri": "https://a.example"}]}`,
	`{"jwtRules": [{"issuer": "https://a.example", "audiences": ["a"], "algorithms": ["HS256"]}]}`,
	`{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "a", "maxTokenBytes": "many"}}`,
	`{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "a", "maxTokenBytes": 65537}}`,
	`{"auth0": {"domain": "tenant.eu.auth0.com", "audience": "a", "fromHeaders": [{"name": "x", "list": "yes"}]}}`,
	`{` + issuer + `, "mode": "off"}`,
	`{` + issuer + `, "corsPreflight": "bypass"}`,
	`{` + issuer + `, "overrideHeaders": true}`,
	`{` + issuer + `, "xfccTrustedElements": -1}`,
	`{"jwtRules": [{"issuer": "https://a.example", "audiences": ["a"], "senderConstraint": true}]}`,
	`{` + issuer + `, "keys": {"refresh": 60}}`,
	`{"jwtRules": [{"issuer": "https://a.example", "audiences": ["a"], "keys": {"jitter": "soon"}}]}`,
	`{"jwtRules": [{"issuer": "https://a.example", "audiences": ["a"], "tokenCache": {"entries": "many"}}]}`,
	`{` + issuer + `, "keys": {"refresh": "soon"}}`,
	`{` + issuer + `, "tokenCache": {"entries": -1}}`,
	`{` + issuer + `, "tokenCache": {"entries": 1.5}}`,
	`{` + issuer + `, "tokenCache": {"bytes": "1MB"}}`,
	`{` + issuer + `, "filterState": "true"}`,
	`{` + issuer + `, "routes": [{"path": {}}]}`,
	`{` + issuer + `, "routes": [{"path": {"exact": "/a", "prefix": "/b"}}]}`,
	`{` + issuer + `, "routes": [{"claims": {"a": []}}]}`,
	`{` + issuer + `, "routes": [{"claims": {"a": [null]}}]}`,
	`{` + issuer + `, "routes": [{"claims": [{"claim": "a"}]}]}`,
	`{` + issuer + `, "routes": [{"claims": [{"claim": "a", "values": ["b"], "spaceDelimited": "yes"}]}]}`,
	`{` + issuer + `, "routes": [{"requiredClaims": [[]]}]}`,
	`{` + issuer + `, "routes": [{"acr": []}]}`,
	`{` + issuer + `, "routes": [{"maxAuthAge": 300}]}`,
	`{` + issuer + `, "routes": [{"methods": []}]}`,
	`{` + issuer + `, "routes": [{"headers": [{"values": ["a"]}]}]}`,
}

func TestAgrees(t *testing.T) {
	for _, text := range accepted {
		if _, err := config.Parse([]byte(text)); err != nil {
			t.Errorf("the plugin refuses %s\n%v", text, err)
		}
		if err := fits(configuration(), []byte(text)); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
	for _, text := range refused {
		if _, err := config.Parse([]byte(text)); err == nil {
			t.Errorf("the plugin accepts %s", text)
		}
		if fits(configuration(), []byte(text)) == nil {
			t.Errorf("the schema accepts %s", text)
		}
	}
}

// TestEveryField: the accepted ones have every field, so that a new one is not
// forgotten; and each field is described.
func TestEveryField(t *testing.T) {
	seen := map[string]bool{}
	for _, text := range accepted {
		root, err := document.ParseJSON(text, 1)
		if err != nil {
			t.Fatal(err)
		}
		root.Walk(func(n *document.Node) bool {
			seen[n.Name] = true
			return true
		})
	}
	var walk func(path string, fields []config.Field)
	walk = func(path string, fields []config.Field) {
		for _, f := range fields {
			if f.Refused == "" && !seen[f.Name] && f.Name != "jwks" { // whose examples stand in config's own tests
				t.Errorf("%s%s stands in none of the accepted configurations", path, f.Name)
			}
			walk(path+f.Name+".", f.Fields)
		}
	}
	walk("", config.Fields())
}

func TestPolicy(t *testing.T) {
	s := compiled(Policy())
	for text, good := range map[string]bool{
		`{"scopes": ["a"], "auth": "required"}`: true,
		`{}`:                                    true,
		`{"path": {"exact": "/a"}}`:             false,
		`{"scope": ["a"]}`:                      false,
	} {
		if _, err := config.ParsePolicy(text); (err == nil) != good {
			t.Errorf("the plugin, of %s: %v", text, err)
		}
		if err := fits(s, []byte(text)); (err == nil) != good {
			t.Errorf("the schema, of %s: %v", text, err)
		}
	}
}

// FuzzNeverStricter: what the plugin accepts, the schema does.
func FuzzNeverStricter(f *testing.F) {
	for _, text := range append(accepted, refused...) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := config.Parse([]byte(text)); err != nil {
			return
		}
		if err := fits(configuration(), []byte(text)); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	})
}
