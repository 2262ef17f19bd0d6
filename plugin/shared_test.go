package plugin_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"edgejwt/jwks"
)

// TestSharedDataFails: without shared data there are no keys. The failure is logged once,
// ticks are slow, and everything works again when shared data does.
func TestSharedDataFails(t *testing.T) {
	for _, function := range []string{"proxy_get_shared_data", "proxy_set_shared_data"} {
		v := newVM(t)
		v.unshared = function
		if !v.plugin(1, auth0Config) {
			t.Fatalf("the plugin did not start: %q", v.logs)
		}
		for range 10 {
			v.now = v.now.Add(time.Second)
			if v.enter(1, "proxy_on_tick"); v.period != 1000 {
				t.Errorf("%s fails: the next tick comes after %d ms", function, v.period)
			}
		}
		if n := strings.Count(strings.Join(v.logs, "\n"), "fails to keep shared data"); n != 1 {
			t.Errorf("%s fails: logged %d times", function, n)
		}
		if len(v.callouts) > 0 {
			t.Errorf("%s fails: %d fetches by one worker of many", function, len(v.callouts))
		}
		v.unshared = ""
		v.tickUntilCallout()
	}
}

// TestForgedRecord: a record that another plugin has written is rejected, which is logged
// once and counted. The log does not have the secret.
func TestForgedRecord(t *testing.T) {
	const secret = "7d8a4c50ff6b4b5f9a2b9dd3f1f0b7c6"
	config := strings.TrimSuffix(auth0Config, "}") + `, "secret": "` + secret + `"}`
	forms(t, func(t *testing.T, f form) {
		w := newWorld(t, f, config)
		w.serveKeys(keySet("k1"))
		const metric = "edgejwt_jwks_records_rejected;jwks=tenant.auth0.example/.well-known/jwks.json;;"
		if n := w.counter(metric); n != 0 {
			t.Fatalf("%d records are dropped before any is forged", n)
		}
		name, genuine := w.recordOf(secret)
		for i, record := range [][]byte{keySet("k2"), genuine[:len(genuine)-1], {0}} {
			w.write(name, record)
			w.write(name+"/hint", binary.LittleEndian.AppendUint64(nil, 1<<60+uint64(i)))
			w.Tick()
			w.Tick()
			w.send(bearer(f.sign("k1", map[string]any{"jti": fmt.Sprint(i)}))).accepted()
		}
		w.send(bearer(f.sign("k2", nil))).waiting() // for a fetch, in vain
		if n := strings.Count(strings.Join(w.GetWarnLogs(), "\n"), "damaged or forged"); n != 1 {
			t.Errorf("logged %d times: %q", n, w.GetWarnLogs())
		}
		w.serveKeys(keySet("k1")) // with which the metrics are brought up to date
		if n := w.counter(metric); n != 3 {
			t.Errorf("%d records are counted as dropped, want 3", n)
		}
		for _, log := range [][]string{w.GetTraceLogs(), w.GetDebugLogs(), w.GetInfoLogs(), w.GetWarnLogs(), w.GetErrorLogs(), w.GetCriticalLogs()} {
			if strings.Contains(strings.Join(log, "\n"), secret[:8]) {
				t.Errorf("the log tells the secret: %q", log)
			}
		}
	})
}

// recordOf finds the record of auth0Config's keys, which takes the secret.
func (w *world) recordOf(secret string) (name string, record []byte) {
	w.Helper()
	key := sha256.Sum256([]byte("edgejwt secret " + secret))
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte("name\x00https://tenant.auth0.example/.well-known/jwks.json\x00RS256\x00auth0\x00"))
	name = fmt.Sprintf("edgejwt/keys/%d/%s", jwks.RecordFormat, base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16]))
	record, _, err := w.form.sharedData(name)
	if err != nil {
		w.Fatalf("there is no record: %v", err)
	}
	return name, record
}

// write stores a value as another plugin would.
func (w *world) write(name string, value []byte) {
	w.Helper()
	_, version, _ := w.form.sharedData(name) // the emulator has no unconditional write
	if err := w.form.setSharedData(name, value, version); err != nil {
		w.Fatal(err)
	}
}

// TestKeysOutliveTheConfiguration: a plugin with a changed configuration, whose
// records have another name, has the keys of the one before it without a fetch.
func TestKeysOutliveTheConfiguration(t *testing.T) {
	v := newVM(t)
	if !v.plugin(1, auth0Config) {
		t.Fatalf("the plugin did not start: %q", v.logs)
	}
	v.tickUntilCallout()
	v.answer = keySet("k1")
	v.enter(1, "proxy_on_http_call_response", 1, 1, uint64(len(v.answer)), 0)
	records := len(v.shared)
	if !v.plugin(2, strings.TrimSuffix(auth0Config, "}")+`, "realm": "other"}`) {
		t.Fatalf("the next plugin did not start: %q", v.logs)
	}
	v.now = v.now.Add(time.Millisecond)
	v.enter(2, "proxy_on_tick")
	if got := v.request(100, 2, bearer(v.sign("k1", nil))); got != "passed" {
		t.Errorf("a valid token after the change: %s", got)
	}
	if len(v.shared) != 2*records {
		t.Errorf("%d values in shared data, before the change %d", len(v.shared), records)
	}
	// A key source with another cluster has another record.
	if !v.plugin(3, strings.Replace(auth0Config, `"cluster": "auth0"`, `"cluster": "elsewhere"`, 1)) {
		t.Fatalf("the third plugin did not start: %q", v.logs)
	}
	v.now = v.now.Add(time.Millisecond)
	v.enter(3, "proxy_on_tick")
	if got := v.request(101, 3, bearer(v.sign("k1", nil))); got != "held" {
		t.Errorf("a token whose key was fetched over another cluster: %s", got)
	}
}
