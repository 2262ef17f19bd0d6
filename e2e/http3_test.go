package e2e

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"

	"github.com/quic-go/quic-go/http3"
)

func http3Edges(t *testing.T) ([]harness.Edge, []harness.Cluster) {
	return []harness.Edge{{Name: "http3", HTTP3: true, Plugin: fromYAML(t, every)}}, nil
}

// TestHTTP3: the same decisions for what comes over QUIC.
func TestHTTP3(t *testing.T) {
	w := edges(t)
	transport := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // its certificate is not what is tested
	defer transport.Close()
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	for _, tc := range []struct {
		request string
		claims  auth0.Claims
		status  int
		want    string
	}{
		{"GET /exact", none, 200, ""},
		{"GET /scopes", none, 401, "token_missing"},
		{"HEAD /scopes", none, 401, ""},
		{"GET /scopes", auth0.Claims{"scope": "a b"}, 200, ""},
		{"GET /scopes", auth0.Claims{"scope": "a"}, 403, "scope_missing"},
		{"POST /scopes", auth0.Claims{"exp": ago(time.Hour)}, 401, "token_expired"},
		{"GET /public;x/exact", none, 400, "path_ambiguous"},
		{"GET /variable/acme", auth0.Claims{"org_id": "acme"}, 200, ""},
		{"GET /variable/globex", auth0.Claims{"org_id": "acme"}, 403, "claim_mismatch"},
	} {
		w.ResetSeen()
		method, path, _ := strings.Cut(tc.request, " ")
		var body io.Reader
		if method == "POST" {
			body = strings.NewReader(strings.Repeat("x", 100_000))
		}
		q, err := http.NewRequest(method, "https://"+w.At("http3")+path, body)
		if err != nil {
			t.Fatal(err)
		}
		if tc.claims != nil {
			q.Header.Set("Authorization", "Bearer "+signed(t, w.Auth0, tc.claims))
		}
		resp, err := client.Do(q)
		if err != nil {
			t.Fatalf("%s: %v", tc.request, err)
		}
		raw, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.ProtoMajor != 3 || resp.StatusCode != tc.status || tc.want != "" && !strings.Contains(string(raw), `"error":"`+tc.want+`"`) {
			t.Errorf("%s with %v: %s %d %s, want %d %s", tc.request, tc.claims, resp.Proto, resp.StatusCode, raw, tc.status, tc.want)
		}
		if arrived := len(w.Seen()) > 0; arrived != (tc.status == 200) {
			t.Errorf("%s with %v: it arrived: %v", tc.request, tc.claims, arrived)
		}
	}
}
