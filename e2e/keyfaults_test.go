package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

// keyFault is one way in which keys cannot be had, and what the log and the metric say.
type keyFault struct {
	name string
	// cluster carries the request; default plain, whose server answers by answer.
	cluster string
	answer  http.HandlerFunc
	// discovery: no jwksUri is given, so the discovery document is asked for first.
	discovery bool
	kind      string
	want      []string // parts of the one line
}

// body answers 200 with a body.
func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

// answerWith answers with a status and, where text is given, a body.
func answerWith(code int, text string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, text)
	}
}

// broken sends raw bytes, if any, and closes the connection.
func broken(raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		connection.Write([]byte(raw))
		connection.Close()
	}
}

// keyFaults are the rows. The host of a rule's address is its name.
func keyFaults() []keyFault {
	const refusedOrTLS = "the connection was refused or is not possible, or TLS failed"
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(`{"keys":[]}`))
	z.Close()
	bare := `{"kty":"RSA","kid":"%d","use":"sig","alg":"RS256","e":"AQAB","x5c":["MII"]}`
	var six []string
	for i := range 6 {
		six = append(six, fmt.Sprintf(bare, i))
	}
	document := func(issuer, uri string) http.HandlerFunc {
		return body(`{"issuer":"` + issuer + `","jwks_uri":"` + uri + `"}`)
	}
	hang := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
	}
	return []keyFault{
		// No answer.
		{name: "misspelled", cluster: "auht0", kind: "unknown_cluster",
			want: []string{`over cluster "auht0": the proxy knows no cluster of this name`, "define the cluster auht0, or correct its name"}},
		{name: "unresolved", cluster: "unresolved", kind: "dns_or_endpoint", want: []string{"no healthy endpoint", "cluster.unresolved.update_failure", "cluster.unresolved.membership_"}},
		{name: "unresolved-logical", cluster: "unresolved-logical", kind: "dns_or_endpoint", want: []string{"its name was not resolved"}},
		{name: "no-endpoint", cluster: "no-endpoint", kind: "dns_or_endpoint", want: []string{"it has no endpoint"}},
		{name: "closed-port", cluster: "closed-port", kind: "refused_or_tls", want: []string{refusedOrTLS, "remote connection failure", "status 503", "cluster.closed-port.upstream_cx_connect_fail"}},
		{name: "other-name", cluster: "other-name", kind: "refused_or_tls", want: []string{refusedOrTLS, "cluster.other-name.ssl.*"}},
		{name: "untrusted", cluster: "untrusted", kind: "refused_or_tls", want: []string{refusedOrTLS, "cluster.untrusted.ssl.*"}},
		{name: "tls-to-plain", cluster: "tls-to-plain", kind: "refused_or_tls", want: []string{refusedOrTLS, "no TLS at that port"}},
		{name: "plain-to-tls", cluster: "plain-to-tls", kind: "status", want: []string{"not with status 200 (status 400", "HTTP request to an HTTPS server"}},
		{name: "hangs", answer: hang, kind: "timeout", want: []string{"did not answer in time", "status 504, upstream request timeout", "cluster.plain.upstream_rq_timeout"}},
		{name: "closes", answer: broken(""), kind: "reset", want: []string{"the connection ended before the answer was complete"}},
		{name: "stops-midway", answer: broken("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), kind: "reset", want: []string{"the connection ended before the answer was complete"}},

		// Another status. The provider's own words are not taken for Envoy's.
		{name: "503", answer: answerWith(503, "no healthy upstream"), kind: "status", want: []string{`the provider failed (status 503, body "no healthy upstream")`}},
		{name: "504", answer: answerWith(504, "upstream request timeout"), kind: "status", want: []string{`the provider failed (status 504`}},
		{name: "429", answer: answerWith(429, "", "Retry-After", "1"), kind: "status", want: []string{"asks for patience (status 429)"}},
		{name: "404", answer: answerWith(404, "nothing here"), kind: "status", want: []string{`not with status 200 (status 404, body "nothing here")`}},
		{name: "203", answer: answerWith(203, `{"keys":[]}`), kind: "status", want: []string{"not with status 200 (status 203"}},
		{name: "204", answer: answerWith(204, ""), kind: "status", want: []string{"not with status 200 (status 204)"}},
		{name: "moved", answer: answerWith(302, "", "Location", "https://login.example/sign-in?state=secret"), kind: "status", want: []string{`a redirect, which is not followed (status 302 to the host "login.example")`}},

		// Another document.
		{name: "gzip", answer: answerWith(200, packed.String(), "Content-Encoding", "gzip"), kind: "not_json", want: []string{"not strict JSON", `content-encoding "gzip"`}},
		{name: "gzip-untold", answer: answerWith(200, packed.String()), kind: "not_json", want: []string{"compressed with gzip"}},
		{name: "mark", answer: body("\xef\xbb\xbf{}"), kind: "not_json", want: []string{"not strict JSON (it begins with a byte order mark"}},
		{name: "html", answer: body("<html>sign in</html>"), kind: "not_json", want: []string{"it is HTML or XML"}},
		{name: "empty", answer: body(""), kind: "not_json", want: []string{"it is empty"}},
		{name: "huge", answer: body(strings.Repeat(" ", 600<<10)), kind: "too_large", want: []string{"over 512 KiB"}},
		{name: "other-json", answer: body(`{"hello":1}`), kind: "not_key_set", want: []string{`no array "keys"`}},
		{name: "no-keys", answer: body(`{"keys":[]}`), kind: "no_usable_key", want: []string{"no usable key (it is empty)"}},
		{name: "x5c-alone", answer: body(`{"keys":[` + six[0] + `]}`), kind: "no_usable_key", want: []string{`key 0 (kid "0"): n is missing`}},
		{name: "none-usable", answer: body(`{"keys":[` + strings.Join(six, ",") + `]}`), kind: "no_usable_key", want: []string{`key 4 (kid "4"): n is missing`, "and 1 more"}},

		// Discovery.
		{name: "other-issuer", discovery: true, answer: document("https://other-issuer.example/", "https://other-issuer.example/k"), kind: "wrong_issuer",
			want: []string{`GET "https://other-issuer.example/.well-known/openid-configuration"`, `it names "https://other-issuer.example/", the rule "https://other-issuer.example"`, "they differ only by the slash at the end"}},
		{name: "no-issuer", discovery: true, answer: body(`{"jwks_uri":"https://no-issuer.example/k"}`), kind: "not_discovery", want: []string{`"issuer" is missing`}},
		{name: "no-jwks-uri", discovery: true, answer: body(`{"issuer":"https://no-jwks-uri.example"}`), kind: "not_discovery", want: []string{`"jwks_uri" is missing`}},
		{name: "other-host", discovery: true, answer: document("https://other-host.example", "https://cdn.example/k"), kind: "wrong_host", want: []string{`jwks_uri is "https://cdn.example/k"`, "which needs jwksHost: cdn.example"}},
		{name: "by-http", discovery: true, answer: document("https://by-http.example", "http://by-http.example/k"), kind: "wrong_host", want: []string{"which needs allowHttp: true"}},
		{name: "no-document", discovery: true, answer: answerWith(404, ""), kind: "status", want: []string{"(status 404)"}},
	}
}

// TestKeyFaults: each fault of a key server or of the way to it is named in one line of
// the log, with cluster, address, what came and the next step, and in the metric's
// label. No client is told of it.
func TestKeyFaults(t *testing.T) {
	faults := keyFaults()
	answers := map[string]http.HandlerFunc{}
	var good http.HandlerFunc
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer := answers[r.Host]; answer != nil {
			answer(w, r)
		} else if good != nil {
			good(w, r)
		}
	}))
	defer plain.Close()
	evil, err := auth0.Start(auth0.Options{Domain: "evil.example", Certificate: []string{"another.example"}})
	if err != nil {
		t.Fatal(err)
	}
	defer evil.Close()

	// A key server of one's own, without TLS. It publishes a key for encryption too, as
	// Keycloak does.
	own := "http://" + strings.Replace(strings.TrimPrefix(plain.URL, "http://"), "127.0.0.1", "localhost", 1) + "/keys"
	rules := []string{`{"issuer":"https://tenant.auth0.example/","audiences":["https://api.example.com"],"jwksUri":"` + own + `","jwksCluster":"plain","allowHttp":true}`}
	for _, f := range faults {
		answers[f.name+".example"] = f.answer
		cluster, address := f.cluster, `"jwksUri":"https://`+f.name+`.example/keys",`
		if cluster == "" {
			cluster = "plain"
		}
		if f.discovery {
			address = ""
		}
		rules = append(rules, `{"issuer":"https://`+f.name+`.example","anyAudience":true,`+address+`"jwksCluster":"`+cluster+`"}`)
	}
	w := harness.Start(t, harness.Options{
		Workers: 2,
		Plugin:  `{"keys":{"timeout":"2s","wait":"5s"},"jwtRules":[` + strings.Join(rules, ",") + `]}`,
		Shape: func(bootstrap map[string]any, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "evil-ca.pem"), evil.CA(), 0o644); err != nil {
				t.Fatal(err)
			}
			plainAddress, trusted := strings.TrimPrefix(plain.URL, "http://"), dir+"/evil-ca.pem"
			resources := bootstrap["static_resources"].(map[string]any)
			resources["clusters"] = append(resources["clusters"].([]any),
				faultyCluster("plain", "STATIC", plainAddress, "", ""),
				faultyCluster("unresolved", "STRICT_DNS", "nowhere.invalid:443", "", ""),
				faultyCluster("unresolved-logical", "LOGICAL_DNS", "nowhere.invalid:443", "", ""),
				faultyCluster("no-endpoint", "STATIC", "", "", ""),
				faultyCluster("closed-port", "STATIC", "127.0.0.1:1", "", ""),
				faultyCluster("other-name", "STATIC", evil.Address(), trusted, "evil.example"),
				faultyCluster("untrusted", "STATIC", evil.Address(), dir+"/auth0-ca.pem", "another.example"),
				faultyCluster("tls-to-plain", "STATIC", plainAddress, trusted, "another.example"),
				faultyCluster("plain-to-tls", "STATIC", evil.Address(), "", ""),
			)
		},
		Prepare: func(tenant *auth0.Server) {
			set := strings.Replace(string(tenant.KeySet()), `{"keys":[`, `{"keys":[{"kty":"RSA","kid":"for-encryption","use":"enc","alg":"RSA-OAEP","n":"AQAB","e":"AQAB"},`, 1)
			good = body(set)
		},
	})
	lines := func(f keyFault) (all []string) {
		for line := range strings.SplitSeq(w.Envoy.Output(), "\n") {
			if strings.Contains(line, `keys of "https://`+f.name+`.example`) {
				all = append(all, line)
			}
		}
		return all
	}
	for _, f := range faults {
		w.Eventually(20*time.Second, f.name+" is logged", func() bool { return len(lines(f)) > 0 })
	}
	for _, f := range faults {
		said := lines(f)
		cluster := f.cluster
		if cluster == "" {
			cluster = "plain"
		}
		for _, want := range append(f.want, `over cluster "`+cluster+`"`, "; next: ") {
			if len(said) != 1 || !strings.Contains(said[0], want) {
				t.Errorf("%s: the log says %d times\n%s\nwant %q", f.name, len(said), strings.Join(said, "\n"), want)
			}
		}
		if strings.Contains(strings.Join(said, ""), "secret") {
			t.Errorf("%s: the log has the redirect's query: %q", f.name, said)
		}
		address := f.name + ".example/keys"
		if f.discovery {
			address = f.name + ".example"
		}
		metric := "edgejwt_jwks_fetch_failures;jwks=" + address + ";kind="
		w.Eventually(10*time.Second, f.name+" is counted", func() bool { return w.Stat(metric+f.kind+";;") > 0 })
		// Fetches go on between the readings. While Envoy starts, it does not know a
		// cluster whose name it has not looked up yet.
		all, unknown := w.Stat(metric), int64(0)
		if strings.HasPrefix(f.cluster, "unresolved") {
			unknown = w.Stat(metric + "unknown_cluster;;")
		}
		if kind := w.Stat(metric + f.kind + ";;"); all > kind+unknown {
			t.Errorf("%s: of %d failures %d are %s", f.name, all, kind, f.kind)
		}
	}

	// The one key server that works. http is asked for as http.
	if got := w.Get("/orders", bearer(w.Auth0.Token())...); got.Status != 200 {
		t.Errorf("keys by http: %v", got)
	}
	if strings.Contains(w.Envoy.Output(), "for-encryption") {
		t.Error("the log warns of a key for encryption")
	}
	// Clients learn nothing of the faults.
	claims := w.Auth0.ClientClaims(auth0.DefaultClientID, auth0.DefaultAudience, "")
	claims["iss"] = "https://misspelled.example"
	token, err := w.Auth0.MintToken(claims, auth0.Mint{})
	if err != nil {
		t.Fatal(err)
	}
	got := w.Get("/orders", bearer(token)...)
	if got.Status != 503 || got.Reason != "keys_unavailable" || strings.Contains(got.Body, "cluster") || strings.Contains(got.Body, "auht0") {
		t.Errorf("a token whose keys cannot be had: %v", got)
	}

	// Each line has one prefix, the plugin's name, and the start is told of once.
	output := w.Envoy.Output()
	if strings.Contains(output, "edgejwt: edgejwt") || !strings.Contains(output, " wasm log edgejwt: keys of ") {
		t.Error("lines do not begin with the plugin's name, once")
	}
	if n := len(regexp.MustCompile(`wasm log edgejwt: version [^ ]+: issuers `+strconv.Itoa(len(rules))+`, routes 0`).FindAllString(output, -1)); n != 1 {
		t.Errorf("the start is logged %d times", n)
	}
}

// faultyCluster is a cluster of Envoy's. With an authority, TLS is spoken and the
// certificate's name checked.
func faultyCluster(name, kind, address, authority, certificateOf string) map[string]any {
	cluster := map[string]any{"name": name, "type": kind, "connect_timeout": "1s"}
	assignment := map[string]any{"cluster_name": name}
	if host, port, err := net.SplitHostPort(address); err == nil {
		number, _ := strconv.Atoi(port)
		endpoint := map[string]any{"endpoint": map[string]any{"address": map[string]any{"socket_address": map[string]any{"address": host, "port_value": number}}}}
		assignment["endpoints"] = []any{map[string]any{"lb_endpoints": []any{endpoint}}}
	}
	cluster["load_assignment"] = assignment
	if authority != "" {
		cluster["transport_socket"] = map[string]any{"name": "envoy.transport_sockets.tls", "typed_config": map[string]any{
			"@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
			"sni":   certificateOf, "auto_sni_san_validation": true,
			"common_tls_context": map[string]any{"validation_context": map[string]any{"trusted_ca": map[string]any{"filename": authority}}},
		}}
	}
	return cluster
}
