package jwks

import (
	"strings"
	"testing"
	"time"
)

// TestFailureLines: what the log says when keys cannot be had names the cluster, what
// was asked for, what came, and the next step.
func TestFailureLines(t *testing.T) {
	const issuer = "https://issuer.example/"
	byURL := Policy{URL: "https://issuer.example/jwks.json?tenant=secret", Issuer: issuer, Cluster: "auth0", Algorithms: []string{"RS256"}}
	byDiscovery := Policy{Issuer: issuer, Cluster: "keys", DiscoveryCluster: "issuer", ExtraHosts: []string{"keys.example"}}
	mixed := byURL
	mixed.Cluster = "" // as the command line asks
	ok := func(body string) Answer { return Answer{Status: 200, Body: []byte(body)} }
	coded := ok("x")
	coded.Headers = [][2]string{{"Content-Encoding", "br"}}
	key := `{"kty":"RSA","kid":"%","use":"sig","x5c":["MII"]}`
	for _, c := range []struct {
		name   string
		policy Policy
		answer Answer
		kind   FailureKind
		want   string
	}{
		{"unknown cluster", byURL, Answer{Err: ErrUnknownCluster}, KindUnknownCluster,
			`over cluster "auth0": the proxy knows no cluster of this name, so nothing was sent; next: define the cluster auth0, or correct its name in the rule`},
		{"no endpoint", byURL, Answer{Err: ErrNoEndpoint}, KindDNSOrEndpoint, `no healthy endpoint`},
		{"refused or TLS", byURL, Answer{Err: ErrConnect, Detail: "remote connection failure\n"}, KindRefusedOrTLS,
			`TLS failed ("remote connection failure\n"); next: look at the statistics cluster.auth0.ssl.* (TLS: certificate not trusted or for another name, or no TLS at that port) and cluster.auth0.upstream_cx_connect_fail`},
		{"TLS", byURL, Answer{Err: ErrTLS}, KindTLS, `TLS failed; next: look at the statistics cluster.auth0.ssl.*`},
		{"without a cluster", mixed, Answer{Err: ErrTLS, Detail: "unknown authority"}, KindTLS, `?…": TLS failed ("unknown authority")`},
		{"timeout", byURL, Answer{Err: ErrTimeout}, KindTimeout, `did not answer in time; next: look at the statistics cluster.auth0.upstream_rq_timeout`},
		{"circuit breaker", byURL, Answer{Err: ErrOverflow}, KindOverflow, `cluster.auth0.upstream_*_overflow`},
		{"reset", byURL, Answer{Err: ErrReset}, KindReset, `the connection ended`},
		{"no reason", byURL, Answer{Err: ErrNoAnswer}, KindNoAnswer, `did not answer`},

		{"203", byURL, Answer{Status: 203, Body: []byte("{}")}, KindStatus, `not with status 200 (status 203, body "{}")`},
		{"204", byURL, Answer{Status: 204}, KindStatus, `not with status 200 (status 204); next: check the address`},
		{"404 with a long body", byURL, Answer{Status: 404, Body: []byte(strings.Repeat("é", 500))}, KindStatus, `(status 404, body "\u00e9`},
		{"redirect", byURL, Answer{Status: 302, Headers: [][2]string{{"location", "https://login.example/x?token=secret"}}}, KindStatus,
			`a redirect, which is not followed (status 302 to the host "login.example")`},
		{"redirect on the host", byURL, Answer{Status: 301, Headers: [][2]string{{"location", "/x"}}}, KindStatus, `(status 301 to another path of the host)`},
		{"429", byURL, Answer{Status: 429}, KindStatus, `asks for patience (status 429)`},
		{"500", byURL, Answer{Status: 500, Body: []byte("oops\r\n")}, KindStatus, `the provider failed (status 500, body "oops\r\n")`},

		{"gzip", byURL, ok("\x1f\x8b\x08"), KindNotJSON, `not strict JSON (it is compressed with gzip, which was not asked for)`},
		{"a coding", byURL, coded, KindNotJSON, `content-encoding "br"`},
		{"byte order mark", byURL, ok("\xef\xbb\xbf{}"), KindNotJSON, `it begins with a byte order mark`},
		{"HTML", byURL, ok("\n<html>"), KindNotJSON, `it is HTML or XML`},
		{"empty", byURL, ok(" "), KindNotJSON, `it is empty`},
		{"a member twice", byURL, ok(`{"keys":[],"keys":[]}`), KindNotJSON, `JSON text has a member twice`},
		{"too long", byURL, ok(strings.Repeat(" ", MaxDocumentBytes+1)), KindTooLarge, `over 512 KiB`},
		{"too many", byURL, ok(`{"keys":[` + strings.Repeat(`{},`, MaxKeys) + `{}]}`), KindTooLarge, `more than 100 keys`},
		{"not a key set", byURL, ok(`{"issuer":"x"}`), KindNotKeySet, `not a key set`},
		{"no keys", byURL, ok(`{"keys":[]}`), KindNoUsableKey, `no usable key (it is empty)`},
		{"x5c alone", byURL, ok(`{"keys":[` + strings.ReplaceAll(key, "%", "a") + `]}`), KindNoUsableKey, `key 0 (kid "a"): n is missing`},
		{"six keys", byURL, ok(`{"keys":[` + strings.Repeat(key+",", 5) + `{"kty":"RSA","use":"enc"}]}`), KindNoUsableKey, `key 4 (kid "%"): n is missing; and 1 more)`},
		{"for encryption", byURL, ok(`{"keys":[{"kty":"RSA","kid":"e","use":"enc"}]}`), KindNoUsableKey, `key 0 (kid "e"): use is "enc"`},

		{"discovery", byDiscovery, Answer{Status: 404}, KindStatus, `keys of "https://issuer.example/": GET "https://issuer.example/.well-known/openid-configuration" over cluster "issuer": the provider answered`},
		{"discovery not JSON", byDiscovery, ok("<x>"), KindNotJSON, `the discovery document is not strict JSON (it is HTML or XML)`},
		{"discovery too long", byDiscovery, ok(strings.Repeat(" ", 64<<10+1)), KindTooLarge, `the discovery document is over 64 KiB`},
		{"no issuer", byDiscovery, ok(`{"jwks_uri":"https://issuer.example/k"}`), KindNotDiscovery, `lacks a member ("issuer" is missing or not a string)`},
		{"no jwks_uri", byDiscovery, ok(`{"issuer":"` + issuer + `"}`), KindNotDiscovery, `"jwks_uri" is missing or not a string`},
		{"another issuer", byDiscovery, ok(`{"issuer":"https://issuer.example","jwks_uri":"https://issuer.example/k"}`), KindWrongIssuer,
			`it names "https://issuer.example", the rule "https://issuer.example/": they differ only by the slash at the end`},
		{"quite another issuer", byDiscovery, ok(`{"issuer":"https://x.example/","jwks_uri":"https://issuer.example/k"}`), KindWrongIssuer,
			`(it names "https://x.example/", the rule "https://issuer.example/")`},
		{"another host", byDiscovery, ok(`{"issuer":"` + issuer + `","jwks_uri":"https://cdn.example:8443/k"}`), KindWrongHost,
			`(jwks_uri is "https://cdn.example:8443/k", which needs jwksHost: cdn.example:8443); next: if the keys may come from there, write in the rule what they need`},
		{"http", byDiscovery, ok(`{"issuer":"` + issuer + `","jwks_uri":"http://issuer.example/k"}`), KindWrongHost, `, which needs allowHttp: true)`},
		{"http on another host", byDiscovery, ok(`{"issuer":"` + issuer + `","jwks_uri":"http://cdn.example/k"}`), KindWrongHost, `which needs allowHttp: true and jwksHost: cdn.example`},
		{"no URL", byDiscovery, ok(`{"issuer":"` + issuer + `","jwks_uri":"/k"}`), KindWrongHost, `jwks_uri is "/k", which is not an https URL`},
	} {
		b := newBench(t, c.policy, 1)
		b.pass(100 * time.Millisecond)
		times := uint64(1)
		if c.answer.Err == ErrUnknownCluster || c.answer.Err == ErrNoEndpoint {
			// Four times that may mean that the proxy is starting.
			for ; times < 5; times++ {
				b.answer(b.one(), c.answer)
				if len(b.logs) > 0 {
					t.Errorf("%s: log %q at failure %d", c.name, b.logs, times)
				}
				b.pass(2 * time.Second)
			}
		}
		b.answer(b.one(), c.answer)
		if len(b.logs) != 1 || !strings.Contains(b.logs[0], c.want) || strings.Contains(b.logs[0], "secret") || strings.ContainsAny(b.logs[0], "\r\n") || len(b.logs[0]) > 1500 {
			t.Errorf("%s: log %q, want %q", c.name, b.logs, c.want)
		}
		kinds := b.workers[0].Status(b.now).FetchErrors
		if kinds[c.kind] != times {
			t.Errorf("%s: counted as %v, want %d times %v", c.name, kinds, times, c.kind)
		}
	}
}

