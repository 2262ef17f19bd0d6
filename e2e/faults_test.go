package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"

	"go.yaml.in/yaml/v3"
)

// stillGuarded holds what no fault may change: without a token, or with a forged one,
// nothing gets through.
func stillGuarded(t *testing.T, w *harness.World, to string) {
	t.Helper()
	w.ResetSeen()
	valid := w.Auth0.Token()
	forged := valid[:len(valid)-20] + strings.Repeat("A", 20)
	for _, headers := range [][]string{nil, bearer(forged), {"x-jwt-sub", "admin"}} {
		got := w.Do(harness.Request{Headers: headers, To: to})
		if got.Err != nil || got.Status != 400 && got.Status != 401 && got.Status != 500 && got.Status != 503 {
			t.Errorf("unguarded: %v gets %v", headers, got)
		}
	}
	if seen := w.ResetSeen(); len(seen) != 0 {
		t.Errorf("unguarded: the API saw %v", seen)
	}
}

// passes holds that a valid token gets through again, or still.
func passes(t *testing.T, w *harness.World) {
	t.Helper()
	if got := w.Get("/orders", bearer(w.Auth0.Token())...); got.Status != 200 {
		t.Errorf("a valid token: %v", got)
	}
}

// TestFaultsInside: faults of our own, in a module with faults planted.
func TestFaultsInside(t *testing.T) {
	w := harness.Start(t, harness.Options{Module: faultModule(t)})
	w.AwaitKeys()
	// A token that was not seen before, so that it is looked at.
	strike := func(kind string) harness.Answer {
		return w.Get("/orders", append(bearer(signed(t, w.Auth0, auth0.Claims{"jti": kind})), "x-fault", kind)...)
	}
	t.Run("panic", func(t *testing.T) {
		if got := strike("panic"); got.Status != 500 || got.Reason != "internal" {
			t.Errorf("the request in hand: %v", got)
		}
		if n := w.Stat("edgejwt_panics"); n != 1 {
			t.Errorf("edgejwt_panics is %d", n)
		}
		passes(t, w)
		stillGuarded(t, w, "")
	})
	for _, kind := range []string{"fatal", "memory"} {
		t.Run(kind, func(t *testing.T) {
			w.ResetSeen()
			got := strike(kind)
			if got.Status < 500 || len(w.ResetSeen()) != 0 {
				t.Errorf("the request in hand: %v", got)
			}
			stillGuarded(t, w, "")
			// Envoy makes a VM anew with the first request that comes a second after
			// the death of the old one.
			w.Eventually(20*time.Second, "a new VM serves", func() bool {
				stillGuarded(t, w, "")
				return w.Get("/orders", bearer(w.Auth0.Token())...).Status == 200
			})
			t.Logf("in hand: %v; VM statistics: %v", got, vmStats(w))
		})
	}
}

// counted is World.Stat for an Envoy whose statistics are not all numbers, as with
// clusters from a file.
func counted(w *harness.World, part string) (sum int64) {
	text, err := w.Envoy.Get("/stats")
	if err != nil {
		w.T.Fatal(err)
	}
	for _, line := range strings.Split(text, "\n") {
		name, value, _ := strings.Cut(line, ": ")
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && strings.Contains(name, part) {
			sum += n
		}
	}
	return sum
}

func vmStats(w *harness.World) map[string]int64 {
	stats, _ := w.Envoy.Stats("wasm.*(vm_reload|created|active|failed)")
	return stats
}

