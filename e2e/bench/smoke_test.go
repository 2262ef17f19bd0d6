package bench

import (
	"context"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/bench/settings"
	"edgejwt/e2e/parts"
)

// TestEveryRow: the answers that make bench times are those that it means to
// time. It times nothing.
func TestEveryRow(t *testing.T) {
	root, err := parts.Root()
	if err == nil {
		err = Check(root)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	w, err := newWorld(ctx, &Options{Root: root, Fresh: 200}, t.TempDir())
	t.Cleanup(w.close)
	if err != nil {
		t.Fatal(err)
	}
	all := (&Options{}).rows()
	var names []string
	for _, r := range all {
		names = append(names, r.Listener)
	}
	if err := w.startEnvoy(ctx, 1, names); err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		t.Run(r.ID, func(t *testing.T) {
			if err := w.await(ctx, r); err != nil {
				t.Fatal(err)
			}
			if err := w.check(r, 20); err != nil {
				t.Fatal(err)
			}
		})
	}
	t.Run("another answer is an error", func(t *testing.T) {
		for _, wrong := range []Row{
			{ID: "status", Listener: "edgejwt", Path: "/orders", Status: 401},
			{ID: "reason", Listener: "edgejwt", Path: "/orders", Traffic: Missing, Status: 401, Reason: "token_expired"},
		} {
			if err := w.check(&wrong, 1); err == nil || !strings.Contains(err.Error(), "instead of") {
				t.Errorf("%s: %v", wrong.ID, err)
			}
		}
	})
	// Rivals that let everything pass would be fast.
	for _, listener := range []string{"native", "native-uncached", "native-rich", "ext_authz", "edgejwt", "edgejwt-host", "edgejwt-rich",
		"api-edgejwt", "api-pyjwt", "api-seed"} {
		t.Run(listener+" checks", func(t *testing.T) {
			for _, bad := range []Row{
				{ID: "expired", Listener: listener, Path: settings.RichPath, Traffic: Expired, Status: 401},
				{ID: "forged", Listener: listener, Path: settings.RichPath, Traffic: Forged, Status: 401},
			} {
				if strings.HasPrefix(listener, "api") {
					bad.Path = "/orders"
				}
				if err := w.check(&bad, 1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	t.Run("a new token is sent once", func(t *testing.T) {
		r := rowOf(rowNewGo)
		if _, err := w.requests(r, len(w.tokens.fresh)); err == nil {
			t.Error("there were tokens for all that was asked for, although some had been sent")
		}
	})
	t.Run("measured", func(t *testing.T) {
		o := &Options{Rounds: 1, Fresh: 200, Connections: 4}
		before := served(t, w, "edgejwt")
		s, err := w.closed(rowOf(rowRepeated), o, 200*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if s.Rate <= 0 || s.CPU <= 0 || s.Envoy != s.CPU || s.P99 < s.P50 || s.Busy <= 0 || s.Generator <= 0 {
			t.Errorf("closed: %+v", s)
		}
		if envoys := served(t, w, "edgejwt") - before; int64(s.Requests) != envoys {
			t.Errorf("%d requests were counted; Envoy has answered %d with 2xx", s.Requests, envoys)
		}
		s, err = w.open(rowOf(rowAuthz), o, 200, 200*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if s.Rate <= 0 || s.Rate > 220 || s.CPU <= s.Envoy || s.P99 < s.P50 {
			t.Errorf("open: %+v", s)
		}
	})
}

// served is Envoy's own count of a listener's good answers.
func served(t *testing.T, w *world, listener string) int64 {
	name := "http." + listener + ".downstream_rq_2xx"
	stats, err := w.envoy.Stats(name)
	if err != nil {
		t.Fatal(err)
	}
	return stats[name]
}
