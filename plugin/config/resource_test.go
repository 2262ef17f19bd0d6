package config_test

import (
	"encoding/json"
	"reflect"
	"testing"
)

// TestResourceMetadata reads what is served with another parser.
func TestResourceMetadata(t *testing.T) {
	const wellKnown = "/.well-known/oauth-protected-resource"
	for _, c := range []struct{ name, document, path, url, want string }{
		{"all that follows by itself", top(`"resourceMetadata":{"resource":"https://API.example.com"}`),
			wellKnown, "https://api.example.com" + wellKnown,
			`{"resource":"https://API.example.com","authorization_servers":["https://tenant.eu.auth0.com/"],"bearer_methods_supported":["header"]}`},
		{"slash behind the host", top(`"resourceMetadata":{"resource":"https://api.example.com:8443/"}`),
			wellKnown, "https://api.example.com:8443" + wellKnown,
			`{"resource":"https://api.example.com:8443/","authorization_servers":["https://tenant.eu.auth0.com/"],"bearer_methods_supported":["header"]}`},
		{"path", top(`"resourceMetadata":{"resource":"https://api.example.com/v1/mcp"}`),
			wellKnown + "/v1/mcp", "https://api.example.com" + wellKnown + "/v1/mcp",
			`{"resource":"https://api.example.com/v1/mcp","authorization_servers":["https://tenant.eu.auth0.com/"],"bearer_methods_supported":["header"]}`},
		{"path with a slash", top(`"resourceMetadata":{"resource":"https://api.example.com/v1/"}`),
			wellKnown + "/v1/", "https://api.example.com" + wellKnown + "/v1/",
			`{"resource":"https://api.example.com/v1/","authorization_servers":["https://tenant.eu.auth0.com/"],"bearer_methods_supported":["header"]}`},
		{"everything", top(`"resourceMetadata":{"resource":"https://api.example.com","authorizationServers":["https://a.example","https://b.example/x"],
			"scopesSupported":["read","write:orders"],"resourceName":"Ordérs \"\\ \ud83d\ude00 </script>","resourceDocumentation":"https://api.example.com/docs?a=b#auth"}`),
			wellKnown, "https://api.example.com" + wellKnown,
			`{"resource":"https://api.example.com","authorization_servers":["https://a.example","https://b.example/x"],"scopes_supported":["read","write:orders"],
			  "bearer_methods_supported":["header"],"resource_name":"Ordérs \"\\ 😀 </script>","resource_documentation":"https://api.example.com/docs?a=b#auth"}`},
		{"tokens in the URL alone, an issuer that is no URL", `{"jwtRules":[{"issuer":"me@example.com","audiences":["a"],"jwksUri":"https://a.example/","fromParams":["access_token"]}],"resourceMetadata":{"resource":"https://api.example.com"}}`,
			wellKnown, "https://api.example.com" + wellKnown,
			`{"resource":"https://api.example.com","bearer_methods_supported":["query"]}`},
		{"both places, in two rules", `{"auth0":{` + goodAuth0 + `},"jwtRules":[{` + goodRule + `,"fromParams":["access_token"]}],"resourceMetadata":{"resource":"https://api.example.com"}}`,
			wellKnown, "https://api.example.com" + wellKnown,
			`{"resource":"https://api.example.com","authorization_servers":["https://tenant.eu.auth0.com/","https://issuer.example/"],"bearer_methods_supported":["header","query"]}`},
		{"a parameter of another name", `{"jwtRules":[{` + goodRule + `,"fromParams":["jwt"]}],"resourceMetadata":{"resource":"https://api.example.com"}}`,
			wellKnown, "https://api.example.com" + wellKnown,
			`{"resource":"https://api.example.com","authorization_servers":["https://issuer.example/"],"bearer_methods_supported":[]}`},
		{"a cookie", tenant(`"fromCookies":["session"]},"resourceMetadata":{"resource":"https://api.example.com"`),
			wellKnown, "https://api.example.com" + wellKnown,
			`{"resource":"https://api.example.com","authorization_servers":["https://tenant.eu.auth0.com/"],"bearer_methods_supported":[]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := mustParse(t, c.document).ResourceMetadata
			if got == nil || got.Path != c.path || got.URL != c.url {
				t.Fatalf("got %+v", got)
			}
			var document, want any
			if err := json.Unmarshal(got.Document, &document); err != nil {
				t.Fatalf("%s: %v", got.Document, err)
			}
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(document, want) {
				t.Errorf("got %s, want %s", got.Document, c.want)
			}
		})
	}
	if c := mustParse(t, top(`"realm":"a"`)); c.ResourceMetadata != nil {
		t.Errorf("served unasked: %+v", c.ResourceMetadata)
	}
}
