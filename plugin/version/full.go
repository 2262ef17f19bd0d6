//go:build full

package version

// Module says which of the two modules this is: standard, or full.
const Module = "full"
