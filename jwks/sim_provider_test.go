package jwks

import (
	"fmt"
	"strings"
	"time"
)

// provider publishes keys on a schedule and fails on another.
type provider struct {
	keys    []*provKey
	periods []period
	faults  []fault
	headers [][2]string
	etags   bool
	bodies  map[string][]byte
	honest  int // 8: no client invents kids or forges; 10: two of ten do
}

// provKey is a key's life: published from..to, current (signing) within.
type provKey struct {
	kid      string
	n        int // names the modulus
	from, to time.Duration
}

// period is when a key signs.
type period struct {
	from time.Duration
	key  *provKey
}

type faultKind int

const (
	faultSlow faultKind = iota
	fault500
	faultBusy // 503 with Retry-After
	faultHTML
	faultEmpty
	faultTruncated
	faultRedirect
	faultReset
	faultHang
	faultLost // the host never says what came of the callout
	faultLate // it says so long after the timeout
	faultKinds
)

type fault struct {
	from, to time.Duration
	kind     faultKind
}

const forever = time.Duration(1 << 62)

// newProvider draws a schedule that is quiet from w.quiet on.
func newProvider(w *world) *provider {
	p := &provider{bodies: map[string][]byte{}, honest: 8 + 2*w.rng.IntN(2)}
	n := 0
	make := func(kid string, from time.Duration) *provKey {
		n++
		k := &provKey{kid: kid, n: n, from: from, to: forever}
		p.keys = append(p.keys, k)
		return k
	}
	announced, sameKID := w.chance(0.5), w.chance(0.1)
	every := w.between(4*time.Second, 40*time.Second)
	kid := func() string {
		if sameKID {
			return "key"
		}
		return fmt.Sprintf("key-%d", n+1)
	}
	current := make(kid(), 0)
	p.periods = append(p.periods, period{0, current})
	for at := w.between(time.Second, every); at < w.quiet; at += w.between(every/2, every*3/2) {
		from := at
		if announced && !sameKID {
			from = max(at-w.between(0, every/2), 0)
		}
		next := make(kid(), from)
		current.to = at
		if w.chance(0.5) && !sameKID {
			current.to = min(at+w.between(0, every), w.quiet) // overlap
		}
		current = next
		p.periods = append(p.periods, period{at, current})
	}
	if w.chance(0.7) {
		for at := w.between(0, w.quiet/2); at < w.quiet; at += w.between(time.Second, 20*time.Second) {
			f := fault{at, min(at+w.between(50*time.Millisecond, 12*time.Second), w.quiet), faultKind(w.rng.IntN(int(faultKinds)))}
			p.faults = append(p.faults, f)
			at = f.to
		}
	}
	if w.chance(0.3) { // nobody there when the process starts
		p.faults = append(p.faults, fault{0, w.between(0, min(20*time.Second, w.quiet)), faultKind(w.rng.IntN(int(faultKinds)))})
	}
	p.etags = w.chance(0.5)
	switch w.rng.IntN(4) {
	case 0:
		p.headers = [][2]string{{"Cache-Control", fmt.Sprintf("public, max-age=%d", w.rng.IntN(60))}}
	case 1:
		p.headers = [][2]string{{"cache-control", "no-store"}}
	}
	return p
}

// current is the key that signs at t.
func (p *provider) current(t time.Duration) *provKey {
	k := p.periods[0].key
	for _, e := range p.periods {
		if e.from <= t {
			k = e.key
		}
	}
	return k
}

// has reports whether the key is published at t.
func (k *provKey) has(t time.Duration) bool { return k.from <= t && t < k.to }

// published is the set at t, as a name and as a document.
func (p *provider) published(t time.Duration) (name string, body []byte) {
	var keys []string
	for _, k := range p.keys {
		if k.has(t) {
			name += fmt.Sprintf("%s=%d ", k.kid, k.n)
			keys = append(keys, simJWK(k.kid, k.n))
		}
	}
	if p.bodies[name] == nil {
		p.bodies[name] = document(keys...)
	}
	return name, p.bodies[name]
}

