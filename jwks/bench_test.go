package jwks

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
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
	workers []*Source
	next    []time.Time // when each worker ticks
	fetches []flying
	logs    []string
	changes int
}

type flying struct {
	worker *Source
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

func (b *bench) carry(m *Source, actions []Action) {
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
		b.pass(time.Second)
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
	if _, got := b.workers[worker].Find(b.now, kid, "RS256"); got != want {
		b.t.Fatalf("worker %d finds %q: %v, want %v", worker, kid, got, want)
	}
}

// modulus makes an odd number of 2048 bits that no other n gives. Nothing here
// checks signatures, so it need not be a product of two primes.
func modulus(n int) []byte {
	b := make([]byte, 0, 256)
	for i := byte(0); len(b) < 256; i++ {
		sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, uint64(n)), i))
		b = append(b, sum[:]...)
	}
	b[0] |= 0x80
	b[255] |= 1
	return b
}

// jwk is a key as providers publish it.
func jwk(kid string, n int) string {
	return fmt.Sprintf(`{"kty":"RSA","use":"sig","alg":"RS256","kid":%q,"n":%q,"e":"AQAB"}`, kid,
		base64.RawURLEncoding.EncodeToString(modulus(n)))
}

func document(keys ...string) []byte { return []byte(`{"keys":[` + strings.Join(keys, ",") + `]}`) }

// shared is the host's shared data for one source, with the host's semantics.
type shared struct {
	record  []byte
	version uint32
	hint    uint64
	hasHint bool
}

func (s *shared) set(record []byte, version uint32) bool {
	if version != 0 && s.version != 0 && version != s.version {
		return false
	}
	s.record = append([]byte(nil), record...)
	s.version++
	return true
}
