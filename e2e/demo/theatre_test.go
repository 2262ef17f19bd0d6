package demo

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"edgejwt/e2e/parts"
)

// theatre is the shipped envoy.yaml on free ports, with a run folder of its own.
type theatre struct {
	t      *testing.T
	opts   Options
	out    *lockedBuffer
	listen map[string]string // by the port in the shipped file
	env    map[string]string
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}

func newTheatre(t *testing.T) *theatre {
	t.Helper()
	root, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(root, "envoy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	h := &theatre{t: t, out: &lockedBuffer{}, listen: map[string]string{}, env: map[string]string{}}
	config := strings.Replace(string(raw), ".run/ca.pem", dir+"/ca.pem", 1)
	for _, port := range []string{"10000", "9901", "8000", "9443"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // all at once, so that no port is given twice
		_, free, _ := net.SplitHostPort(l.Addr().String())
		if strings.Count(config, "port_value: "+port+"}") != 1 {
			t.Fatalf("envoy.yaml names port %s not once", port)
		}
		config = strings.Replace(config, "port_value: "+port+"}", "port_value: "+free+"}", 1)
		h.listen[port] = l.Addr().String()
	}
	path := filepath.Join(dir, "example.yaml")
	if err := os.WriteFile(path, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	h.opts = Options{Root: root, Config: path, Run: dir, Control: "127.0.0.1:0", Once: true, Out: h.out,
		Env: func(name string) string { return h.env[name] }}
	t.Cleanup(func() {
		h.nothingLeft()
		if t.Failed() {
			t.Logf("shown last:\n%s", h.out)
		}
	})
	return h
}

func (h *theatre) run(ctx context.Context) error {
	h.t.Helper()
	h.out.reset()
	return Run(ctx, h.opts)
}

// nothingLeft: no port answers and no token lies about when it is over.
func (h *theatre) nothingLeft() {
	for port, at := range h.listen {
		if c, err := net.Dial("tcp", at); err == nil {
			c.Close()
			h.t.Errorf("something still listens where envoy.yaml says %s", port)
		}
	}
	for _, file := range []string{"token", "tampered", "other", "expired", "hs256"} {
		if _, err := os.Stat(filepath.Join(h.opts.Run, file)); err == nil {
			h.t.Errorf("%s was left behind", file)
		}
	}
}

func (h *theatre) wantShown(texts ...string) {
	h.t.Helper()
	shown := h.out.String()
	for _, text := range texts {
		i := strings.Index(shown, text)
		if i < 0 {
			h.t.Errorf("not shown, or not in this order: %s", text)
			continue
		}
		shown = shown[i+len(text):]
	}
}

// await waits until text was shown.
func (h *theatre) await(text string) {
	h.t.Helper()
	for end := time.Now().Add(2 * patience); !strings.Contains(h.out.String(), text); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("never shown: %s\n%s", text, h.out)
		}
	}
}

func (h *theatre) end(ended <-chan error) error {
	h.t.Helper()
	select {
	case err := <-ended:
		return err
	case <-time.After(30 * time.Second):
		h.t.Fatal("does not end")
		return nil
	}
}
