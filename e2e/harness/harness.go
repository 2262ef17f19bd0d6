// Package harness gives a test a world of real parts: Envoy with the compiled
// plugin, the FastAPI app with a record of what reached it, and a stand-in Auth0
// with switchable faults.
//
//	func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
//
//	w := harness.Start(t, harness.Options{Workers: 8})
//	got := w.Get("/orders", "authorization", "Bearer "+w.Auth0.Token())
//	if got.Status != 200 { t.Error(got) }
//	if len(w.Seen()) != 1 { … }
//
// Start prints the end of Envoy's log when the test has failed, and ends what it
// started when the test is over. An Envoy takes seconds to compile the module, so
// tests that need nothing special share one world (Shared). The API is one
// process for the whole test binary and its record is cleared by Start and
// Shared, so tests do not run in parallel. Nothing is built here: Main fails when
// something is missing.
package harness

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/parts"
)

// patience bounds every wait for a part to become ready.
const patience = 60 * time.Second

// Options say what the world is like. The zero value is the shipped example
// with one worker.
type Options struct {
	// Plugin is the plugin's configuration; default DefaultPlugin. The tenant's
	// name in it is auth0.DefaultDomain and its cluster "auth0".
	Plugin string
	// Module is the compiled plugin; default the file that E2E_MODULE names, or
	// dist/edgejwt.wasm.
	Module string
	// Workers is Envoy's --concurrency; default 1.
	Workers int
	// HeadersStop sets allow_on_headers_stop_iteration.
	HeadersStop bool
	// Underscores is headers_with_underscores_action; default ALLOW, so that the
	// plugin gets what the shipped example would drop.
	Underscores string
	// NativeJWT opens a second listener (World.Native) with Envoy's own jwt_authn
	// in the plugin's place, on the same worker threads.
	NativeJWT bool
	// Native is the configuration of that filter, as YAML at column 0; default
	// DefaultNative.
	Native string
	// Reloadable lets World.Reload change the plugin's configuration in the
	// running Envoy. The listeners then come from a file that Envoy watches.
	Reloadable bool
	// Drain is how long a replaced listener's connections live on; default
	// Envoy's own, 10 minutes.
	Drain time.Duration
	// LogLevel is Envoy's; default info.
	LogLevel string
	// Auth0 is a tenant to use instead of a fresh one; the caller closes it.
	Auth0 *auth0.Server
	// Tenant makes the fresh tenant something else than the usual one.
	Tenant auth0.Options
	// Upstream is host:port of another server in the API's place, for what
	// FastAPI cannot show; it gets trailers too.
	Upstream string
	// App is the app that stands for the API, by module and name in e2e/api;
	// default recorded:app. Each one is a process that the whole test binary shares.
	App string
	// Edges are further listeners; Clusters what their routes, or the plugin's
	// configuration, need besides "api" and "auth0".
	Edges    []Edge
	Clusters []Cluster
	// Shape changes the bootstrap, as it was rendered, before it is written to the
	// folder: for what only one test needs.
	Shape func(bootstrap map[string]any, dir string)
	// Prepare is called when the tenant runs and Envoy does not yet: the place
	// for faults that a cold start shall meet.
	Prepare func(*auth0.Server)
	// CertificateOf is the domain that Envoy expects in the tenant's certificate;
	// default the tenant's.
	CertificateOf string
}

// World is Envoy, the API and the tenant of one test.
type World struct {
	T      testing.TB
	Auth0  *auth0.Server
	API    *parts.API
	Envoy  *parts.Envoy
	Edge   string // host:port of the listener with the plugin
	Native string // host:port of the listener with jwt_authn, if asked for
	Dir    string // configuration and logs

	edges   map[string]string // host:port by name
	opts    Options
	client  *http.Client
	version int
}

// Start makes a world and returns when Envoy serves; it fails the test when it
// does not. Whether the plugin has keys by then is up to the plugin.
func Start(t testing.TB, o Options) *World {
	t.Helper()
	w := prepare(t, o, t.TempDir(), t.Cleanup)
	w.StartEnvoy()
	t.Cleanup(w.showLog)
	return w
}

