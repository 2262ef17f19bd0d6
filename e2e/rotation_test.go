package e2e

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/harness"
)

var soak = flag.Duration("soak", 13*stepTime, "how long TestRotationUnderLoad keeps the load up")

// How edgejwt is told to keep keys during the test: faster than anybody would
// want it, so that a minute holds what happens in months. With a secret, each new
// configuration goes on with the record of the one before it; without one it
// would make a record of its own, with a generation of its own.
const (
	rotationRefresh  = 3 * time.Second
	rotationCooldown = time.Second
	rotationTick     = time.Second
	rotationWait     = 2 * time.Second
	rotationPlugin   = `{
  "auth0": {"domain": "tenant.auth0.example", "audience": "https://api.example.com", "cluster": "auth0",
    "outputClaimToHeaders": [{"header": "x-jwt-sub", "claim": "sub"}]},
  "keys": {"refresh": "3s", "cooldown": "1s", "timeout": "1s", "wait": "2s", "maxStale": "10m", "tick": "1s"},
  "secret": "rotation-test-0123456789abcdef-0123456789abcdef",
  "realm": "api-%d"
}`
	// jwt_authn at its best: keys are fetched ahead, by one thread, before the
	// listener opens; as often as edgejwt does at least; failures are repeated at
	// once and then every second. No token cache: it keeps withdrawn keys alive.
	rotationNative = `providers:
  auth0:
    issuer: https://tenant.auth0.example/
    audiences: [https://api.example.com]
    remote_jwks:
      http_uri: {uri: "https://tenant.auth0.example/.well-known/jwks.json?by=native", cluster: auth0, timeout: 1s}
      cache_duration: 2s
      async_fetch: {fast_listener: false, failed_refetch_duration: 1s}
      retry_policy: {num_retries: 3, retry_back_off: {base_interval: 0.1s, max_interval: 1s}}
    forward: true
    claim_to_headers: [{header_name: x-jwt-sub-%d, claim_name: sub}]
rules:
- match: {prefix: /}
  requires: {provider_name: auth0}
`
	rotationDrain = 10 * time.Second
	rotationRate  = 200 // requests a second, to each of both listeners
)

