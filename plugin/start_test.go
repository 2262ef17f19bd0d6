package plugin_test

import (
	"slices"
	"testing"

	"edgejwt/plugin/version"
)

// TestLogsItsVersion: the first thing to know of a plugin that one has not installed
// oneself.
func TestLogsItsVersion(t *testing.T) {
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, `{"jwtRules": [{"issuer": "https://tenant.auth0.example/", "audiences": ["a"]}, {"issuer": "https://b.example/", "audiences": ["a"]}],
			"routes": [{"path": {"exact": "/health"}, "auth": "none"}]}`)
		if want := "version " + version.Number + ": issuers 2, routes 1"; !slices.Contains(w.GetInfoLogs(), want) {
			t.Errorf("logged %q, want %q", w.GetInfoLogs(), want)
		}
	})
}
