package e2e

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"edgejwt/e2e/auth0"
)

// slack is what the machine under the test may take longer than the plugin:
// several programs share its processors. Where it took longer, stall tells.
const slack = 500 * time.Millisecond

// stall is how long the machine kept Envoy from its work at some time between
// from and to: the slowest request that had nothing to wait for.
func (r *rotation) stall(from, to time.Time) (longest time.Duration) {
	const grain = 250 * time.Millisecond
	bucket := func(t time.Time) int64 { return int64(t.Sub(r.begin) / grain) }
	if r.stalls == nil {
		r.stalls = map[int64]time.Duration{}
		for _, s := range r.gun.shots {
			if !s.native && (s.kind == expired || s.kind == foreignIssuer) {
				for b := bucket(s.sent); b <= bucket(s.done); b++ {
					r.stalls[b] = max(r.stalls[b], s.done.Sub(s.sent))
				}
			}
		}
	}
	for b := bucket(from); b <= bucket(to); b++ {
		longest = max(longest, r.stalls[b])
	}
	return longest
}

// starved reports whether a request waited for keys as long as it may, and the
// machine stood still for a good part of that time.
func (r *rotation) starved(s *shot) bool {
	return s.status == 503 && s.done.Sub(s.sent) >= rotationWait && r.stall(s.sent, s.done) >= slack/2
}

// Whether a valid token's key had been fetched before, and how the provider was.
type circumstance int

const (
	knownWell    circumstance = iota // key fetched before, provider well
	knownTrouble                     // key fetched before, provider in trouble
	newWell                          // key not fetched yet, provider well
	newTrouble                       // key not fetched yet, provider in trouble: nobody can tell
	circumstances
)

var circumstanceNames = [circumstances]string{
	"key fetched before, provider well", "key fetched before, provider in trouble",
	"new key, provider well", "new key, provider in trouble",
}

// tally is what became of valid tokens in one circumstance.
type tally struct{ sent, unauthorized, unavailable, starved int }

// side is what one filter did.
type side struct {
	fetches     []auth0.Fetch
	ends        map[time.Time]time.Time
	valid       [circumstances]tally
	withdrawn   int           // requests with withdrawn keys
	late        int           // accepted past the bound
	longest     time.Duration // after its withdrawal, the longest that a key was accepted
	wrong       int           // expired or foreign ones that were accepted
	overlapping int
}

// after is the end of the first fetch that was answered after t; never when
// there is none.
func (s *side) after(t time.Time) time.Time {
	at, ok := s.ends[t]
	if !ok {
		at = never
		if i := slices.IndexFunc(s.fetches, func(f auth0.Fetch) bool { return f.Read.After(t) && !f.Ended.IsZero() }); i >= 0 {
			at = s.fetches[i].Ended
		}
		s.ends[t] = at
	}
	return at
}

var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// known reports whether a key had been fetched, and every worker had had a tick
// to see it.
func (s *side) known(k *publication, by time.Time) bool {
	return s.after(k.from).Add(rotationTick + slack).Before(by)
}

// bound is the moment after which a withdrawn key must not be accepted: the
// first fetch that cannot have brought it, and a tick for each worker to see it.
// What the machine stood still comes on top of it, twice: once at the worker
// that fetched, once at the one that was asked.
func (s *side) bound(k *publication) (time.Time, bool) {
	at := s.after(k.until)
	return at.Add(rotationTick + slack), at != never
}

// count judges all shots; sides[0] is edgejwt, sides[1] jwt_authn.
func (r *rotation) count() {
	sides := [2]*side{{ends: map[time.Time]time.Time{}}, {ends: map[time.Time]time.Time{}}}
	for _, f := range r.world.Auth0.FetchLog() {
		if f.At.Before(r.begin.Add(-time.Minute)) {
			continue
		}
		if f.By == "" {
			sides[0].fetches = append(sides[0].fetches, f)
		} else {
			sides[1].fetches = append(sides[1].fetches, f)
		}
	}
	for _, shot := range r.gun.shots {
		s := sides[0]
		if shot.native {
			s = sides[1]
		}
		r.countShot(s, shot)
	}
	for _, s := range sides {
		for i := 1; i < len(s.fetches); i++ {
			before, f := s.fetches[i-1], s.fetches[i]
			// The stand-in may notice a moment late that the asker has given up.
			if before.Ended.IsZero() || before.Ended.After(f.At.Add(100*time.Millisecond)) {
				s.overlapping++
			}
		}
	}
	r.sides = sides
}

func (r *rotation) countShot(s *side, shot *shot) {
	k := shot.key
	switch {
	case k == nil, shot.kind == expired, shot.kind == foreignKey:
		if shot.status == 200 {
			s.wrong++
		}
	case !k.until.IsZero() && shot.sent.After(k.until):
		s.withdrawn++
		if shot.status == 200 {
			s.longest = max(s.longest, shot.sent.Sub(k.until))
			if bound, ok := s.bound(k); ok && shot.sent.After(bound.Add(2*r.stall(k.until, shot.done))) {
				s.late++
			}
		}
	case !k.leaving.IsZero() && shot.done.After(k.leaving):
		// Withdrawn while the request was under way: either answer is right.
	default:
		t := &s.valid[r.circumstance(s, shot)]
		t.sent++
		switch shot.status {
		case 200:
		case 401:
			t.unauthorized++
		case 503:
			t.unavailable++
			if r.starved(shot) {
				t.starved++
			}
		}
	}
}

