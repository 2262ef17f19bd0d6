package jwks

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"edgejwt/verify"
)

var sampleKey = recordKey([]byte("what the other plugin does not know"), "https://issuer.example/jwks.json")

func TestRecord(t *testing.T) {
	b, _ := sampleRecord().encode(sampleKey)
	r, _, ok := decodeRecord(b, sampleKey)
	if !ok {
		t.Fatal("does not read back")
	}
	if again, _ := r.encode(sampleKey); !bytes.Equal(again, b) {
		t.Fatal("encodes to something else")
	}
	for i := range b {
		damaged := bytes.Clone(b)
		damaged[i] ^= 1
		if _, _, ok := decodeRecord(damaged, sampleKey); ok {
			t.Fatalf("damage at byte %d is not noticed", i)
		}
		if _, _, ok := decodeRecord(b[:i], sampleKey); ok {
			t.Fatalf("a record cut after %d bytes is taken", i)
		}
	}
	if _, _, ok := decodeRecord(append(bytes.Clone(b), 0), sampleKey); ok {
		t.Error("a record with a byte more is taken")
	}
	// The end is RFC 2104's, as another implementation has it.
	body := b[:len(b)-sha256.Size]
	other := hmac.New(sha256.New, sampleKey)
	other.Write(body)
	if !bytes.Equal(other.Sum(nil), b[len(body):]) {
		t.Error("the end is not HMAC-SHA256 of the rest")
	}
}

// secret is a policy whose records are authenticated.
func secret(p Policy, key string) Policy {
	p.RecordKey = []byte(key)
	return p
}

// TestForgedRecords: what another plugin writes in place of the record, without
// the key, is dropped. Every worker goes on with the keys that it has, a worker
// that has none fetches, and the stranger's key is never found.
func TestForgedRecords(t *testing.T) {
	forge := func(p Policy, genuine *record) []byte {
		r := *genuine
		r.sequence, r.generation, r.set = r.sequence+1, r.generation+1, document(jwk("stranger", 9))
		b, _ := r.encode(recordKey(p.RecordKey, p.SourceID()))
		return b
	}
	key := "what the other plugin does not know"
	for name, by := range map[string]Policy{
		"another key":       secret(urlPolicy, "its own"),
		"no key":            urlPolicy,
		"another source":    secret(Policy{URL: "https://stranger.example/jwks.json"}, key),
		"another issuer":    secret(Policy{Issuer: "https://issuer.example/"}, key),
		"another kind":      secret(Policy{Issuer: urlPolicy.URL}, key),
		"further hosts":     secret(Policy{Issuer: "https://issuer.example/", ExtraHosts: []string{"stranger.example"}}, key),
		"the source as key": {URL: urlPolicy.URL, RecordKey: []byte(urlPolicy.URL)},
	} {
		for _, cold := range []bool{false, true} { // whether nobody has keys
			b := newBench(t, secret(urlPolicy, key), 2)
			if cold {
				b.data.set(forge(by, &record{lifetime: noLifetime, confirmed: millis(b.now)}), 0)
				b.pass(50 * time.Millisecond)
			} else {
				b.start(good(jwk("a", 1)))
				b.logs = nil
				b.data.set(forge(by, b.workers[0].record), 0)
				b.data.hint++
				b.pass(1100 * time.Millisecond)
			}
			for i, m := range b.workers {
				if _, outcome := m.Find(b.now, "stranger", verify.RS256); outcome == Found {
					t.Fatalf("%s: worker %d takes the stranger's key", name, i)
				}
			}
			if len(b.logs) != 1 || !strings.Contains(b.logs[0], ErrRecordUnreadable.Error()) {
				t.Errorf("%s: log %q, want one line", name, b.logs)
			}
			if n := b.workers[0].Status(b.now).Rejected + b.workers[1].Status(b.now).Rejected; n == 0 {
				t.Errorf("%s: it is not counted", name)
			}
			if cold {
				b.pass(200 * time.Millisecond)
				b.answer(b.one(), good(jwk("a", 1)))
				b.pass(1100 * time.Millisecond)
			}
			b.find(0, "a", Found)
			b.find(1, "a", Found)
			b.fetches = nil // that the stranger's kid was asked for
		}
	}
}

