package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/harness"
	"edgejwt/internal/attacks"
	"edgejwt/verify"
)

const (
	// attacksSkew is allowed by both filters.
	attacksSkew = time.Minute
	// attacksSlack keeps the table's times that far from the skew's edge: longer
	// than it takes to make the table and to send it.
	attacksSlack = 40 * time.Second
)

// TestAttacks sends the whole table of package attacks through the real Envoy,
// byte by byte as it stands there, and gives every case to Envoy's own jwt_authn
// as well.
func TestAttacks(t *testing.T) {
	w := harness.Start(t, harness.Options{Plugin: attacksPlugin(t), NativeJWT: true, Native: nativeSettings()})
	w.Eventually(20*time.Second, "the plugin answers", func() bool { return w.RawGet("/ready").Status == 401 })
	w.ResetSeen()

	// The API has no such paths. Its 404 shows that the request came through.
	begin := time.Now()
	table := attacks.Table(begin, attacks.Options{Skew: attacksSkew, Slack: attacksSlack})
	edge, native := make([]harness.Answer, len(table)), make([]harness.Answer, len(table))
	for i, c := range table {
		edge[i] = harness.Raw(w.Edge, attackRequest(fmt.Sprintf("/edge/%d", i), c.Headers))
		native[i] = harness.Raw(w.Native, attackRequest(fmt.Sprintf("/native/%d", i), c.Headers))
	}
	took := time.Since(begin)
	if took > attacksSlack {
		t.Fatalf("the table took %v: the times in it no longer hold", took)
	}

	reached := map[string]bool{}
	for _, seen := range w.Seen() {
		reached[seen.Path] = true
	}
	accepted, refusedByEnvoy := 0, 0
	var comparison []compared
	for i, c := range table {
		path := fmt.Sprintf("/edge/%d", i)
		t.Run(c.Group+"/"+c.Name, func(t *testing.T) { checkDecision(t, c, edge[i], reached[path]) })
		if reached[path] {
			accepted++
		}
		if byEnvoyItself(edge[i]) {
			refusedByEnvoy++
		}
		comparison = append(comparison, compared{c, reached[path], reached[fmt.Sprintf("/native/%d", i)], native[i]})
	}
	checkResponseDetails(t, w, table)
	t.Logf("%d cases made and sent twice in %v: %d accepted, %d refused by the plugin, %d refused by Envoy before any filter",
		len(table), took.Round(time.Millisecond), accepted, len(table)-accepted-refusedByEnvoy, refusedByEnvoy)
	t.Run("native", func(t *testing.T) { checkDifferences(t, comparison) })
}

// attacksPlugin is the plugin's configuration for the table.
func attacksPlugin(t *testing.T) string {
	t.Helper()
	config, err := json.Marshal(map[string]any{"jwtRules": []any{map[string]any{
		"issuer":    attacks.Issuer,
		"audiences": []string{attacks.Audience},
		"jwks":      string(attacks.KeySet()),
		"clockSkew": attacksSkew.String(),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(config)
}

func attackRequest(path string, headers [][2]string) string {
	var b strings.Builder
	b.WriteString("GET " + path + " HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n")
	for _, h := range headers {
		b.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

// byEnvoyItself reports whether Envoy's HTTP parser has refused the request.
func byEnvoyItself(a harness.Answer) bool {
	return a.Err == nil && a.Status == 400 && a.Body == "" || a.Status == 400 && a.Reason == ""
}

// checkDecision compares all that a client learns with what the table wants.
func checkDecision(t *testing.T, c attacks.Case, got harness.Answer, reachedAPI bool) {
	if got.Err != nil {
		t.Fatalf("no answer: %v", got.Err)
	}
	if reachedAPI != (c.Proxied == verify.Accepted) {
		t.Fatalf("the API has seen it: %v; want %v: %s\nanswer: %v", reachedAPI, c.Proxied, c.Why, got)
	}
	if reachedAPI {
		if got.Status != 404 {
			t.Errorf("the API's answer did not come back: %v", got)
		}
		return
	}
	if c.Raw && byEnvoyItself(got) {
		return
	}
	if got.Status != c.Proxied.Status() || got.Reason != c.Proxied.String() {
		t.Errorf("got %d %q, want %d %q: %s", got.Status, got.Reason, c.Proxied.Status(), c.Proxied, c.Why)
	}
	if got.Body != string(c.Proxied.Body()) {
		t.Errorf("body %q, want %q", got.Body, c.Proxied.Body())
	}
	if challenge := strings.Join(got.Header.Values("WWW-Authenticate"), "\n"); challenge != c.Proxied.Challenge("api") {
		t.Errorf("challenge %q, want %q", challenge, c.Proxied.Challenge("api"))
	}
	if kind := got.Header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("content type %q", kind)
	}
}

// checkResponseDetails looks for each refusal's reason in Envoy's access log.
func checkResponseDetails(t *testing.T, w *harness.World, table []attacks.Case) {
	t.Helper()
	var details map[string]string
	want := map[string]string{}
	for i, c := range table {
		if !c.Raw && c.Proxied != verify.Accepted {
			want[fmt.Sprintf("/edge/%d", i)] = c.Proxied.String()
		}
	}
	w.Eventually(30*time.Second, "the access log has every request", func() bool {
		details = map[string]string{}
		for _, line := range w.AccessLog() {
			if f := strings.Fields(line); len(f) == 4 {
				details[f[3]] = f[1]
			}
		}
		for path := range want {
			if details[path] == "" {
				return false
			}
		}
		return true
	})
	for path, reason := range want {
		if details[path] != reason {
			t.Errorf("%s: response code details %q, want %q", path, details[path], reason)
		}
	}
}
