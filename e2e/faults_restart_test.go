package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"edgejwt/e2e/harness"
	"edgejwt/e2e/parts"
)

// TestFaultRestart replaces a running Envoy by another with --restart-epoch, the
// way of those who upgrade in place: the old process drains and goes, the new one
// starts without keys. Requests go on all the time, each on a connection of its own.
func TestFaultRestart(t *testing.T) {
	w := harness.Start(t, harness.Options{})
	w.AwaitKeys()
	config := filepath.Join(w.Dir, "envoy.yaml")
	w.StopEnvoy() // it has no hot restart; its ports and configuration serve two that have

	start := func(epoch int) *parts.Process {
		id := filepath.Join(w.Dir, "base-id")
		args := []string{parts.EnvoyBinary(harness.Root()), "-c", config, "--concurrency", "1", "--log-level", "info",
			"--drain-time-s", "2", "--parent-shutdown-time-s", "4", "--restart-epoch", fmt.Sprint(epoch)}
		if epoch == 0 {
			args = append(args, "--use-dynamic-base-id", "--base-id-path", id)
		} else {
			base, err := os.ReadFile(id)
			if err != nil {
				t.Fatal(err)
			}
			args = append(args, "--base-id", strings.TrimSpace(string(base)))
		}
		p, err := parts.Start(parts.Program{Name: "Envoy", Args: args, Dir: harness.Root(), Log: filepath.Join(w.Dir, fmt.Sprintf("epoch%d.log", epoch))})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Stop)
		return p
	}
	ask := func(headers ...string) harness.Answer {
		return w.RawGet("/orders", headers...)
	}
	token := "Authorization: Bearer " + w.Auth0.Token()
	old := start(0)
	w.Eventually(60*time.Second, "the first process serves", func() bool { return ask(token).Status == 200 })

	var sent, passed, refused, other atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			sent.Add(2)
			if got := ask(token); got.Err == nil && got.Status == 200 {
				passed.Add(1)
			} else {
				other.Add(1)
				t.Logf("with a token: %v", got)
			}
			if got := ask(); got.Err == nil && got.Reason == "token_missing" {
				refused.Add(1)
			} else {
				other.Add(1)
				t.Errorf("without a token: %v", got)
			}
		}
	}()
	next := start(1)
	select {
	case <-old.Done():
	case <-next.Done():
		t.Errorf("the second process: %v", next.Died())
	case <-time.After(90 * time.Second):
		t.Errorf("the old process did not go; the new one says\n%s", next.Tail(20))
	}
	time.Sleep(500 * time.Millisecond)
	close(stop)
	<-stopped
	t.Logf("%d requests: %d passed, %d refused for want of a token, %d neither", sent.Load(), passed.Load(), refused.Load(), other.Load())
	if other.Load() != 0 || passed.Load() < 20 {
		t.Errorf("of %d requests %d passed, %d were refused for want of a token, %d got something else", sent.Load(), passed.Load(), refused.Load(), other.Load())
	}
}