// TestFailureOfDiscoveredURL: the line names the address that the provider gave, and
// the cluster that was used for it.
func TestFailureOfDiscoveredURL(t *testing.T) {
	b := newBench(t, Policy{Issuer: "https://issuer.example/", Cluster: "keys", DiscoveryCluster: "issuer", ExtraHosts: []string{"keys.example"}}, 1)
	b.pass(100 * time.Millisecond)
	f := b.one()
	if f.action.Cluster != "issuer" {
		t.Errorf("the discovery document is fetched over %q", f.action.Cluster)
	}
	b.answer(f, Answer{Status: 200, Body: []byte(`{"issuer":"https://issuer.example/","jwks_uri":"https://keys.example/k"}`)})
	f = b.one()
	if f.action.Cluster != "keys" {
		t.Errorf("the key set is fetched over %q", f.action.Cluster)
	}
	b.answer(f, Answer{Err: ErrTimeout})
	const want = `keys of "https://issuer.example/": GET "https://keys.example/k" over cluster "keys": the provider did not answer in time`
	if len(b.logs) != 1 || !strings.HasPrefix(b.logs[0], want) {
		t.Errorf("log %q, want %q", b.logs, want)
	}
}

// TestErrorRows: no error is without words, and each that ends a fetch has a kind.
func TestErrorRows(t *testing.T) {
	seen := map[string]bool{}
	for e := Error(1); e < errorEnd; e++ {
		row := errorRows[e]
		if row.text == "" || seen[row.text] {
			t.Errorf("error %d has the text %q", e, row.text)
		}
		seen[row.text] = true
		if isRecord := e == ErrRecordUnreadable || e == ErrRecordOutdated || e == ErrFetchLost; isRecord != (row.kind == 0) {
			t.Errorf("%v has the kind %v", e, row.kind)
		}
	}
	for kind := FailureKind(1); kind < KindEnd; kind++ {
		if text := kind.String(); text == "unknown" || seen[text] {
			t.Errorf("kind %d is %q", kind, text)
		} else {
			seen[text] = true
		}
	}
}

