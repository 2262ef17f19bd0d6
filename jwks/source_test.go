package jwks

import (
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"
)

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
	for range 23 {
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
	if len(b.logs) != 1 || !strings.Contains(b.logs[0], "the provider failed (status 503)") {
		t.Errorf("log = %q, want one warning", b.logs)
	}
	b.pass(1800 * time.Millisecond)
	b.answer(b.one(), good(jwk("a", 1)))
	b.find(f2(b), "a", Found)
}

// TestRetriesWithoutKeys: a key set that was never had is asked for again soon for some
// 20 seconds, then less and less often, and at least every 30 seconds.
func TestRetriesWithoutKeys(t *testing.T) {
	b := newBench(t, urlPolicy, 1)
	b.pass(100 * time.Millisecond)
	m := b.workers[0]
	for _, c := range []struct {
		failures uint32
		most     time.Duration
	}{{1, 250 * time.Millisecond}, {2, 500 * time.Millisecond}, {3, time.Second}, {4, 1750 * time.Millisecond}, {24, 1750 * time.Millisecond},
		{25, 2100 * time.Millisecond}, {30, 5225472 * time.Microsecond}, {50, 30 * time.Second}, {1 << 31, 30 * time.Second}} {
		m.record.failures = c.failures
		for jitter, want := range map[uint32]time.Duration{0: 100 * time.Millisecond, 1<<32 - 1: c.most} {
			m.record.jitter = jitter
			if got := m.retryDelay(b.now); got > want || got < want-time.Millisecond {
				t.Errorf("after %d failures, jitter %d: %v, want %v", c.failures, jitter, got, want)
			}
		}
	}
	// A provider that asks for patience gets longer delays.
	m.record.lastError = ErrProviderBusy
	for failures, most := range map[uint32]time.Duration{1: 5 * time.Second, 2: 10 * time.Second, 24: 10 * time.Second, 25: 12 * time.Second, 1 << 31: 30 * time.Second} {
		m.record.failures, m.record.jitter = failures, 1<<32-1
		if got := m.retryDelay(b.now); got > most || got < most-time.Millisecond {
			t.Errorf("after %d times 429: %v, want %v", failures, got, most)
		}
	}
	// What that comes to in an outage of an hour.
	b = newBench(t, urlPolicy, 4)
	var asked []time.Duration
	start := b.now
	for b.now.Sub(start) < time.Hour {
		b.pass(100 * time.Millisecond)
		for len(b.fetches) > 0 {
			asked = append(asked, b.now.Sub(start))
			b.answer(b.one(), Answer{Err: ErrConnect})
		}
	}
	within := func(d time.Duration) int { return sort.Search(len(asked), func(i int) bool { return asked[i] > d }) }
	if n := within(20 * time.Second); n < 15 || n > 40 {
		t.Errorf("%d fetches in 20 s", n)
	}
	if n := len(asked) - within(30*time.Minute); n > 180 {
		t.Errorf("%d fetches in the second half of an hour", n)
	}
	t.Logf("fetches: %d in 20 s, %d in a minute, %d in 5 minutes, %d in an hour", within(20*time.Second), within(time.Minute), within(5*time.Minute), len(asked))
}

func f2(b *bench) int {
	return slices.IndexFunc(b.workers, func(m *Source) bool { return m.usable(b.now) })
}

