package abi

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// TestPairs: what is written is read again, and every cut of it is refused.
func TestPairs(t *testing.T) {
	for _, pairs := range [][][2]string{
		nil, {{"", ""}}, {{"a", ""}, {"", "b"}}, {{":path", "/"}, {"x", strings.Repeat("y", 70_000)}, {"z", "\x00"}},
	} {
		b := serializePairs(pairs)
		got, err := appendPairs(nil, b)
		if err != nil || !slices.Equal(got, pairs) {
			t.Errorf("%.40q: read as %.40q, %v", pairs, got, err)
		}
		for n := range min(len(b), 100) {
			if got, err := appendPairs(nil, b[:n]); err == nil {
				t.Errorf("%.40q: the first %d bytes are read as %q", pairs, n, got)
			}
		}
	}
	for _, sizes := range [][]uint32{{1}, {1, 1}, {1, 1 << 31, 1 << 31}, {1<<32 - 1, 0, 0}, {1 << 29}, {1, 1<<32 - 1, 1<<32 - 1}, {2, 0, 0, 1, 1}} {
		var b []byte
		for _, size := range sizes {
			b = binary.LittleEndian.AppendUint32(b, size)
		}
		if got, err := appendPairs(nil, append(b, 0, 0)); err == nil {
			t.Errorf("sizes %d are read as %q", sizes, got)
		}
	}
}
