package jwks

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestUnknownKID(t *testing.T) {
	b := newBench(t, urlPolicy, 4)
	b.start(good(jwk("a", 1)))
	b.find(2, "b", Wait)
	if n := b.workers[2].NextTick(b.now); n > 5*time.Millisecond {
		t.Errorf("NextTick = %v after an unknown kid", n)
	}
	b.pass(50 * time.Millisecond)
	f := b.one()
	b.find(2, "c", Wait) // joins the fetch in flight
	b.answer(f, good(jwk("a", 1), jwk("b", 2)))
	b.pass(time.Second)
	b.find(2, "b", Found)
	b.find(0, "b", Found)
	b.find(2, "c", NotFound)
	b.pass(20 * time.Second)
	b.find(1, "d", NotFound) // fresh: no early refetch is to be had
	b.none()
	b.pass(8 * time.Second)
	b.find(1, "d", Wait) // the cooldown ends within keys.wait
	b.find(2, "c", Wait) // the fetch that it joined may have been answered before the key was there
	b.pass(1900 * time.Millisecond)
	b.answer(b.one(), good(jwk("a", 1), jwk("d", 4)))
	b.find(1, "d", Found)
	b.pass(time.Second)
	b.find(1, "b", NotFound) // withdrawn
	b.find(2, "c", NotFound)
	b.pass(27 * time.Second)
	b.find(2, "c", NotFound) // remembered, to the end of the cooldown
	b.pass(time.Minute)
	b.find(0, strings.Repeat("k", 257), NotFound)
	b.pass(time.Second)
	b.none()
}

// TestUnknownKIDMeetsNextFetch: a worker that sees only now that a fetch has
// ended, and that the next one is on its way, does not give its kid up.
func TestUnknownKIDMeetsNextFetch(t *testing.T) {
	b := newBench(t, urlPolicy, 2)
	b.start(good(jwk("a", 1)))
	scheduled := b.await(602 * time.Second)
	if b.workers[0] == scheduled.worker {
		b.workers[0], b.workers[1] = b.workers[1], b.workers[0]
	}
	slow := b.workers[0]
	b.find(0, "c", Wait)
	b.workers, b.next = b.workers[1:], b.next[1:] // the thread of this one stands still for a while
	b.answer(scheduled, good(jwk("a", 1)))
	b.pass(time.Second)
	b.find(0, "d", Wait)
	b.pass(10 * time.Millisecond)
	b.one() // the early refetch that the other one asked for
	b.carry(slow, slow.Tick(b.now, b.data.hint, true))
	if _, o := slow.Find(b.now, "c", "RS256"); o != Wait {
		t.Error(o)
	}
}

// TestUnknownKIDOlderFetch: a key is published after a fetch that another worker
// has finished. The worker that is asked for it does not know of that fetch yet,
// and must not take its answer for one about the key.
func TestUnknownKIDOlderFetch(t *testing.T) {
	p := urlPolicy
	p.Cooldown, p.Wait = time.Second, 2*time.Second
	for _, since := range []time.Duration{300 * time.Millisecond, 0} {
		b := newBench(t, p, 2)
		b.start(good(jwk("a", 1)))
		b.find(0, "invented", Wait)
		b.pass(5 * time.Millisecond)
		early := b.one()
		if early.worker != b.workers[0] {
			t.Fatal("the fetch is not that of the worker that was asked")
		}
		b.pass(20 * time.Millisecond)
		slow := b.workers[1] // whose ticks come once a second
		b.workers, b.next = b.workers[:1], b.next[:1]
		if since == 0 {
			slow.Find(b.now, "new", "RS256") // while the fetch is on its way
		}
		b.answer(early, good(jwk("a", 1)))
		b.pass(since)
		for range 2 {
			if _, o := slow.Find(b.now, "new", "RS256"); o != Wait {
				t.Errorf("asked %v after the fetch: %v", since, o)
			}
			b.carry(slow, slow.Tick(b.now, b.data.hint, b.data.hasHint))
		}
		b.find(0, "invented", NotFound)
	}
}

func TestUnknownKIDWhileProviderFails(t *testing.T) {
	b := newBench(t, urlPolicy, 2)
	b.start(good(jwk("a", 1)))
	b.find(0, "b", Wait)
	b.pass(50 * time.Millisecond)
	b.answer(b.one(), Answer{Err: ErrNoAnswer})
	b.find(0, "b", Wait) // one reset connection is retried within a second
	b.pass(1100 * time.Millisecond)
	b.answer(b.one(), Answer{Err: ErrNoAnswer})
	b.find(0, "b", Unavailable)
	b.pass(time.Second)
	b.find(1, "b", Unavailable)
	b.find(0, "a", Found)
}

