package jwks

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// bench is one or more workers on one shared data, each action carried out at
// once: what the adapter does, without a host.
type bench struct {
	t       testing.TB
	now     time.Time
	data    shared
	workers []*Machine
	next    []time.Time // when each worker ticks
	fetches []flying
	logs    []string
	changes int
}

type flying struct {
	worker *Machine
	action Action
}

func newBench(t testing.TB, p Policy, workers int) *bench {
	b := &bench{t: t, now: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range workers {
		b.workers = append(b.workers, New(p, uint64(i+1), random.Float64))
	}
	b.next = make([]time.Time, workers)
	return b
}

var urlPolicy = Policy{URL: "https://issuer.example/jwks.json"}

func (b *bench) carry(m *Machine, actions []Action) {
	for _, a := range actions {
		switch a.Kind {
		case Load:
			b.carry(m, m.Loaded(b.now, b.data.record, b.data.version))
		case Save:
			ok := b.data.set(a.Record, a.Version)
			if ok {
				b.data.hint, b.data.hasHint = a.Hint, true
			}
			b.carry(m, m.Saved(b.now, ok))
		case Fetch:
			b.fetches = append(b.fetches, flying{m, a})
		case Changed:
			b.changes++
		case Info, Warn:
			b.logs = append(b.logs, a.Message)
		}
	}
}

// pass lets time pass, with a tick of every worker when it asks for one.
func (b *bench) pass(d time.Duration) {
	end := b.now.Add(d)
	for {
		first := 0
		for i, m := range b.workers { // a request may have wanted something since
			if at := b.now.Add(m.NextTick(b.now)); b.next[i].IsZero() || b.next[i].After(at) {
				b.next[i] = at
			}
			if b.next[i].Before(b.next[first]) {
				first = i
			}
		}
		if b.next[first].After(end) {
			b.now = end
			return
		}
		b.now = b.next[first]
		b.next[first] = time.Time{}
		m := b.workers[first]
		b.carry(m, m.Tick(b.now, b.data.hint, b.data.hasHint))
	}
}

// jump puts the wall clock forward or back; timers do not notice.
func (b *bench) jump(d time.Duration) {
	b.now = b.now.Add(d)
	for i := range b.next {
		b.next[i] = b.next[i].Add(d)
	}
}

// one takes the only fetch that is in flight.
func (b *bench) one() flying {
	b.t.Helper()
	if len(b.fetches) != 1 {
		b.t.Fatalf("%d fetches in flight, want 1", len(b.fetches))
	}
	f := b.fetches[0]
	b.fetches = nil
	return f
}

// await lets time pass until there is a fetch in flight, and takes it.
func (b *bench) await(most time.Duration) flying {
	b.t.Helper()
	for end := b.now.Add(most); len(b.fetches) == 0 && b.now.Before(end); {
		b.pass(100 * time.Millisecond)
	}
	return b.one()
}

func (b *bench) none() {
	b.t.Helper()
	if len(b.fetches) != 0 {
		b.t.Fatalf("%d fetches in flight, want none", len(b.fetches))
	}
}

func (b *bench) answer(f flying, a Answer) {
	b.carry(f.worker, f.worker.Answered(b.now, f.action.Ticket, a))
}

func good(keys ...string) Answer { return Answer{Status: 200, Body: document(keys...)} }

// start brings all workers to a first set.
func (b *bench) start(a Answer) {
	b.t.Helper()
	b.pass(100 * time.Millisecond)
	b.answer(b.one(), a)
	b.pass(1100 * time.Millisecond)
	for i, m := range b.workers {
		if !m.usable(b.now) {
			b.t.Fatalf("worker %d has no keys after the first answer", i)
		}
	}
}

func (b *bench) find(worker int, kid string, want Outcome) {
	b.t.Helper()
	if _, got := b.workers[worker].Find(b.now, kid, true); got != want {
		b.t.Fatalf("worker %d finds %q: %v, want %v", worker, kid, got, want)
	}
}

func TestColdStart(t *testing.T) {
	b := newBench(t, urlPolicy, 8)
	b.find(3, "a", Wait)
	b.pass(100 * time.Millisecond)
	f := b.one() // one of eight
	if f.action.URL != urlPolicy.URL || f.action.Timeout != 5*time.Second {
		t.Fatalf("fetch = %+v", f.action)
	}
	b.find(3, "a", Wait)
	b.answer(f, good(jwk("a", 1), jwk("b", 2)))
	b.pass(30 * time.Millisecond)
	for i := range b.workers {
		b.find(i, "a", Found)
		if n := b.workers[i].NextTick(b.now); n != time.Second {
			t.Errorf("idle worker ticks after %v", n)
		}
	}
	want := []string{`keys of "https://issuer.example/jwks.json": generation 1, 2 usable, kid "a", "b"`}
	if !slices.Equal(b.logs, want) {
		t.Errorf("log = %q, want %q", b.logs, want)
	}
	b.none()
}

func TestColdStartWithProviderDown(t *testing.T) {
	b := newBench(t, urlPolicy, 4)
	b.pass(100 * time.Millisecond)
	for range 30 {
		b.answer(b.one(), Answer{Status: 503})
		b.pass(1800 * time.Millisecond)
	}
	f := b.one()
	b.answer(f, Answer{Status: 503})
	b.find(0, "a", Unavailable)
	b.find(1, "a", Wait) // it has not seen the failure yet
	if r := b.workers[0].RetryAfter(b.now); r < time.Second || r > 2*time.Second {
		t.Errorf("RetryAfter = %v", r)
	}
	if len(b.logs) != 1 || !strings.Contains(b.logs[0], "asks for patience (status 503)") {
		t.Errorf("log = %q, want one warning", b.logs)
	}
	b.pass(1800 * time.Millisecond)
	b.answer(b.one(), good(jwk("a", 1)))
	b.find(f2(b), "a", Found)
}

func f2(b *bench) int {
	return slices.IndexFunc(b.workers, func(m *Machine) bool { return m.usable(b.now) })
}

func TestScheduledRefresh(t *testing.T) {
	cases := []struct {
		name     string
		header   [2]string
		from, to time.Duration // when the fetch must come
	}{
		{"nothing told", [2]string{}, 450 * time.Second, 600 * time.Second},
		{"longer than wanted", [2]string{"cache-control", "max-age=86400"}, 450 * time.Second, 600 * time.Second},
		{"between", [2]string{"Cache-Control", "public, max-age=400"}, 300 * time.Second, 400 * time.Second},
		{"too short", [2]string{"cache-control", "max-age=15"}, 225 * time.Second, 300 * time.Second},
		{"no-store", [2]string{"cache-control", "no-store"}, 225 * time.Second, 300 * time.Second},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, urlPolicy, 3)
			a := good(jwk("a", 1))
			a.Headers = [][2]string{c.header}
			b.pass(100 * time.Millisecond)
			b.answer(b.one(), a)
			b.pass(c.from - time.Second)
			b.none()
			b.await(c.to - c.from + 2*time.Second)
		})
	}
}

