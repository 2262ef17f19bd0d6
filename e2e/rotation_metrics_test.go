package e2e

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"edgejwt/e2e/auth0"
)

// judgeFetches demands that the provider is left alone: one fetch at a time, and
// no more than the schedule, the cooldown and the failures explain.
func (r *rotation) judgeFetches() {
	edge := r.sides[0]
	if edge.overlapping > 0 {
		r.t.Errorf("%d fetches began before the last had ended", edge.overlapping)
	}
	took, failed := time.Since(r.begin), 0
	for _, f := range edge.fetches {
		if f.Read.IsZero() {
			failed++
		}
	}
	// The schedule's shortest interval is three quarters of keys.refresh.
	allowed := int(took/(rotationRefresh*3/4)) + int(took/rotationCooldown) + failed + 3
	if n := len(edge.fetches); n > allowed {
		r.t.Errorf("%d fetches (%d of them failed) in %v, allowed %d", n, failed, took.Round(time.Second), allowed)
	}
	// Every withdrawal is learnt of in time, once the provider can be asked.
	for _, k := range r.provider.keys {
		if k.until.IsZero() || time.Since(k.until) < 15*time.Second {
			continue
		}
		from := k.until
		for _, t := range r.provider.troubles {
			if t.from.Before(from.Add(rotationRefresh)) && t.to.Add(convalescence).After(from) {
				from = t.to.Add(convalescence)
			}
		}
		if bound, ok := edge.bound(k); !ok || bound.After(from.Add(rotationRefresh+rotationTick+3*slack+2*r.stall(from, bound))) {
			r.t.Errorf("the withdrawal of %s at %v is not known before %v", k.kid, k.until.Sub(r.begin), bound.Sub(r.begin))
		}
	}
}

const keySource = ";jwks=tenant.auth0.example/.well-known/jwks.json;"

// stat is the value of the one metric whose name holds part.
func (s sample) stat(part string) (sum int64) {
	for name, v := range s.stats {
		if strings.Contains(name, part) {
			sum += v
		}
	}
	return sum
}

// judgeMetrics demands that eight workers show the figures of one process.
func (r *rotation) judgeMetrics() {
	t := r.t
	var generation int64
	for i, s := range r.samples {
		if n := s.stat("edgejwt_jwks_keys" + keySource); n < 2 || n > 8 {
			t.Errorf("sample %d: %d keys", i, n)
		}
		n := s.stat("edgejwt_jwks_generation" + keySource)
		if n < generation || n == 0 {
			t.Errorf("sample %d: generation %d after %d", i, n, generation)
		}
		generation = n
		if age := s.stat("edgejwt_jwks_age_seconds" + keySource); age > 25 {
			t.Errorf("sample %d: keys are %d seconds old", i, age)
		}
		if s.stat("edgejwt_parked_now") < 0 || s.stat("edgejwt_parked_now") > mostFlying {
			t.Errorf("sample %d: %d requests wait", i, s.stat("edgejwt_parked_now"))
		}
		for _, bad := range []string{"edgejwt_panics", "vm_reload"} {
			if n := s.stat(bad); n > 0 {
				t.Errorf("sample %d: %s is %d", i, bad, n)
			}
		}
	}
	last := r.samples[len(r.samples)-1]
	if n := last.stat("edgejwt_parked_now"); n != 0 {
		t.Errorf("%d requests wait although none is under way", n)
	}
	if changed := last.stat("edgejwt_jwks_fetches" + keySource + "result=changed;"); generation != changed {
		t.Errorf("generation %d after %d changes", generation, changed)
	}
	if first := r.samples[0].stat("wasm.runtime.v8.active"); last.stat("wasm.runtime.v8.active") > first+2 {
		t.Errorf("%d VMs at the start, %d in the end", first, last.stat("wasm.runtime.v8.active"))
	}
	// Good fetches are counted as the provider counts them, less those whose
	// answer came too late; failed ones are more, because a provider that is dead
	// cannot count.
	edge := r.sides[0]
	good := 0
	for _, f := range edge.fetches {
		if !f.Read.IsZero() && f.At.Before(last.at.Add(-time.Second)) {
			good++
		}
	}
	var counted int64
	for _, result := range []string{"changed", "same", "not_modified"} {
		counted += last.stat("edgejwt_jwks_fetches" + keySource + "result=" + result + ";")
	}
	if d := counted - int64(good); d < -2-int64(good/40) || d > 2 {
		t.Errorf("%d good fetches counted, the provider gave %d good answers", counted, good)
	}
	failed := last.stat("edgejwt_jwks_fetches" + keySource + "result=failed;")
	met := slices.DeleteFunc(slices.Clone(edge.fetches), func(f auth0.Fetch) bool { return !f.Read.IsZero() })
	if failed < int64(len(met))-2 {
		t.Errorf("%d failed fetches counted, the provider gave %d bad answers", failed, len(met))
	}
	if grown := r.growth(); *soak >= 5*time.Minute && grown > 1.05 {
		t.Errorf("Envoy's memory grew by %.1f %%", 100*(grown-1))
	}
}

// growth is Envoy's mean memory in the last third over that in the first, after
// a warm-up of a minute or, in a short run, ten seconds.
func (r *rotation) growth() float64 {
	samples := r.samples
	for len(samples) > 3 && samples[0].at.Before(r.begin.Add(min(*soak/6, time.Minute))) {
		samples = samples[1:]
	}
	third := len(samples) / 3
	return meanRSS(samples[len(samples)-third:]) / meanRSS(samples[:third])
}

// meanRSS is in KiB.
func meanRSS(some []sample) (sum float64) {
	for _, s := range some {
		sum += float64(s.rss) / float64(len(some))
	}
	return sum
}

// memory is Envoy's mean memory in MB, in each tenth of the run.
func (r *rotation) memory() string {
	var list []string
	for i := range 10 {
		some := r.samples[i*len(r.samples)/10 : (i+1)*len(r.samples)/10]
		list = append(list, fmt.Sprintf("%.0f", meanRSS(some)/1024))
	}
	return strings.Join(list, " ")
}
