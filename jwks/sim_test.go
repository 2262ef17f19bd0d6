package jwks

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	simHistories = flag.Int("sim.histories", 1000, "histories to simulate; make fuzz plays 100,000")
	simFirst     = flag.Uint64("sim.first", 1, "the first of them")
	simSeed      = flag.Uint64("sim.seed", 0, "replay this history alone, and tell what happens")
)

// rareHistories are played first, however many others are: each shows a planted
// bug that the first thousand histories do not show.
var rareHistories = []uint64{
	6695, // maxStale ignored
}

// newWorld draws a history from a seed.
func newWorld(seed uint64) *world {
	w := &world{rng: rand.New(rand.NewPCG(seed, 0x6a776b73)), check: newChecks()}
	p := Policy{
		URL:      "https://issuer.example/jwks.json",
		Refresh:  w.between(3*time.Second, 20*time.Second),
		MaxStale: w.between(15*time.Second, 90*time.Second),
		Cooldown: w.between(time.Second, 6*time.Second),
		Timeout:  w.between(300*time.Millisecond, 2*time.Second),
		Wait:     w.between(400*time.Millisecond, 2*time.Second),
		Tick:     w.between(200*time.Millisecond, time.Second),
	}
	// Drawn apart, so that the other histories stay as they are.
	if apart := rand.New(rand.NewPCG(seed, 0x6a697474)); apart.Float64() < 0.3 {
		p.Jitter = time.Duration(apart.Float64() * float64(p.Wait/2))
	}
	if w.chance(0.15) {
		p.URL, p.Issuer = "", "https://issuer.example/"
	}
	p.MaxStale = max(p.MaxStale, 2*p.Refresh)
	w.quiet = w.between(20*time.Second, 50*time.Second)
	w.end = w.quiet + p.Refresh*3 + p.Timeout + leaseMargin + 10*time.Second
	w.prov = newProvider(w)
	for id := range 1 + w.rng.IntN(4) {
		v := &worker{id: id, p: p}
		if w.chance(0.1) { // a second plugin with its own ideas
			v.p.Refresh, v.p.Cooldown = w.between(3*time.Second, p.Refresh), w.between(time.Second, 6*time.Second)
			v.p.Timeout = w.between(300*time.Millisecond, p.Timeout)
		}
		w.workers = append(w.workers, v)
		start := w.between(0, 100*time.Millisecond)
		if w.chance(0.1) {
			start = w.between(0, w.quiet)
		}
		v.m = Fixed(nil, nil) // until it starts
		w.after(start, func() { w.boot(v) })
	}
	w.client(w.between(20*time.Millisecond, time.Second))
	w.misfortunes()
	for _, f := range w.prov.faults {
		w.after(f.to, func() { w.expectRecovery() })
	}
	return w
}

