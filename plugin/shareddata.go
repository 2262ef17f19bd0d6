package plugin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"

	"edgejwt/jwks"
)

// Shared data belongs to all plugins of the proxy with the same vm_id, and to all
// without one. So the name of a record and what authenticates it follow from
// config.Config.RecordKey, which other plugins do not know. Plugins of ours with
// different keys do not meet there.

// recordName names the record of what is fetched from a place.
func recordName(key [sha256.Size]byte, place string) string {
	return "edgejwt/keys/" + strconv.Itoa(jwks.RecordFormat) + "/" + base64.RawURLEncoding.EncodeToString(derive(key, "name", place)[:16])
}

// derive gives 32 bytes for a purpose and a place, which tell nothing of the key.
func derive(key [sha256.Size]byte, purpose, place string) []byte {
	h := hmac.New(sha256.New, key[:])
	h.Write([]byte(purpose + "\x00" + place))
	return h.Sum(nil)
}

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