// TestOutdatedRecord: a record that was put back brings no withdrawn key back, and
// is replaced by one that all take.
func TestOutdatedRecord(t *testing.T) {
	b := newBench(t, secret(urlPolicy, "k"), 3)
	b.start(good(jwk("a", 1), jwk("b", 2)))
	old := bytes.Clone(b.data.record)
	b.answer(b.await(602*time.Second), good(jwk("b", 2)))
	b.pass(2 * time.Second)
	b.logs = nil
	for range 10 {
		b.data.set(old, 0)
		b.data.hint += 3
		b.pass(1500 * time.Millisecond)
		for i := range b.workers {
			if _, found := b.workers[i].usableKeys.Find("a", verify.RS256); found {
				t.Fatalf("worker %d takes the withdrawn key", i)
			}
		}
	}
	if len(b.logs) == 0 || len(b.logs) > 3 || !strings.Contains(b.logs[0], ErrRecordOutdated.Error()) {
		t.Errorf("log %q, want one line of each worker at most", b.logs)
	}
	b.none()

	// A worker that starts cannot know better; but what it takes is no younger for it.
	b.data.set(old, 0)
	b.workers = append(b.workers[:0], New(secret(urlPolicy, "k"), 77, rand.Float64))
	b.next = make([]time.Time, 1)
	b.pass(50 * time.Millisecond)
	b.answer(b.one(), good(jwk("b", 2))) // its keys are older than a refresh: at once
	b.find(0, "b", Found)
	if _, found := b.workers[0].usableKeys.Find("a", verify.RS256); found {
		t.Error("the withdrawn key is there after the fetch")
	}
	b.pass(2 * time.Second)
	b.workers[0] = New(secret(Policy{URL: urlPolicy.URL, Refresh: time.Minute, MaxStale: 5 * time.Minute}, "k"), 78, rand.Float64)
	b.data.set(old, 0)
	b.pass(50 * time.Millisecond)
	if _, usable := b.workers[0].Current(b.now); usable {
		t.Error("keys from before maxStale are usable")
	}
}

// TestSameSequence: of two records with one number, each as genuine as the other,
// the one that a worker knows counts.
func TestSameSequence(t *testing.T) {
	b := newBench(t, secret(urlPolicy, "k"), 1)
	b.start(good(jwk("a", 1)))
	m := b.workers[0]
	other := *m.record
	other.set = document(jwk("b", 2))
	record, _ := other.encode(m.key)
	b.data.set(record, 0)
	b.data.hint++
	b.pass(1500 * time.Millisecond)
	if m.Status(b.now).Rejected != 1 {
		t.Error("it is taken")
	}
	b.find(0, "a", Found)
}

// TestJunkWithoutEnd: a worker that finds junk whenever it looks says so once a
// minute, keeps its keys, and fetches no more for it.
func TestJunkWithoutEnd(t *testing.T) {
	b := newBench(t, secret(urlPolicy, "k"), 1)
	b.start(good(jwk("a", 1)))
	b.logs = nil
	for range 1200 {
		b.data.set([]byte("junk"), 0)
		b.data.hint += 3
		b.pass(100 * time.Millisecond)
		b.find(0, "a", Found)
	}
	b.none()
	if len(b.logs) < 2 || len(b.logs) > 3 {
		t.Errorf("%d lines in two minutes, want one a minute", len(b.logs))
	}
	if n := b.workers[0].Status(b.now).Rejected; n < 100 {
		t.Errorf("%d records are counted as dropped", n)
	}
}

// TestRejectedRecordIsWarnedOfOnce: of several workers that read a damaged record, the
// one that replaces it warns, and the others only count.
func TestRejectedRecordIsWarnedOfOnce(t *testing.T) {
	b := newBench(t, secret(urlPolicy, "k"), 4)
	b.start(good(jwk("a", 1)))
	b.logs = nil
	for range 50 {
		b.data.set([]byte("junk"), 0)
		b.data.hint += 3
		b.pass(time.Second)
	}
	if len(b.logs) != 1 || !strings.Contains(b.logs[0], "damaged or forged; it is dropped and replaced; next: ") {
		t.Errorf("log %q, want one line", b.logs)
	}
	counted := uint64(0)
	for _, w := range b.workers {
		counted += w.Status(b.now).Rejected
	}
	if counted < 50 {
		t.Errorf("%d records are counted as rejected", counted)
	}
}

