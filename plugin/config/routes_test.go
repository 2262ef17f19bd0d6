package config_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"edgejwt/plugin/config"
	"edgejwt/verify"
	"edgejwt/verify/route"
	"edgejwt/verify/strictjson"
)

// everyDemand has every field of a route but its conditions.
const everyDemand = `"name":"orders-write","auth":"optional","anonymousPasses":true,"mode":"report","allowOpaque":true,
	"scopes":["s1","s2"],"anyScope":["s3"],"permissions":["p1"],"anyPermission":["p2","p3"],
	"claims":{"org_id":["org_123","o\u0072g"],"https://example.com/roles":["admin"],"level":[3,1.50],"vip":[true,false]},
	"claimMatches":[{"claim":["a","b.c"],"header":"X-Tenant"},{"claim":"host","host":true}],
	"requiredClaims":["email",["address","country"]],
	"issuers":["https://tenant.eu.auth0.com/"],"audiences":["a"],"subjects":["auth0|1"],"clients":["c1","c2"],"tokenTypes":["at+jwt"],
	"maxAge":"1h","acr":["urn:gold","silver"],"maxAuthAge":"5m","maxLifetime":"24h30m"`

// wantDemand is what everyDemand says.
func wantDemand() route.Route {
	text := func(s string) strictjson.Value { return strictjson.Value{Kind: strictjson.String, Text: s} }
	number := func(raw string, n float64) strictjson.Value {
		return strictjson.Value{Kind: strictjson.Number, Raw: raw, Num: n}
	}
	return route.Route{
		Name: "orders-write", Auth: route.Optional, Mode: route.Report, AllowOpaque: true,
		Requirements: route.Requirements{
			Scopes: []string{"s1", "s2"}, AnyScope: []string{"s3"}, Permissions: []string{"p1"}, AnyPermission: []string{"p2", "p3"},
			Claims: []route.Claim{
				{Name: []string{"org_id"}, Values: []strictjson.Value{text("org_123"), text("org")}},
				{Name: []string{"https://example.com/roles"}, Values: []strictjson.Value{text("admin")}},
				{Name: []string{"level"}, Values: []strictjson.Value{number("3", 3), number("1.50", 1.5)}},
				{Name: []string{"vip"}, Values: []strictjson.Value{{Kind: strictjson.True, Raw: "true"}, {Kind: strictjson.False, Raw: "false"}}},
			},
			ClaimMatches:   []route.Binding{{Claim: []string{"a", "b.c"}, Header: "x-tenant"}, {Claim: []string{"host"}, Host: true}},
			RequiredClaims: [][]string{{"email"}, {"address", "country"}},
			Issuers:        []string{"https://tenant.eu.auth0.com/"}, Audiences: []string{"a"}, Subjects: []string{"auth0|1"},
			Clients: []string{"c1", "c2"}, TokenTypes: []string{"at+jwt"},
			MaxAge: time.Hour, ACR: []string{"urn:gold", "silver"}, MaxAuthAge: 5 * time.Minute, MaxLifetime: 24*time.Hour + 30*time.Minute,
		},
	}
}

