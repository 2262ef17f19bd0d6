package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/harness"
)

// TestBadConfigurationIsRefused: Envoy itself refuses it, with our words, before
// it serves anything.
func TestBadConfigurationIsRefused(t *testing.T) {
	for _, tc := range []struct{ name, plugin, says string }{
		{"unknown field", `{"auth0": {"domain": "t.example.com", "audience": "a", "cluster": "auth0"}, "colour": "red"}`, "colour"},
		{"no audience", `{"auth0": {"domain": "t.example.com", "cluster": "auth0"}}`, "audience"},
		{"bad duration", with(`"keys": {"refresh": "soon"}`), `keys.refresh: "soon"`},
		{"not JSON", `auth0:`, "JSON"},
		{"nothing", ``, "configuration"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			plugin := tc.plugin
			if plugin == "" {
				plugin = " " // empty would take the default
			}
			out, err := harness.Validate(t, harness.Options{Plugin: plugin})
			if err == nil {
				t.Fatalf("accepted:\n%s", out)
			}
			if !strings.Contains(out, tc.says) {
				t.Errorf("does not say %q:\n%s", tc.says, out)
			}
		})
	}
	if out, err := harness.Validate(t, harness.Options{}); err != nil {
		t.Errorf("the usual configuration is refused:\n%s", out)
	}
}

// TestReload: a refused configuration leaves the old one in force, an accepted
// one takes over without a gap.
func TestReload(t *testing.T) {
	w := harness.Start(t, harness.Options{Reloadable: true, Workers: 2})
	w.AwaitKeys()
	token := bearer(w.Auth0.Token())
	if err := w.Reload(`{"auth0": 1}`); err == nil {
		t.Error("a bad configuration was taken")
	}
	if got := w.Get("/orders", token...); got.Status != 200 {
		t.Errorf("after a refused configuration: %v", got)
	}
	if err := w.Reload(strings.Replace(harness.DefaultPlugin, "https://api.example.com", "https://other.example.com", 1)); err != nil {
		t.Fatal(err)
	}
	w.Eventually(10*time.Second, "the new audience is asked for", func() bool {
		got := w.Get("/orders", token...)
		if got.Status != 200 && got.Reason != "audience_mismatch" {
			t.Errorf("during the reload: %v", got)
		}
		return got.Reason == "audience_mismatch"
	})
}

// TestShippedExample: the file that people copy keeps its safe settings.
func TestShippedExample(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(harness.Root(), "envoy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, setting := range []string{
		"failure_policy: FAIL_RELOAD", "normalize_path: true", "merge_slashes: true",
		"path_with_escaped_slashes_action: UNESCAPE_AND_REDIRECT", "headers_with_underscores_action: DROP_HEADER",
		"auto_sni_san_validation: true", "trusted_ca:", "%RESPONSE_CODE_DETAILS%", "google.protobuf.StringValue",
	} {
		if !strings.Contains(string(raw), setting) {
			t.Errorf("envoy.yaml lacks %s", setting)
		}
	}
}
