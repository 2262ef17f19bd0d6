package bench

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"edgejwt/e2e/bench/load"
)

// Footprint is what an Envoy with one listener needs.
type Footprint struct {
	Start   time.Duration // processor time from its start to the first 200
	Idle    int64         // bytes resident after that, when every worker has served
	Filled  int64         // bytes resident after manyTokens new tokens, over all workers
	Workers int
}

// many is the number of workers whose memory is compared with one worker's.
const many = 4

// manyTokens are twice what edgejwt's cache holds by default.
const manyTokens = 20_000

// footprints measures Envoys of one and of many workers, with a row's listener and
// without a filter.
func (w *world) footprints(ctx context.Context, ids ...string) (map[string][]Footprint, error) {
	all := map[string][]Footprint{}
	for _, id := range ids {
		for _, workers := range []int{1, many} {
			f, err := w.footprint(ctx, rowOf(id), workers)
			if err != nil {
				return nil, err
			}
			all[id] = append(all[id], f)
		}
	}
	return all, nil
}

func (w *world) footprint(ctx context.Context, r *Row, workers int) (f Footprint, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := w.startEnvoy(ctx, workers, []string{r.Listener}); err != nil {
		return f, err
	}
	if err := w.await(ctx, r); err != nil {
		return f, err
	}
	f.Workers = workers
	if f.Start, err = cpuTime(w.envoy.PID()); err != nil {
		return f, err
	}
	// Connections fall to workers by chance: with so many, each has some.
	send := func(source load.Source, during time.Duration) error {
		result, err := load.Closed(w.listeners[r.Listener].Address, 16*workers, during, source)
		if err == nil && result.Wrong > 0 {
			err = result.Fault
		}
		return err
	}
	for _, step := range []struct {
		traffic Traffic
		during  time.Duration
		bytes   *int64
	}{
		{Repeated, time.Second, &f.Idle},
		{New, time.Minute, &f.Filled}, // ends with the tokens
	} {
		q := *r
		q.Traffic = step.traffic
		source, err := w.requests(&q, min(manyTokens, len(w.tokens.fresh)))
		if err != nil {
			return f, err
		}
		if err := send(source, step.during); err != nil {
			return f, fmt.Errorf("row %s: %w", r.ID, err)
		}
		if *step.bytes, err = resident(w.envoy.PID()); err != nil {
			return f, err
		}
	}
	return f, nil
}

// resident is the memory that a process has in RAM, in bytes.
func resident(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), "\nVmRSS:")
	kilobytes, _, _ := strings.Cut(strings.TrimSpace(after), " ")
	n, err := strconv.ParseInt(kilobytes, 10, 64)
	return n << 10, err
}
