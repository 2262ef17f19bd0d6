package cluster

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"edgejwt/deploy/crd"
)

const plugin = `{"apiVersion":"extensions.istio.io/v1alpha1","kind":"WasmPlugin","metadata":{"name":"edgejwt","labels":{"a":"b"}},"spec":{"url":"oci://x"}}`

// TestServer: objects are made, read, changed, tried out, found and removed, and what
// the definitions refuse is refused.
func TestServer(t *testing.T) {
	s := &Server{
		Judge: func(o crd.Object) []string {
			if len(o["metadata"].(crd.Object)) > 3 {
				return []string{"metadata that no client writes"}
			}
			if o["spec"].(crd.Object)["url"] == "bad" {
				return []string{"url is bad"}
			}
			return nil
		},
		Log: func(namespace, pod, container string) string { return namespace + "/" + pod + "/" + container },
		Raw: map[string]string{"/raw": "as it is"},
	}
	if err := s.Add("{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop}}"); err != nil {
		t.Fatal(err)
	}
	if err := s.Add("{apiVersion: v2, kind: Pod, metadata: {name: p}}"); err == nil {
		t.Error("a Pod of v2 was taken")
	}
	server := httptest.NewServer(s)
	defer server.Close()
	const all = "/apis/extensions.istio.io/v1alpha1/namespaces/shop/wasmplugins"
	const one = all + "/edgejwt"
	for _, step := range []struct {
		name, method, path, kind, body string
		status                         int
		want                           string // in the answer
	}{
		{"nothing there", "GET", one, "", "", 404, `"reason":"NotFound"`},
		{"a patch of nothing", "PATCH", one, "application/merge-patch+json", `{}`, 404, "NotFound"},
		{"tried out", "POST", all + "?dryRun=All", "application/json", plugin, 201, `"namespace":"shop"`},
		{"nothing was kept", "GET", one, "", "", 404, "NotFound"},
		{"refused by its definition", "POST", all, "application/json", strings.Replace(plugin, "oci://x", "bad", 1), 422, "url is bad"},
		{"another kind", "POST", all, "application/json", strings.Replace(plugin, "WasmPlugin", "Wasmplugin", 1), 400, "is not"},
		{"another namespace", "POST", all, "application/json", strings.Replace(plugin, `"name":"edgejwt"`, `"name":"edgejwt","namespace":"x"`, 1), 400, "the namespace is x"},
		{"no JSON", "POST", all, "application/json", "{", 400, "BadRequest"},
		{"made", "POST", all, "application/json", plugin, 201, `"uid"`},
		{"made twice", "POST", all, "application/json", plugin, 409, "AlreadyExists"},
		{"read", "GET", one, "", "", 200, `"url":"oci://x"`},
		{"changed", "PATCH", one, "application/merge-patch+json", `{"spec":{"phase":"AUTHN"}}`, 200, `"url":"oci://x"`},
		{"applied", "PATCH", one, "application/apply-patch+yaml", strings.Replace(plugin, "oci://x", "oci://y", 1), 200, `"url":"oci://y"`},
		{"a bad change", "PATCH", one, "application/merge-patch+json", `{"spec":{"url":"bad"}}`, 422, "url is bad"},
		{"kept as it was", "GET", one, "", "", 200, `"url":"oci://y"`},
		{"found by label", "GET", all + "?labelSelector=a%3Db", "", "", 200, `"name":"edgejwt"`},
		{"found everywhere", "GET", "/apis/extensions.istio.io/v1alpha1/wasmplugins", "", "", 200, `"name":"edgejwt"`},
		{"not by another label", "GET", all + "?labelSelector=a%3Dc", "", "", 200, `"items":[]`},
		{"not by another name", "GET", all + "?fieldSelector=metadata.name%3Dx", "", "", 200, `"items":[]`},
		{"not in another namespace", "GET", strings.Replace(all, "shop", "x", 1), "", "", 200, `"items":[]`},
		{"removed", "DELETE", one, "", "", 200, `"Success"`},
		{"gone", "GET", one, "", "", 404, "NotFound"},
		{"a log", "GET", "/api/v1/namespaces/shop/pods/p/log?container=c", "", "", 200, "shop/p/c"},
		{"raw", "GET", "/raw", "", "", 200, "as it is"},
		{"unknown", "GET", "/apis/x/v1/y", "", "", 404, "NotFound"},
	} {
		req, err := http.NewRequest(step.method, server.URL+step.path, strings.NewReader(step.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", step.kind)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != step.status || !strings.Contains(string(text), step.want) {
			t.Errorf("%s: %d, want %d and %q: %s %v", step.name, resp.StatusCode, step.status, step.want, text, err)
		}
		if step.want[0] == '"' && !json.Valid(text) {
			t.Errorf("%s: no JSON: %s", step.name, text)
		}
	}
}