// TestRoutes writes every field of a route once, and reads it back.
func TestRoutes(t *testing.T) {
	document := []byte(top(`"ignorePathCase":true,"routeMetadata":true,"routes":[
		{"path":{"template":"/orgs/{org}/orders"},"methods":["POST","PUT"],"hosts":["api.example.com","*.example.com"],
		 "headers":[{"name":"X-Api-Version","values":["2","3"]},{"name":"x-here"}],` + everyDemand + `},
		{"path":{"prefix":"/closed"},"auth":"deny"},{"path":{"exact":"/a b"}},{"path":{"prefix":"/public"},"auth":"none","mode":"enforce"},
		{"methods":["GET"],"claims":[{"claim":["realm_access","roles"],"values":["admin"]},{"claim":"x","values":[1],"spaceDelimited":false},
			{"claim":"scope","values":["read"],"spaceDelimited":true}]}]`))
	c := mustParse(t, string(document))
	again, err := config.Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	clear(document) // nothing may hold on to it
	first := wantDemand()
	first.Path = route.Path{Kind: route.Template, Text: "/orgs/{org}/orders"}
	first.Methods, first.Hosts = []string{"POST", "PUT"}, []string{"api.example.com", "*.example.com"}
	first.Headers = []route.Header{{Name: "x-api-version", Values: []string{"2", "3"}}, {Name: "x-here"}}
	want := []route.Route{first,
		{Path: route.Path{Kind: route.Prefix, Text: "/closed"}, Auth: route.Deny},
		{Path: route.Path{Kind: route.Exact, Text: "/a b"}},
		{Path: route.Path{Kind: route.Prefix, Text: "/public"}, Auth: route.None, Mode: route.Enforce},
		{Methods: []string{"GET"}, Requirements: route.Requirements{Claims: []route.Claim{
			{Name: []string{"realm_access", "roles"}, Values: []strictjson.Value{{Kind: strictjson.String, Text: "admin"}}},
			{Name: []string{"x"}, Values: []strictjson.Value{{Kind: strictjson.Number, Raw: "1", Num: 1}}},
			{Name: []string{"scope"}, Values: []strictjson.Value{{Kind: strictjson.String, Text: "read"}}, SpaceDelimited: true},
		}}},
	}
	for i := range want {
		if !reflect.DeepEqual(c.Routes[i], want[i]) || !reflect.DeepEqual(again.Routes[i], want[i]) {
			t.Errorf("route %d is\n%+v or\n%+v, want\n%+v", i, c.Routes[i], again.Routes[i], want[i])
		}
	}
	if len(c.Routes) != len(want) || !c.RouteOptions.IgnoreCase || !c.RouteMetadata {
		t.Errorf("%d routes, %+v, metadata %v", len(c.Routes), c.RouteOptions, c.RouteMetadata)
	}
}

// TestLocations: who names a place names all.
func TestLocations(t *testing.T) {
	cookie := verify.TokenLocation{In: verify.InCookie, Name: "session"}
	query := verify.TokenLocation{In: verify.InQuery, Name: "access token"}
	header := verify.TokenLocation{Name: "x-t", Prefix: "T "}
	for _, c := range []struct {
		members string
		want    []verify.TokenLocation
	}{
		{`"clockSkew":"1s"`, []verify.TokenLocation{verify.Authorization}},
		{`"fromCookies":["session"]`, []verify.TokenLocation{cookie}},
		{`"fromParams":["access token"]`, []verify.TokenLocation{query}},
		{`"fromParams":["access token"],"fromHeaders":[{"name":"X-T","prefix":"T "}],"fromCookies":["session","Session"]`,
			[]verify.TokenLocation{header, cookie, {In: verify.InCookie, Name: "Session"}, query}},
	} {
		for _, document := range []string{rule(c.members), tenant(c.members)} {
			if got := mustParse(t, document).Rules[0].Locations; !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s: %+v, want %+v", c.members, got, c.want)
			}
		}
	}
}

// TestOutputs reads claims that are nested and encoded.
func TestOutputs(t *testing.T) {
	r := mustParse(t, tenant(`"outputClaimToHeaders":[{"header":"X-City","claim":["address","city"],"encoding":"percent"},{"header":"x-b","claim":"b","encoding":"base64url"}],
		"outputClaimToFilterState":[{"key":"edgejwt.sub","claim":"sub"},{"key":"Org_1-x","claim":["a.b"],"encoding":"base64url"}]`)).Rules[0]
	wantHeaders := []config.ClaimHeader{
		{Header: "x-city", Claim: []string{"address", "city"}, Encoding: verify.Percent}, {Header: "x-b", Claim: []string{"b"}, Encoding: verify.Base64URL}}
	wantStates := []config.ClaimState{{Key: "edgejwt.sub", Claim: []string{"sub"}}, {Key: "Org_1-x", Claim: []string{"a.b"}, Encoding: verify.Base64URL}}
	if !reflect.DeepEqual(r.OutputClaimToHeaders, wantHeaders) || !reflect.DeepEqual(r.OutputClaimToFilterState, wantStates) {
		t.Errorf("%+v and %+v", r.OutputClaimToHeaders, r.OutputClaimToFilterState)
	}
}

