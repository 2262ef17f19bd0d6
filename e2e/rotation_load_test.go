package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// kind is what a request's token is.
type kind int

const (
	current       kind = iota // signed by the key that signs now
	former                    // by one that signed before and is still published
	withdrawn                 // by one that is published no more
	expired                   // by the current key, but its time is over
	foreignIssuer             // by somebody else, who says so
	foreignKey                // by somebody else, under the current kid
	invented                  // under a kid that never was
	kinds
)

var kindNames = [kinds]string{"current key", "former key", "withdrawn key", "expired", "unknown issuer", "foreign key", "invented kid"}

func (k kind) String() string { return kindNames[k] }

// mix is what one second of load is made of, in twentieths. Invented kids and
// foreign keys come only while the script wants noise: they make edgejwt ask the
// provider, and a rotation must be survived without that help too.
var mix = [20]kind{current, current, former, current, withdrawn, current, current, expired, current, current,
	former, current, current, withdrawn, current, foreignIssuer, current, invented, current, foreignKey}

// noise is how much of what makes edgejwt ask the provider is in the load.
type noise int64

const (
	silence noise = iota
	trickle       // an invented kid a second
	roar          // a dozen invented kids and foreign keys a second
)

// shot is one request and its outcome.
type shot struct {
	kind   kind
	key    *publication // whose kid the token bears; nil for none of the provider's
	native bool         // through jwt_authn
	sent   time.Time
	done   time.Time
	status int // 0: no answer
	reason string
	realm  string
	err    error
}

// gun sends requests at a fixed rate, whether or not earlier ones were answered.
type gun struct {
	provider *provider
	edges    [2]string // edgejwt's listener, jwt_authn's
	lanes    [2][]*http.Client
	strange  []string     // tokens of an unknown issuer
	noise    atomic.Int64 // a noise

	mu      sync.Mutex
	shots   []*shot
	shed    int
	flying  int
	flights sync.WaitGroup
}

// mostFlying bounds the requests that are under way; what is over is not sent
// and counted in shed.
const mostFlying = 3000

// lanes is how many connections each listener gets at least, so that the kernel
// spreads them over all of Envoy's workers.
const lanes = 32

func newGun(t *testing.T, p *provider, edge, native string) *gun {
	g := &gun{provider: p, edges: [2]string{edge, native}}
	for side := range g.lanes {
		for range lanes {
			transport := &http.Transport{MaxIdleConnsPerHost: 8, DisableCompression: true}
			t.Cleanup(transport.CloseIdleConnections)
			g.lanes[side] = append(g.lanes[side], &http.Client{Transport: transport, Timeout: 20 * time.Second})
		}
	}
	return g
}

// fire keeps the load up until ctx is done, then waits for the last answers.
// Each token goes to both listeners at the same moment.
func (g *gun) fire(ctx context.Context, rate int) {
	begin := time.Now()
	for n := 0; ctx.Err() == nil; {
		due := int(time.Since(begin).Seconds() * float64(rate))
		due = min(due, n+rate/4) // after a stall no more than a quarter of a second at once
		for ; n < due; n++ {
			g.shoot(n)
		}
		if behind := int(time.Since(begin).Seconds()*float64(rate)) - n; behind > rate/4 {
			begin = begin.Add(time.Duration(behind) * time.Second / time.Duration(rate))
		}
		time.Sleep(4 * time.Millisecond)
	}
	g.flights.Wait()
}

func (g *gun) shoot(n int) {
	kind := mix[n%len(mix)]
	if kind == invented || kind == foreignKey {
		switch noise(g.noise.Load()) {
		case silence:
			kind = current
		case trickle:
			if n/len(mix)%12 > 0 || kind == foreignKey {
				kind = current
			}
		}
	}
	var token string
	var key *publication
	switch kind {
	case foreignIssuer:
		token = g.strange[n%len(g.strange)]
	case invented:
		token = inventKID(g.strange[0])
	default:
		if token, key = g.provider.draw(kind); key == nil {
			return
		}
	}
	for side := range g.edges {
		if g.edges[side] == "" {
			continue
		}
		g.mu.Lock()
		if g.flying >= mostFlying {
			g.shed++
			g.mu.Unlock()
			continue
		}
		g.flying++
		s := &shot{kind: kind, key: key, native: side == 1}
		number := len(g.shots)
		g.shots = append(g.shots, s)
		g.mu.Unlock()
		g.flights.Go(func() {
			s.call(g.lanes[side][n%lanes], g.edges[side], number, token)
			g.mu.Lock()
			g.flying--
			g.mu.Unlock()
		})
	}
}

func (s *shot) call(client *http.Client, edge string, number int, token string) {
	q, _ := http.NewRequest(http.MethodGet, "http://"+edge+"/orders", nil)
	q.Header.Set("Authorization", "Bearer "+token)
	q.Header.Set("X-Shot", strconv.Itoa(number))
	s.sent = time.Now()
	defer func() { s.done = time.Now() }()
	resp, err := client.Do(q)
	if err != nil {
		s.err = err
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		s.err = err
		return
	}
	s.status = resp.StatusCode
	if s.status != http.StatusOK {
		var doc struct{ Error string }
		json.Unmarshal(body, &doc)
		s.reason = doc.Error
		_, realm, _ := strings.Cut(resp.Header.Get("Www-Authenticate"), `realm="`)
		s.realm, _, _ = strings.Cut(realm, `"`)
		if s.status == http.StatusServiceUnavailable && !s.native && resp.Header.Get("Retry-After") == "" {
			s.reason += " without Retry-After"
		}
	}
}

// inventKID gives another token's signature to a token of the tenant under a kid
// that never was. Nobody can check it, so none needs to be made.
func inventKID(token string) string {
	now := time.Now()
	head := fmt.Sprintf(`{"alg":"RS256","typ":"JWT","kid":"invented-%x"}`, rand.Uint64())
	body := fmt.Sprintf(`{"iss":"https://tenant.auth0.example/","aud":"https://api.example.com","sub":"x","iat":%d,"exp":%d}`, now.Unix(), now.Unix()+3600)
	code := base64.RawURLEncoding.EncodeToString
	return code([]byte(head)) + "." + code([]byte(body)) + token[strings.LastIndexByte(token, '.'):]
}

// target is an API that only notes which shots hit it. FastAPI would need more
// of the processor than all the rest.
type target struct {
	address string
	mu      sync.Mutex
	hits    map[int]int
}

func newTarget(t *testing.T) *target {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &target{address: l.Addr().String(), hits: map[int]int{}}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if number, err := strconv.Atoi(r.Header.Get("X-Shot")); err == nil {
			a.mu.Lock()
			a.hits[number]++
			a.mu.Unlock()
		}
		io.WriteString(w, "[]")
	})}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return a
}
