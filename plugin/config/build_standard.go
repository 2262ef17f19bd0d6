//go:build !full

package config

// ofBuild gives the features of this build.
func ofBuild() Features { return Standard() }
