package e2e

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// initech is the customer's own provider; it lives as long as the test binary.
var initech *auth0.Server

func tenantEdges(t *testing.T) ([]harness.Edge, []harness.Cluster) {
	t.Helper()
	if initech == nil {
		var err error
		if initech, err = auth0.Start(auth0.Options{Domain: "login.initech.example"}); err != nil {
			t.Fatal(err)
		}
	}
	return []harness.Edge{
			{Name: "tenants", Plugin: fromYAML(t, fileInRoot(t, "e2e", "tenants", "edgejwt.yaml"))},
			{Name: "unforgiving", Plugin: strings.Replace(harness.DefaultPlugin, `"cluster"`, `"clockSkew": "0s", "cluster"`, 1)},
		},
		[]harness.Cluster{{Name: "initech", Provider: initech}}
}

// person is somebody with a token in the three-tenant example.
type person struct {
	by     *auth0.Server
	claims auth0.Claims
}

// people are the columns of the table in docs/tenants.md.
func people(w *harness.World) map[string]person {
	user := func(by *auth0.Server, sub, org string, permissions ...string) person {
		return person{by, auth0.Claims{"sub": sub, "org_id": org, "permissions": permissions, "gty": nil, "azp": "web-app", "scope": "openid"}}
	}
	machine := func(client string) person {
		return person{w.Auth0, auth0.Claims{"sub": client + "@clients", "azp": client, "scope": "read:orders"}}
	}
	return map[string]person{
		"nobody":          {},
		"Acme's reader":   user(w.Auth0, "auth0|anna", "org_acme", "read:orders"),
		"Acme's admin":    user(w.Auth0, "auth0|adam", "org_acme", "read:orders", "write:orders", "admin:members"),
		"Globex's admin":  user(w.Auth0, "auth0|gina", "org_globex", "read:orders", "write:orders", "admin:members"),
		"Initech's admin": user(initech, "ines", "org_acme", "read:orders", "write:orders", "admin:members"), // its provider may say what it likes
		"nightly export":  machine("nightly-export"),
		"another machine": machine("weekly-report"),
		"staff":           {w.Auth0, auth0.Claims{"sub": "auth0|sam", "gty": nil, "https://example.com/roles": []string{"staff"}}},
	}
}

// cells are what that table says, and the reason that stands for it.
var cells = map[string]string{
	"yes": "", "401 token": "token_missing", "401 issuer": "issuer_unknown",
	"403 permission": "permission_missing", "403 scope": "scope_missing", "403 claim": "claim_mismatch", "403 route": "route_denied",
}

// TestTenants plays the table of docs/tenants.md, who may do what, by the example's
// configuration, and looks which handler of the API ran.
func TestTenants(t *testing.T) {
	w := edges(t)
	page := fileInRoot(t, "docs", "tenants.md")
	if example := fileInRoot(t, "e2e", "tenants", "edgejwt.yaml"); !strings.Contains(page, "```yaml\n"+example+"```\n") {
		t.Error("docs/tenants.md does not show e2e/tenants/edgejwt.yaml as it is")
	}
	rows := tableOf(t, page, "| request |")
	all := people(w)
	if len(rows) < 12 || len(rows[0])-1 != len(all) {
		t.Fatalf("the table has %d rows of %d columns", len(rows), len(rows[0]))
	}
	// One token each, for all that they do: what was decided of a token once must
	// not be taken for another request's answer. And everything is done twice.
	tokens := map[string]string{}
	for name, who := range all {
		if who.by != nil {
			tokens[name] = signed(t, who.by, who.claims)
		}
	}
	for _, row := range append(rows[1:], rows[1:]...) {
		method, path, _ := strings.Cut(strings.Trim(row[0], "`"), " ")
		for i, cell := range row[1:] {
			name := rows[0][i+1]
			_, known := all[name]
			reason, said := cells[cell]
			if !known || !said {
				t.Fatalf("%s %s: who is %q, and what is %q?", method, path, name, cell)
			}
			r := harness.Request{Method: method, Path: path, To: w.At("tenants")}
			if tokens[name] != "" {
				r.Headers = bearer(tokens[name])
			}
			if method == "POST" {
				r.Headers, r.Body = append(r.Headers, "content-type", "application/json"), `{"item":"ink"}`
			}
			got := w.Do(r)
			seen := w.ResetSeen()
			switch {
			case got.Err != nil:
				t.Fatal(got)
			case reason != "" && (got.Reason != reason || len(seen) != 0 || !strings.HasPrefix(cell, strconv.Itoa(got.Status))):
				t.Errorf("%s %s by %s: %v, want %s; the API saw %v", method, path, name, got, cell, seen)
			case reason == "" && (got.Status/100 != 2 || len(seen) != 1 || seen[0].Handler == ""):
				t.Errorf("%s %s by %s: %v, want to pass; the API saw %v", method, path, name, got, seen)
			}
		}
	}
}