func TestConditionalRequest(t *testing.T) {
	b := newBench(t, urlPolicy, 2)
	a := good(jwk("a", 1))
	a.Headers = [][2]string{{"ETag", `"v1"`}, {"last-modified", "Mon, 04 May 2026 00:00:00 GMT"}}
	b.start(a)
	f := b.await(602 * time.Second)
	for _, want := range [][2]string{{"if-none-match", `"v1"`}, {"if-modified-since", "Mon, 04 May 2026 00:00:00 GMT"}} {
		if !slices.Contains(f.action.Headers, want) {
			t.Errorf("headers %q lack %q", f.action.Headers, want)
		}
	}
	b.answer(f, Answer{Status: 304})
	b.pass(2 * time.Second)
	s := b.workers[1].Status(b.now)
	if s.Age > 3*time.Second || s.Generation != 1 || s.Failures != 0 {
		t.Errorf("after 304: %+v", s)
	}
	f = b.await(602 * time.Second)
	if !slices.Contains(f.action.Headers, [2]string{"if-none-match", `"v1"`}) {
		t.Errorf("validator was lost with the 304")
	}
}

func TestUnconditional304IsAFailure(t *testing.T) {
	b := newBench(t, urlPolicy, 1)
	b.pass(100 * time.Millisecond)
	b.answer(b.one(), Answer{Status: 304})
	if s := b.workers[0].Status(b.now); s.Failures != 1 || s.Trouble != NothingToRenew || s.Usable {
		t.Errorf("status = %+v", s)
	}
}

