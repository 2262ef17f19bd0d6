package parts

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Envoy is a running proxy.
type Envoy struct {
	*Process
	Admin string // host:port of the admin endpoint
}

// EnvoyOptions say how to start Envoy.
type EnvoyOptions struct {
	Root        string // project's folder: the working directory and where .tools is
	Config      string // configuration file
	Log         string // file for its output and access log
	Concurrency int    // worker threads; 0 is one
	LogLevel    string // default info
	// Drain is how long a replaced listener's connections live on, in whole
	// seconds; default Envoy's own, 600 s.
	Drain time.Duration
}

// EnvoyBinary is the executable in the project's virtual environment, or another
// version that E2E_ENVOY names.
func EnvoyBinary(root string) string {
	return cmp.Or(os.Getenv("E2E_ENVOY"), filepath.Join(root, ".tools/venv/bin/envoy"))
}

// StartEnvoy returns when Envoy says that it is ready: the configuration is
// accepted, the module is compiled and the listeners are open. It gives up, with
// the last lines of Envoy's log, when Envoy ends or ctx does.
func StartEnvoy(ctx context.Context, o EnvoyOptions) (*Envoy, error) {
	admin := o.Log + ".admin"
	os.Remove(admin)
	level := o.LogLevel
	if level == "" {
		level = "info"
	}
	drain := cmp.Or(o.Drain, 600*time.Second)
	p, err := Start(Program{
		Name: "Envoy",
		Dir:  o.Root,
		Log:  o.Log,
		Args: []string{EnvoyBinary(o.Root), "-c", o.Config,
			"--concurrency", strconv.Itoa(max(1, o.Concurrency)),
			"--disable-hot-restart", // no shared memory, so that several can run
			"--admin-address-path", admin,
			"--log-level", level,
			// Hundreds of lines about Envoy's own parts would hide the plugin's few.
			"--component-log-level", "main:warning,config:warning",
			"--file-flush-interval-msec", "100",
			"--drain-time-s", strconv.Itoa(int(drain.Seconds()))},
	})
	if err != nil {
		return nil, err
	}
	e := &Envoy{Process: p}
	err = p.wait(ctx, func() error {
		at, err := os.ReadFile(admin)
		if err != nil || len(at) == 0 {
			return fmt.Errorf("its admin endpoint is not open")
		}
		e.Admin = string(at)
		state, err := e.Get("/ready")
		if err != nil || !strings.HasPrefix(state, "LIVE") {
			return fmt.Errorf("its state is %s", strings.TrimSpace(state))
		}
		return nil
	})
	os.Remove(admin)
	if err != nil {
		p.Stop()
		return nil, err
	}
	return e, nil
}

var adminClient = &http.Client{Timeout: 5 * time.Second}

// Get asks the admin endpoint and returns the body.
func (e *Envoy) Get(path string) (string, error) {
	resp, err := adminClient.Get("http://" + e.Admin + path)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// Stats are the counters and gauges whose name matches the regular expression.
func (e *Envoy) Stats(filter string) (map[string]int64, error) {
	resp, err := adminClient.Get("http://" + e.Admin + "/stats?format=json&filter=" + filter)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var doc struct {
		Stats []struct {
			Name  string
			Value json.Number // absent for histograms
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil {
		return nil, err
	}
	values := map[string]int64{}
	for _, s := range doc.Stats {
		if v, err := s.Value.Int64(); err == nil {
			values[s.Name] = v
		}
	}
	return values, nil
}

// Validate runs `envoy --mode validate` on a configuration file and returns all
// that Envoy printed; err is nil when Envoy accepts it.
func Validate(ctx context.Context, root, config string) (output string, err error) {
	cmd := exec.CommandContext(ctx, EnvoyBinary(root), "--mode", "validate", "-c", config)
	cmd.Dir = root
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return out.String(), err
}
