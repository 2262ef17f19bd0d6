package plugin

import (
	"encoding/binary"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
)

// readHint reads the record's sequence number; ok is false when there is none.
func readHint(name string) (hint uint64, ok bool) {
	data, _, err := proxywasm.GetSharedData(name)
	if err != nil || len(data) != 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(data), true
}

// writeHint writes it without compare-and-swap: whichever of two numbers stands
// in the end, it is another than was there, and sends readers to the record.
func writeHint(name string, hint uint64) {
	_ = proxywasm.SetSharedData(name, binary.LittleEndian.AppendUint64(nil, hint), 0)
}