// TestFailureKeepsGoodSet: whatever is no usable set changes nothing but the
// count of failures, is warned of once, and again after recovery.
func TestFailureKeepsGoodSet(t *testing.T) {
	cases := []struct {
		name   string
		answer Answer
		want   Trouble
	}{
		{"no answer", Answer{Err: true}, NoAnswer},
		{"500", Answer{Status: 500}, ProviderFailed},
		{"503", Answer{Status: 503}, ProviderBusy},
		{"429", Answer{Status: 429}, ProviderBusy},
		{"404", Answer{Status: 404}, RefusedByProvider},
		{"204", Answer{Status: 204}, RefusedByProvider},
		{"status 0", Answer{}, RefusedByProvider},
		{"301", Answer{Status: 301, Body: document(jwk("x", 9))}, Redirected},
		{"307", Answer{Status: 307}, Redirected},
		{"empty", Answer{Status: 200}, DocumentNotJSON},
		{"HTML", Answer{Status: 200, Body: []byte("<html>")}, DocumentNotJSON},
		{"truncated", Answer{Status: 200, Body: document(jwk("x", 9))[:100]}, DocumentNotJSON},
		{"no keys", Answer{Status: 200, Body: []byte(`{"keys":[]}`)}, NoUsableKey},
		{"another document", Answer{Status: 200, Body: []byte(`{"issuer":"x"}`)}, DocumentNotASet},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, urlPolicy, 2)
			b.start(good(jwk("a", 1)))
			b.logs = nil
			for i := range 3 {
				b.answer(b.await(602*time.Second), c.answer)
				b.find(0, "a", Found)
				b.find(1, "a", Found)
				if i == 0 {
					b.pass(1 * time.Second)
					s := b.workers[1].Status(b.now)
					if s.Trouble != c.want || s.Failures != 1 {
						t.Fatalf("status = %+v, want %v", s, c.want)
					}
				}
			}
			if len(b.logs) != 1 {
				t.Errorf("log = %q, want one warning", b.logs)
			}
			b.answer(b.await(602*time.Second), good(jwk("a", 1)))
			b.answer(b.await(602*time.Second), c.answer)
			if len(b.logs) != 2 {
				t.Errorf("log after recovery = %q, want a second warning", b.logs)
			}
		})
	}
}

func TestMaxStale(t *testing.T) {
	p := urlPolicy
	p.MaxStale = time.Hour
	b := newBench(t, p, 2)
	b.start(good(jwk("a", 1)))
	failing := 0
	for range 4000 { // the provider is gone
		b.pass(time.Second)
		for _, f := range b.fetches {
			failing++
			f := f
			b.fetches = nil
			b.answer(f, Answer{Err: true})
		}
		_, o := b.workers[0].Find(b.now, "a", true)
		age := b.workers[0].Status(b.now).Age
		if want := age <= time.Hour; (o == Found) != want {
			t.Fatalf("at age %v: %v", age, o)
		}
	}
	if _, usable := b.workers[1].Current(b.now); usable {
		t.Error("Current calls an outdated set usable")
	}
	t.Logf("%d fetches failed in %v", failing, 4000*time.Second)
}

// TestMaxStaleWithoutPublishing: shared data that cannot be written any more does not keep keys alive.
func TestMaxStaleWithoutPublishing(t *testing.T) {
	b := newBench(t, urlPolicy, 1)
	b.start(good(jwk("a", 1)))
	m := b.workers[0]
	b.changes = 0
	for range 25 * 3600 {
		b.now = b.now.Add(time.Second)
		for _, a := range m.Tick(b.now, b.data.hint, true) {
			if a.Kind == Changed {
				b.changes++
			}
		}
	}
	if b.find(0, "a", Wait); b.changes != 1 {
		t.Errorf("%d times told that verdicts changed, want 1", b.changes)
	}
}

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
	b.find(2, "c", Absent)
	b.pass(20 * time.Second)
	b.find(1, "d", Absent) // fresh: no early refetch is to be had
	b.none()
	b.pass(8 * time.Second)
	b.find(1, "d", Wait)   // the cooldown ends within keys.wait
	b.find(2, "c", Absent) // remembered
	b.pass(1900 * time.Millisecond)
	b.answer(b.one(), good(jwk("a", 1), jwk("d", 4)))
	b.find(1, "d", Found)
	b.pass(time.Second)
	b.find(1, "b", Absent) // withdrawn
	for _, kid := range []string{"", strings.Repeat("k", 257)} {
		b.pass(time.Minute)
		b.find(0, kid, Absent)
		b.pass(time.Second)
		b.none()
	}
}

