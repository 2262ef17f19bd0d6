//go:build full || !wasip1

package config

// Full gives the features of dist/edgejwt-full.wasm.
func Full() Features { return Features{Algorithms: algorithms, Regex: true} }
