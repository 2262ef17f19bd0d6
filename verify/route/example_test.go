package route_test

import (
	"encoding/base64"
	"fmt"
	"time"

	"edgejwt/verify"
	"edgejwt/verify/route"
)

// Three routes and the requests that come to them.
func Example() {
	table, faults := route.NewTable([]route.Route{
		{
			Path: route.Path{Kind: route.Prefix, Text: "/public"},
			Auth: route.None,
		},
		{
			Path:    route.Path{Kind: route.Template, Text: "/orgs/{org}/orders"},
			Methods: []string{"POST"},
			Requirements: route.Requirements{
				Scopes:       []string{"write:orders"},
				ClaimMatches: []route.Binding{{Claim: []string{"org_id"}, Variable: "org"}},
			},
		},
	}, route.Options{})
	if faults != nil {
		panic(faults)
	}
	decide := func(method, path, claims string) {
		request := route.Request{Method: method, Path: path}
		var match route.Match
		err := table.Find(&request, &match)
		if err == nil && match.Route.Auth != route.None {
			// Its signature and its times have been checked by now.
			encode := base64.RawURLEncoding.EncodeToString
			token, _ := verify.Parse(encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims)) + ".")
			err = match.Check(token, time.Unix(1_700_000_000, 0), time.Minute)
		}
		fmt.Println(method, path, "route", match.Index, verify.ReasonOf(err))
		if challenge := verify.ChallengeOf(err, "api"); challenge != "" {
			fmt.Println(" ", challenge)
		}
	}
	decide("GET", "/public/x", "")
	decide("GET", "/public/../orgs/acme/orders", "")
	decide("POST", "/orgs/acme/orders", `{"scope":"read:orders","org_id":"acme"}`)
	decide("POST", "/orgs/acme/orders", `{"scope":"write:orders","org_id":"other"}`)
	decide("POST", "/orgs/acme/orders", `{"scope":"write:orders","org_id":"acme"}`)
	decide("GET", "/orgs/acme/orders", `{}`)
	// Output:
	// GET /public/x route 0 accepted
	// GET /public/../orgs/acme/orders route -1 path_ambiguous
	// POST /orgs/acme/orders route 1 scope_missing
	//   Bearer realm="api", error="insufficient_scope", scope="write:orders"
	// POST /orgs/acme/orders route 1 claim_mismatch
	//   Bearer realm="api", error="insufficient_scope"
	// POST /orgs/acme/orders route 1 accepted
	// GET /orgs/acme/orders route -1 accepted
}

func ExampleCanonical() {
	for _, path := range []string{"/orders/7/?page=2", "/public/./%2e%2e//%61dmin", "/public%2f..%2fadmin", "/admin;x=1"} {
		canonical, err := route.Canonical(path, route.Options{})
		fmt.Println(path, "is", canonical, err)
	}
	// Output:
	// /orders/7/?page=2 is /orders/7 <nil>
	// /public/./%2e%2e//%61dmin is /admin <nil>
	// /public%2f..%2fadmin is  path_ambiguous: the path has an encoded character that some read as syntax
	// /admin;x=1 is  path_ambiguous: the path has a character that has no place there
}
