package plugin

import (
	"errors"

	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"

	"edgejwt/plugin/config"
	"edgejwt/verify"
)

// checks counts signature checks by who made them.
type checks struct{ byHost, byGo metric }

func newChecks() checks {
	return checks{
		byHost: define(counterMetric, label("edgejwt_signatures", "engine", "host")+";;"),
		byGo:   define(counterMetric, label("edgejwt_signatures", "engine", "go")+";;"),
	}
}

func (c *checks) count(byHost bool) {
	if byHost {
		c.byHost.add(1)
	} else {
		c.byGo.add(1)
	}
}

var errNoHostEngine = errors.New("signature: host, but this host has no verify_signature that tells good signatures from bad; " +
	"write auto or go")

// engine is what checks signatures under the configuration. That of the host is
// only taken after it has proved itself.
func (s *setup) engine(choice config.Signature) (verify.Engine, error) {
	if choice != config.SignatureGo {
		if verify.ProveHost(askHost) {
			return verify.NewHostEngine(askHost, s.metrics.checks.count), nil
		}
		if choice == config.SignatureHost {
			return nil, errNoHostEngine
		}
		proxywasm.LogWarn("edgejwt: signature: auto: the host's verify_signature is missing or wrong; signatures are checked in the module")
	}
	return func(algorithm string, key *verify.Key, signed string, signature []byte) (bool, error) {
		s.metrics.checks.count(false)
		return verify.GoEngine(algorithm, key, signed, signature)
	}, nil
}

// askHost is a verify.HostCall.
func askHost(message []byte) ([]byte, error) {
	return proxywasm.CallForeignFunction("verify_signature", message)
}
