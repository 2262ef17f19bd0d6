package jwks

import (
	"container/heap"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	fleetPicture = flag.Bool("fleet.svg", false, "draw fleet.svg anew")
	sidecars     = flag.Int("fleet.sidecars", 500, "sidecars in TestFleet; the table in README.md and fleet.svg have 1000")
)

// providerLimit is how many requests the provider answers in a second: one for
// each hundred sidecars.
func providerLimit() float64 { return float64(*sidecars) / 100 }

// The fleet: many sidecars, each a process of its own with its own record, and
// one provider for all that bears so many requests a second and answers 429 to
// the rest. Nothing is shared but the provider, so whatever keeps the sidecars
// apart has to come from chance.
const (
	workersEach     = 4
	fleetLatency    = 30 * time.Millisecond
	fleetRefresh    = 10 * time.Minute
	clientsEach     = 10        // that send tokens to one sidecar
	tokenLife       = time.Hour // after which a client fetches a new one
	fleetStart      = 10 * time.Minute
	steadyFrom      = 25 * time.Minute
	outageFrom      = 45 * time.Minute
	outageTo        = 55 * time.Minute
	announcedAt     = 75 * time.Minute
	unannouncedAt   = 90 * time.Minute
	emergencyAt     = 110 * time.Minute
	emergencyOver   = 116 * time.Minute
	fleetEnd        = 130 * time.Minute
	requestInterval = 5 * time.Second
)

type fleet struct {
	rng      *rand.Rand
	now      time.Duration
	cars     []*sidecar
	queue    fleetQueue
	bucket   float64 // requests that the provider can answer now
	filled   time.Duration
	asked    []time.Duration // every request to the provider
	answered map[int]int     // by status; 0: nobody there
	bodies   [][]byte        // what is published, by number of rotation
}

type sidecar struct {
	data    shared
	workers []*Source
	next    []time.Duration
	index   int           // in the queue
	at      time.Duration // of its next event
	pending []delivery
	sees    []sighting // tokens with new kids that will come
	knows   [4]time.Duration
}

type delivery struct {
	at     time.Duration
	worker *Source
	ticket uint64
	answer Answer
}

// sighting is a client's first token under a new kid.
type sighting struct {
	at, until time.Duration
	kid       string
}

type fleetQueue []*sidecar

func (q fleetQueue) Len() int           { return len(q) }
func (q fleetQueue) Less(i, j int) bool { return q[i].at < q[j].at }
func (q fleetQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i]; q[i].index, q[j].index = i, j }
func (q *fleetQueue) Push(x any)        { *q = append(*q, x.(*sidecar)) }
func (q *fleetQueue) Pop() any          { panic("sidecars never leave") }

func newFleet(seed uint64) *fleet {
	f := &fleet{rng: rand.New(rand.NewPCG(seed, 0x666c)), answered: map[int]int{}, bucket: providerLimit()}
	for _, kids := range [][]int{{1, 2}, {2, 3}, {4, 3}, {5, 3}} {
		f.bodies = append(f.bodies, document(jwk(fmt.Sprint("key-", kids[0]), kids[0]), jwk(fmt.Sprint("key-", kids[1]), kids[1])))
	}
	policy := Policy{URL: "https://issuer.example/jwks.json", Refresh: fleetRefresh}
	for i := range *sidecars {
		start := time.Duration(f.rng.Int64N(int64(fleetStart)))
		c := &sidecar{index: i, at: start}
		for range workersEach {
			c.workers = append(c.workers, New(policy, f.rng.Uint64()|1, f.rng.Float64))
			c.next = append(c.next, start)
		}
		// A key that is announced is not used before everybody has it; one that is
		// not comes with the clients' next tokens; in an emergency every client
		// fetches a new token at once.
		spread := tokenLife
		for range clientsEach {
			c.sees = append(c.sees, sighting{at: unannouncedAt + time.Duration(f.rng.Int64N(int64(spread))), until: emergencyAt, kid: "key-4"})
		}
		c.sees = append(c.sees, sighting{at: emergencyAt + time.Duration(f.rng.Int64N(int64(10*time.Second))), until: fleetEnd, kid: "key-5"})
		slices.SortFunc(c.sees, func(a, b sighting) int { return int(a.at - b.at) })
		f.cars = append(f.cars, c)
		heap.Push(&f.queue, c)
	}
	return f
}

func (f *fleet) wall() time.Time { return simEpoch.Add(f.now) }

func (f *fleet) run() {
	for f.queue[0].at < fleetEnd {
		c := f.queue[0]
		f.now = c.at
		f.step(c)
		heap.Fix(&f.queue, c.index)
	}
}