// TestRotationUnderLoad: a real Envoy with eight workers and a few hundred
// requests a second, while the provider rotates and withdraws keys, is slow,
// broken, hanging and dead, and Envoy gets new configurations. No valid token is
// refused, no withdrawn key accepted past its bound, and no trouble of the
// provider's told as the client's. The same requests go to jwt_authn.
//
// With -soak 10m it goes on for longer and watches Envoy's memory; with -update
// it writes ROTATION.md.
func TestRotationUnderLoad(t *testing.T) {
	api := newTarget(t)
	attacker, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	w := harness.Start(t, harness.Options{
		Workers: 8, Reloadable: true, NativeJWT: true, Upstream: api.address, Drain: rotationDrain,
		Plugin: fmt.Sprintf(rotationPlugin, 0), Native: fmt.Sprintf(rotationNative, 0), Tenant: auth0.Options{ETag: true},
	})
	w.AwaitKeys()
	p := newProvider(t, w.Auth0, attacker)
	g := newGun(t, p, w.Edge, w.Native)
	for range 10 {
		c := w.Auth0.ClientClaims("x", auth0.DefaultAudience, "")
		c["iss"] = "https://evil.example/"
		token, err := w.Auth0.MintToken(c, auth0.Mint{Key: attacker})
		if err != nil {
			t.Fatal(err)
		}
		g.strange = append(g.strange, token)
	}

	r := &rotation{t: t, world: w, provider: p, gun: g, api: api, begin: time.Now(), fetchesBefore: w.Auth0.Fetches()}
	ctx, cancel := context.WithTimeout(context.Background(), *soak)
	defer cancel()
	watched, stopWatching := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { g.fire(ctx, rotationRate) })
	all.Go(func() { r.watch(watched) })
	for round := 0; ctx.Err() == nil; round++ {
		for _, step := range script {
			if ctx.Err() != nil {
				break
			}
			next := time.Now().Add(stepTime)
			step(r)
			time.Sleep(time.Until(next))
		}
	}
	cancel()
	time.Sleep(3 * time.Second) // so that all that waits is decided, and counted
	stopWatching()
	all.Wait()

	r.count()
	r.judge()
	r.judgeFetches()
	r.judgeMetrics()
	page := r.page()
	t.Log("\n" + page)
	if *update && !t.Failed() {
		if err := os.WriteFile("ROTATION.md", []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// stepTime is the time between two rotations.
const stepTime = 5 * time.Second

// rotation is one run.
type rotation struct {
	t             *testing.T
	world         *harness.World
	provider      *provider
	gun           *gun
	api           *target
	begin         time.Time
	fetchesBefore int
	reloads       []time.Time // when Envoy had taken the realm api-1, api-2 …
	samples       []sample
	sides         [2]*side // what count has found
	stalls        map[int64]time.Duration
}

// reload gives both filters a new configuration, so that each starts anew.
func (r *rotation) reload() {
	n := len(r.reloads) + 1
	if err := r.world.ReloadBoth(fmt.Sprintf(rotationPlugin, n), fmt.Sprintf(rotationNative, n)); err != nil {
		r.t.Error(err)
	}
	r.reloads = append(r.reloads, time.Now())
}

// script is what happens, five seconds each, over and over. Each step begins with
// a rotation.
var script = []func(*rotation){
	func(r *rotation) { // a plain rotation, nothing else
		r.gun.noise.Store(int64(silence))
		r.provider.rotate()
	},
	func(r *rotation) { // a slow provider, invented kids and foreign keys
		r.gun.noise.Store(int64(roar))
		r.world.Auth0.SetFault(auth0.Fault{Delay: 300 * time.Millisecond})
		r.provider.rotate()
		r.provider.withdrawOld()
		time.Sleep(4 * time.Second)
		r.world.Auth0.SetFault(auth0.Fault{})
	},
	func(r *rotation) { // a key that nobody has seen signs at once, amid the noise
		r.provider.rotateUnseen()
	},
	func(r *rotation) { // the same, thrice, when only few workers have something to wait for
		r.gun.noise.Store(int64(trickle))
		for range 3 {
			r.provider.rotateUnseen()
			time.Sleep(stepTime * 32 / 100)
		}
		r.provider.withdrawOld()
	},
	func(r *rotation) { // the same without noise; a reload
		r.gun.noise.Store(int64(silence))
		r.provider.rotateUnseen()
		r.reload()
	},
	func(r *rotation) { // 503, which one may repeat soon
		r.provider.rotate()
		r.provider.suffer(3*time.Second, auth0.Fault{Kind: auth0.Status})
	},
	func(r *rotation) { // the current key is withdrawn in a hurry
		r.provider.rotate()
		time.Sleep(time.Second)
		r.provider.withdraw(r.provider.current)
		r.provider.withdrawOld()
	},
	func(r *rotation) { // 503 with Retry-After, amid noise
		r.gun.noise.Store(int64(roar))
		r.provider.rotate()
		r.provider.suffer(3*time.Second, auth0.Fault{Kind: auth0.Status, RetryAfter: "2"})
	},
	func(r *rotation) { // answers that are no key set
		r.gun.noise.Store(int64(silence))
		r.provider.rotateUnseen()
		time.Sleep(time.Second)
		r.provider.suffer(600*time.Millisecond, auth0.Fault{Kind: auth0.HTML}, auth0.Fault{Kind: auth0.Garbage}, auth0.Fault{Kind: auth0.Empty},
			auth0.Fault{Kind: auth0.Truncated}, auth0.Fault{Kind: auth0.Redirect})
	},
	func(r *rotation) { // no answer at all
		r.provider.rotate()
		r.provider.withdrawOld()
		r.provider.suffer(4*time.Second, auth0.Fault{Kind: auth0.Hang})
	},
	func(r *rotation) { // dead, and a reload meanwhile
		r.provider.rotate()
		time.Sleep(time.Second)
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.provider.die(3 * time.Second)
		}()
		time.Sleep(500 * time.Millisecond)
		r.reload()
		<-done
	},
	func(r *rotation) { // the worst: a key that nobody has seen, while nobody can ask
		r.provider.begin()
		r.world.Auth0.SetFault(auth0.Fault{Kind: auth0.Status})
		time.Sleep(300 * time.Millisecond)
		r.provider.rotateUnseen()
		time.Sleep(2 * time.Second)
		r.world.Auth0.SetFault(auth0.Fault{})
		r.provider.end()
	},
	func(r *rotation) { // health, noise and another reload
		r.gun.noise.Store(int64(roar))
		r.provider.rotate()
		r.provider.withdrawOld()
		r.reload()
	},
}

// sample is what Envoy shows of itself at one moment.
type sample struct {
	at    time.Time
	stats map[string]int64
	rss   int64 // KiB
}

// watch takes a sample every second.
func (r *rotation) watch(ctx context.Context) {
	for ctx.Err() == nil {
		stats, err := r.world.Envoy.Stats("")
		if err != nil {
			r.t.Error(err)
			return
		}
		kept := map[string]int64{}
		for name, v := range stats {
			if strings.Contains(name, "edgejwt") || strings.Contains(name, "wasm.") {
				kept[name] = v
			}
		}
		r.samples = append(r.samples, sample{at: time.Now(), stats: kept, rss: resident(r.t, r.world.Envoy.PID())})
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// resident is a process's resident memory in KiB.
func resident(t *testing.T, pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Error(err)
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	var kib int64
	fmt.Sscan(rest, &kib)
	return kib
}