// TestTenantsAreTold: the API learns who calls, and no more than the operator
// lists; what a client says of itself is gone, also on public pages.
func TestTenantsAreTold(t *testing.T) {
	w := edges(t)
	lies := []string{"x-user", "root", "x-org", "org_globex", "x-permissions", "all"}
	adam := people(w)["Acme's admin"]
	token := bearer(signed(t, adam.by, adam.claims))
	// Twice as it is, and then with lies: by then the token is known.
	for range 2 {
		w.Do(harness.Request{Path: "/me", To: w.At("tenants"), Headers: token})
	}
	got := w.Do(harness.Request{Path: "/me", To: w.At("tenants"), Headers: append(slices.Clone(token), lies...)})
	w.ResetSeen()
	w.Do(harness.Request{Path: "/me", To: w.At("tenants"), Headers: append(slices.Clone(token), "x_user", "root", "X_Org", "root", "x-permissions", "root")})
	for _, h := range w.ResetSeen()[0].Headers {
		if h[1] == "root" {
			t.Errorf("the API was told %s: %s with a token that was known", h[0], h[1])
		}
	}
	if want := `{"x-user":"auth0|adam","x-org":"org_acme","x-permissions":"read:orders,write:orders,admin:members"}`; got.Body != want {
		t.Errorf("got %v, want %s", got, want)
	}
	w.ResetSeen()
	w.Do(harness.Request{Path: "/public/x", To: w.At("tenants"), Headers: lies})
	for _, s := range w.Seen() {
		for i := 0; i < len(lies); i += 2 {
			if v := s.Header(lies[i]); v != "" {
				t.Errorf("the API was told %s: %s on a public page", lies[i], v)
			}
		}
	}
}

// TestKnownTokenExpires: that a token was good a moment ago does not make it good.
func TestKnownTokenExpires(t *testing.T) {
	w := edges(t)
	token := bearer(signed(t, w.Auth0, auth0.Claims{"exp": time.Now().Add(3 * time.Second).Unix()}))
	ask := func() harness.Answer {
		return w.Do(harness.Request{Path: "/page", To: w.At("unforgiving"), Headers: token})
	}
	for range 3 {
		if got := ask(); got.Status != 200 {
			t.Fatal(got)
		}
	}
	w.Eventually(10*time.Second, "the token has expired", func() bool {
		got := ask()
		if got.Status != 200 && got.Reason != "token_expired" {
			t.Error(got)
		}
		return got.Status != 200
	})
}

// TestOneTokenManyConfigurations: listeners share the plugin's VM and its memory of
// tokens, but not what they make of them.
func TestOneTokenManyConfigurations(t *testing.T) {
	w := edges(t)
	token := signed(t, w.Auth0, auth0.Claims{"scope": "a b", "permissions": []string{"read:orders"}, "org_id": "org_acme"})
	expired := signed(t, w.Auth0, auth0.Claims{"scope": "a b", "exp": ago(2 * time.Minute)})
	var asked sync.WaitGroup
	for range 4 {
		asked.Go(func() {
			for range 20 {
				for _, tc := range []struct{ edge, path, token, want string }{
					{"routes", "/scopes", token, ""},
					{"tenants", "/orgs/org_acme/orders", token, ""},
					{"routes", "/permissions", token, "permission_missing"},
					{"tenants", "/orgs/org_globex/orders", token, "claim_mismatch"},
					{"tenants", "/scopes", token, "route_denied"},
					{"trial", "/admin", token, "permission_missing"},
					{"demo", "/orders", token, "issuer_unknown"},
					{"described", "/mcp", token, ""},
					{"reporting", "/orders/1", token, ""},
					{"routes", "/scopes", expired, "token_expired"},
					{"routes", "/exact", expired, ""},
				} {
					got := w.Do(harness.Request{Path: tc.path, To: w.At(tc.edge), Headers: bearer(tc.token)})
					if got.Err != nil || got.Reason != tc.want || tc.want == "" && got.Status != 200 {
						t.Errorf("%s at %s: %v, want %q", tc.path, tc.edge, got, tc.want)
					}
				}
			}
		})
	}
	asked.Wait()
}

// tableOf gives the cells of the Markdown table whose first row begins so.
func tableOf(t *testing.T, page, head string) (rows [][]string) {
	t.Helper()
	_, rest, found := strings.Cut(page, "\n"+head)
	if !found {
		t.Fatalf("there is no table that begins with %s", head)
	}
	for i, line := range strings.Split(head+rest, "\n") {
		if !strings.HasPrefix(line, "|") {
			break
		}
		if i == 1 {
			continue // |---|
		}
		row := strings.Split(strings.TrimSuffix(line[1:], "|"), "|") // in none of our cells stands a bar
		for j := range row {
			row[j] = strings.TrimSpace(row[j])
		}
		rows = append(rows, row)
	}
	return rows
}
