package policytest

import "testing"

func TestPolicy(t *testing.T) {
	e := start(t, "../../dist/edgejwt.wasm", "policy.json")
	reader := e.token(map[string]any{"iss": "https://tenant.eu.auth0.com/", "aud": "https://api.example.com", "permissions": []string{"read:orders"}})
	for _, c := range []struct {
		method, path, token string
		status              uint32
		reason              string
	}{
		{"GET", "/health", "", 200, ""},
		{"GET", "/orders/7", "", 401, "token_missing"},
		{"GET", "/orders/7", reader, 200, ""},
		{"POST", "/orders", reader, 403, "permission_missing"},
		{"GET", "/orders/../health", reader, 400, "path_ambiguous"},
	} {
		if status, reason := e.ask(c.method, c.path, c.token); status != c.status || reason != c.reason {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, status, reason, c.status, c.reason)
		}
	}
}
