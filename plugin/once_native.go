//go:build !wasm

package plugin

import (
	"time"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
)

// The SDK's callbacks and its way of reading headers: see once_wasm.go for what
// the module has in their place.

func (*root) made() {}

func (*root) siblings() []*root { return nil }

func readHeaders() ([][2]string, error) { return proxywasm.GetHttpRequestHeaders() }

func (r *root) hostTime() time.Time { return r.clock() }
