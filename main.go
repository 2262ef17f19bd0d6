// Edgejwt is a proxy-wasm plugin: it lets a request pass only with a valid
// access token. Everything it does is in package plugin.
package main

import "edgejwt/plugin"

// A proxy-wasm module is a reactor: the host runs init functions and then calls
// the exports; main never runs.
func main() {}

func init() { plugin.Register() }
