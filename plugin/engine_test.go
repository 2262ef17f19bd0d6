package plugin_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

// verifySignature is the host's foreign function; what it cannot do it does not
// answer.
func verifySignature(message []byte) []byte {
	fields := map[uint64][]byte{} // of protobuf: each is a tag, a length and that many bytes
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		size, m := binary.Uvarint(message[n:])
		end := n + m + int(size)
		fields[tag>>3], message = message[n+m:end], message[end:]
	}
	key, err := x509.ParsePKIXPublicKey(fields[2])
	if err != nil {
		return nil
	}
	digest := sha256.Sum256(fields[4])
	if rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.SHA256, digest[:], fields[3]) != nil {
		return []byte("\x12\x26Failed to verify digest. Error code: 0")
	}
	return []byte("\x08\x01")
}

// TestEngineChoice starts the plugin on hosts with a good verify_signature and
// with one that always says yes.
func TestEngineChoice(t *testing.T) {
	sound := verifySignature
	gullible := func([]byte) []byte { return []byte("\x08\x01") }
	for _, c := range []struct {
		name           string
		signature      string
		host           func([]byte) []byte
		starts         bool
		byHost, byGo   uint64
		logs, critical string
	}{
		{name: "go on a sound host", signature: "go", host: sound, starts: true, byGo: 2},
		{name: "auto on a sound host", signature: "auto", host: sound, starts: true, byHost: 2},
		{name: "host on a sound host", signature: "host", host: sound, starts: true, byHost: 2},
		{name: "auto on a gullible host", signature: "auto", host: gullible, starts: true, byGo: 2, logs: "checked in the module"},
		{name: "host on a gullible host", signature: "host", host: gullible, critical: "write auto or go"},
	} {
		t.Run(c.name, func(t *testing.T) {
			forms(t, func(t *testing.T, f form) {
				host, reset := f.start(
					fmt.Sprintf(`{"signature": %q, "jwtRules": [{"issuer": %q, "audiences": [%q], "jwks": %s}]}`, c.signature, issuer, audience, keySet("a")))
				defer reset()
				host.RegisterForeignFunction("verify_signature", c.host)
				w := &world{TB: t, HostEmulator: host, now: f.now}
				if w.StartVM() != types.OnVMStartStatusOK {
					t.Fatal("the VM did not start")
				}
				if started := w.StartPlugin() == types.OnPluginStartStatusOK; started != c.starts {
					t.Fatalf("started: %v, want %v: %q", started, c.starts, w.GetCriticalLogs())
				}
				if logs := strings.Join(w.GetCriticalLogs(), "\n"); !strings.Contains(logs, c.critical) {
					t.Errorf("critical: %q, want %q", logs, c.critical)
				}
				if logs := strings.Join(w.GetWarnLogs(), "\n"); !strings.Contains(logs, c.logs) {
					t.Errorf("warnings: %q, want %q", logs, c.logs)
				}
				if !c.starts {
					return
				}
				if s := w.send(bearer(f.sign("a", nil))); s.action != types.ActionContinue {
					t.Error("a valid token did not pass")
				}
				w.send(bearer(f.signAs("a", "b"))).refusedWith(401, "signature_invalid")
				byHost, byGo := w.counter("edgejwt_signatures;engine=host;;"), w.counter("edgejwt_signatures;engine=go;;")
				if byHost != c.byHost || byGo != c.byGo {
					t.Errorf("%d by the host, %d by Go; want %d, %d", byHost, byGo, c.byHost, c.byGo)
				}
			})
		})
	}
}