func TestUnknownKIDWhileProviderFails(t *testing.T) {
	b := newBench(t, urlPolicy, 2)
	b.start(good(jwk("a", 1)))
	b.find(0, "b", Wait)
	b.pass(50 * time.Millisecond)
	b.answer(b.one(), Answer{Err: true})
	b.find(0, "b", Wait) // one reset connection is retried within a second
	b.pass(1100 * time.Millisecond)
	b.answer(b.one(), Answer{Err: true})
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
	fetches, parked := 0, 0
	for i := range 10000 {
		m := b.workers[i%4]
		if _, o := m.Find(b.now, fmt.Sprint("invented-", i), true); o == Wait {
			parked++
		}
		b.pass(6 * time.Millisecond)
		for _, f := range b.fetches {
			fetches++
			b.fetches = nil
			b.answer(f, good(jwk("a", 1)))
		}
		if len(m.wanted) > mostWanted || len(m.lacking) > mostLacking {
			t.Fatal("memory is not bounded")
		}
	}
	if fetches > 2 {
		t.Errorf("%d fetches", fetches)
	}
	t.Logf("%d fetches, %d requests parked", fetches, parked)
}

func TestSuspect(t *testing.T) {
	b := newBench(t, urlPolicy, 2)
	b.start(good(jwk("a", 1)))
	before, _ := b.workers[0].Find(b.now, "a", true)
	if o := b.workers[0].Suspect(b.now, "a"); o != Wait {
		t.Fatalf("first suspicion: %v", o)
	}
	b.pass(50 * time.Millisecond)
	b.answer(b.one(), good(jwk("a", 2)))
	after, _ := b.workers[0].Find(b.now, "a", true)
	if before.RSA == after.RSA {
		t.Error("key was not replaced")
	}
	if o := b.workers[0].Suspect(b.now, "a"); o != Absent {
		t.Errorf("second suspicion within the cooldown: %v", o)
	}
	if o := b.workers[0].Suspect(b.now, "zzz"); o != Absent {
		t.Errorf("suspicion of an unknown key: %v", o)
	}
}

func TestPointersStay(t *testing.T) {
	b := newBench(t, urlPolicy, 2)
	b.start(good(jwk("a", 1), jwk("b", 2)))
	was, _ := b.workers[1].Find(b.now, "a", true)
	b.answer(b.await(602*time.Second), good(jwk("c", 3), jwk("a", 1)))
	b.pass(time.Second)
	is, _ := b.workers[1].Find(b.now, "a", true)
	generation := b.workers[1].Status(b.now).Generation
	if is.RSA != was.RSA || generation != 2 {
		t.Errorf("same pointer: %t, generation %d", is.RSA == was.RSA, generation)
	}
}

func TestDeny(t *testing.T) {
	p := urlPolicy
	p.Deny = []string{"a"}
	b := newBench(t, p, 1)
	b.find(0, "a", Absent)
	b.start(good(jwk("a", 1), jwk("b", 2)))
	b.find(0, "a", Absent)
	if k, o := b.workers[0].Find(b.now, "", false); o != Found || k.ID != "b" {
		t.Errorf("without kid: %v %v", k.ID, o)
	}
	b.pass(time.Second)
	b.none()
}

func TestDeadOwner(t *testing.T) {
	b := newBench(t, urlPolicy, 3)
	b.pass(100 * time.Millisecond)
	dead := b.one()
	b.pass(6 * time.Second)
	b.none()
	b.pass(1100 * time.Millisecond)
	f := b.one()
	b.answer(dead, good(jwk("old", 1))) // comes back from the dead
	b.answer(f, good(jwk("new", 2)))
	b.pass(time.Second)
	for i := range b.workers {
		b.find(i, "new", Found)
		if _, ok := b.workers[i].set.Find("old"); ok {
			t.Fatal("late answer was published")
		}
	}
}

