package bench

import (
	"bufio"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"edgejwt/e2e/auth0"
	"edgejwt/e2e/bench/authz"
	"edgejwt/e2e/bench/load"
	"edgejwt/e2e/parts"
)

// Cores: what serves a request shares one core, so that throughput is what one
// core bears; the generator and the provider have the other.
const (
	servingCore = 0
	loadCore    = 1
)

//go:embed envoy.yaml.tmpl
var envoyTemplate string

// world is all that runs: the tenant, the servers that outlive an Envoy, and
// one Envoy after the other.
type world struct {
	root, dir string
	tenant    *auth0.Server
	tokens    *tokens
	listeners map[string]*Listener
	servers   map[string]*server // by name
	envoy     *parts.Envoy
	used      map[string]int // fresh tokens that each listener of this Envoy has seen
	binary    *modules
}

// server is one process besides Envoy.
type server struct {
	Name, Address string
	process       *parts.Process
}

// newWorld starts all but Envoy. The caller closes it, also after an error.
func newWorld(ctx context.Context, o *Options, dir string) (*world, error) {
	root := o.Root
	w := &world{root: root, dir: dir, servers: map[string]*server{}, listeners: map[string]*Listener{}}
	module, err := w.copyOf(cmp.Or(o.Module, os.Getenv("E2E_MODULE"), "dist/edgejwt.wasm"))
	if err != nil {
		return w, err
	}
	if w.binary, err = buildModules(ctx, root, module, dir); err != nil {
		return w, err
	}
	if o.Before != "" {
		code, err := os.ReadFile(o.Before)
		if err != nil {
			return w, err
		}
		w.binary.before = filepath.Join(dir, "before.wasm")
		if err := os.WriteFile(w.binary.before, code, 0o644); err != nil {
			return w, err
		}
	}
	// The FastAPI apps reach the provider as localhost.
	if w.tenant, err = auth0.Start(auth0.Options{
		CAFile: w.caFile(), Certificate: []string{auth0.DefaultDomain, "localhost"},
	}); err != nil {
		return w, err
	}
	if w.tokens, err = mint(w.tenant, o.Fresh); err != nil {
		return w, err
	}
	needs := func(name string) bool {
		return slices.ContainsFunc(o.rows(), func(r *Row) bool { return r.Also == name })
	}
	if needs("authz") {
		if err := w.startAuthz(ctx); err != nil {
			return w, err
		}
	}
	for name, app := range map[string]string{"api": "main:app", "api-pyjwt": "cached:app", "api-seed": "seed:app"} {
		if !needs(name) {
			continue
		}
		if err := w.startAPI(ctx, name, app); err != nil {
			return w, err
		}
	}
	return w, nil
}

// copyOf copies a module, whose path may be relative to the root: Envoy reads it
// more than once, and another build must not change it meanwhile.
func (w *world) copyOf(module string) (string, error) {
	if !filepath.IsAbs(module) {
		module = filepath.Join(w.root, module)
	}
	code, err := os.ReadFile(module)
	if err != nil {
		return "", fmt.Errorf("%w; run: make build", err)
	}
	file := filepath.Join(w.dir, filepath.Base(module))
	return file, os.WriteFile(file, code, 0o644)
}

func (w *world) caFile() string { return filepath.Join(w.dir, "ca.pem") }

// close ends everything.
func (w *world) close() {
	w.stopEnvoy()
	for _, s := range w.servers {
		s.process.Stop()
	}
	if w.tenant != nil {
		w.tenant.Close()
	}
}

func (w *world) startAuthz(ctx context.Context) error {
	address, err := parts.FreeAddress()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	options, err := json.Marshal(childOptions{Address: address, CAFile: w.caFile(), Check: authz.Options{
		Issuer: w.tenant.Issuer(), Audience: auth0.DefaultAudience, KeysAt: w.tenant.Address(), Domain: w.tenant.Domain(),
	}})
	if err != nil {
		return err
	}
	return w.start(ctx, "authz", address, parts.Program{
		Name: "the ext_authz server", Dir: w.root, Args: []string{self},
		Env: []string{childVariable + "=" + string(options), "GOMAXPROCS=1"}, // it will have one core
	}, func() error {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err
	})
}