// prepare makes all but Envoy. The parts end when cleanup's functions are called.
func prepare(t testing.TB, o Options, dir string, cleanup func(func())) *World {
	t.Helper()
	api, err := sharedAPI(o.App)
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	w := &World{T: t, API: api, Auth0: o.Auth0, opts: o, Dir: dir, client: newClient()}
	if w.Auth0 == nil {
		if w.Auth0, err = auth0.Start(o.Tenant); err != nil {
			t.Fatal(err)
		}
		cleanup(func() { w.Auth0.Close() })
	}
	cleanup(func() {
		w.client.CloseIdleConnections()
		if w.Envoy != nil {
			w.Envoy.Stop()
		}
	})
	if o.Prepare != nil {
		o.Prepare(w.Auth0)
	}
	w.Edge, w.Native, w.edges = freeAddress(t), freeAddress(t), map[string]string{}
	for _, e := range o.Edges {
		w.edges[e.Name] = freeAddress(t)
	}
	w.ResetSeen()
	return w
}

func (w *World) showLog() {
	if w.T.Failed() {
		w.T.Logf("the end of Envoy's log:\n%s", w.Envoy.Tail(60))
	}
}

// StartEnvoy starts Envoy, also again after StopEnvoy, on the same ports.
func (w *World) StartEnvoy() {
	w.T.Helper()
	config := w.write()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	e, err := parts.StartEnvoy(ctx, parts.EnvoyOptions{
		Root: shared.root, Config: config, Log: filepath.Join(w.Dir, "envoy.log"),
		Concurrency: w.opts.Workers, LogLevel: w.opts.LogLevel, Drain: w.opts.Drain,
	})
	if err != nil {
		w.T.Fatal(err)
	}
	w.Envoy = e
	if w.opts.Reloadable {
		// With listeners from a file, Envoy is live even when it refused them.
		if listeners, err := e.Get("/listeners"); err != nil || !strings.Contains(listeners, w.Edge) {
			w.T.Fatalf("Envoy refused the listener: %v\n%s", err, e.Tail(30))
		}
	}
}

// StopEnvoy ends Envoy.
func (w *World) StopEnvoy() { w.Envoy.Stop() }

// Reload gives the running Envoy another plugin configuration and waits until
// Envoy has taken it (nil) or refused it (an error with Envoy's words). Only
// with Options.Reloadable.
func (w *World) Reload(plugin string) error { return w.ReloadBoth(plugin, w.opts.Native) }

// ReloadBoth is Reload with another configuration for jwt_authn too.
func (w *World) ReloadBoth(plugin, native string) error {
	w.T.Helper()
	if !w.opts.Reloadable {
		w.T.Fatal("Reload needs Options.Reloadable")
	}
	before, err := w.Envoy.Stats("listener_manager.lds.update_")
	if err != nil {
		return err
	}
	w.opts.Plugin, w.opts.Native = plugin, native
	w.write()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		now, err := w.Envoy.Stats("listener_manager.lds.update_")
		if err != nil {
			return err
		}
		switch name := "listener_manager.lds.update_"; {
		case now[name+"rejected"] > before[name+"rejected"]:
			return fmt.Errorf("refused:\n%s", w.Envoy.Tail(10))
		case now[name+"success"] > before[name+"success"]:
			return nil
		}
	}
	return fmt.Errorf("the new configuration was not looked at within %v", patience)
}

// Validate gives a configuration to `envoy --mode validate`. It returns all that
// Envoy printed; err is nil when Envoy accepts.
func Validate(t testing.TB, o Options) (output string, err error) {
	t.Helper()
	o.Reloadable = false
	w := prepare(t, o, t.TempDir(), t.Cleanup)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return parts.Validate(ctx, shared.root, w.write())
}

// Eventually calls done every 20 ms until it answers true, and fails the test
// after limit.
func (w *World) Eventually(limit time.Duration, what string, done func() bool) {
	w.T.Helper()
	for end := time.Now().Add(limit); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			w.T.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// AwaitKeys waits until the plugin answers a valid token with 200, and clears the
// API's record.
func (w *World) AwaitKeys() {
	w.T.Helper()
	w.Eventually(20*time.Second, "a valid token is let through", func() bool {
		return w.Get("/health", "authorization", "Bearer "+w.Auth0.Token()).Status == 200
	})
	w.ResetSeen()
}

// AccessLog is one line per finished request: status, response code details,
// method, path without query.
func (w *World) AccessLog() []string {
	data, err := os.ReadFile(filepath.Join(w.Dir, "access.log"))
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimRight(string(data), "\n"), "\n")
}