// TestTop reads what stands beside rules, routes and keys.
func TestTop(t *testing.T) {
	c := mustParse(t, top(`"mode":"report","corsPreflight":"judge","signature":"host","filterState":true,"clearRouteCache":true,"tokenCache":{"entries":0,"bytes":"512Ki"}`))
	if !c.Report || !c.DecidePreflights || c.Signature != config.SignatureHost || !c.FilterState || !c.ClearRouteCache || c.TokenCache != (config.TokenCache{Entries: 0, Bytes: 512 << 10}) {
		t.Errorf("%+v", c)
	}
	c = mustParse(t, top(`"signature":"auto","tokenCache":{"bytes":1073741824}`))
	if c.Report || c.DecidePreflights || c.Signature != config.SignatureAuto || c.TokenCache != (config.TokenCache{Entries: 10000, Bytes: 1 << 30}) {
		t.Errorf("%+v", c)
	}
	if mustParse(t, top(`"corsPreflight":"pass"`)).DecidePreflights {
		t.Error("pass is read as judge")
	}
}

func TestRouteWarnings(t *testing.T) {
	covered := func(i, j string) string {
		return "routes[" + i + "]: never applies: routes[" + j + "] stands before it and matches whatever it would"
	}
	for _, c := range []struct{ name, members, want string }{
		{"none for everything", `"routes":[{"path":{"prefix":"/"},"auth":"none"}]`,
			`routes[0].auth: is none for every path: what no earlier route matches needs no token`},
		{"none without conditions", `"routes":[{"auth":"none"}]`,
			`routes[0].auth: is none for every path: what no earlier route matches needs no token`},
		{"none for a method", `"routes":[{"auth":"none","methods":["OPTIONS"]}]`, ``},
		{"none by a header", `"routes":[{"auth":"none","path":{"exact":"/a"},"headers":[{"name":"x-probe"}]}]`,
			`routes[0].headers: open the route (auth: none) to whoever sends them: a client chooses its headers`},
		{"none by a host", `"routes":[{"auth":"none","path":{"exact":"/a"},"hosts":["docs.example.com"]}]`,
			`routes[0].hosts: open the route (auth: none) to whoever names them: let Envoy's domains send these hosts, and no others, to what may be open`},
		{"deny for everything", `"routes":[{"path":{"exact":"/a"}},{"auth":"deny"}]`, ``},
		{"deny by a header", `"routes":[{"auth":"deny","headers":[{"name":"x-debug"}]}]`, ``},
		{"covered by deny", `"routes":[{"auth":"deny","path":{"prefix":"/"}},{"path":{"exact":"/a"}}]`, covered("1", "0")},
		{"deny, covered", `"routes":[{"path":{"prefix":"/a"}},{"auth":"deny","path":{"exact":"/a/b"}}]`, covered("1", "0")},
		{"opaque tokens on a route that needs scopes", `"routes":[{"allowOpaque":true,"scopes":["a"]}]`,
			`routes[0].allowOpaque: lets tokens pass that are no JWS, of which nothing that the route needs is checked`},
		{"opaque tokens on a route that needs nothing", `"routes":[{"allowOpaque":true,"name":"a","methods":["GET"]}]`, ``},
		{"opaque tokens where none are looked at", `"routes":[{"path":{"exact":"/"},"allowOpaque":true,"auth":"none"}]`,
			`routes[0].allowOpaque: is true, but with auth none tokens are not looked at`},
		{"issuer without rule", `"routes":[{"issuers":["https://tenant.eu.auth0.com/","https://tenant.eu.auth0.com"]}]`,
			`routes[0].issuers: "https://tenant.eu.auth0.com" is the issuer of no rule: no token of it is valid`},
		{"report", `"mode":"report"`, `mode: "report" refuses no request, whatever its token`},
		{"another route than the one that was judged", `"routeMetadata":true,"clearRouteCache":true`,
			`clearRouteCache: lets Envoy choose another route than the one whose policy was applied (routeMetadata)`},
		{"covered", `"routes":[{"path":{"prefix":"/a"}},{"path":{"exact":"/a/b"}},{"path":{"prefix":"/a/"},"methods":["GET"]}]`,
			covered("1", "0") + "\n" + covered("2", "0")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(mustParse(t, top(`"unmatched":"token",`+c.members)).Warnings, "\n"); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
	if got := mustParse(t, tenant(`"fromParams":["t"]`)).Warnings; len(got) != 1 || !strings.HasPrefix(got[0], "auth0.fromParams: lets tokens stand in URLs") {
		t.Errorf("fromParams: %q", got)
	}
}

// TestUnmatchedIsSaid: with routes, what none of them matches is to be said, unless
// there is nothing of the kind.
func TestUnmatchedIsSaid(t *testing.T) {
	const want = "routes: leave what none of them matches to any valid token; say unmatched: deny, or unmatched: token if that is meant"
	for members, warned := range map[string]bool{
		`"routes":[{"path":{"exact":"/a"}}]`:                        true,
		`"routes":[{"methods":["GET"]}]`:                            true,
		`"routes":[{"hosts":["a.example"]}]`:                        true,
		`"routes":[{"headers":[{"name":"x"}]}]`:                     true,
		`"routes":[{"path":{"exact":"/a"}}],"unmatched":"deny"`:     false,
		`"routes":[{"path":{"exact":"/a"}}],"unmatched":"token"`:    false,
		`"routes":[{"path":{"exact":"/a"}},{"scopes":["a"]}]`:       false,
		`"routes":[{"path":{"prefix":"/"},"scopes":["a"]}]`:         false,
		`"routes":[{"path":{"template":"/{x=**}"},"scopes":["a"]}]`: false,
		`"routes":[]`:   false,
		`"realm":"api"`: false,
	} {
		got := strings.Join(mustParse(t, top(members)).Warnings, "\n")
		if warned && got != want || !warned && got != "" {
			t.Errorf("%s: %q", members, got)
		}
	}
}

// TestTakenLiterally: what is a placeholder elsewhere and none here is told.
func TestTakenLiterally(t *testing.T) {
	inTemplate := func(kind, text, sign string) string {
		return "routes[0].path." + kind + `: "` + text + `" takes "` + sign + `" literally; a template has {id} for one segment and, as the last, {rest=**} for all that is left`
	}
	inRegex := func(text, sign string) string {
		return `routes[0].path.regex: "` + text + `" has "` + sign + `", which is no placeholder in an expression; write [^/]+ for one segment, .* for anything`
	}
	for _, c := range []struct{ kind, text, want string }{
		{"exact", "/orders/*", inTemplate("exact", "/orders/*", "*")},
		{"prefix", "/files/*.pdf", inTemplate("prefix", "/files/*.pdf", "*.pdf")},
		{"exact", "/orders/:id/items", inTemplate("exact", "/orders/:id/items", ":id")},
		{"prefix", "/orders/{id}", inTemplate("prefix", "/orders/{id}", "{id}")},
		{"exact", "/orders/{rest=**}", inTemplate("exact", "/orders/{rest=**}", "{rest=**}")},
		{"exact", "/orders/<int:id>", inTemplate("exact", "/orders/<int:id>", "<int:id>")},
		{"template", "/orders/*", inTemplate("template", "/orders/*", "*")},
		{"template", "/orders/:id", inTemplate("template", "/orders/:id", ":id")},
		{"template", "/orders/{id}/**", inTemplate("template", "/orders/{id}/**", "**")},
		{"template", "/orders/{id}/{rest=**}", ""},
		{"template", "/orders/{id}/items:batch", ""},
		{"exact", "/orders/%2A", ""},
		{"exact", "/orders/%3Aid", ""},
		{"exact", "/orders/%7Bid%7D", ""},
		{"prefix", "/", ""},
		{"regex", "/orders/*", inRegex("/orders/*", "*")},
		{"regex", "/orders/:id/x", inRegex("/orders/:id/x", ":id")},
		{"regex", "/orders/{id}", inRegex("/orders/{id}", "{id}")},
		{"regex", "/orders/.*", ""},
		{"regex", "/orders/[^/]*", ""},
		{"regex", "/v[12]/{2}", ""},
	} {
		got, err := config.Parse([]byte(top(`"unmatched":"deny","routes":[{"path":{"` + c.kind + `":"` + c.text + `"}}]`)))
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		if warnings := strings.Join(got.Warnings, "\n"); warnings != c.want {
			t.Errorf("%s %s: got %q, want %q", c.kind, c.text, warnings, c.want)
		}
	}
}
