package plugin_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/internal/attacks"
	"edgejwt/verify"
)

// TestModuleSize bounds what every VM has to load and compile.
func TestModuleSize(t *testing.T) {
	const most = 8_500_000
	module, err := os.Stat(modulePath)
	if err != nil {
		t.Fatalf("the compiled module is missing, run make build: %v", err)
	}
	if module.Size() > most {
		t.Errorf("%s has %d bytes, more than %d", modulePath, module.Size(), most)
	}
}

// startModule starts the compiled module with a rule of these algorithms. Its clock
// shows the time that is given.
func startModule(t *testing.T, f form, algorithms []string, keys []byte) (w *world, now time.Time) {
	t.Helper()
	config := fmt.Sprintf(`{"jwtRules": [{"issuer": %q, "audiences": [%q], "algorithms": ["%s"], "clockSkew": "60s", "jwks": %s}]}`,
		attacks.Issuer, attacks.Audience, strings.Join(algorithms, `","`), keys)
	host, reset := f.start(config)
	t.Cleanup(reset)
	w = &world{TB: t, HostEmulator: host, form: f, now: f.now}
	if w.StartVM() != types.OnVMStartStatusOK {
		t.Fatal("the VM did not start")
	}
	if w.StartPlugin() != types.OnPluginStartStatusOK {
		t.Fatalf("the plugin did not start: %q", w.GetCriticalLogs())
	}
	return w, w.now
}

// sendAll sends each request and asserts its decision.
func sendAll(t *testing.T, w *world, table []attacks.Case) {
	t.Helper()
	for _, c := range table {
		if strings.HasSuffix(c.Name, " is a number") {
			continue // the number is a date after the emulator's time
		}
		var lines [][2]string
		for _, line := range c.Headers {
			lines = append(lines, [2]string{strings.ToLower(line[0]), strings.Trim(line[1], " \t")})
		}
		s := w.send(lines...)
		got := verify.Accepted.String()
		if reply := w.GetSentLocalResponse(s.id); reply != nil {
			got = reply.StatusCodeDetail
		} else if s.action != types.ActionContinue {
			got = "nothing"
		}
		if got != c.Want.String() {
			t.Errorf("%s/%s: %s, want %s: %s", c.Group, c.Name, got, c.Want, c.Why)
		}
		w.CompleteHttpContext(s.id)
	}
}

// TestModule sends the attack tables to the compiled module: that of RS256, and that of all
// algorithms.
func TestModule(t *testing.T) {
	for _, c := range []struct {
		name       string
		algorithms []string
		keys       []byte
		table      func(time.Time, attacks.Options) []attacks.Case
	}{
		{"RS256", []string{"RS256"}, attacks.KeySet(), attacks.Table},
		{"all algorithms", verify.Algorithms(), attacks.FullKeySet(), attacks.FullTable},
	} {
		t.Run(c.name, func(t *testing.T) {
			forms(t, func(t *testing.T, f form) {
				w, now := startModule(t, f, c.algorithms, c.keys)
				sendAll(t, w, c.table(now, attacks.Options{Slack: 30 * time.Second}))
			})
		})
	}
}