func (w *world) startAPI(ctx context.Context, name, app string) error {
	address, err := parts.FreeAddress()
	if err != nil {
		return err
	}
	host, port, _ := net.SplitHostPort(address)
	_, keysPort, _ := net.SplitHostPort(w.tenant.Address())
	return w.start(ctx, name, address, parts.Program{
		Name: "FastAPI (" + app + ")",
		Dir:  w.root,
		Args: []string{filepath.Join(w.root, ".tools/venv/bin/python"), "-m", "uvicorn", app,
			"--app-dir", filepath.Join(w.root, "e2e/bench/api"), "--host", host, "--port", port, "--no-access-log", "--backlog", "4096"},
		Env: []string{
			"PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1", "PYTHONPATH=" + filepath.Join(w.root, "e2e/api"),
			"KEYS_URL=https://localhost:" + keysPort + "/.well-known/jwks.json", "KEYS_CA=" + w.caFile(),
			"ISSUER=" + w.tenant.Issuer(), "AUDIENCE=" + auth0.DefaultAudience,
		},
	}, func() error {
		resp, err := http.Get("http://" + address + "/health")
		if err == nil {
			resp.Body.Close()
		}
		return err
	})
}

// start runs a server on the serving core and waits until it is ready.
func (w *world) start(ctx context.Context, name, address string, p parts.Program, ready func() error) error {
	p.Log = filepath.Join(w.dir, name+".log")
	process, err := parts.Start(p)
	if err != nil {
		return err
	}
	w.servers[name] = &server{Name: name, Address: address, process: process}
	for {
		err := ready()
		if err == nil {
			return pin(process.PID(), servingCore)
		}
		select {
		case <-process.Done():
			return process.Died()
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w. Its last lines:\n%s", p.Name, err, process.Tail(15))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// startEnvoy starts a fresh Envoy with the given listeners and keeps it on
// the serving core. Plugins may still be without keys.
func (w *world) startEnvoy(ctx context.Context, workers int, names []string) error {
	w.stopEnvoy()
	w.used = map[string]int{}
	clear(w.listeners)
	var order []*Listener
	for _, l := range listeners(w.binary) {
		if !slices.Contains(names, l.Name) {
			continue
		}
		address, err := parts.FreeAddress()
		if err != nil {
			return err
		}
		l.Address = address
		w.listeners[l.Name] = l
		order = append(order, l)
	}
	var apis []*server
	for name, s := range w.servers {
		if name != "authz" {
			apis = append(apis, s)
		}
	}
	var authzAddress string
	if s := w.servers["authz"]; s != nil {
		authzAddress = s.Address
	}
	text := render(envoyTemplate, map[string]any{
		"Listeners": order, "APIs": apis, "Authz": authzAddress,
		"Auth0": w.tenant.Address(), "Domain": w.tenant.Domain(), "CA": w.caFile(),
	})
	path := filepath.Join(w.dir, "envoy.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return err
	}
	var err error
	w.envoy, err = parts.StartEnvoy(ctx, parts.EnvoyOptions{
		Root: w.root, Config: path, Log: filepath.Join(w.dir, "envoy.log"), Concurrency: workers, LogLevel: "warning",
	})
	if err != nil {
		return err
	}
	return pin(w.envoy.PID(), servingCore)
}

func (w *world) stopEnvoy() {
	if w.envoy != nil {
		w.envoy.Stop()
		w.envoy = nil
	}
}

// requests is a source for n requests of a row; its new tokens are taken from
// those that the row's listener has not seen.
func (w *world) requests(r *Row, n int) (load.Source, error) {
	first := w.used[r.Listener]
	after := first + r.Traffic.needs(n)
	if after > len(w.tokens.fresh) {
		return nil, fmt.Errorf("row %s: %d new tokens are not enough", r.ID, len(w.tokens.fresh))
	}
	w.used[r.Listener] = after
	return w.tokens.source(r, w.tokens.fresh[first:after]), nil
}

// check sends n requests of a row, one after the other, and says what is wrong with the
// answers: a benchmark of errors measures nothing.
func (w *world) check(r *Row, n int) error {
	source, err := w.requests(r, n)
	if err != nil {
		return err
	}
	address := w.listeners[r.Listener].Address
	c, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	answers := bufio.NewReader(c)
	for range n {
		q, more := source()
		if !more {
			return fmt.Errorf("row %s: it has run out of requests", r.ID)
		}
		status, body, err := roundTrip(c, answers, q.Bytes)
		switch {
		case err != nil:
			return fmt.Errorf("row %s: %w", r.ID, err)
		case status != q.Status, r.Reason != "" && !strings.Contains(body, `"`+r.Reason+`"`):
			return fmt.Errorf("row %s: %d %.200s instead of %d %s", r.ID, status, body, q.Status, r.Reason)
		}
	}
	return nil
}

func roundTrip(c net.Conn, answers *bufio.Reader, request []byte) (status int, body string, err error) {
	if _, err := c.Write(request); err != nil {
		return 0, "", err
	}
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// await asks until a row is answered as it should be: keys are fetched after the
// start.
func (w *world) await(ctx context.Context, r *Row) (err error) {
	for {
		if err = w.check(r, 1); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}
