package jwks

import (
	"container/heap"
	"flag"
	"fmt"
	"math"
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

// The fleet: many sidecars, each a process of its own with its own record, and
// one provider for all that answers so many requests a second and 429 to the
// rest. Nothing is shared but the provider, so only random delays keep the
// sidecars apart.
const (
	workersEach     = 4
	fleetLatency    = 30 * time.Millisecond
	fleetRefresh    = 10 * time.Minute
	clientsEach     = 10        // that send tokens to one sidecar
	tokenLife       = time.Hour // after which a client fetches a new one
	fleetStart      = 10 * time.Minute
	requestInterval = 5 * time.Second // after which a client whose token was refused sends it again
	emergencySpread = 10 * time.Second
)

// timetable says what happens when. In an emergency the provider replaces its keys
// without notice, and every client fetches a new token within emergencySpread.
type timetable struct {
	outageFrom, outageTo, announced, unannounced, emergency, end time.Duration
}

var (
	wholeStory = timetable{outageFrom: 45 * time.Minute, outageTo: 55 * time.Minute, announced: 75 * time.Minute, unannounced: 90 * time.Minute,
		emergency: 110 * time.Minute, end: 130 * time.Minute}
	onlyEmergency = timetable{outageFrom: forever, announced: forever, unannounced: forever, emergency: 12 * time.Minute, end: 20 * time.Minute}
)

const (
	steadyFrom    = 25 * time.Minute
	emergencyOver = 6 * time.Minute // after its start
)

type fleet struct {
	timetable
	limit    float64 // requests that the provider answers in a second
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
	sees    []sighting    // tokens with new kids that will come
	shown   time.Duration // the first token of the emergency
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

// newFleet makes a fleet whose provider answers one request a second for each fifty
// sidecars: for a thousand as many as Auth0 answers on its free plan.
func newFleet(seed uint64, n int, times timetable, policy Policy) *fleet {
	f := &fleet{timetable: times, limit: float64(n) / 50, rng: rand.New(rand.NewPCG(seed, 0x666c)), answered: map[int]int{}}
	f.bucket = f.limit
	for _, kids := range [][]int{{1, 2}, {2, 3}, {4, 3}, {5, 3}} {
		f.bodies = append(f.bodies, document(jwk(fmt.Sprint("key-", kids[0]), kids[0]), jwk(fmt.Sprint("key-", kids[1]), kids[1])))
	}
	policy.URL, policy.Refresh = "https://issuer.example/jwks.json", fleetRefresh
	for i := range n {
		start := time.Duration(f.rng.Int64N(int64(fleetStart)))
		c := &sidecar{index: i, at: start}
		for range workersEach {
			c.workers = append(c.workers, New(policy, f.rng.Uint64()|1, f.rng.Float64))
			c.next = append(c.next, start)
		}
		// A key that is announced is not used before everybody has it; one that is
		// not comes with the clients' next tokens; in an emergency every client
		// fetches a new token at once.
		for range clientsEach {
			if f.unannounced < f.end {
				c.sees = append(c.sees, sighting{at: f.unannounced + time.Duration(f.rng.Int64N(int64(tokenLife))), until: f.emergency, kid: "key-4"})
			}
		}
		c.shown = f.emergency + time.Duration(f.rng.Int64N(int64(emergencySpread)))
		c.sees = append(c.sees, sighting{at: c.shown, until: f.end, kid: "key-5"})
		slices.SortFunc(c.sees, func(a, b sighting) int { return int(a.at - b.at) })
		f.cars = append(f.cars, c)
		heap.Push(&f.queue, c)
	}
	return f
}

func (f *fleet) wall() time.Time { return simEpoch.Add(f.now) }

func (f *fleet) run() {
	for f.queue[0].at < f.end {
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
	c.at = f.end
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
	f.bucket = min(f.bucket+f.limit*(f.now-f.filled).Seconds(), f.limit)
	f.filled = f.now
	a := Answer{Status: 200, Body: f.bodies[0]}
	switch {
	case f.now >= f.outageFrom && f.now < f.outageTo:
		a = Answer{Err: ErrNoAnswer}
	case f.bucket < 1:
		a = Answer{Status: 429, Headers: [][2]string{{"Retry-After", "5"}}}
	case f.now >= f.emergency:
		a.Body = f.bodies[3]
	case f.now >= f.unannounced:
		a.Body = f.bodies[2]
	case f.now >= f.announced:
		a.Body = f.bodies[1]
	}
	if a.Status != 429 && a.Err == 0 {
		f.bucket--
	}
	f.answered[a.Status]++
	return a
}

// rate returns the mean rate within from..to, in requests a second, and the
// greatest within any ten seconds.
func (f *fleet) rate(from, to time.Duration) (mean, peak float64) {
	const window = 10 * time.Second
	asked := f.between(from, to)
	first := 0
	for i := range asked {
		for asked[i]-asked[first] >= window {
			first++
		}
		peak = max(peak, float64(i-first+1)/window.Seconds())
	}
	return float64(len(asked)) / (to - from).Seconds(), peak
}

// between returns the requests to the provider within from..to.
func (f *fleet) between(from, to time.Duration) []time.Duration {
	low, _ := slices.BinarySearch(f.asked, from)
	high, _ := slices.BinarySearch(f.asked, to)
	return f.asked[low:high]
}

// known returns how long after since so many sidecars of a thousand knew the key.
func (f *fleet) known(key int, since time.Duration, share int) time.Duration {
	return f.after(share, func(c *sidecar) (from, to time.Duration) { return since, c.knows[key-2] })
}

// accepted returns how long after its first token of the emergency so many sidecars of a
// thousand could accept it.
func (f *fleet) accepted(share int) time.Duration {
	return f.after(share, func(c *sidecar) (from, to time.Duration) { return c.shown, c.knows[3] })
}

func (f *fleet) after(share int, times func(*sidecar) (from, to time.Duration)) time.Duration {
	var lags []time.Duration
	for _, c := range f.cars {
		lag := forever
		if from, to := times(c); to > 0 {
			lag = max(to-from, 0) // a scheduled fetch may have brought the key before
		}
		lags = append(lags, lag)
	}
	slices.Sort(lags)
	return lags[share*len(lags)/1000-1].Round(time.Second / 10)
}

// TestFleet plays two hours of a fleet with the default policy.
func TestFleet(t *testing.T) {
	f := newFleet(1, *sidecars, wholeStory, Policy{})
	f.run()
	steady, _ := f.rate(steadyFrom, f.outageFrom)
	phases := []struct {
		name     string
		from, to time.Duration
		bound    float64 // of the peak, in steady means; 0: see TestFleetEmergency
		learned  string
	}{
		{"start, spread over 10 min", 0, steadyFrom, 0, ""},
		{"steady", steadyFrom, f.outageFrom, 5, ""},
		{"outage of 10 min", f.outageFrom, f.outageTo, 5, ""},
		{"the 20 min after it", f.outageTo, f.announced, 5, ""},
		{"rotation, announced", f.announced, f.unannounced, 5, fmt.Sprint(f.known(3, f.announced, 990))},
		{"rotation, unannounced", f.unannounced, f.emergency, 5, fmt.Sprint(f.known(4, f.unannounced, 990))},
		{"emergency: every client at once", f.emergency, f.emergency + emergencyOver, 0, fmt.Sprint(f.known(5, f.emergency, 990))},
		// All have fetched within the minutes of the emergency, so their next refreshes
		// lie closer together.
		{"the refreshes after it", f.emergency + emergencyOver, f.end, 6, ""},
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
	if most := float64(*sidecars) / 500; steady >= most {
		t.Errorf("steady rate %.2f/s, want under %v", steady, most)
	}
	if d := f.known(3, f.announced, 990); d > fleetRefresh {
		t.Errorf("99 %% know an announced key after %v", d)
	}
	if d := f.known(4, f.unannounced, 990); d > fleetRefresh {
		t.Errorf("99 %% know an unannounced key after %v", d)
	}
	if d := f.known(5, f.emergency, 990); d > 2*time.Minute {
		t.Errorf("99 %% know an emergency key after %v", d)
	}
	if *fleetPicture {
		spread := newFleet(1, *sidecars, wholeStory, spreadPolicy)
		spread.run()
		if err := os.WriteFile("fleet.svg", []byte(picture(f, spread)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// spreadPolicy is for a thousand sidecars and a provider that answers twenty requests a
// second: within twice Wait no sidecar refuses a valid token any more.
var spreadPolicy = Policy{Jitter: time.Minute, Wait: 30 * time.Second}

// TestFleetEmergency: a thousand sidecars see a key that was not announced within ten
// seconds. Each has to ask the provider once, so without Jitter the peak is a hundred
// requests a second. Those that get 429 must not make a second peak. With Jitter the
// provider can answer them all.
func TestFleetEmergency(t *testing.T) {
	const n = 1000
	table := "| policy | requests | answered with 429 | peak/s in 10 s | peak/s later than 15 s | half accept the new key after | 99 % | all |\n|---|---|---|---|---|---|---|---|\n"
	for _, c := range []struct {
		name           string
		policy         Policy
		peak, later    float64 // most requests a second
		requests, busy int
		all            time.Duration
	}{
		{"the defaults", Policy{}, 105, 20, 1900, 900, 4 * time.Minute},
		{"`jitter: 1s`", Policy{Jitter: time.Second}, 105, 20, 1900, 900, 4 * time.Minute},
		{"`jitter: 30s`", Policy{Jitter: 30 * time.Second}, 40, 40, 1400, 400, 3 * time.Minute},
		{"`jitter: 60s`, `wait: 30s`", spreadPolicy, 20, 20, 1000, 0, 2 * spreadPolicy.Wait},
	} {
		f := newFleet(1, n, onlyEmergency, c.policy)
		f.run()
		busy, asked := f.answered[429], f.between(f.emergency, f.emergency+3*time.Minute)
		_, peak := f.rate(f.emergency, f.end)
		_, later := f.rate(f.emergency+15*time.Second, f.end)
		all := f.accepted(1000)
		table += fmt.Sprintf("| %s | %d | %d | %.1f | %.1f | %v | %v | %v |\n", c.name, len(asked), busy, peak, later, f.accepted(500), f.accepted(990), all)
		if peak > c.peak || later > c.later || len(asked) > c.requests || busy > c.busy || all > c.all {
			t.Errorf("%s: peak %.1f/s, later %.1f/s, %d requests, %d answered with 429, all accept after %v; want at most %v, %v, %d, %d, %v",
				c.name, peak, later, len(asked), busy, all, c.peak, c.later, c.requests, c.busy, c.all)
		}
	}
	t.Log("\n" + table)
}

// picture draws the rate of requests to the provider over time, on a logarithmic scale.
func picture(plain, spread *fleet) string {
	const (
		width, height, left, top = 900.0, 300.0, 64.0, 34.0
		bin                      = 10 * time.Second
		least, most              = 0.1, 200.0
	)
	x := func(t time.Duration) float64 { return left + width*float64(t)/float64(plain.end) }
	y := func(rate float64) float64 {
		return top + height*(1-math.Log(max(rate, least)/least)/math.Log(most/least))
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" role="img" aria-labelledby="t d" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="12">
<title id="t">Requests of a fleet to its provider</title>
<desc id="d">Requests a second over %v, in steps of ten seconds, for %d sidecars with the default policy and with jitter: 60s. A dashed line is what the provider answers in a second.</desc>
<style>
  text { fill: #1f2328 }
  .phase { fill: #8c959f; fill-opacity: .22 }
  .grid { stroke: #8c959f; stroke-opacity: .4 }
  .limit { stroke: #cf222e; stroke-dasharray: 6 4 }
  .plain, .spread { fill: none; stroke-width: 1.3 }
  .plain { stroke: #0969da } .spread { stroke: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .plain { stroke: #58a6ff } .spread { stroke: #ffa657 } .limit { stroke: #ff7b72 }
  }
</style>
`, left+width+20, top+height+86, plain.end, len(plain.cars))
	for _, p := range []struct {
		from, to time.Duration
		label    string
	}{
		{0, fleetStart, "start"}, {plain.outageFrom, plain.outageTo, "outage"}, {plain.announced, plain.announced + time.Minute, "announced"},
		{plain.unannounced, plain.unannounced + time.Minute, "unannounced"}, {plain.emergency, plain.emergency + time.Minute, "emergency"},
	} {
		fmt.Fprintf(&b, `<rect class="phase" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/><text x="%.1f" y="%.1f">%s</text>`+"\n",
			x(p.from), top, x(p.to)-x(p.from), height, x(p.from), top-8, p.label)
	}
	for _, rate := range []float64{0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200} {
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/><text x="%.1f" y="%.1f" text-anchor="end">%v</text>`+"\n",
			left, left+width, y(rate), y(rate), left-6, y(rate)+4, rate)
	}
	for m := time.Duration(0); m <= plain.end; m += 15 * time.Minute {
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="middle">%.0f</text>`+"\n", x(m), top+height+16, m.Minutes())
	}
	fmt.Fprintf(&b, `<line class="limit" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`+"\n", left, left+width, y(plain.limit), y(plain.limit))
	for _, line := range []struct {
		class string
		f     *fleet
	}{{"spread", spread}, {"plain", plain}} {
		counts := make([]float64, line.f.end/bin+1)
		for _, at := range line.f.asked {
			counts[at/bin] += 1 / bin.Seconds()
		}
		fmt.Fprintf(&b, `<polyline class="%s" points="`, line.class)
		for i, rate := range counts[:len(counts)-1] {
			fmt.Fprintf(&b, "%.1f,%.1f ", x(time.Duration(i)*bin), y(rate))
		}
		b.WriteString(`"/>` + "\n")
	}
	fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="middle">time, in minutes</text>`+"\n", left+width/2, top+height+36)
	fmt.Fprintf(&b, `<text transform="translate(16 %.1f) rotate(-90)" text-anchor="middle">requests a second (logarithmic)</text>`+"\n", top+height/2)
	at := left
	for _, line := range []struct {
		class, text string
		width       float64
	}{
		{"plain", fmt.Sprintf("%d sidecars of %d workers, refresh: %.0fm", len(plain.cars), workersEach, fleetRefresh.Minutes()), 300},
		{"spread", fmt.Sprintf("the same with jitter: %.0fs", spreadPolicy.Jitter.Seconds()), 210},
		{"limit", fmt.Sprintf("what the provider answers: %.0f a second", plain.limit), 0},
	} {
		fmt.Fprintf(&b, `<line class="%s" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/><text x="%.1f" y="%.1f">%s</text>`+"\n",
			line.class, at, at+26, top+height+64, top+height+64, at+32, top+height+68, line.text)
		at += line.width
	}
	b.WriteString("</svg>\n")
	return b.String()
}
