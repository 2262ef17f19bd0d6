// Package plant is a fault of our own. The tests of faults lay this file over
// package authz while they compile a module for themselves, under that
// package's name, and call it where headers are read. It is never shipped.
package plant

import "sync"

// planted does what the header x-fault says.
func planted(headers [][2]string) {
	for _, h := range headers {
		if h[0] != "x-fault" {
			continue
		}
		switch h[1] {
		case "panic": // contained, as every panic of Go's is
			panic("planted")
		case "fatal": // what Go cannot recover from; os.Exit would come back from Envoy
			new(sync.Mutex).Unlock()
		case "memory": // until the host gives no more
			for {
				hoard = append(hoard, make([]byte, 64<<20))
			}
		}
	}
}

var hoard [][]byte

// Used only where it is laid over.
var _ = planted
