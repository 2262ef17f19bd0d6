package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"edgejwt/cmd/edgejwt/convert"
	"edgejwt/e2e/differential"
	"edgejwt/e2e/harness"
	"edgejwt/e2e/parts"
)

// twin is one configuration on two listeners of one Envoy: as it was, and as
// convert makes it.
type twin struct {
	native    *differential.Config
	converted *convert.Result
	listeners [2]*caller // native, edgejwt
}

type typed = map[string]any

// listener is one of Envoy's, which answers 200 to whatever the filters let
// through; what they refuse bears the reason in x-details.
func listener(name, socket string, normalize bool, filters []any) typed {
	const prefix = "type.googleapis.com/envoy.extensions.filters."
	return typed{
		"name":    name,
		"address": typed{"pipe": typed{"path": socket}}, // as many ports as this are not to be had for sure
		"filter_chains": []any{typed{"filters": []any{typed{
			"name": "envoy.filters.network.http_connection_manager",
			"typed_config": typed{
				"@type":       prefix + "network.http_connection_manager.v3.HttpConnectionManager",
				"stat_prefix": name, "normalize_path": normalize, "merge_slashes": normalize,
				"local_reply_config": typed{"mappers": []any{typed{
					"filter": typed{"status_code_filter": typed{"comparison": typed{
						"op": "GE", "value": typed{"default_value": 400, "runtime_key": "none"},
					}}},
					"headers_to_add": []any{typed{"header": typed{"key": "x-details", "value": "%RESPONSE_CODE_DETAILS%"}}},
				}}},
				"route_config": typed{"virtual_hosts": []any{typed{
					"name": "all", "domains": []any{"*"},
					"routes": []any{typed{"match": typed{"prefix": ""}, "direct_response": typed{"status": 200}}},
				}}},
				"http_filters": append(append([]any{}, filters...), typed{
					"name":         "envoy.filters.http.router",
					"typed_config": typed{"@type": prefix + "http.router.v3.Router"},
				}),
			},
		}}}},
	}
}

// wasm is the plugin as a filter. All of them share one VM.
func wasm(name, module string, configuration []byte) any {
	return typed{"name": name, "typed_config": typed{
		"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
		"config": typed{
			"name": name, "root_id": name, "failure_policy": "FAIL_RELOAD",
			"vm_config": typed{
				"vm_id": "differential", "runtime": "envoy.wasm.runtime.v8",
				"code": typed{"local": typed{"filename": module}},
			},
			"configuration": typed{"@type": "type.googleapis.com/google.protobuf.StringValue", "value": string(configuration)},
		},
	}}
}

// startTwins starts one Envoy with all of them.
func startTwins(t *testing.T, module string, twins []*twin) {
	t.Helper()
	dir := t.TempDir()
	var listeners []any
	for i, w := range twins {
		for side := range w.listeners {
			w.listeners[side] = &caller{socket: filepath.Join(dir, fmt.Sprintf("%d-%d", i, side))}
		}
		listeners = append(listeners,
			listener(fmt.Sprintf("native%d", i), w.listeners[0].socket, w.native.Normalize, w.native.Filters),
			listener(fmt.Sprintf("edge%d", i), w.listeners[1].socket, w.native.Normalize,
				[]any{wasm(fmt.Sprintf("edge%d", i), module, w.converted.JSON)}))
	}
	bootstrap, err := json.Marshal(typed{
		"node":             typed{"id": "differential", "cluster": "differential"},
		"admin":            typed{"address": typed{"socket_address": typed{"address": "127.0.0.1", "port_value": 0}}},
		"static_resources": typed{"listeners": listeners},
	})
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "envoy.json")
	if err := os.WriteFile(config, bootstrap, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	envoy, err := parts.StartEnvoy(ctx, parts.EnvoyOptions{
		Root: harness.Root(), Config: config, Log: filepath.Join(dir, "envoy.log"), Concurrency: 1, LogLevel: "error",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, w := range twins {
			for _, c := range w.listeners {
				c.close()
			}
		}
		if t.Failed() {
			t.Logf("the end of Envoy's log:\n%s", envoy.Tail(40))
		}
		envoy.Stop()
	})
}

// caller sends raw requests to one listener, over one connection as long as it
// lasts.
type caller struct {
	socket string
	conn   net.Conn
	reader *bufio.Reader
}

// verdict is what became of a request.
type verdict struct {
	passed bool
	status int
	reason string // Envoy's response code details
}

func (c *caller) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

// send sends a request; a connection that Envoy has closed is made anew once.
func (c *caller) send(q *differential.Request) (v verdict, err error) {
	fresh := c.conn == nil
	if fresh {
		if c.conn, err = net.DialTimeout("unix", c.socket, 5*time.Second); err != nil {
			return v, err
		}
		c.reader = bufio.NewReader(c.conn)
	}
	v, err = c.exchange(q)
	if err != nil {
		c.close()
		if !fresh {
			return c.send(q)
		}
	}
	return v, err
}

func (c *caller) exchange(q *differential.Request) (verdict, error) {
	c.conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c.conn, q.Wire()); err != nil {
		return verdict{}, err
	}
	resp, err := http.ReadResponse(c.reader, &http.Request{Method: q.Method})
	if err != nil {
		return verdict{}, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.Close {
		c.close()
	}
	reason, _, _ := strings.Cut(resp.Header.Get("x-details"), "{")
	return verdict{resp.StatusCode == 200, resp.StatusCode, reason}, err
}

func mustJSON(value any) []byte {
	raw, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return raw
}