// step does what is due in one sidecar and says when it has to be looked at again.
func (f *fleet) step(c *sidecar) {
	for i := 0; i < len(c.pending); i++ {
		if d := c.pending[i]; d.at <= f.now {
			c.pending = slices.Delete(c.pending, i, i+1)
			f.carry(c, d.worker, d.worker.Answered(f.wall(), d.ticket, d.answer))
			i--
		}
	}
	for len(c.sees) > 0 && c.sees[0].at <= f.now {
		s := c.sees[0]
		c.sees = c.sees[1:]
		if f.now >= s.until {
			continue
		}
		i := f.rng.IntN(workersEach)
		if _, o := c.workers[i].Find(f.wall(), s.kid, "RS256"); o != Found {
			s.at = f.now + requestInterval // the client tries again
			at, _ := slices.BinarySearchFunc(c.sees, s, func(a, b sighting) int { return int(a.at - b.at) })
			c.sees = slices.Insert(c.sees, at, s)
		}
		c.next[i] = min(c.next[i], f.now+c.workers[i].NextTick(f.wall()))
	}
	c.at = fleetEnd
	for i, m := range c.workers {
		if c.next[i] <= f.now {
			f.carry(c, m, m.Tick(f.wall(), c.data.hint, c.data.hasHint))
			c.next[i] = f.now + m.NextTick(f.wall())
		}
		c.at = min(c.at, c.next[i])
	}
	for _, d := range c.pending {
		c.at = min(c.at, d.at)
	}
	if len(c.sees) > 0 {
		c.at = min(c.at, c.sees[0].at)
	}
}

func (f *fleet) carry(c *sidecar, m *Source, actions []Action) {
	for _, a := range actions {
		switch a.Kind {
		case Load:
			f.carry(c, m, m.Loaded(f.wall(), c.data.record, c.data.version))
		case Save:
			ok := c.data.set(a.Record, a.Version)
			if ok {
				c.data.hint, c.data.hasHint = a.Hint, true
			}
			f.carry(c, m, m.Saved(f.wall(), ok))
		case Fetch:
			c.pending = append(c.pending, delivery{f.now + fleetLatency, m, a.Ticket, f.provider()})
		case Changed:
			for i := range c.knows {
				if c.knows[i] == 0 {
					if m.usableKeys.byID(fmt.Sprint("key-", i+2)) != nil { // not Source.Find: it would cause a fetch
						c.knows[i] = f.now
					}
				}
			}
		}
	}
}

// provider answers one request.
func (f *fleet) provider() Answer {
	f.asked = append(f.asked, f.now)
	f.bucket = min(f.bucket+providerLimit()*(f.now-f.filled).Seconds(), providerLimit())
	f.filled = f.now
	a := Answer{Status: 200, Body: f.bodies[0]}
	switch {
	case f.now >= outageFrom && f.now < outageTo:
		a = Answer{Err: ErrNoAnswer}
	case f.bucket < 1:
		a = Answer{Status: 429, Headers: [][2]string{{"Retry-After", "5"}}}
	case f.now >= emergencyAt:
		a.Body = f.bodies[3]
	case f.now >= unannouncedAt:
		a.Body = f.bodies[2]
	case f.now >= announcedAt:
		a.Body = f.bodies[1]
	}
	if a.Status != 429 && a.Err == 0 {
		f.bucket--
	}
	f.answered[a.Status]++
	return a
}

// rate gives the mean rate within from..to, in requests a second, and the
// greatest within any ten seconds.
func (f *fleet) rate(from, to time.Duration) (mean, peak float64) {
	const window = 10 * time.Second
	low, _ := slices.BinarySearch(f.asked, from)
	high, _ := slices.BinarySearch(f.asked, to)
	first := low
	for i := low; i < high; i++ {
		for f.asked[i]-f.asked[first] >= window {
			first++
		}
		peak = max(peak, float64(i-first+1)/window.Seconds())
	}
	return float64(high-low) / (to - from).Seconds(), peak
}

// known gives how long after since so many sidecars of a thousand knew the key.
func (f *fleet) known(key int, since time.Duration, share int) time.Duration {
	var at []time.Duration
	for _, c := range f.cars {
		if t := c.knows[key-2]; t > 0 {
			at = append(at, t-since)
		}
	}
	slices.Sort(at)
	if n := share * *sidecars / 1000; len(at) >= n {
		return at[n-1].Round(time.Second / 10)
	}
	return forever
}

