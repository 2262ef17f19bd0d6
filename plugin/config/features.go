package config

// Features are what a module can do beyond what every one can. One source makes
// two modules: dist/edgejwt.wasm, which most take, and dist/edgejwt-full.wasm
// (build tag full), which is larger.
type Features struct {
	// Algorithms are the signature algorithms (RFC 7518 §3.1, RFC 8037 §3.1).
	Algorithms []string
	// Regex is true when the module has regular expressions on paths.
	Regex bool
}

// algorithms are all that are known, the first being that of every module.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// fullModule has what this one lacks.
const fullModule = "is only in edgejwt-full.wasm"

// Standard gives the features of dist/edgejwt.wasm.
func Standard() Features { return Features{Algorithms: algorithms[:1:1]} }
