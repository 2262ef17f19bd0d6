package plugin_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/verify"
	"edgejwt/verify/hostile"
)

// fullModulePath is the module with all algorithms, made by make build, and
// proxytestFullPath the same before its exports were trimmed.
const (
	fullModulePath    = "../dist/edgejwt-full.wasm"
	proxytestFullPath = "../dist/untrimmed/edgejwt-full.wasm"
)

// TestModuleSize bounds what every VM has to load and compile.
func TestModuleSize(t *testing.T) {
	for path, most := range map[string]int64{modulePath: 7_500_000, fullModulePath: 7_500_000} {
		module, err := os.Stat(path)
		if err != nil {
			t.Fatalf("the compiled module is missing, run make build: %v", err)
		}
		if module.Size() > most {
			t.Errorf("%s has %d bytes, more than %d; go build -ldflags=-dumpdep says what keeps what", path, module.Size(), most)
		}
	}
}

// startModule starts a compiled module with a rule of these algorithms, and says
// whether it took the configuration. Its clock shows the time that is given.
func startModule(t *testing.T, path string, algorithms []string, keys []byte) (w *world, now time.Time, started bool) {
	t.Helper()
	module, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("the compiled module is missing, run make build: %v", err)
	}
	vm, err := proxytest.NewWasmVMContext(module)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { vm.Close() })
	config := fmt.Sprintf(`{"jwtRules": [{"issuer": %q, "audiences": [%q], "algorithms": ["%s"], "clockSkew": "60s", "jwks": %s}]}`,
		hostile.Issuer, hostile.Audience, strings.Join(algorithms, `","`), keys)
	host, reset := proxytest.NewHostEmulator(proxytest.NewEmulatorOption().WithVMContext(vm).WithPluginConfiguration([]byte(config)))
	t.Cleanup(reset)
	// The emulator's clock starts here and moves by a millisecond a reading.
	w = &world{TB: t, HostEmulator: host, now: time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)}
	if w.StartVM() != types.OnVMStartStatusOK {
		t.Fatal("the VM did not start")
	}
	return w, w.now, w.StartPlugin() == types.OnPluginStartStatusOK
}

// judgedAs sends each request and asserts its decision.
func judgedAs(t *testing.T, w *world, table []hostile.Case) {
	t.Helper()
	for _, c := range table {
		if strings.HasSuffix(c.Name, " is a number") {
			continue // the number is a date after the emulator's
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

// TestFullModule has the hostile table of all algorithms judged by the compiled
// module, and the table of RS256 too.
func TestFullModule(t *testing.T) {
	t.Run("all algorithms", func(t *testing.T) {
		w, now, started := startModule(t, proxytestFullPath, verify.Algorithms(), hostile.FullKeySet())
		if !started {
			t.Fatalf("the plugin did not start: %q", w.GetCriticalLogs())
		}
		judgedAs(t, w, hostile.FullTable(now, hostile.Options{Slack: 30 * time.Second}))
	})
	t.Run("RS256", func(t *testing.T) {
		w, now, started := startModule(t, proxytestFullPath, []string{"RS256"}, hostile.KeySet())
		if !started {
			t.Fatalf("the plugin did not start: %q", w.GetCriticalLogs())
		}
		judgedAs(t, w, hostile.Table(now, hostile.Options{Full: true, Slack: 30 * time.Second}))
	})
}

// TestStandardModule has the hostile table judged by the module with RS256 alone,
// and holds that it refuses to be asked for more.
func TestStandardModule(t *testing.T) {
	t.Run("RS256", func(t *testing.T) {
		w, now, started := startModule(t, proxytestPath, []string{"RS256"}, hostile.KeySet())
		if !started {
			t.Fatalf("the plugin did not start: %q", w.GetCriticalLogs())
		}
		judgedAs(t, w, hostile.Table(now, hostile.Options{Slack: 30 * time.Second}))
	})
	t.Run("others", func(t *testing.T) {
		w, _, started := startModule(t, proxytestPath, hostile.FullAlgorithms, hostile.FullKeySet())
		log := strings.Join(w.GetCriticalLogs(), "\n")
		if started || strings.Count(log, "edgejwt-full.wasm") != len(hostile.FullAlgorithms)-1 {
			t.Errorf("started: %v, log %q", started, log)
		}
	})
}