// misfortunes draws what happens to the process itself.
func (w *world) misfortunes() {
	at := func(do func()) { w.after(w.between(0, w.quiet), do) }
	some := func(p float64, most int, do func()) {
		if w.chance(p) {
			for range 1 + w.rng.IntN(most) {
				at(do)
			}
		}
	}
	some(0.3, 3, func() { // a VM dies and is made again
		v := w.workers[w.rng.IntN(len(w.workers))]
		w.restart(v, w.between(0, 3*time.Second))
	})
	some(0.2, 3, func() { // the one that fetches dies
		var do func()
		tries := 0
		do = func() {
			if n := len(w.check.callouts); n > 0 && w.check.callouts[n-1].end > w.t {
				w.restart(w.check.callouts[n-1].worker, w.between(0, 3*time.Second))
			} else if tries++; tries < 2000 && w.t < w.quiet {
				w.after(5*time.Millisecond, do)
			}
		}
		do()
	})
	some(0.1, 2, func() { // a new configuration denies the current key, or none
		deny := []string{w.prov.current(w.t).kid}
		if w.chance(0.3) || w.prov.unnamed {
			deny = nil
		}
		other := w.chance(0.5)
		if other { // its records have another key and another name
			w.data, w.check.corrupted = shared{}, w.t
			w.note("records have another key")
		}
		for _, v := range w.workers {
			if v.p.Deny = deny; other {
				v.p.RecordKey = append(v.p.RecordKey[:len(v.p.RecordKey):len(v.p.RecordKey)], 'k')
				v.heir = v.up
			}
			w.restart(v, 0)
		}
	})
	some(0.25, 2, func() { // the wall clock is set
		by := w.between(time.Second, 48*time.Hour)
		if w.chance(0.5) {
			by = w.between(time.Second, 30*time.Second)
		}
		if w.chance(0.5) {
			by = -by
			w.check.backward = true
		} else {
			w.check.forward = append(w.check.forward, jump{w.t, by})
		}
		w.offset += by
		w.check.jumps = append(w.check.jumps, w.t)
		w.note("the wall clock jumps by %v", by)
	})
	some(0.03, 1, func() { // the record is damaged
		w.data.set([]byte("ejwk"), 0)
		w.data.hint++
		w.check.corrupted, w.check.damaged = w.t, true
		w.check.mishap(w)
		w.note("the record is damaged")
	})
	some(0.1, 3, func() { // another plugin puts back a record that it has seen there
		c := &w.check
		if len(c.written) == 0 {
			return
		}
		w.data.set(c.written[w.rng.IntN(len(c.written))], 0)
		w.data.hint ^= 1 << 63
		c.corrupted = w.t
		if c.putBack < 0 {
			c.putBack = w.t
		}
		c.troubles = append(c.troubles, w.t)
		w.note("an older record is put back")
	})
}

func (w *world) restart(v *worker, down time.Duration) {
	if !v.up {
		return
	}
	w.kill(v)
	if down > 0 { // a new VM; else the same one with a new configuration
		v.cache = nil
	}
	life := v.life
	w.after(down, func() {
		if v.life == life {
			w.note("worker %d starts", v.id)
			w.boot(v)
		}
	})
}

// TestSimulation plays many histories and checks the promises at each step.
func TestSimulation(t *testing.T) {
	if *simSeed != 0 {
		w := newWorld(*simSeed)
		w.verbose = t.Logf
		t.Logf("policy %+v", w.workers[0].p)
		if broken := w.run(); broken != "" {
			t.Fatalf("seed %d: %s", *simSeed, broken)
		}
		return
	}
	start := time.Now()
	var next, steps, accepted, refused401, refused503, fetches, earlies, generations, valid401, valid503 atomic.Int64
	var failed atomic.Bool
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for !failed.Load() {
				n := int(next.Add(1)) - 1
				if n >= len(rareHistories)+*simHistories {
					return
				}
				seed := *simFirst + uint64(n-len(rareHistories))
				if n < len(rareHistories) {
					seed = rareHistories[n]
				}
				w := newWorld(seed)
				if broken := w.run(); broken != "" && !failed.Swap(true) {
					t.Errorf("%s\nreplay: go test ./jwks -run TestSimulation -v -args -sim.seed=%d", broken, seed)
				}
				steps.Add(int64(w.steps))
				accepted.Add(int64(w.check.accepted))
				refused401.Add(int64(w.check.refused[401]))
				refused503.Add(int64(w.check.refused[503]))
				valid401.Add(int64(w.check.valid[401]))
				valid503.Add(int64(w.check.valid[503]))
				fetches.Add(int64(w.check.fetches))
				earlies.Add(int64(w.check.earlies))
				generations.Add(int64(w.check.generations))
			}
		})
	}
	group.Wait()
	t.Logf("%d histories, %d steps in %v: %d tokens accepted, %d refused with 401 (%d of them valid, within a cooldown), %d with 503 (%d of them valid, in trouble or within a cooldown); %d fetches, %d of them early, %d generations",
		min(int(next.Load()), len(rareHistories)+*simHistories), steps.Load(), time.Since(start).Round(time.Millisecond), accepted.Load(), refused401.Load(), valid401.Load(), refused503.Load(), valid503.Load(),
		fetches.Load(), earlies.Load(), generations.Load())
}