func TestRetryAfter(t *testing.T) {
	b := newBench(t, urlPolicy, 2)
	b.start(good(jwk("a", 1)))
	b.answer(b.await(602*time.Second), Answer{Status: 429, Headers: [][2]string{{"retry-after", "120"}}})
	b.find(0, "b", Unavailable) // the provider asked to be left alone, by requests too
	b.pass(119 * time.Second)
	b.none()
	b.await(122 * time.Second)
}

// TestReload: machines made anew start from the record, without a fetch.
func TestReload(t *testing.T) {
	b := newBench(t, urlPolicy, 2)
	b.start(good(jwk("a", 1)))
	b.workers[0] = New(urlPolicy, 77, rand.Float64)
	b.find(0, "a", Wait)
	b.pass(5 * time.Millisecond)
	b.find(0, "a", Found)
	b.pass(time.Second)
	b.none()
}

func TestDamagedRecord(t *testing.T) {
	for _, lost := range []bool{false, true} { // whether nobody knows the keys any more
		b := newBench(t, urlPolicy, 2)
		b.start(good(jwk("a", 1)))
		b.logs = nil
		if b.data.set([]byte("from another world"), 0); lost {
			b.workers = []*Machine{New(urlPolicy, 7, rand.Float64), New(urlPolicy, 8, rand.Float64)}
		}
		b.data.hint++
		b.pass(2 * time.Second)
		if len(b.logs) != 1 {
			t.Errorf("log = %q, want one warning", b.logs)
		}
		if lost {
			b.answer(b.one(), good(jwk("a", 1)))
			b.pass(time.Second)
		}
		b.none()
		b.find(0, "a", Found)
		b.find(1, "a", Found)
	}
}

func TestClockPutBack(t *testing.T) {
	p := urlPolicy
	p.MaxStale = time.Hour
	b := newBench(t, p, 2)
	b.start(good(jwk("a", 1)))
	b.pass(5 * time.Minute)
	b.jump(-48 * time.Hour)
	b.answer(b.await(302*time.Second), Answer{Err: true}) // refreshes go on
	for range 52 * 60 {                                   // and age is not lost
		b.pass(time.Second)
		for _, f := range b.fetches {
			b.fetches = nil
			b.answer(f, Answer{Err: true})
		}
	}
	b.pass(time.Second)
	if _, o := b.workers[1].Find(b.now, "a", true); o == Found {
		t.Errorf("keys are used at age %v", b.workers[1].Status(b.now).Age)
	}
}

func TestClockPutForward(t *testing.T) {
	b := newBench(t, urlPolicy, 2)
	b.start(good(jwk("a", 1)))
	b.jump(48 * time.Hour)
	b.find(0, "a", Wait) // too old by the only clock there is: ask at once
	b.pass(50 * time.Millisecond)
	b.answer(b.one(), good(jwk("a", 1)))
	b.pass(50 * time.Millisecond)
	b.find(0, "a", Found)
	b.find(1, "a", Found)
}

func TestSkippedKeysAreWarnedOfOnce(t *testing.T) {
	b := newBench(t, urlPolicy, 2)
	a := good(jwk("a", 1), `{"kty":"EC","kid":"ec"}`)
	b.start(a)
	b.answer(b.await(602*time.Second), a)
	if len(b.logs) != 2 || !strings.HasSuffix(b.logs[1], `unusable keys skipped: key 1 (kid "ec"): kty is not RSA`) {
		t.Errorf("log = %q", b.logs)
	}
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
		m.Find(now, "a", true)
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
	for kid, want := range map[string]Outcome{"a": Found, "b": Absent, "c": Absent} {
		if _, o := m.Find(now, kid, true); o != want {
			t.Errorf("%s: %v, want %v", kid, o, want)
		}
	}
	if m.Tick(now, 0, false) != nil || m.Suspect(now, "a") != Absent || m.Status(now).Keys != 1 {
		t.Error("a fixed machine acts")
	}
}
