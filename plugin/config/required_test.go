package config_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"edgejwt/plugin/config"
)

// everything has every field that is not refused, each once where it can be.
func everything() string {
	options := func(header string) string {
		return `"algorithms":["RS256"],"clockSkew":"1s","keys":{"refresh":"10m","maxStale":"24h","cooldown":"30s","jitter":"1s","timeout":"5s","wait":"2s","tick":"1s","deny":["k"]},"tokenCache":{"entries":1,"bytes":"1Mi"},"maxTokenBytes":"32Ki","senderConstraint":"required","fromHeaders":[{"name":"` + header + `","prefix":"Bearer ","list":true}],"fromCookies":["c"],"fromParams":["p"],
		"forwardOriginalToken":false,"outputPayloadToHeader":"x-p","outputPayloadPadding":true,"outputClaimToHeaders":[{"header":"x-c","claim":"sub","encoding":"plain"}],
		"outputClaimToFilterState":[{"key":"k","claim":["a","b"],"encoding":"percent"}]`
	}
	return `{"auth0":{` + goodAuth0 + `,"cluster":"c",` + options("x-t") + `},
		"jwtRules":[{` + goodRule + `,"jwksCluster":"c",` + options("x-u") + `},
			{"issuer":"https://i.example","anyAudience":true,"allowHttp":true,"jwksHost":"keys.example","discoveryCluster":"d","jwksCluster":"k"},
			{"issuer":"i","audiences":["a"],"jwks":{"keys":[` + inlineKey + `]}}],
		"routes":[{"path":{"template":"/{org}"},"methods":["GET"],"hosts":["a"],"headers":[{"name":"x","values":["1"]}],` +
		strings.Replace(everyDemand, `"claimMatches":[`, `"claimMatches":[{"claim":"org","variable":"org"},`, 1) + `},
			{"path":{"exact":"/a"},"claims":[{"claim":["a"],"values":["b"],"spaceDelimited":true}]},{"path":{"prefix":"/b"}},{"path":{"regex":"/c"}}],
		"unmatched":"deny","hostPort":"ignored","ignorePathCase":true,"routeMetadata":true,"mode":"report","corsPreflight":"judge","overrideHeaders":"keep",
		"keys":{"refresh":"10m","maxStale":"24h","cooldown":"30s","jitter":"1s","timeout":"5s","wait":"2s","tick":"1s","deny":["k"]},
		"xfccTrustedElements":2,"tokenCache":{"entries":1,"bytes":"1Mi"},"signature":"auto","realm":"r","secret":"0123456789abcdef0123456789abcdef",
		"resourceMetadata":{"resource":"https://a.example","authorizationServers":["https://a.example"],"scopesSupported":["s"],"resourceName":"n","resourceDocumentation":"https://a.example"},
		"filterState":true,"clearRouteCache":true}`
}

// TestRequired takes each field out of a configuration that has all: just those
// that say so are missed.
func TestRequired(t *testing.T) {
	if _, err := config.Parse([]byte(everything())); err != nil {
		t.Fatal(err)
	}
	var document map[string]any
	if err := json.Unmarshal([]byte(everything()), &document); err != nil {
		t.Fatal(err)
	}
	// These are missed because of others that stand there.
	others := []string{
		"auth0.outputPayloadToHeader", "jwtRules[].outputPayloadToHeader", // which is to be padded
		"jwtRules[].audiences", "jwtRules[].anyAudience", // one of both
		"jwtRules[].jwksUri", "jwtRules[].jwksHost", // jwksHost is for discovery alone, discoveryCluster for jwksHost
		"routes[].path", "routes[].path.template", "routes[].path.exact", "routes[].path.prefix", "routes[].path.regex", // one of them; and its variables
		"routes[].claimMatches[].variable", "routes[].claimMatches[].header", "routes[].claimMatches[].host", // one of them
		"routes[].auth", "routes[].anonymousPasses", // the one allows the other beside what is demanded
		"jwtRules[].jwks", // without it, the issuer i would be asked
	}
	seen := map[string]bool{}
	var take func(path string, fields []config.Field, object map[string]any)
	take = func(path string, fields []config.Field, object map[string]any) {
		for _, f := range fields {
			value, there := object[f.Name]
			if !there {
				continue
			}
			path := path + f.Name
			seen[path] = true
			delete(object, f.Name)
			text, err := json.Marshal(document)
			if err != nil {
				t.Fatal(err)
			}
			_, err = config.Parse(text)
			if missed := err != nil && strings.Contains(err.Error(), f.Name+": is missing"); missed != f.Required && !slices.Contains(others, path) || err != nil && !missed && !slices.Contains(others, path) {
				t.Errorf("without %s: %v", path, err)
			}
			object[f.Name] = value
			switch value := value.(type) {
			case map[string]any:
				take(path+".", f.Fields, value)
			case []any:
				for _, element := range value {
					if element, ok := element.(map[string]any); ok {
						take(path+"[].", f.Fields, element)
					}
				}
			}
		}
	}
	take("", config.Fields(), document)
	var check func(path string, fields []config.Field)
	check = func(path string, fields []config.Field) {
		for _, f := range fields {
			if f.Refused == "" && !seen[path+f.Name] {
				t.Errorf("%s%s: not tried", path, f.Name)
			}
			below := path + f.Name + "."
			if f.Kind == config.Objects || f.Kind == config.Claims {
				below = path + f.Name + "[]."
			}
			check(below, f.Fields)
		}
	}
	check("", config.Fields())
}