func TestScheduledRefresh(t *testing.T) {
	cases := []struct {
		name     string
		header   [2]string
		from, to time.Duration // when the fetch must come
	}{
		{"no header", [2]string{}, 450 * time.Second, 600 * time.Second},
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
	if s := b.workers[0].Status(b.now); s.Failures != 1 || s.LastError != ErrUnexpectedNotModified || s.Usable {
		t.Errorf("status = %+v", s)
	}
}

// TestFailureKeepsGoodSet: whatever is no usable set changes nothing but the
// count of failures, is warned of once, and again after recovery.
func TestFailureKeepsGoodSet(t *testing.T) {
	cases := []struct {
		name   string
		answer Answer
		want   Error
	}{
		{"no answer", Answer{Err: ErrNoAnswer}, ErrNoAnswer},
		{"500", Answer{Status: 500}, ErrProviderFailed},
		{"503", Answer{Status: 503}, ErrProviderFailed},
		{"503 with Retry-After", Answer{Status: 503, Headers: [][2]string{{"retry-after", "1"}}}, ErrProviderBusy},
		{"429", Answer{Status: 429}, ErrProviderBusy},
		{"404", Answer{Status: 404}, ErrProviderRefused},
		{"204", Answer{Status: 204}, ErrProviderRefused},
		{"status 0", Answer{}, ErrProviderRefused},
		{"301", Answer{Status: 301, Body: document(jwk("x", 9))}, ErrRedirected},
		{"307", Answer{Status: 307}, ErrRedirected},
		{"empty", Answer{Status: 200}, ErrDocumentNotJSON},
		{"HTML", Answer{Status: 200, Body: []byte("<html>")}, ErrDocumentNotJSON},
		{"truncated", Answer{Status: 200, Body: document(jwk("x", 9))[:100]}, ErrDocumentNotJSON},
		{"no keys", Answer{Status: 200, Body: []byte(`{"keys":[]}`)}, ErrNoUsableKey},
		{"another document", Answer{Status: 200, Body: []byte(`{"issuer":"x"}`)}, ErrNotKeySet},
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
					if s.LastError != c.want || s.Failures != 1 {
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
			b.answer(f, Answer{Err: ErrNoAnswer})
		}
		_, o := b.workers[0].Find(b.now, "a", "RS256")
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
		t.Errorf("%d times Changed, want 1", b.changes)
	}
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
		if b.workers[i].usableKeys.byID("old") != nil {
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

// TestReload: new sources start from the record, without a fetch.
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
			b.workers = []*Source{New(urlPolicy, 7, rand.Float64), New(urlPolicy, 8, rand.Float64)}
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
	b.answer(b.await(302*time.Second), Answer{Err: ErrNoAnswer}) // refreshes go on
	for range 52 * 60 {                                          // and age is not lost
		b.pass(time.Second)
		for _, f := range b.fetches {
			b.fetches = nil
			b.answer(f, Answer{Err: ErrNoAnswer})
		}
	}
	b.pass(time.Second)
	if _, o := b.workers[1].Find(b.now, "a", "RS256"); o == Found {
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
	if len(b.logs) != 2 || !strings.HasSuffix(b.logs[1], `unusable keys skipped: key 1 (kid "ec"): crv is not one that is supported for EC keys`) {
		t.Errorf("log = %q", b.logs)
	}
}

// TestSkippedKeysAreNamedOnce: a provider that lists its keys in another order each time,
// or an unusable one twice, is warned of once; another unusable key is news.
func TestSkippedKeysAreNamedOnce(t *testing.T) {
	short, ec := member("kid", `"short"`, "n", quoted(wide(1024))), `{"kty":"oct","kid":"mac"}`
	b := newBench(t, urlPolicy, 2)
	b.start(good(jwk("a", 1), short, ec))
	for _, keys := range [][]string{{short, ec, jwk("a", 1)}, {ec, short, jwk("a", 1)}, {ec, jwk("a", 1), short, ec}} {
		b.answer(b.await(700*time.Second), good(keys...))
		b.pass(time.Second)
	}
	if n := strings.Count(strings.Join(b.logs, "\n"), "unusable keys skipped"); n != 1 {
		t.Errorf("%d warnings: %q", n, b.logs)
	}
	b.answer(b.await(700*time.Second), good(jwk("a", 1), short, ec, `{"kty":"oct","kid":"other"}`))
	if n := strings.Count(strings.Join(b.logs, "\n"), "unusable keys skipped"); n != 2 {
		t.Errorf("%d warnings after another key: %q", n, b.logs)
	}
}

// TestLogOfSeveralKeys: a kid is listed once, and keys without one are counted.
func TestLogOfSeveralKeys(t *testing.T) {
	b := newBench(t, urlPolicy, 1)
	b.start(good(jwk("dup", 1), jwk("dup", 2), member("kid", ""), jwk("a", 3), jwk("a", 3)))
	if want := `generation 1, 4 usable, kid "a", "dup", 1 without kid`; len(b.logs) != 1 || !strings.HasSuffix(b.logs[0], want) {
		t.Errorf("log = %q, want one line with %s", b.logs, want)
	}
	b.answer(b.await(700*time.Second), good(member("kid", "")))
	if want := `generation 2, 1 usable, 1 without kid`; !strings.HasSuffix(b.logs[len(b.logs)-1], want) {
		t.Errorf("log = %q, want %s", b.logs, want)
	}
}
