package plugin_test

import (
	"strings"
	"testing"
	"time"
)

// TestSharedDataFails: keys cannot be had. That is said once and tried at
// leisure, and when the host has mended itself, all goes on.
func TestSharedDataFails(t *testing.T) {
	for _, function := range []string{"proxy_get_shared_data", "proxy_set_shared_data"} {
		v := newVM(t)
		v.unshared = function
		if !v.plugin(1, auth0Config) {
			t.Fatalf("the plugin did not start: %q", v.logs)
		}
		for range 10 {
			v.now = v.now.Add(time.Second)
			if v.enter(1, "proxy_on_tick"); v.period != 1000 {
				t.Errorf("%s fails: the next tick comes after %d ms", function, v.period)
			}
		}
		if n := strings.Count(strings.Join(v.logs, "\n"), "fails to keep shared data"); n != 1 {
			t.Errorf("%s fails: told %d times", function, n)
		}
		if len(v.callouts) > 0 {
			t.Errorf("%s fails: %d fetches by one worker of many", function, len(v.callouts))
		}
		v.unshared = ""
		v.tickUntilCallout()
	}
}