// fault is what goes wrong at t; ok is false when nothing does.
func (p *provider) fault(t time.Duration) (f fault, ok bool) {
	for _, f := range p.faults {
		if f.from <= t && t < f.to {
			return f, true
		}
	}
	return fault{}, false
}

// troubled reports whether something went wrong within from..to.
func (p *provider) troubled(from, to time.Duration) bool {
	for _, f := range p.faults {
		if f.from <= to && f.to >= from {
			return true
		}
	}
	return false
}

// callout is a request on its way.
type callout struct {
	worker    *worker
	ticket    uint64
	began     time.Duration
	end       time.Duration // when it is over for the host, whatever the worker hears
	discovery bool
	snapshot  time.Duration // when the provider read its keys; -1: never
}

// fetch dispatches a callout and lets its answer come.
func (w *world) fetch(v *worker, a Action) {
	w.checkFetch(v)
	latency := w.between(2*time.Millisecond, 40*time.Millisecond)
	f, faulty := w.prov.fault(w.t)
	c := &callout{worker: v, ticket: a.Ticket, began: w.t, snapshot: -1, discovery: v.m.fetch.discovery}
	answer := Answer{}
	deliver := true
	switch {
	case !faulty:
	case f.kind == faultSlow:
		latency = w.between(0, 2*a.Timeout)
	case f.kind == faultHang:
		latency = 2 * a.Timeout
	case f.kind == faultLost:
		deliver = false
		latency = 2 * a.Timeout
	}
	if latency > a.Timeout {
		latency = a.Timeout
		answer.Status = 504
	} else {
		answer, c.snapshot = w.answer(a, f, faulty, w.t+latency/2)
	}
	c.end = w.t + latency
	w.check.callouts = append(w.check.callouts, c)
	w.note("worker %d fetches, ticket %d: status %d after %v", v.id, a.Ticket, answer.Status, latency)
	if faulty && f.kind == faultLate {
		latency = a.Timeout + w.between(0, 4*time.Second) // the host was asleep
		c.end = w.t + a.Timeout
	}
	if !deliver {
		return
	}
	life := v.life
	w.after(latency, func() {
		if v.life == life {
			w.enter(v, func() {
				if v.m.fetch.ticket == a.Ticket {
					v.arrived = c
				}
				w.push(v, v.m.Answered(w.wall(), a.Ticket, answer))
			})
		}
	})
}

// answer is what the provider says; at is when it reads its keys.
func (w *world) answer(a Action, f fault, faulty bool, at time.Duration) (Answer, time.Duration) {
	if strings.HasSuffix(a.URL, "/openid-configuration") && (!faulty || f.kind == faultSlow || f.kind == faultLate) {
		return Answer{Status: 200, Body: []byte(`{"issuer":"https://issuer.example/","jwks_uri":"https://issuer.example/jwks.json"}`)}, -1
	}
	name, body := w.prov.published(at)
	ok := Answer{Status: 200, Headers: w.prov.headers, Body: body}
	if !faulty || f.kind == faultSlow || f.kind == faultLate {
		if w.prov.etags {
			etag := fmt.Sprintf("%q", name)
			for _, h := range a.Headers {
				if h == [2]string{"if-none-match", etag} {
					return Answer{Status: 304}, at
				}
			}
			ok.Headers = append([][2]string{{"ETag", etag}}, ok.Headers...)
		}
		return ok, at
	}
	switch f.kind {
	case fault500:
		return Answer{Status: 500}, -1
	case faultBusy:
		return Answer{Status: 503, Headers: [][2]string{{"Retry-After", fmt.Sprint(w.rng.IntN(4))}}}, -1
	case faultHTML:
		return Answer{Status: 200, Body: []byte("<html>sorry</html>")}, -1
	case faultEmpty:
		return Answer{Status: 200, Body: []byte(`{"keys":[]}`)}, -1
	case faultTruncated:
		return Answer{Status: 200, Body: body[:len(body)/2]}, -1
	case faultRedirect:
		return Answer{Status: 302, Headers: [][2]string{{"Location", "https://evil.example/"}}, Body: body}, -1
	}
	return Answer{Err: true}, -1
}
