package e2e

import (
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// TestUnreachableIssuer: while one provider does not answer, tokens of another pass as
// always. The requests that wait do so for as long as the rule of their issuer says, and
// pass when its keys come.
func TestUnreachableIssuer(t *testing.T) {
	other, err := auth0.Start(auth0.Options{Domain: "login.other.example"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	plugin := strings.Replace(with(`"keys": {"wait": "200ms"}, "jwtRules": [{"issuer": "https://login.other.example/", "audiences": ["https://api.example.com"],
		"jwksUri": "https://login.other.example/.well-known/jwks.json", "jwksCluster": "other", "tokenCache": {"entries": 1}}]`),
		`"cluster"`, `"keys": {"wait": "25s", "timeout": "25s"}, "cluster"`, 1)
	w := harness.Start(t, harness.Options{Workers: 2, Plugin: plugin, Clusters: []harness.Cluster{{Name: "other", Provider: other}}, Prepare: gated})
	late := make(chan harness.Answer, 1)
	go func() { late <- w.Get("/orders", bearer(w.Auth0.Token())...) }()
	for end := time.Now().Add(20 * time.Second); w.Stat("edgejwt_parked") == 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	if got := w.Get("/orders", bearer(other.Token())...); got.Status != 200 && got.Status != 503 { // 503: the first keys took longer than 200 ms
		t.Errorf("the first token of the other issuer: %v", got)
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if got := w.Get("/orders", bearer(other.Token())...); got.Status == 200 {
			break
		}
	}
	for range 50 {
		if got := w.Get("/orders", bearer(other.Token())...); got.Status != 200 {
			t.Fatalf("a token of the other issuer: %v", got)
		}
	}
	select {
	case got := <-late:
		t.Fatalf("before the keys of its issuer came: %v", got)
	default:
	}
	open(w)
	if got := <-late; got.Status != 200 {
		t.Errorf("when the keys have come: %v", got)
	}
}