// TestFetchBesideJunk: somebody who writes junk all the time does not stop workers
// from fetching, neither at a cold start nor later, nor what they fetch from
// being used.
func TestFetchBesideJunk(t *testing.T) {
	b := newBench(t, secret(urlPolicy, "k"), 2)
	passes := func(d time.Duration) { // with junk every 10 ms
		for range d / (10 * time.Millisecond) {
			b.data.set([]byte("junk"), 0)
			b.data.hint += 3
			b.pass(10 * time.Millisecond)
			for len(b.fetches) > 0 {
				f := b.fetches[0]
				b.fetches = b.fetches[1:]
				b.answer(f, good(jwk("a", 1), jwk("b", 2)))
			}
		}
	}
	passes(time.Second)
	b.find(0, "a", Found)
	b.find(1, "a", Found)
	age := b.workers[0].Status(b.now).Age
	passes(602 * time.Second)
	for i, m := range b.workers {
		if now := m.Status(b.now).Age; now > age+200*time.Second {
			t.Errorf("worker %d has keys of age %v: no refresh", i, now)
		}
	}
}

// TestForeignLease: nobody without the key can say that somebody fetches, and a
// genuine record that says so is believed for the lease's own time and no longer,
// however often it is put back.
func TestForeignLease(t *testing.T) {
	p := secret(urlPolicy, "k")
	b := newBench(t, p, 1)
	forged, _ := (&record{lifetime: noLifetime, sequence: 1 << 62, lease: lease{owner: 9, ticket: 1 << 62, lasts: time.Hour.Milliseconds()}}).
		encode(recordKey([]byte("its own"), p.SourceID()))
	b.data.set(forged, 0)
	b.pass(300 * time.Millisecond)
	b.answer(b.one(), Answer{Err: ErrNoAnswer})

	b.await(3 * time.Second)
	leased := bytes.Clone(b.data.record) // for 7 s
	b.workers[0] = New(p, 77, rand.Float64)
	b.next = make([]time.Time, 1)
	started := b.now
	for len(b.fetches) == 0 && b.now.Sub(started) < time.Minute {
		b.data.set(leased, 0)
		b.data.hint += 3
		b.pass(200 * time.Millisecond)
	}
	if took := b.now.Sub(started); took > 8*time.Second {
		t.Errorf("a lease that is put back holds fetches up for %v", took)
	}
}

// TestInherit: a Source with another key for its records, beside one that knows
// the keys, has them at once, with their age, and does not fetch. One with the
// same key cannot be shown an older record.
func TestInherit(t *testing.T) {
	p := secret(urlPolicy, "k")
	p.MaxStale = time.Hour
	b := newBench(t, p, 2)
	b.start(good(jwk("a", 1), jwk("denied", 2)))
	old := bytes.Clone(b.data.record)
	b.answer(b.await(602*time.Second), good(jwk("a", 1), jwk("denied", 2), jwk("c", 3)))
	b.pass(5 * time.Minute)
	before := b.workers[1].Status(b.now)
	inherit := func(p Policy, owner uint64) *Source {
		m := New(p, owner, rand.Float64)
		for _, from := range b.workers {
			m.Inherit(b.now, from)
		}
		return m
	}

	changed := secret(p, "another")
	changed.Deny = []string{"denied"}
	next := &bench{t: t, now: b.now, workers: []*Source{inherit(changed, 11), inherit(changed, 12), New(changed, 13, rand.Float64)}, next: make([]time.Time, 3)}
	next.pass(1200 * time.Millisecond)
	for i, m := range next.workers {
		next.find(i, "c", Found)
		next.find(i, "denied", NotFound)
		if s := m.Status(next.now); s.Age < before.Age || s.Age > before.Age+2*time.Second {
			t.Errorf("worker %d has keys of age %v, those before were of %v", i, s.Age, before.Age)
		}
	}
	next.none()
	if next.workers[0].Status(next.now).Rejected+next.workers[1].Status(next.now).Rejected > 0 {
		t.Error("the new sources drop one another's records")
	}
	next.await(302 * time.Second) // refreshes go on from where they were

	same := &bench{t: t, now: b.now, data: b.data, workers: []*Source{inherit(p, 21)}, next: make([]time.Time, 1)}
	same.data.set(old, 0)
	same.pass(50 * time.Millisecond)
	same.find(0, "c", Found)
	if same.workers[0].Status(same.now).Rejected != 1 {
		t.Error("an older record is taken by one that could know better")
	}
	same.none()
}
