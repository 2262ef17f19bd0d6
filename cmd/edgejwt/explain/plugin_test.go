package explain

import (
	"strings"
	"testing"
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"

	"edgejwt/plugin"
)

// TestAsThePlugin sends each example to the plugin on an emulated host too: both
// must come to the same decision, and tell client and API the same.
func TestAsThePlugin(t *testing.T) {
	host, reset := proxytest.NewHostEmulator(proxytest.NewEmulatorOption().
		WithVMContext(plugin.NewVM()).WithPluginConfiguration([]byte(policyText(false))))
	defer reset()
	if host.StartVM() != types.OnVMStartStatusOK || host.StartPlugin() != types.OnPluginStartStatusOK {
		t.Fatalf("the plugin did not start: %q", host.GetCriticalLogs())
	}
	host.RegisterForeignFunction("clear_route_cache", func([]byte) []byte { return []byte{0} })
	c := parsePolicy(t, false)
	for _, x := range examples {
		t.Run(x.name, func(t *testing.T) {
			at := time.Now()
			q := x.make(t, c, at)
			e := Explain(q, &Options{Config: c, At: at, Claims: true, Keys: &KeySource{}})
			id := host.InitializeHttpContext()
			action := host.CallOnRequestHeaders(id, q.headers(), true)
			reply := host.GetSentLocalResponse(id)
			if onward := action == types.ActionContinue && reply == nil; onward != e.GoesOn {
				t.Fatalf("the plugin lets it go on: %v; explained: %v", onward, e.GoesOn)
			}
			if reply != nil {
				sameAnswer(t, reply, e)
				return
			}
			want := map[string]string{}
			for _, h := range q.headers() {
				want[h[0]] = h[1]
			}
			for _, name := range e.Upstream.Removed {
				delete(want, name)
			}
			for _, v := range e.Upstream.Set {
				want[v.Name] = v.Value
			}
			got := map[string]string{}
			for _, h := range host.GetCurrentRequestHeaders(id) {
				got[h[0]] = strings.Clone(h[1])
			}
			for name := range got {
				if _, ok := want[name]; !ok {
					t.Errorf("the plugin leaves %s, which is not explained", name)
				}
			}
			for name, value := range want {
				if got[name] != value {
					t.Errorf("%s: %q, explained as %q", name, got[name], value)
				}
			}
		})
	}
}

func sameAnswer(t *testing.T, reply *proxytest.LocalHttpResponse, e *Explanation) {
	if reply.StatusCodeDetail != e.Reason {
		t.Errorf("the plugin decides %s, explained as %s", reply.StatusCodeDetail, e.Reason)
	}
	if e.Answer.GRPC > 0 { // Envoy makes the gRPC status of what it is given
		if int(reply.GRPCStatus) != e.Answer.GRPC || string(reply.Data) != e.Answer.Headers[0].Value {
			t.Errorf("gRPC status %d %q, explained as %+v", reply.GRPCStatus, reply.Data, e.Answer)
		}
		return
	}
	if int(reply.StatusCode) != e.Answer.Status || string(reply.Data) != e.Answer.Body {
		t.Errorf("the plugin answers %d %q, explained as %d %q", reply.StatusCode, reply.Data, e.Answer.Status, e.Answer.Body)
	}
	var got, want []string
	for _, h := range reply.Headers {
		got = append(got, h[0]+": "+h[1])
	}
	for _, v := range e.Answer.Headers {
		want = append(want, v.Name+": "+v.Value)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the plugin answers with\n%s\nexplained as\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