// TestFaultsAround: what happens around the plugin, with the shipped module.
func TestFaultsAround(t *testing.T) {
	var clusters string
	w := harness.Start(t, harness.Options{
		Workers:    2,
		Reloadable: true,
		Plugin:     with(`"keys": {"cooldown": "1s", "wait": "3s"}`),
		Edges: []harness.Edge{
			{Name: "large", Plugin: with(`"keys": {"cooldown": "1s", "wait": "3s"}`), Manager: harness.Normalising + "max_request_headers_kb: 4096\n"},
			{Name: "vandal", Plugin: with(`"keys": {"cooldown": "1s", "wait": "3s"}`), Before: vandalFilter(vandalModule(t))},
		},
		Shape: func(bootstrap map[string]any, dir string) { clusters = movedToCDS(t, bootstrap, dir) },
	})
	w.AwaitKeys()
	known := bearer(w.Auth0.Token())

	t.Run("a bad update", func(t *testing.T) {
		if err := w.Reload(`{"auth0": {"domain": "x"}}`); err == nil {
			t.Error("it was taken")
		}
		passes(t, w)
		stillGuarded(t, w, "")
		if err := w.Reload(with(`"keys": {"cooldown": "1s", "wait": "3s"}`)); err != nil {
			t.Fatal(err)
		}
		w.AwaitKeys()
	})

	t.Run("shared data corrupted", func(t *testing.T) {
		record := recordOf(w, with(`"keys": {"cooldown": "1s", "wait": "3s"}`))
		vandal := func(do, name string) string {
			return w.Do(harness.Request{To: w.At("vandal"), Headers: []string{"x-do", do, "x-name", name}}).Body
		}
		size := vandal("size", record)
		if len(size) < 3 {
			t.Fatalf("the vandal finds %q under %s", size, record)
		}
		for _, do := range []string{"junk", "empty"} {
			for _, name := range []string{record, record + "/hint"} {
				if said := vandal(do, name); said != "done" {
					t.Fatalf("%s %s: %s", do, name, said)
				}
			}
			for range 40 { // while the workers find out
				if got := w.Get("/orders", known...); got.Status != 200 {
					t.Errorf("%s: a valid token: %v", do, got)
				}
				time.Sleep(20 * time.Millisecond)
			}
			stillGuarded(t, w, "")
			w.Eventually(20*time.Second, "the record is written again", func() bool { return len(vandal("size", record)) >= 3 })
		}
		if said := vandal("fill", ""); said != "done" {
			t.Errorf("fill: %s", said)
		}
		if _, err := w.Auth0.RotateUnseen(); err != nil {
			t.Fatal(err)
		}
		w.Eventually(10*time.Second, "a new key arrives beside 64 MiB of others' data", func() bool {
			return w.Get("/orders", bearer(w.Auth0.Token())...).Status == 200
		})
		stillGuarded(t, w, "")
	})

	t.Run("a cluster vanishes", func(t *testing.T) {
		file := filepath.Join(w.Dir, "cds", "clusters.yaml")
		replace(t, file, "resources: []\n")
		w.Eventually(20*time.Second, "the cluster is gone", func() bool {
			list, err := w.Envoy.Get("/clusters")
			return err == nil && !strings.Contains(list, "auth0::")
		})
		for range 20 {
			if got := w.Get("/orders", known...); got.Status != 200 {
				t.Errorf("a key that is known: %v", got)
			}
		}
		stillGuarded(t, w, "")
		if _, err := w.Auth0.RotateUnseen(); err != nil {
			t.Fatal(err)
		}
		if got := w.Get("/orders", bearer(w.Auth0.Token())...); got.Status != 503 {
			t.Errorf("a key that nobody can fetch: %v", got)
		}
		replace(t, file, clusters)
		w.Eventually(30*time.Second, "the new key is fetched when the cluster is back", func() bool {
			return w.Get("/orders", bearer(w.Auth0.Token())...).Status == 200
		})
	})

	t.Run("1 MiB of headers", func(t *testing.T) {
		var much []string
		for i := range 16 {
			much = append(much, fmt.Sprintf("x-much-%d", i), strings.Repeat("m", 64<<10))
		}
		if got := w.Get("/orders", append(much, bearer(w.Auth0.Token())...)...); got.Status != 431 {
			t.Errorf("with Envoy's own bound: %v", got)
		}
		to := w.At("large")
		w.ResetSeen()
		if got := w.Do(harness.Request{To: to, Headers: much}); got.Reason != "token_missing" {
			t.Errorf("no token: %v", got)
		}
		if got := w.Do(harness.Request{To: to, Headers: bearer(strings.Repeat("e", 1<<20))}); got.Reason != "token_too_large" {
			t.Errorf("a token of 1 MiB: %v", got)
		}
		if seen := w.Seen(); len(seen) != 0 {
			t.Errorf("the API saw %v", seen)
		}
		// The edge lets it go on; FastAPI's server has a bound of its own.
		const accepted = "edgejwt_requests;reason=accepted;"
		time.Sleep(1200 * time.Millisecond) // what passed until now is counted by then
		before := counted(w, accepted)
		w.Do(harness.Request{To: to, Headers: append(much, bearer(w.Auth0.Token())...)})
		w.Eventually(3*time.Second, "a valid token beside 1 MiB of other headers is accepted", func() bool { return counted(w, accepted) > before })
		stillGuarded(t, w, to)
	})

	t.Run("10,000 requests that wait", func(t *testing.T) {
		known := bearer(w.Auth0.Token())
		if _, err := w.Auth0.RotateUnseen(); err != nil {
			t.Fatal(err)
		}
		w.Auth0.SetFault(auth0.Fault{Kind: auth0.Hang})
		defer w.Auth0.SetFault(auth0.Fault{})
		w.ResetSeen()
		time.Sleep(1100 * time.Millisecond) // the cooldown
		statuses, most := flood(t, w, 10_000, w.Auth0.Token(), func() {
			// FastAPI's server closes idle connections when it likes.
			if got := w.Get("/orders", known...); got.Status != 200 && !strings.HasPrefix(got.Body, "upstream connect error") {
				t.Errorf("meanwhile, a key that is known: %v", got)
			}
		})
		t.Logf("statuses %v, at most %d waited at once", statuses, most)
		if statuses[503] != 10_000 {
			t.Errorf("statuses %v", statuses)
		}
		if most < 512 || most > 2*512 {
			t.Errorf("%d waited at once, want 512 with one kid for each of two workers, or those of one", most)
		}
		w.Auth0.SetFault(auth0.Fault{})
		w.Eventually(30*time.Second, "the provider is back, and so is the key", func() bool {
			return w.Get("/orders", bearer(w.Auth0.Token())...).Status == 200
		})
		w.Eventually(10*time.Second, "nobody waits any more", func() bool { return counted(w, "edgejwt_parked_now") == 0 })
		stillGuarded(t, w, "")
	})
}

