package config_test

import (
	"strings"
	"testing"

	"edgejwt/plugin/config"
)

// TestOtherAlgorithms tries the signature algorithms that IANA lists for JOSE and
// that are not checked here.
func TestOtherAlgorithms(t *testing.T) {
	for _, alg := range []string{"ES256K", "Ed25519", "Ed448", "ML-DSA-44", "HS256", "HS384", "HS512", "none", "None", "RS1", "RS224", "RSA-OAEP", "A128KW"} {
		if _, err := config.Parse([]byte(rule(`"algorithms":["RS256","` + alg + `"]`))); err == nil {
			t.Errorf("%s was accepted", alg)
		}
	}
}

// TestReservedHeaders: none of these may carry a claim, in any case of letters.
func TestReservedHeaders(t *testing.T) {
	for _, header := range []string{
		":path", ":authority", ":method", ":scheme", ":status",
		"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive",
		"proxy-connection", "http2-settings", "expect", "proxy-authorization", "proxy-authenticate",
		"cookie", "set-cookie", "authorization", "www-authenticate", "content-type", "content-encoding",
		"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "via", "origin",
		"x-envoy-original-path", "grpc-timeout", "if-none-match", "sec-fetch-mode", "access-control-request-method",
	} {
		for _, written := range []string{header, strings.ToUpper(header)} {
			for _, members := range []string{`"outputPayloadToHeader":"` + written + `"`,
				`"outputClaimToHeaders":[{"claim":"sub","header":"` + written + `"}]`} {
				if _, err := config.Parse([]byte(rule(members))); err == nil {
					t.Errorf("%s was accepted", members)
				}
			}
		}
	}
}