func (r *rotation) circumstance(s *side, shot *shot) circumstance {
	known := s.known(shot.key, shot.sent)
	trouble := r.provider.troubled(shot.sent, shot.done)
	switch {
	case known && !trouble:
		return knownWell
	case known:
		return knownTrouble
	case !trouble:
		return newWell
	}
	return newTrouble
}

// judge demands of edgejwt what docs/keys.md promises.
func (r *rotation) judge() {
	t := r.t
	t.Helper()
	complaints := 0
	complain := func(s *shot, format string, args ...any) {
		if complaints++; complaints <= 20 {
			kid := ""
			if s.key != nil {
				kid = s.key.kid
			}
			t.Errorf("%v after the start, %v %s, answered %d %s after %v, %v: %s", s.sent.Sub(r.begin).Round(time.Millisecond), s.kind, kid, s.status,
				s.reason, s.done.Sub(s.sent).Round(time.Millisecond), s.err, fmt.Sprintf(format, args...))
		}
	}
	edge := r.sides[0]
	var unanswered, sent int
	for number, s := range r.gun.shots {
		hits := r.api.hits[number]
		// The client repeats a request whose connection Envoy closed at the end of
		// a replaced listener's time, so an accepted one may arrive twice.
		if s.status == 200 && hits == 0 || s.status != 200 && s.status != 0 && hits > 0 {
			complain(s, "the API saw it %d times", hits)
		}
		if s.native {
			continue
		}
		sent++
		if s.status == 0 {
			unanswered++
			continue
		}
		if strings.Contains(s.reason, "without") {
			complain(s, "no Retry-After")
		}
		troubled := r.provider.troubled(s.sent, s.done)
		switch {
		case s.kind == expired:
			if s.status != 401 || s.reason != "token_expired" {
				complain(s, "want 401 token_expired")
			}
		case s.kind == foreignIssuer:
			if s.status != 401 || s.reason != "issuer_unknown" {
				complain(s, "want 401 issuer_unknown")
			}
		case s.kind == invented:
			if s.status != 401 && !(s.status == 503 && troubled) && !r.starved(s) || s.status == 401 && s.reason != "key_unknown" {
				complain(s, "want 401 key_unknown")
			}
		case s.kind == foreignKey:
			gone := !s.key.leaving.IsZero() && s.done.After(s.key.leaving)
			if s.status != 401 && !(s.status == 503 && troubled) && !r.starved(s) ||
				s.status == 401 && s.reason != "signature_invalid" && !(gone && s.reason == "key_unknown") {
				complain(s, "want 401 signature_invalid")
			}
		case !s.key.until.IsZero() && s.sent.After(s.key.until):
			if bound, ok := edge.bound(s.key); s.status == 200 && ok && s.sent.After(bound.Add(2*r.stall(s.key.until, s.done))) {
				complain(s, "withdrawn %v before", s.sent.Sub(s.key.until))
			}
			if s.status != 200 && s.reason != "key_unknown" && s.reason != "keys_unavailable" {
				complain(s, "want key_unknown")
			}
		case !s.key.leaving.IsZero() && s.done.After(s.key.leaving):
		case s.status != 200:
			c := r.circumstance(edge, s)
			if s.status != 503 || c != newTrouble && !r.starved(s) {
				complain(s, "a valid token (%s, published %v before)", circumstanceNames[c], s.sent.Sub(s.key.from).Round(time.Millisecond))
			}
		}
	}
	if complaints > 20 {
		t.Errorf("and %d more", complaints-20)
	}
	if unanswered*10000 > sent {
		t.Errorf("%d of %d requests got no answer", unanswered, sent)
	}
	if r.gun.shed > 0 {
		t.Errorf("%d requests were not sent because too many were under way", r.gun.shed)
	}
	if planned := int(soak.Seconds() * rotationRate); sent < planned/2 {
		t.Errorf("%d requests in %v: the machine is too slow to prove anything", sent, *soak)
	}
	r.judgeRealms()
}

// judgeRealms demands that each new configuration came into force, and none that
// was replaced stayed.
func (r *rotation) judgeRealms() {
	for n, at := range r.reloads {
		realm, seen := fmt.Sprintf("api-%d", n+1), false
		for _, s := range r.gun.shots {
			if s.native || s.realm == "" {
				continue
			}
			seen = seen || s.realm == realm
			if n+1 < len(r.reloads) && s.realm == realm && s.sent.After(r.reloads[n+1].Add(rotationDrain+5*time.Second)) {
				r.t.Errorf("realm %s is still in force %v after it was replaced", realm, s.sent.Sub(r.reloads[n+1]))
				break
			}
		}
		if !seen && time.Since(at) > 10*time.Second {
			r.t.Errorf("the configuration with realm %s never came into force", realm)
		}
	}
}
