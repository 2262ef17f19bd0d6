package authz_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// TestOutputsAreBounded: the cache counts the outputs of its tokens, which an encoding can
// make long.
func TestOutputsAreBounded(t *testing.T) {
	var outputs []string
	for i := range 20 {
		outputs = append(outputs, fmt.Sprintf(`{"header": "x-o-%d", "claim": "big", "encoding": "percent"}`, i))
	}
	g := newEdge(t, `"outputClaimToHeaders": [`+strings.Join(outputs, ",")+`]`, `"tokenCache": {"entries": 10000, "bytes": "1Mi"}`)
	before := heapBytes()
	for i := range 200 {
		bearerOf := request("GET /", bearer(token(map[string]any{"sub": fmt.Sprint("s", i), "big": strings.Repeat("é", 1300)})))
		for range 2 {
			if j := decide(g, bearerOf, now); len(j.Changes().Set) != 20 {
				t.Fatalf("%v (%v): %d headers", j.Reason, j.Detail, len(j.Changes().Set))
			}
		}
	}
	if grown := heapBytes() - before; grown > 3<<20 {
		t.Errorf("200 tokens take %d KiB, of a cache of 1024", grown>>10)
	}
	runtime.KeepAlive(g)
}

func heapBytes() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