// TestFlood: ten thousand invented kids in a minute cost two fetches.
func TestFlood(t *testing.T) {
	b := newBench(t, urlPolicy, 4)
	b.start(good(jwk("a", 1)))
	b.pass(time.Minute)
	fetches, pending := 0, 0
	for i := range 10000 {
		m := b.workers[i%4]
		if _, o := m.Find(b.now, fmt.Sprint("invented-", i), "RS256"); o == Wait {
			pending++
		}
		b.pass(6 * time.Millisecond)
		for _, f := range b.fetches {
			fetches++
			b.fetches = nil
			b.answer(f, good(jwk("a", 1)))
		}
		if len(m.awaited) > maxAwaited || len(m.negative) > maxNegative {
			t.Fatal("memory is not bounded")
		}
	}
	if fetches > 2 {
		t.Errorf("%d fetches", fetches)
	}
	t.Logf("%d fetches, %d requests pending", fetches, pending)
}

// TestEarlyFetchAfterJitter: with Jitter, the early refetch comes after one random delay
// for all workers, and also when the request that asked for it has long been refused.
func TestEarlyFetchAfterJitter(t *testing.T) {
	p := urlPolicy
	p.Jitter = 40 * time.Second
	for _, c := range []struct {
		name   string
		jitter float64 // of the delay
		asks   func(m *Source, now time.Time) Outcome
		want   Outcome
	}{
		{"unknown kid, soon", 0.02, func(m *Source, now time.Time) Outcome { _, o := m.Find(now, "b", "RS256"); return o }, Wait},
		{"unknown kid, late", 0.5, func(m *Source, now time.Time) Outcome { _, o := m.Find(now, "b", "RS256"); return o }, Unavailable},
		{"bad signature, soon", 0.02, func(m *Source, now time.Time) Outcome {
			keys, _ := m.Find(now, "a", "RS256")
			return m.Recheck(now, "a", keys)
		}, Wait},
		{"bad signature, late", 0.99, func(m *Source, now time.Time) Outcome {
			keys, _ := m.Find(now, "a", "RS256")
			return m.Recheck(now, "a", keys)
		}, Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, p, 3)
			for _, m := range b.workers {
				m.random = func() float64 { return c.jitter }
			}
			b.start(good(jwk("a", 1)))
			delay := time.Duration(c.jitter * float64(p.Jitter))
			if got := c.asks(b.workers[1], b.now); got != c.want {
				t.Fatalf("the request: %v, want %v", got, c.want)
			}
			if got, want := b.workers[1].RetryAfter(b.now), min((delay+time.Second-1).Truncate(time.Second), 30*time.Second); got != want {
				t.Errorf("RetryAfter = %v, want %v", got, want)
			}
			b.pass(delay / 2)
			for _, m := range b.workers[1:] { // later requests, of another worker too
				if got := c.asks(m, b.now); got != c.want {
					t.Errorf("a later request: %v, want %v", got, c.want)
				}
			}
			b.pass(delay/2 - 20*time.Millisecond)
			b.none()
			b.pass(40 * time.Millisecond)
			b.answer(b.one(), good(jwk("a", 2), jwk("b", 3)))
			b.pass(time.Second)
			b.find(1, "b", Found)
			b.find(2, "b", Found)
			b.none()
		})
	}
}

// TestPatience: after 429 no request causes a fetch before the provider's Retry-After and
// a random delay are over, and every worker knows that. Requests that bring a new kid get
// 503.
func TestPatience(t *testing.T) {
	b := newBench(t, urlPolicy, 2)
	for _, m := range b.workers {
		m.random = func() float64 { return 0.5 }
	}
	b.start(good(jwk("a", 1)))
	b.find(0, "b", Wait)
	b.pass(50 * time.Millisecond)
	b.answer(b.one(), Answer{Status: 429, Headers: [][2]string{{"Retry-After", "7"}}})
	b.pass(time.Second)
	var asked []time.Duration
	for start := b.now; b.now.Sub(start) < 3*time.Minute; b.pass(100 * time.Millisecond) {
		for i := range b.workers {
			if _, o := b.workers[i].Find(b.now, "b", "RS256"); len(asked) == 0 && o != Unavailable && b.now.Sub(start) < 30*time.Second {
				t.Fatalf("worker %d, %v after 429: %v", i, b.now.Sub(start), o)
			}
		}
		for len(b.fetches) > 0 {
			asked = append(asked, b.now.Sub(start).Round(time.Second))
			b.answer(b.one(), Answer{Status: 429, Headers: [][2]string{{"Retry-After", "7"}}})
		}
	}
	// 7 s and half a minute after the first; 7 s and a minute after the second.
	if want := []time.Duration{36 * time.Second, 103 * time.Second}; !slices.Equal(asked, want) {
		t.Errorf("asked again after %v, want %v", asked, want)
	}
}

func TestRecheck(t *testing.T) {
	b := newBench(t, urlPolicy, 2)
	b.start(good(jwk("a", 1)))
	before, _ := b.workers[0].Find(b.now, "a", "RS256")
	if o := b.workers[0].Recheck(b.now, "a", before); o != Wait {
		t.Fatalf("first failure: %v", o)
	}
	b.pass(50 * time.Millisecond)
	b.answer(b.one(), good(jwk("a", 2)))
	after, _ := b.workers[0].Find(b.now, "a", "RS256")
	if before[0] == after[0] {
		t.Error("key was not replaced")
	}
	if o := b.workers[0].Recheck(b.now, "a", after); o != Found {
		t.Errorf("second failure within the cooldown: %v", o)
	}
	if o := b.workers[0].Recheck(b.now, "a", before); o != Found {
		t.Errorf("failure of a key that was replaced: %v", o)
	}
}

