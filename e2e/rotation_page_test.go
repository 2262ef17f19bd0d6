package e2e

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// page is ROTATION.md.
func (r *rotation) page() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	edge, native := r.sides[0], r.sides[1]
	took := r.begin.Add(*soak).Sub(r.begin)
	say("# Rotation and outage under load, beside jwt_authn")
	say("")
	say("<!-- Written by go test ./e2e -run TestRotationUnderLoad -update. Do not edit. -->")
	say("")
	say("One Envoy with eight workers has two listeners: one with edgejwt, one with Envoy's own jwt_authn at its best settings")
	say("(`async_fetch` with `fast_listener: false`, `failed_refetch_duration: 1s`, `cache_duration: 2s`, three retries; no token cache, because")
	say("with `jwt_cache_config` it went on accepting cached tokens of withdrawn keys, more than 20 s after it had fetched the set without them).")
	say("edgejwt has `refresh: 3s, cooldown: 1s, timeout: 1s, wait: 2s, maxStale: 10m`, and nothing else is changed.")
	say("For %v each gets the same %d requests a second at the same moment. At least every 5 s the provider's key rotates: mostly as Auth0", took, rotationRate)
	say("does it (the next key is published before it signs), but also with keys that nobody has seen, once a minute while the provider")
	say("cannot be asked; keys are withdrawn, the current one too. The provider is slow, answers 503 with and without")
	say("`Retry-After`, HTML, garbage, nothing, half a key set or a redirect, hangs, and is dead for three seconds. Both")
	say("filters get a new configuration three times a minute, once while the provider is dead.")
	say("")
	say("Valid tokens that were refused:")
	say("")
	say("| | edgejwt: sent | 401 | 503 | jwt_authn: sent | 401 | 503 |")
	say("|---|---|---|---|---|---|---|")
	for c := range circumstances {
		e, n := edge.valid[c], native.valid[c]
		say("| %s | %d | %d | %d | %d | %d | %d |", circumstanceNames[c], e.sent, e.unauthorized, e.unavailable, n.sent, n.unauthorized, n.unavailable)
	}
	say("")
	say("A key counts as fetched when an answer that held it reached this Envoy %v before the request, so that every worker has had its", rotationTick+slack)
	say("tick to see it. The provider counts as in trouble until %v after it, the longest pause that edgejwt makes. Only in the last row", convalescence)
	say("can nobody tell whether a token is valid; what is promised for it is 503, never 401.")
	say("")
	say("| | edgejwt | jwt_authn |")
	say("|---|---|---|")
	say("| requests with a withdrawn key | %d | %d |", edge.withdrawn, native.withdrawn)
	say("| accepted past the bound (the first fetch without the key, and %v) | %d | %d |", rotationTick+slack, edge.late, native.late)
	say("| longest that a withdrawn key was accepted, outages included | %.1f s | %.1f s |", edge.longest.Seconds(), native.longest.Seconds())
	say("| expired, foreign and invented tokens that were accepted | %d | %d |", edge.wrong, native.wrong)
	say("| requests without an answer | %d | %d |", r.unanswered(false), r.unanswered(true))
	say("| requests to the provider | %d | %d |", len(edge.fetches), len(native.fetches))
	say("| … at once with another of the same filter | %d | %d |", edge.overlapping, native.overlapping)
	say("| median and 99th percentile of an accepted request, ms | %s | %s |", r.latency(false), r.latency(true))
	last := r.samples[len(r.samples)-1]
	say("")
	say("edgejwt's own figures at the end: %d requests had to wait for keys, %d of them in vain; %d key sets in turn; fetches: %s.",
		last.stat("edgejwt_parked;")+last.stats["wasmcustom.edgejwt_parked"], last.stats["wasmcustom.edgejwt_wait_timeouts"],
		last.stat("edgejwt_jwks_generation"), r.results(last))
	say("Envoy's resident memory in each tenth of the run, MB: %s; last third over the first after the warm-up: %.3f.", r.memory(), r.growth())
	var starved int
	for _, t := range edge.valid {
		starved += t.starved
	}
	say("The machine was not alone: requests that had nothing to wait for took up to %v; %d of the 503 came after %v of waiting in such a stall.",
		r.stall(r.begin, r.begin.Add(*soak)).Round(time.Millisecond), starved, rotationWait)
	return b.String()
}

func (r *rotation) results(s sample) string {
	var list []string
	for _, result := range []string{"changed", "same", "not_modified", "failed", "discarded"} {
		list = append(list, fmt.Sprintf("%d %s", s.stat("edgejwt_jwks_fetches"+keySource+"result="+result+";"), result))
	}
	return strings.Join(list, ", ")
}

func (r *rotation) unanswered(native bool) (n int) {
	for _, s := range r.gun.shots {
		if s.native == native && s.status == 0 {
			n++
		}
	}
	return n
}

func (r *rotation) latency(native bool) string {
	var took []time.Duration
	for _, s := range r.gun.shots {
		if s.native == native && s.status == 200 {
			took = append(took, s.done.Sub(s.sent))
		}
	}
	if len(took) == 0 {
		return "none"
	}
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return fmt.Sprintf("%.1f, %.0f", ms(took[len(took)/2]), ms(took[len(took)*99/100]))
}