func TestFleet(t *testing.T) {
	f := newFleet(1)
	f.run()
	steady, _ := f.rate(steadyFrom, outageFrom)
	phases := []struct {
		name     string
		from, to time.Duration
		bound    float64 // of the peak, in steady means; 0: not bounded
		learned  string
	}{
		{"start, spread over 10 min", 0, steadyFrom, 0, ""},
		{"steady", steadyFrom, outageFrom, 5, ""},
		{"outage of 10 min", outageFrom, outageTo, 5, ""},
		{"the 20 min after it", outageTo, announcedAt, 5, ""},
		{"rotation, announced", announcedAt, unannouncedAt, 5, fmt.Sprint(f.known(3, announcedAt, 990))},
		{"rotation, unannounced", unannouncedAt, emergencyAt, 5, fmt.Sprint(f.known(4, unannouncedAt, 990))},
		{"emergency: every client at once", emergencyAt, emergencyOver, 0, fmt.Sprint(f.known(5, emergencyAt, 990))},
		{"the refreshes after it", emergencyOver, fleetEnd, 5, ""},
	}
	table := "| phase | mean/s | peak/s in 10 s | peak / steady mean | 99 % know the new key after |\n|---|---|---|---|---|\n"
	for _, p := range phases {
		mean, peak := f.rate(p.from, p.to)
		table += fmt.Sprintf("| %s | %.2f | %.1f | %.1f | %s |\n", p.name, mean, peak, peak/steady, p.learned)
		if p.bound > 0 && peak > p.bound*steady {
			t.Errorf("%s: peak %.1f/s is over %.0f times the steady %.2f/s", p.name, peak, p.bound, steady)
		}
	}
	t.Logf("%d requests to the provider, answers by status: %v\n%s", len(f.asked), f.answered, table)
	if limit := providerLimit() / 5; steady >= limit {
		t.Errorf("steady rate %.2f/s, want under %v", steady, limit)
	}
	if d := f.known(3, announcedAt, 990); d > fleetRefresh {
		t.Errorf("99 %% know an announced key after %v", d)
	}
	if d := f.known(4, unannouncedAt, 990); d > fleetRefresh {
		t.Errorf("99 %% know an unannounced key after %v", d)
	}
	if d := f.known(5, emergencyAt, 990); d > 5*time.Minute {
		t.Errorf("99 %% know an emergency key after %v", d)
	}
	if *fleetPicture {
		if err := os.WriteFile("fleet.svg", []byte(f.picture()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// picture draws the rate of requests to the provider over time.
func (f *fleet) picture() string {
	const (
		width, height, left, top = 900.0, 260.0, 50.0, 30.0
		bin                      = 10 * time.Second
		most                     = 60.0 // requests a second at the top
	)
	x := func(t time.Duration) float64 { return left + width*float64(t)/float64(fleetEnd) }
	y := func(rate float64) float64 { return top + height*(1-min(rate, most)/most) }
	counts := make([]float64, fleetEnd/bin+1)
	for _, at := range f.asked {
		counts[at/bin] += 1 / bin.Seconds()
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="11">`+"\n", left+width+20, top+height+50)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="white"/>`+"\n")
	for _, p := range []struct {
		from, to    time.Duration
		fill, label string
	}{
		{0, fleetStart, "#eef", "start"}, {outageFrom, outageTo, "#fdd", "outage"}, {announcedAt, announcedAt + time.Minute, "#dfd", "announced"},
		{unannouncedAt, unannouncedAt + time.Minute, "#dfd", "unannounced"}, {emergencyAt, emergencyAt + time.Minute, "#fea", "emergency"},
	} {
		fmt.Fprintf(&b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/><text x="%.1f" y="%.1f">%s</text>`+"\n",
			x(p.from), top, x(p.to)-x(p.from), height, p.fill, x(p.from), top-8, p.label)
	}
	for rate := 0.0; rate <= most; rate += 10 {
		fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#ddd"/><text x="%.1f" y="%.1f" text-anchor="end">%.0f</text>`+"\n",
			left, left+width, y(rate), y(rate), left-6, y(rate)+4, rate)
	}
	for m := time.Duration(0); m <= fleetEnd; m += 15 * time.Minute {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="middle">%.0f min</text>`+"\n", x(m), top+height+16, m.Minutes())
	}
	fmt.Fprintf(&b, `<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="#c33" stroke-dasharray="4 3"/>`+"\n", left, left+width, y(providerLimit()), y(providerLimit()))
	b.WriteString(`<polyline fill="none" stroke="#246" points="`)
	for i, rate := range counts {
		fmt.Fprintf(&b, "%.1f,%.1f ", x(time.Duration(i)*bin), y(rate))
	}
	fmt.Fprintf(&b, `"/>`+"\n"+`<text x="%.1f" y="%.1f">requests/s to the provider, in steps of 10 s: %d sidecars of %d workers, refresh %v; dashed: what the provider bears</text>`+"\n</svg>\n",
		left, top+height+38, *sidecars, workersEach, fleetRefresh)
	return b.String()
}
