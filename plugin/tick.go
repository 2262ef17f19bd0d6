package plugin

import (
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
)

// minPeriod is the host's finest tick, faultyPeriod the next one after a fault.
// With longestPeriod the host's counters are never further behind than that.
// betweenGlances is the least time between two of glance's ticks.
const (
	minPeriod      = time.Millisecond
	faultyPeriod   = time.Second
	longestPeriod  = time.Second
	betweenGlances = 25 * time.Millisecond
)

// onTick is where every fetch starts: a callout made
// while a stream is handled would be lost with the stream.
func (r *root) onTick() {
	defer r.contain(tick, nil)
	for _, s := range r.sources {
		s.tick(r.clock())
	}
	r.settle()
}

// settle follows every event of the key sets: it judges the requests that waited
// for it, tells the gauges, and asks for the next tick.
func (r *root) settle() {
	now := r.clock()
	r.parked.settle(r, now)
	r.flushMetrics()
	for _, s := range r.sources {
		s.observe(now)
		s.changed = false
	}
	for _, q := range r.parked.requests {
		if q.source != nil {
			q.source.changed = false // of an earlier configuration
		}
	}
	r.schedule(now)
}

// schedule asks the host for the next tick.
func (r *root) schedule(now time.Time) {
	next := longestPeriod
	for _, s := range r.sources {
		next = min(next, s.machine.NextTick(now))
	}
	if deadline, ok := r.parked.next(); ok {
		next = min(next, deadline.Sub(now))
	}
	if r.parked.more {
		next = 0
	}
	if r.faulty {
		// What fails with each tick must not fail a thousand times a second.
		r.faulty, next = false, max(next, faultyPeriod)
	}
	_ = r.setPeriod(max(next, minPeriod))
}

// hurry makes the next tick come at once, from within a request.
func (r *root) hurry(streamID uint32) {
	if r.period == minPeriod {
		return
	}
	// The tick belongs to the plugin, not to the stream that is in effect.
	if err := proxywasm.SetEffectiveContext(r.id); err != nil {
		return
	}
	_ = r.setPeriod(minPeriod)
	_ = proxywasm.SetEffectiveContext(streamID)
}

// glance makes the next tick come soon after a request was refused for want of
// keys: another worker may have them by now. The host does not say so, and to ask
// it with every such request would be dear in an outage.
func (r *root) glance(streamID uint32, now time.Time) {
	if since := now.Sub(r.glanced); since >= 0 && since < betweenGlances {
		return
	}
	r.glanced = now
	r.hurry(streamID)
}

// setPeriod tells the host when to tick, if that differs from what it knows.
func (r *root) setPeriod(period time.Duration) error {
	if period == r.period {
		return nil
	}
	// Rounded up: a tick before its time would find nothing due and come again.
	millis := (period + time.Millisecond - 1) / time.Millisecond
	if err := proxywasm.SetTickPeriodMilliSeconds(uint32(millis)); err != nil {
		return err
	}
	r.period = period
	return nil
}
