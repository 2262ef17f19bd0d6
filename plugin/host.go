package plugin

import (
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

// host implements authz.Host.
type host struct{}

// PeerCertificateDigest implements authz.Host.
func (host) PeerCertificateDigest() (string, error) {
	digest, err := proxywasm.GetProperty([]string{"connection", "sha256_peer_certificate_digest"})
	if err == types.ErrorStatusNotFound {
		return "", nil // no TLS, or no certificate
	}
	return string(digest), err
}