// TestEncryptionKeysAreNoWarning: providers such as Keycloak publish one beside the
// others.
func TestEncryptionKeysAreNoWarning(t *testing.T) {
	const enc = `{"kty":"RSA","kid":"e","use":"enc","alg":"RSA-OAEP","n":"AQAB","e":"AQAB"}`
	for name, c := range map[string]struct {
		more string
		want int
	}{"alone": {enc, 1}, "beside a bad one": {enc + `,{"kty":"RSA","kid":"b","use":"tls"}`, 2}} {
		b := newBench(t, urlPolicy, 1)
		b.pass(100 * time.Millisecond)
		b.answer(b.one(), good(jwk("a", 1), c.more))
		if len(b.logs) != c.want || strings.Contains(strings.Join(b.logs, ""), `kid "e"`) {
			t.Errorf("%s: log %q, want %d lines without the key for encryption", name, b.logs, c.want)
		}
	}
}

func TestShortURL(t *testing.T) {
	long := "https://login.example/" + strings.Repeat("a", 100) + "/.well-known/jwks.json"
	for url, want := range map[string]string{
		"https://login.example/keys":            "https://login.example/keys",
		"https://login.example/keys?secret=1#x": "https://login.example/keys?…",
		"https://me:secret@login.example/keys":  "https://…@login.example/keys",
		"me@example.com":                        "me@example.com",
		long:                                    "https://login.example/…" + long[len(long)-40:],
		"https://" + strings.Repeat("h", 200):   "https://" + strings.Repeat("h", 200),
		"a text that is no URL " + long[8:]:     "a text that is no URL " + long[8:],
		"":                                      "",
	} {
		if got := ShortURL(url); got != want {
			t.Errorf("%q: %q, want %q", url, got, want)
		}
	}
}