// movedToCDS takes the provider's cluster out of the bootstrap into a file that
// Envoy watches, and gives what the file says.
func movedToCDS(t *testing.T, bootstrap map[string]any, dir string) string {
	resources := bootstrap["static_resources"].(map[string]any)
	var stay []any
	var moved string
	for _, c := range resources["clusters"].([]any) {
		cluster := c.(map[string]any)
		if cluster["name"] != "auth0" {
			stay = append(stay, c)
			continue
		}
		cluster["@type"] = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
		raw, err := yaml.Marshal(map[string]any{"resources": []any{cluster}})
		if err != nil {
			t.Fatal(err)
		}
		moved = string(raw)
	}
	resources["clusters"] = stay
	folder := filepath.Join(dir, "cds")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "clusters.yaml")); err != nil {
		replace(t, filepath.Join(folder, "clusters.yaml"), moved)
	}
	dynamic, _ := bootstrap["dynamic_resources"].(map[string]any)
	if dynamic == nil {
		dynamic = map[string]any{}
	}
	dynamic["cds_config"] = map[string]any{"resource_api_version": "V3", "path_config_source": map[string]any{
		"path": filepath.Join(folder, "clusters.yaml"), "watched_directory": map[string]any{"path": folder}}}
	bootstrap["dynamic_resources"] = dynamic
	return moved
}

// replace changes a file by a rename, which is what Envoy watches for.
func replace(t *testing.T, file, text string) {
	t.Helper()
	draft := filepath.Join(t.TempDir(), "draft")
	if err := os.WriteFile(draft, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(draft, file); err != nil {
		t.Fatal(err)
	}
}

// flood sends n requests at once over a few connections. It gives how many got
// which status, and how many waited at most at the same time; meanwhile is called
// while they do.
func flood(t *testing.T, w *harness.World, n int, token string, meanwhile func()) (statuses map[int]int, most int64) {
	t.Helper()
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	statuses = map[int]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	const connections = 16
	for range connections {
		client := &http.Client{Transport: &http.Transport{Protocols: &protocols}}
		t.Cleanup(client.CloseIdleConnections)
		for range n / connections {
			all.Go(func() {
				status := 0
				q, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.Edge+"/orders", nil)
				if err == nil {
					q.Header.Set("authorization", "Bearer "+token)
					var answer *http.Response
					if answer, err = client.Do(q); err == nil {
						status = answer.StatusCode
						answer.Body.Close()
					}
				}
				mu.Lock()
				defer mu.Unlock()
				statuses[status]++
			})
		}
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	for {
		select {
		case <-done:
			return statuses, most
		case <-time.After(50 * time.Millisecond):
			if now := counted(w, "edgejwt_parked_now"); now > most {
				most = now
				meanwhile()
			}
		}
	}
}