func TestPointersStay(t *testing.T) {
	b := newBench(t, urlPolicy, 2)
	b.start(good(jwk("a", 1), jwk("b", 2)))
	was, _ := b.workers[1].Find(b.now, "a", "RS256")
	b.answer(b.await(602*time.Second), good(jwk("c", 3), jwk("a", 1)))
	b.pass(time.Second)
	is, _ := b.workers[1].Find(b.now, "a", "RS256")
	generation := b.workers[1].Status(b.now).Generation
	if is[0] != was[0] || generation != 2 {
		t.Errorf("same pointer: %t, generation %d", is[0] == was[0], generation)
	}
}

func TestDeny(t *testing.T) {
	p := urlPolicy
	p.Deny = []string{"a"}
	b := newBench(t, p, 1)
	b.find(0, "a", NotFound)
	b.start(good(jwk("a", 1), jwk("b", 2)))
	b.find(0, "a", NotFound)
	if k, o := b.workers[0].Find(b.now, "", "RS256"); o != Found || k[0].ID != "b" {
		t.Errorf("without kid: %v %v", k, o)
	}
	b.pass(time.Second)
	b.none()
}

func TestIdleTickDoesNotAllocate(t *testing.T) {
	b := newBench(t, urlPolicy, 1)
	b.start(good(jwk("a", 1)))
	b.pass(2 * time.Second)
	m, now := b.workers[0], b.now
	if n := testing.AllocsPerRun(100, func() {
		now = now.Add(10 * time.Millisecond)
		if m.Tick(now, b.data.hint, true) != nil {
			t.Fatal("an action, though nothing is due")
		}
		m.NextTick(now)
		m.Find(now, "a", "RS256")
		m.Current(now)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestFixed(t *testing.T) {
	set, _, err := Parse(document(jwk("a", 1), jwk("b", 2)))
	if err != nil {
		t.Fatal(err)
	}
	m, now := Fixed(set, []string{"b"}), time.Now()
	a := set.byID("a")
	for kid, want := range map[string]Outcome{"a": Found, "b": NotFound, "c": NotFound} {
		if _, o := m.Find(now, kid, "RS256"); o != want {
			t.Errorf("%s: %v, want %v", kid, o, want)
		}
	}
	if m.Tick(now, 0, false) != nil || m.Recheck(now, "a", a) != Found || m.Recheck(now, "c", a) != NotFound || m.Status(now).Keys != 1 {
		t.Error("a fixed source returns actions")
	}
}

// TestEpochs: whatever becomes of the record, another set is another epoch.
func TestEpochs(t *testing.T) {
	b := newBench(t, urlPolicy, 2)
	b.start(good(jwk("a", 1)))
	before, _ := b.workers[1].Current(b.now)
	b.data.set([]byte("damaged"), 0) // and mended by a worker that knows nothing
	b.workers[0] = New(urlPolicy, 99, b.workers[1].random)
	b.carry(b.workers[0], b.workers[0].Tick(b.now, 0, false))
	b.pass(150 * time.Millisecond)
	for _, f := range b.fetches {
		b.answer(f, good(jwk("b", 2)))
	}
	b.pass(2 * time.Second)
	b.find(1, "b", Found)
	if after, _ := b.workers[1].Current(b.now); after == before {
		t.Error("another set under the same epoch")
	}
}

// TestRecheckWithoutKID: a token without kid under which no key verifies is treated as one
// with an unknown kid, and so is one with a kid that no key has where keys have none.
func TestRecheckWithoutKID(t *testing.T) {
	for kid, final := range map[string]Outcome{"": Found, "x": NotFound} {
		b := newBench(t, urlPolicy, 2)
		b.start(good(member("kid", "")))
		m := b.workers[0]
		keys, _ := m.Find(b.now, kid, "RS256")
		if o := m.Recheck(b.now, kid, keys); o != Wait {
			t.Fatalf("kid %q: %v, want to wait", kid, o)
		}
		b.pass(50 * time.Millisecond)
		b.answer(b.one(), good(member("kid", "")))
		b.pass(time.Second)
		if o := m.Recheck(b.now, kid, keys); o != final {
			t.Errorf("kid %q, and a fresh set has the same key: %v, want %v", kid, o, final)
		}
		b.pass(20 * time.Second)
		b.none()

		b = newBench(t, urlPolicy, 2)
		b.start(good(member("kid", "")))
		m = b.workers[0]
		keys, _ = m.Find(b.now, kid, "RS256")
		m.Recheck(b.now, kid, keys)
		for range 2 { // it is tried again once
			b.answer(b.await(2*time.Second), Answer{Err: ErrNoAnswer})
		}
		b.pass(time.Second)
		for _, m := range b.workers {
			if o := m.Recheck(b.now, kid, keys); o != Unavailable {
				t.Errorf("kid %q, and the provider fails: %v, want unavailable", kid, o)
			}
		}
	}
}
