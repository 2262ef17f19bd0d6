// Package e2e proves the plugin on real parts: the compiled module in a real
// Envoy, with the FastAPI app behind it and a stand-in Auth0 beside it. What the
// rooms can show by themselves is tested there; here stands what only the whole
// can show: what a client gets, what reaches the API, what the provider is asked.
package e2e

import (
	"os"
	"testing"

	"edgejwt/e2e/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// bearer is the header of a request with a token.
func bearer(token string) []string { return []string{"authorization", "Bearer " + token} }
