// Edgejwt is a proxy-wasm plugin that lets a request pass only with a valid access token.
// The code is in package plugin.
package main

import "edgejwt/plugin"

// main does not run: a proxy-wasm module is a reactor. The host runs the init functions and
// then calls the exports.
func main() {}

func init() { plugin.Register() }
